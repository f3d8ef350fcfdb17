"""Services whose messages nothing else delivers: a PostgreSQL of their own, and no server on it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from audit.audit_log import AuditLog
from auth.services import CoreServices
from base.database import Database
from base.embedded.server import Addresses, EmbeddedPostgres
from base.part_state import PartStates
from base.settings import Settings
from migrations.run import upgrade
from storage.backends import key_provider, open_storage
from storage.key_rotation import initialise
from web.i18n.translations import translator


@pytest.fixture(scope="session")
def quiet_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="unefois-"))
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def quiet_postgres(quiet_home: Path) -> Iterator[Addresses]:
    server = EmbeddedPostgres(quiet_home)
    addresses = server.start()
    upgrade(SecretStr(addresses.owner_url))
    yield addresses
    server.stop()


@pytest.fixture
async def quiet_services(
    quiet_home: Path, quiet_postgres: Addresses
) -> AsyncIterator[CoreServices]:
    """All tests of the session share the rows: each sends to addresses of its own."""
    settings = Settings(mode="demo", home=quiet_home, messenger="inbox")
    database = Database(SecretStr(quiet_postgres.service_url))
    parts = PartStates()
    storage = open_storage(settings, database, parts)
    await initialise(database, key_provider(settings))
    yield CoreServices(
        settings=settings,
        parts=parts,
        database=database,
        field_encryption=storage.field_encryption,
        audit_log=AuditLog(database, storage.field_encryption),
        translate=translator(),
    )
    await storage.blobs.close()
    await database.close()
