"""Many requests at once cannot exhaust the server: memory for each is bounded, stalled or not."""

from typing import Any

import pytest
from pydantic import SecretStr

from base.settings import Settings
from bench import fixture, memory
from bench.servers import serving
from storage.backends import blob_store
from storage.blobs.s3 import S3Store

pytestmark = pytest.mark.slow
STORES = ["directory", pytest.param("ceph", marks=pytest.mark.ceph)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", STORES)
async def test_downloads_stalled_and_deposits_at_once_hold_little(
    store: str, request: pytest.FixtureRequest
) -> None:
    """200 downloads of 20 MiB, half of them stalled, with 20 deposits of 50 MiB."""
    with fixture.database() as (home, addresses):
        settings = fixture.settings_of(home, addresses)
        if store == "ceph":
            settings = await _on_ceph(settings, request.getfixturevalue("ceph"))
        known = await fixture.build(
            settings, addresses, fixture.Sizes(large=1_000_000, small=2_000, listed=1, people=0)
        )
        with serving("ours", known) as ours:
            await memory.strain(known, ours, memory.Load())
            print(f"{store}: {ours.peak_memory():.0f} MiB at most")
            assert ours.peak_memory() <= memory.LIMIT  # MiB


async def _on_ceph(settings: Settings, gateway: Any) -> Settings:
    there = settings.model_copy(
        update={
            "blob_store": "s3",
            "s3_endpoint_url": gateway.endpoint_url,
            "s3_region": "us-east-1",
            "s3_bucket": "unefois-memory",
            "s3_access_key": gateway.access_key,
            "s3_secret_key": SecretStr(gateway.secret_key),
        }
    )
    store = blob_store(there)
    assert isinstance(store, S3Store)
    await store.make_bucket()
    await store.close()
    return there
