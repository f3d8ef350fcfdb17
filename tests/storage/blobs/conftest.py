"""The two blob stores that the suite runs on."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage.blobs import BlobStore
from storage.blobs.directory import DirectoryStore
from storage.blobs.s3 import S3Settings, S3Store
from tests.servers.ceph import Ceph

BUCKET = "blobs"


@pytest.fixture
def s3_settings(ceph: Ceph) -> S3Settings:
    """A new prefix in one bucket for each test."""
    return S3Settings(
        bucket=BUCKET,
        region="us-east-1",
        endpoint_url=ceph.endpoint_url,
        access_key=ceph.access_key,
        secret_key=SecretStr(ceph.secret_key),
        prefix=f"{secrets.token_hex(8)}/",
    )


@pytest.fixture
async def s3(s3_settings: S3Settings) -> AsyncIterator[S3Store]:
    """A store on the real gateway."""
    store = S3Store(s3_settings)
    await store.make_bucket()
    yield store
    await store.close()


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[DirectoryStore]:
    """A store in a folder."""
    store = DirectoryStore(tmp_path / "store")
    yield store
    await store.close()


@pytest.fixture(params=["directory", pytest.param("s3", marks=pytest.mark.ceph)])
def store(request: pytest.FixtureRequest) -> BlobStore:
    """Each store in turn: the same asserts hold for both."""
    chosen: BlobStore = request.getfixturevalue(request.param)
    return chosen
