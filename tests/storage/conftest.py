"""A separate PostgreSQL for the keys: their tests rotate and delete data that other tests need."""

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
    """Makes empty embedded PostgreSQL servers, in folders with short paths (each has a socket)."""
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
    """A migrated one, which the tests of this folder share, one after another."""
    addresses = new_postgres()
    upgrade(SecretStr(addresses.owner_url))
    return addresses


@pytest.fixture
async def database(keys_postgres: Addresses) -> AsyncIterator[Database]:
    """The service's connection to it, with every table empty."""
    empty(keys_postgres.owner_url)
    opened = Database(SecretStr(keys_postgres.service_url), pool=5)
    yield opened
    await opened.close()


@pytest.fixture
async def as_owner(keys_postgres: Addresses) -> AsyncIterator[Database]:
    """The owner of its tables."""
    opened = Database(SecretStr(keys_postgres.owner_url), pool=3)
    yield opened
    await opened.close()


@pytest.fixture
def keyring(tmp_path: Path) -> LocalKeyring:
    """A new keyring for each test."""
    return LocalKeyring(tmp_path / "keys" / "keyring.json")


@pytest.fixture
async def keys(database: Database, keyring: LocalKeyring) -> Keys:
    """Keys with a first root version."""
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
    """Moves this database's clock from the real time; the end of the test resets it."""

    def move(by: timedelta) -> None:
        owner(
            keys_postgres.owner_url,
            "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz LANGUAGE sql STABLE"
            f" AS $$SELECT statement_timestamp() + interval '{by.total_seconds():f} seconds'$$",
        )

    yield move
    move(timedelta())


def owner(url: str, *statements: str) -> None:
    """Run statements as the owner of the tables."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]  # composed by the tests


def empty(url: str) -> None:
    """Delete every row except those of the log, which is append-only."""
    owner(url, "TRUNCATE unefois.root_version, unefois.wrapped_key, unefois.person CASCADE")
