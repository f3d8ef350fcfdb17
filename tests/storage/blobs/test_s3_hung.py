"""An S3 server that takes requests and answers none: each call ends within 15 seconds in all."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from base.part_state import PartStates
from storage import boto_limits
from storage.blobs import BlobKey, BlobUnavailable
from storage.blobs.reports import StoreReport
from storage.blobs.s3 import BODIES, S3Settings, S3Store
from tests.servers.ceph import Ceph
from tests.servers.cut import Cut, Wire, relay

pytestmark = pytest.mark.ceph
LIMIT = 15.0
SMALL = b"s" * 100_000
LARGE = b"l" * (6 * 1024 * 1024)
AT = {
    "begin": r"^POST \S+\?uploads ",
    "part": r"^PUT \S+partNumber=1",
    "head": r"^HEAD ",
    "complete": r"^POST \S+\?uploadId=",
}


@pytest.fixture
async def wire(ceph: Ceph, s3: S3Store) -> AsyncIterator[Wire]:
    async with relay(ceph.endpoint_url) as wire:
        yield wire


@pytest.fixture
def parts() -> PartStates:
    return PartStates()


@pytest.fixture
async def proxied(wire: Wire, s3_settings: S3Settings, parts: PartStates) -> AsyncIterator[S3Store]:
    store = through(wire, s3_settings, parts)
    yield store
    await store.close()


def through(wire: Wire, s3_settings: S3Settings, parts: PartStates) -> S3Store:
    """A store with the limits of the service, through the relay."""
    settings = S3Settings(
        s3_settings.bucket,
        s3_settings.region,
        wire.endpoint_url,
        s3_settings.access_key,
        s3_settings.secret_key,
        s3_settings.prefix,
    )
    return S3Store(settings, StoreReport(parts))


async def write(store: S3Store, key: BlobKey, data: bytes) -> None:
    async with store.writer(key) as writer:
        await writer.write(data)
        await writer.commit()


async def seconds_to_fail(call: Coroutine[Any, Any, object]) -> float:
    began = time.monotonic()
    with pytest.raises(BlobUnavailable) as failure:
        await call
    assert (failure.value.code, failure.value.retry_after) == ("store_unavailable", 5)
    return time.monotonic() - began


async def test_every_call_ends(
    s3: S3Store, proxied: S3Store, wire: Wire, parts: PartStates
) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    calls: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
        "check": proxied.check,
        "exists": lambda: proxied.exists(key),
        "read": lambda: proxied.read(key, 0, 1000),
        "get": lambda: proxied.get(key, limit=200_000),
        "put": lambda: proxied.put(key, b"x"),
        "delete": lambda: proxied.delete(key),
        "page": proxied.page,
        "sweep": lambda: proxied.sweep_temporary(datetime.now(UTC)),
        "small": lambda: write(proxied, BlobKey.random("documents"), SMALL),
        "large": lambda: write(proxied, BlobKey.random("documents"), LARGE),
    }
    wire.break_from("", Cut.HUNG)
    with capture_logs() as lines:
        took = await asyncio.gather(*(seconds_to_fail(call()) for call in calls.values()))
    slow = {name: round(s, 1) for name, s in zip(calls, took, strict=True) if s > LIMIT}
    assert slow == {}
    assert parts.failing() == ["store"]
    assert [line["event"] for line in lines] == ["part_failing"]


async def test_an_upload_ends_wherever_it_hangs(ceph: Ceph, s3_settings: S3Settings) -> None:
    """Also with what is looked up and undone afterwards."""

    async def hang(at: str) -> float:
        async with relay(ceph.endpoint_url) as wire:
            store = through(wire, s3_settings, PartStates())
            wire.break_from(at, Cut.HUNG)
            took = await seconds_to_fail(write(store, BlobKey.random("documents"), LARGE))
            await store.close()
        return took

    assert max(await asyncio.gather(*(hang(at) for at in AT.values()))) < LIMIT


async def test_a_download_ends_in_the_middle_of_a_body(
    s3: S3Store, proxied: S3Store, wire: Wire
) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, LARGE)
    wire.break_from("^GET", Cut.HUNG_BODY)
    assert await seconds_to_fail(proxied.read(key, 0, 262_144)) < LIMIT


async def test_who_waits_for_a_thread_is_answered_too(
    proxied: S3Store, wire: Wire, s3: S3Store
) -> None:
    """More callers than threads: those behind do not wait for two turns."""
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    wire.break_from("", Cut.HUNG)
    took = await asyncio.gather(
        *(seconds_to_fail(proxied.read(key, 0, 1000)) for _ in range(32 * 2))
    )
    assert max(took) < LIMIT


async def test_a_wait_for_others_alone_is_no_fault_of_the_store(
    proxied: S3Store, parts: PartStates, s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every turn is taken: the reader ends in time, and the store is not said to fail."""
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    monkeypatch.setattr(boto_limits, "BODY_SECONDS", 0.2)
    turns = [proxied._bodies.acquire() for _ in range(BODIES)]
    await asyncio.gather(*turns)
    await seconds_to_fail(proxied.read(key, 0, 1000))
    assert parts.failing() == []
    proxied._bodies.release()
    monkeypatch.undo()
    assert await proxied.read(key, 0, 1000) == SMALL[:1000]


async def test_what_fails_at_once_is_tried_again(s3: S3Store, proxied: S3Store, wire: Wire) -> None:
    """The limits take nothing from the usual retries: a server that was busy for a moment."""
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    wire.break_next("^GET", Cut.ERROR, 2)
    assert await proxied.read(key, 0, 1000) == SMALL[:1000]
    assert len(wire.seen) == 3
