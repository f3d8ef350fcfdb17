"""The S3 store on a real Ceph gateway, over a connection that breaks, and with wrong settings."""

import asyncio
import dataclasses
import gc
import os
import resource
import traceback
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import SecretStr

from base import part_state
from base.part_state import PartStates
from storage.blobs import BlobExists, BlobKey, BlobMissing, BlobStore, BlobUnavailable, InvalidBlob
from storage.blobs.reports import StoreReport
from storage.blobs.s3 import BODIES, S3Settings, S3Store
from tests.servers.ceph import Ceph
from tests.servers.cut import Cut, Wire, relay

pytestmark = pytest.mark.ceph

SMALL = os.urandom(100_000)
LARGE = os.urandom(6_000_000)
SECRET = "not-the-secret-of-anyone"

PUT = r"^PUT /blobs/\S+/documents/[0-9a-f]+ "
BEGIN = r"^POST \S+\?uploads "
PART = r"^PUT \S+partNumber=1"
LAST_PART = r"^PUT \S+partNumber=2"
COMPLETE = r"^POST \S+\?uploadId="
HEAD = r"^HEAD /blobs/\S+/documents/"


@pytest.fixture
async def wire(ceph: Ceph, s3: S3Store) -> AsyncIterator[Wire]:
    """A proxy to the gateway that can break connections."""
    async with relay(ceph.endpoint_url) as wire:
        yield wire


@pytest.fixture
async def proxied(wire: Wire, s3_settings: S3Settings) -> AsyncIterator[S3Store]:
    """A store with the same prefix as `s3`, through the proxy."""
    store = S3Store(dataclasses.replace(s3_settings, endpoint_url=wire.endpoint_url, attempts=2))
    yield store
    await store.close()


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=5)


async def write(store: BlobStore, key: BlobKey, data: bytes) -> None:
    async with store.writer(key) as writer:
        await writer.write(data)
        await writer.commit()


@pytest.mark.parametrize(
    ("data", "request_line"),
    [(SMALL, PUT), (LARGE, BEGIN), (LARGE, PART), (LARGE, LAST_PART), (LARGE, COMPLETE)],
    ids=["put", "begin", "part", "last part", "complete"],
)
@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER, Cut.ERROR])
@pytest.mark.parametrize("times", [1, 2])
async def test_each_broken_request_of_a_write_in_turn(
    proxied: S3Store, s3: S3Store, wire: Wire, data: bytes, request_line: str, cut: Cut, times: int
) -> None:
    """Broken once: retried. Broken each time: acknowledged only if the blob is stored."""
    key = BlobKey.random("documents")
    wire.break_next(request_line, cut, times)

    try:
        await write(proxied, key, data)
    except BlobUnavailable:
        acknowledged = False
    else:
        acknowledged = True
    assert wire.times == 0, "nothing was broken"

    there = await s3.exists(key)
    makes_visible = request_line in {PUT, COMPLETE}
    assert acknowledged == (times == 1 or (cut is Cut.AFTER and makes_visible))
    assert there == acknowledged
    if there:
        assert await s3.get(key, limit=len(data)) == data
    # Only an upload whose creation got no answer may be left, and the sweep removes it.
    assert await s3.sweep_temporary(soon()) <= (times if request_line == BEGIN else 0)
    assert await s3.sweep_temporary(soon()) == 0


@pytest.mark.parametrize(("data", "last"), [(SMALL, PUT), (LARGE, COMPLETE)])
async def test_without_proof_a_lost_answer_is_not_success(
    proxied: S3Store, s3: S3Store, wire: Wire, data: bytes, last: str
) -> None:
    key = BlobKey.random("documents")
    with pytest.raises(BlobUnavailable):
        async with proxied.writer(key) as writer:
            await writer.write(data)
            wire.break_from(last, Cut.AFTER)
            await writer.commit()

    assert await s3.get(key, limit=len(data)) == data  # a whole orphan, which the sweep removes
    assert await s3.sweep_temporary(soon()) == 0


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
async def test_anothers_blob_is_not_taken_for_ours(s3: S3Store, data: bytes) -> None:
    """The same bytes of the same length under the same key, written by another upload."""
    key = BlobKey.random("documents")
    await write(s3, key, data)
    with pytest.raises(BlobExists):
        await write(s3, key, data)


async def test_an_answer_cut_in_its_middle_is_asked_again(
    proxied: S3Store, s3: S3Store, wire: Wire
) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)

    wire.break_next("^GET ", Cut.BODY, 1)
    assert await proxied.read(key, 10, 60_000) == SMALL[10:60_010]

    wire.break_from("^GET ", Cut.BODY)
    with pytest.raises(BlobUnavailable):
        await proxied.read(key, 10, 60_000)


async def test_a_range_is_all_that_travels(proxied: S3Store, s3: S3Store, wire: Wire) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, LARGE)

    assert await proxied.read(key, 5_000_000, 10) == LARGE[5_000_000:5_000_010]

    assert len(wire.seen) == 1
    assert wire.carried < 2_000


async def test_a_server_that_is_down_is_unavailable(s3_settings: S3Settings) -> None:
    async with relay(s3_settings.endpoint_url or "") as wire:
        closed = wire.endpoint_url
    store = S3Store(dataclasses.replace(s3_settings, endpoint_url=closed, attempts=2))
    await _assert_unavailable(store, closed)


WRONG: dict[str, Callable[[S3Settings], S3Settings]] = {
    "secret": lambda right: dataclasses.replace(right, secret_key=SecretStr(SECRET)),
    "user": lambda right: dataclasses.replace(right, access_key="nobody"),
    "bucket": lambda right: dataclasses.replace(right, bucket="no-such-bucket"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_wrong_settings_are_unavailable(
    s3: S3Store, s3_settings: S3Settings, wrong: str
) -> None:
    store = S3Store(WRONG[wrong](s3_settings))
    await _assert_unavailable(store, "no-such-bucket")


async def test_a_missing_bucket_is_a_failure_of_the_store_until_it_is_there(
    s3: S3Store, s3_settings: S3Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A HEAD says 404 for it as for a blob, which would be an answer."""
    monkeypatch.setattr(part_state, "QUIET_SECONDS", 0.0)
    parts = PartStates()
    store = S3Store(WRONG["bucket"](s3_settings), StoreReport(parts))
    for _ in range(2):
        with pytest.raises(BlobUnavailable):
            await store.check()
        assert parts.store.code == "NoSuchBucket"
    await store.close()


async def test_a_parts_folder_that_takes_nothing_is_said(
    s3: S3Store, s3_settings: S3Settings, tmp_path: Path
) -> None:
    parts = PartStates()
    settings = dataclasses.replace(s3_settings, parts_folder=tmp_path / "gone")
    store = S3Store(settings, StoreReport(parts))
    with pytest.raises(BlobUnavailable):
        await store.check()
    assert parts.store.code == "parts folder not writable"
    await store.close()


async def _assert_unavailable(store: S3Store, hidden: str) -> None:
    key = BlobKey.random("documents")
    for call in (
        store.check(),
        store.exists(key),
        store.read(key, 0, 1),
        store.get(key, limit=1),
        store.put(key, b"x"),
        store.page(),
        store.sweep_temporary(soon()),
        write(store, key, SMALL),
        write(store, key, LARGE),
    ):
        with pytest.raises(BlobUnavailable) as failure:
            await call
        shown = "".join(traceback.format_exception(failure.value))
        for secret in (hidden, key, "127.0.0.1", SECRET, "nobody"):
            assert secret not in shown
    await store.close()


async def test_a_blob_cut_short_in_the_store_is_broken(s3: S3Store) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    async with s3.reader(key) as reader:
        buffer = bytearray(1000)
        await reader.read_into(99_000, 1000, lambda: memoryview(buffer))
        await s3.put(key, SMALL[:99_500])
        with pytest.raises(InvalidBlob):
            await reader.read_into(99_000, 1000, lambda: memoryview(buffer))
        await s3.delete(key)
        with pytest.raises(BlobMissing):
            await reader.read_into(99_000, 1000, lambda: memoryview(buffer))


async def test_an_upload_holds_little_of_a_part_in_memory(s3: S3Store) -> None:
    piece = bytes(262_144)
    gc.disable()  # memory that only the collector would free counts as held
    tracemalloc.start()
    try:
        async with s3.writer(BlobKey.random("documents")) as writer:
            for _ in range(60):
                await writer.write(piece)
            await writer.commit()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.enable()
    assert peak < 1024 * 1024  # of parts of 5 MiB, which boto3 reads by the mebibyte to sign them


def _held_open_in(folder: Path) -> int:
    """Files of that folder, with a name or without, that this process holds open."""
    held = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(path.is_relative_to(folder) for path in held)


def _named_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def test_a_part_waits_in_a_file_that_has_no_name(
    s3_settings: S3Settings, s3: S3Store, tmp_path: Path
) -> None:
    """So that nothing of it remains, even if the process is killed."""
    store = S3Store(dataclasses.replace(s3_settings, parts_folder=tmp_path))
    key = BlobKey.random("documents")
    async with store.writer(key) as writer:
        await writer.write(LARGE[:4_000_000])
        assert _held_open_in(tmp_path) == 1
        assert _named_in(tmp_path) == 0
        await writer.write(LARGE[4_000_000:])
        await writer.commit()
    assert _held_open_in(tmp_path) == _named_in(tmp_path) == 0
    assert await s3.get(key, limit=len(LARGE)) == LARGE
    await store.close()


async def test_without_room_for_a_part_the_store_is_unavailable(
    s3_settings: S3Settings, s3: S3Store, tmp_path: Path
) -> None:
    store = S3Store(dataclasses.replace(s3_settings, parts_folder=tmp_path / "absent"))
    key = BlobKey.random("documents")
    with pytest.raises(BlobUnavailable):
        await write(store, key, LARGE)
    assert not await s3.exists(key)
    await store.close()


async def test_a_disk_that_fills_up_leaves_nothing_behind(s3: S3Store) -> None:
    """The error comes when the last bytes are flushed, and again when the file is closed."""
    key = BlobKey.random("documents")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(BlobUnavailable):
            async with s3.writer(key) as writer:
                await writer.write(bytes(5 * 1024 * 1024))  # a part, sent
                await writer.write(bytes(600_000))
                resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, before[1]))
                await writer.write(bytes(3000))
                await writer.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not await s3.exists(key)
    assert await s3.sweep_temporary(soon()) == 0


async def test_a_folder_for_parts_that_is_missing_is_seen_at_the_start(
    s3_settings: S3Settings, s3: S3Store, tmp_path: Path
) -> None:
    await s3.check()
    store = S3Store(dataclasses.replace(s3_settings, parts_folder=tmp_path / "absent"))
    with pytest.raises(BlobUnavailable):
        await store.check()
    await store.close()


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["put", "parts"])
async def test_nothing_is_asked_before_it_is_sent(s3: S3Store, data: bytes) -> None:
    """`Expect: 100-continue` costs a second where the server does not answer it."""
    heads: list[dict[str, str]] = []
    s3._client.meta.events.register(
        "before-send.s3", lambda request, **_: heads.append(dict(request.headers))
    )
    await write(s3, BlobKey.random("documents"), data)
    await s3.put(BlobKey.random("log"), data)
    assert len(heads) > 1
    assert not [head for head in heads if "expect" in map(str.lower, head)]


async def test_who_waits_for_the_server_holds_no_buffer(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    may_fetch = asyncio.Event()
    fetch = s3.fetch

    async def slow(*arguments: Any) -> bytes:
        await may_fetch.wait()
        return await fetch(*arguments)

    monkeypatch.setattr(s3, "fetch", slow)
    buffers = [memoryview(bytearray(10))]
    async with s3.reader(key) as reader:
        reading = asyncio.create_task(reader.read_into(5, 10, buffers.pop))
        await asyncio.sleep(0.02)
        assert buffers, "a buffer was taken before the answer came"
        may_fetch.set()
        assert await reading == SMALL[5:15]
    assert not buffers


async def test_answers_that_nobody_took_yet_are_few(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many download, and whatever else the event loop does meanwhile."""
    key = BlobKey.random("documents")
    await write(s3, key, SMALL)
    asked = 0
    may_fetch = asyncio.Event()
    run = s3._threads.run

    async def slow(*arguments: Any) -> bytes:
        nonlocal asked
        asked += 1
        await may_fetch.wait()
        return cast("bytes", await run(*arguments))

    monkeypatch.setattr(s3._threads, "run", slow)
    reading = [asyncio.create_task(s3.read(key, 5, 10)) for _ in range(2 * BODIES)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert asked == BODIES
    may_fetch.set()
    assert set(await asyncio.gather(*reading)) == {SMALL[5:15]}


async def test_objects_of_others_in_the_bucket_are_left_out(
    s3: S3Store, s3_settings: S3Settings
) -> None:
    key = BlobKey.random("documents")
    await write(s3, key, b"ours")
    neighbour = S3Store(dataclasses.replace(s3_settings, prefix=""))
    await neighbour.put(BlobKey(f"{s3_settings.prefix}documents/readme"), b"x")
    neighbour._client.put_object(Bucket="blobs", Key=f"{s3_settings.prefix}READ ME", Body=b"x")

    assert [info.key for info in await s3.page()] == sorted([key, "documents/readme"])
    await neighbour.close()


def test_settings_show_no_secret_and_refuse_what_would_leak() -> None:
    settings = S3Settings("b", "r", None, "user-name", SecretStr(SECRET))
    assert SECRET not in repr(settings)
    assert "user-name" not in repr(settings)
    for endpoint in ["http://user:word@host", "ftp://host", "host:80"]:
        with pytest.raises(ValueError, match="address without credentials") as refused:
            S3Settings("b", "r", endpoint)
        assert endpoint not in str(refused.value)
