"""The installation that is backed up, and the targets to restore it on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from base.database import Database
from base.embedded.server import Addresses
from storage.blobs import BlobStore
from storage.blobs.directory import DirectoryStore
from storage.key_rotation import initialise
from storage.providers.local import LocalKeyring
from tests.storage.backup.installations import Installation, Target
from tests.storage.blobs.conftest import directory, s3, s3_settings, store
from tests.storage.conftest import Homes

__all__ = ["directory", "s3", "s3_settings", "store"]


@pytest.fixture
async def each_installation(
    keys_postgres: Addresses, database: Database, store: BlobStore, keyring: LocalKeyring
) -> Installation:
    """The installation that is backed up, on each store in turn."""
    await initialise(database, keyring)
    return Installation(keys_postgres, database, store, keyring)


@pytest.fixture
async def installation(
    keys_postgres: Addresses, database: Database, directory: DirectoryStore, keyring: LocalKeyring
) -> Installation:
    """The same on the directory store only, for tests that do not depend on the store."""
    await initialise(database, keyring)
    return Installation(keys_postgres, database, directory, keyring)


@pytest.fixture
async def target(new_postgres: Homes, tmp_path: Path) -> AsyncIterator[Target]:
    machine = Target(new_postgres(), tmp_path / "elsewhere")
    yield machine
    await machine.close()


@pytest.fixture(scope="session")
def bare_postgres(new_postgres: Homes) -> Addresses:
    """A PostgreSQL that stays empty, for restorations that are refused."""
    return new_postgres()


@pytest.fixture
async def bare_target(bare_postgres: Addresses, tmp_path: Path) -> AsyncIterator[Target]:
    machine = Target(bare_postgres, tmp_path / "nowhere")
    yield machine
    await machine.close()


@pytest.fixture
def backup_folder(tmp_path: Path) -> Path:
    return tmp_path / "backup"


@pytest.fixture
def keys_folder(tmp_path: Path) -> Path:
    """The folder of the copied keys."""
    return tmp_path / "elsewhere-keys"
