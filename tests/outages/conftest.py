"""An installation of its own for each file: its PostgreSQL is stopped, frozen and started again."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from base import part_state
from base.embedded.server import Addresses
from base.settings import Settings
from migrations.run import upgrade
from tests.fixtures import _ServicesPool
from tests.outages.postgres_server import Server


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="uf-", dir=memory if memory.is_dir() else None))
    yield folder / "h"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    made = Server(home)
    upgrade(SecretStr(made.addresses.owner_url))
    made.stop()
    embedded = made._server
    statement = "ALTER ROLE unefois_owner SUPERUSER"
    embedded._run_statements(embedded._data, embedded._account(), [statement])
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def postgres(server: Server) -> Addresses:
    return server.addresses


@pytest.fixture(scope="module")
def base_settings(home: Path, postgres: Addresses) -> Settings:
    return Settings(
        mode="demo",
        home=home,
        database_url=SecretStr(postgres.service_url),
        migrations_database_url=SecretStr(postgres.owner_url),
        database_pool=5,
        messenger="inbox",
        key_provider="local",
        blob_store="directory",
        sign_ins_per_hour_from_one_address=1_000_000,
        failures_at_once=1_000_000,
    )


@pytest.fixture(scope="module")
async def services_pool(postgres: Addresses) -> AsyncIterator[_ServicesPool]:
    pool = _ServicesPool()
    yield pool
    await pool.close()


@pytest.fixture(autouse=True)
def no_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that answers once has recovered: these tests do not wait for the usual ten seconds."""
    monkeypatch.setattr(part_state, "QUIET_SECONDS", 0.0)
