"""A PostgreSQL for the keys alone: their tests rotate and empty what other tests stand on."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from base.database import Database
from base.embedded.server import Addresses, EmbeddedPostgres
from migrations.run import upgrade
from storage.key_rotation import initialise
from storage.keys import Keys
from storage.providers.local import LocalKeyring
from tests.storage.rotated_vault import Vault

Homes = Callable[[], Addresses]


@pytest.fixture(scope="session")
def new_postgres() -> Iterator[Homes]:
    """Makes embedded PostgreSQLs, empty, in short folders (a socket lives in each)."""
    made: list[tuple[EmbeddedPostgres, str]] = []
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else None

    def make() -> Addresses:
        folder = tempfile.mkdtemp(prefix="uf-", dir=memory)
        server = EmbeddedPostgres(Path(folder) / "h")
        made.append((server, folder))
        return server.start()

    yield make
    for server, folder in made:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def keys_postgres(new_postgres: Homes) -> Addresses:
    """One of them, migrated, shared by the tests of this folder, one after another."""
    addresses = new_postgres()
    upgrade(SecretStr(addresses.owner_url))
    return addresses


@pytest.fixture
async def database(keys_postgres: Addresses) -> AsyncIterator[Database]:
    """The service's view of it, without any row."""
    empty(keys_postgres.owner_url)
    opened = Database(SecretStr(keys_postgres.service_url), pool=5)
    yield opened
    await opened.close()


@pytest.fixture
def keyring(tmp_path: Path) -> LocalKeyring:
    """A keyring of its own for each test."""
    return LocalKeyring(tmp_path / "keys" / "keyring.json")


@pytest.fixture
async def keys(database: Database, keyring: LocalKeyring) -> Keys:
    """Keys upon a first root version."""
    await initialise(database, keyring)
    return Keys(database, keyring)


@pytest.fixture
async def vault(database: Database, keyring: LocalKeyring) -> Vault:
    """Five owners and the service, each with a sealed row."""
    await initialise(database, keyring)
    made = Vault(database, keyring)
    await made.add(5)
    return made


@pytest.fixture
def moved(keys_postgres: Addresses) -> Iterator[Callable[[timedelta], None]]:
    """Move this database's clock from the real time; given back at the end of the test."""

    def move(by: timedelta) -> None:
        owner(
            keys_postgres.owner_url,
            "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz LANGUAGE sql STABLE"
            f" AS $$SELECT statement_timestamp() + interval '{by.total_seconds():f} seconds'$$",
        )

    yield move
    move(timedelta())


def owner(url: str, *statements: str) -> None:
    """Say something as the owner of the tables."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]  # composed by the tests


def empty(url: str) -> None:
    """Remove every row but those of the log, which only grows."""
    owner(url, "TRUNCATE unefois.root_version, unefois.wrapped_key, unefois.person CASCADE")
