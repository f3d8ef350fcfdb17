"""An empty log for each test, on a directory or on a real Ceph gateway."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from base.embedded.server import Addresses, EmbeddedPostgres
from migrations.run import upgrade
from storage.blobs import BlobStore
from storage.blobs.directory import DirectoryStore
from storage.blobs.s3 import S3Settings, S3Store
from tests.audit.tlog.logs import SomeLog, empty, open_log


@pytest.fixture(scope="session")
def log_home() -> Iterator[Path]:
    """A folder with a short path, in memory where there is room."""
    memory = Path("/dev/shm") if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="ul-", dir=memory))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def log_postgres(log_home: Path) -> Iterator[Addresses]:
    """A PostgreSQL for the log tests alone: they empty tables that other tests use. Migrated in two
    steps, as an installation of the first release is."""
    server = EmbeddedPostgres(log_home / "h")
    addresses = server.start()
    upgrade(SecretStr(addresses.owner_url), "0001")
    upgrade(SecretStr(addresses.owner_url))
    yield addresses
    server.stop()


@pytest.fixture
def keyring_file(log_home: Path) -> Path:
    """The keyring of that database, kept as long as the database."""
    return log_home / "keys" / "keyring.json"


@pytest.fixture
async def blobs(
    request: pytest.FixtureRequest, log_home: Path, tmp_path: Path
) -> AsyncIterator[BlobStore]:
    """An empty store: `directory`, or `ceph` when parametrised so."""
    if getattr(request, "param", "directory") == "ceph":
        gateway = request.getfixturevalue("ceph")
        bucket = S3Store(
            S3Settings(
                bucket="log",
                region="us-east-1",
                endpoint_url=gateway.endpoint_url,
                access_key=gateway.access_key,
                secret_key=SecretStr(gateway.secret_key),
                prefix=f"{tmp_path.name.lower().replace('[', '').replace(']', '')}-x/",
            )
        )
        await bucket.make_bucket()
        yield bucket
        await bucket.close()
        return
    folder = Path(tempfile.mkdtemp(dir=log_home))
    store = DirectoryStore(folder)
    yield store
    await store.close()
    shutil.rmtree(folder)


@pytest.fixture
async def some_log(
    log_postgres: Addresses, keyring_file: Path, blobs: BlobStore
) -> AsyncIterator[SomeLog]:
    """An empty log."""
    empty(log_postgres)
    async with open_log(log_postgres, keyring_file, blobs) as opened:
        yield opened
