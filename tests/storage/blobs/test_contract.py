"""The `BlobStore` contract, tested on both stores."""

import asyncio
import os
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from storage.blobs import BlobExists, BlobKey, BlobMissing, BlobStore, BlobUnavailable, InvalidBlob

MIB = 1024 * 1024


def soon() -> datetime:
    """A time later than every write of the test."""
    return datetime.now(UTC) + timedelta(minutes=5)


async def write(store: BlobStore, key: BlobKey, data: bytes, piece: int = 300_007) -> None:
    """Write and commit through one reused buffer, as the sealing does."""
    buffer = bytearray(piece)
    async with store.writer(key) as writer:
        for start in range(0, len(data), piece):
            part = data[start : start + piece]
            buffer[: len(part)] = part
            await writer.write(memoryview(buffer)[: len(part)])
            buffer[:] = bytes(piece)
        await writer.commit()


async def keys(store: BlobStore, prefix: str = "") -> list[str]:
    """All keys, in pages of three."""
    listed: list[str] = []
    after: BlobKey | None = None
    while page := await store.page(prefix, after, limit=3):
        assert len(page) <= 3
        listed += [info.key for info in page]
        after = page[-1].key
    return listed


@pytest.mark.parametrize("size", [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 12 * MIB])
async def test_what_is_written_is_read_back(store: BlobStore, size: int) -> None:
    key, data = BlobKey.random("documents"), os.urandom(size)

    await write(store, key, data)

    assert await store.exists(key)
    assert await store.get(key, limit=size) == data
    [info] = await store.page("documents/")
    assert (info.key, info.size) == (key, size)
    assert abs(datetime.now(UTC) - info.modified_at) < timedelta(minutes=5)


async def test_any_range_is_read_exactly(store: BlobStore) -> None:
    key, data = BlobKey.random("documents"), os.urandom(6 * MIB)
    await write(store, key, data)
    ranges = [(0, 1), (0, 20_480), (5 * MIB - 3, 6), (6 * MIB - 1, 1), (12_345, 262_144)]

    async with store.reader(key) as reader:
        buffer = bytearray(262_144)
        for offset, length in ranges:
            view = memoryview(buffer)[:length]
            assert (
                await reader.read_into(offset, length, [view].pop) == data[offset : offset + length]
            )
    for offset, length in ranges:
        assert await store.read(key, offset, length) == data[offset : offset + length]


async def test_sixteen_readers_at_once_each_get_their_own(store: BlobStore) -> None:
    blobs = {BlobKey.random("documents"): os.urandom(20_480) for _ in range(16)}
    await asyncio.gather(*(write(store, key, data) for key, data in blobs.items()))

    read = await asyncio.gather(*(store.read(key, 0, 20_480) for key in blobs))

    assert read == list(blobs.values())


@pytest.mark.parametrize(("offset", "length"), [(0, 101), (99, 2), (100, 1), (5_000_000, 10)])
async def test_a_blob_shorter_than_the_range_is_broken(
    store: BlobStore, offset: int, length: int
) -> None:
    key = BlobKey.random("documents")
    await write(store, key, os.urandom(100))

    with pytest.raises(InvalidBlob):
        await store.read(key, offset, length)


async def test_a_missing_blob_is_missing(store: BlobStore) -> None:
    key = BlobKey.random("documents")

    with pytest.raises(BlobMissing):
        await store.read(key, 0, 1)
    with pytest.raises(BlobMissing):
        await store.get(key, limit=10)
    assert not await store.exists(key)
    assert await store.page() == []


@pytest.mark.parametrize("size", [10, 6 * MIB])
async def test_a_key_is_never_overwritten(store: BlobStore, size: int) -> None:
    key, first = BlobKey.random("documents"), os.urandom(size)
    await write(store, key, first)

    with pytest.raises(BlobExists):
        await write(store, key, os.urandom(size))

    assert await store.get(key, limit=size) == first
    assert await store.sweep_temporary(soon()) == 0


async def test_of_several_writers_of_one_key_one_wins(store: BlobStore) -> None:
    key = BlobKey.random("documents")
    contents = [secrets.token_bytes(1000) for _ in range(8)]

    outcomes = await asyncio.gather(
        *(write(store, key, data) for data in contents), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes if outcome is not None] == [BlobExists] * 7
    assert await store.get(key, limit=1000) == contents[outcomes.index(None)]


@pytest.mark.parametrize("size", [0, 1000, 6 * MIB])
async def test_leaving_without_commit_leaves_nothing(store: BlobStore, size: int) -> None:
    key = BlobKey.random("documents")

    with pytest.raises(ZeroDivisionError):
        async with store.writer(key) as writer:
            await writer.write(bytes(size))
            raise ZeroDivisionError
    async with store.writer(key) as writer:
        await writer.write(bytes(size))

    assert not await store.exists(key)
    assert await store.page() == []
    assert await store.sweep_temporary(soon()) == 0


async def test_a_cancelled_upload_is_committed_or_leaves_nothing(store: BlobStore) -> None:
    """Cancelled at many moments, including while a thread writes, sends or commits."""
    data = os.urandom(5 * MIB + 1000)
    for turns in [0, 1, 2, 3, 5, 8, 13, 20, 30]:
        key = BlobKey.random("documents")
        task = asyncio.create_task(write(store, key, data, piece=MIB))
        for _ in range(turns):
            await asyncio.sleep(0.002)
        task.cancel()
        outcome = await asyncio.gather(task, return_exceptions=True)
        if outcome[0] is None or await store.exists(key):
            assert await store.get(key, limit=len(data)) == data
        assert await store.sweep_temporary(soon()) == 0


async def test_what_a_crash_left_is_swept_and_never_acknowledged(store: BlobStore) -> None:
    key = BlobKey.random("documents")
    entered = store.writer(key)
    writer = await entered.__aenter__()
    await writer.write(os.urandom(6 * MIB))

    assert await store.sweep_temporary(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert await store.sweep_temporary(soon()) == 1
    assert await store.sweep_temporary(soon()) == 0

    with pytest.raises(BlobUnavailable):
        await writer.commit()
    await entered.__aexit__(None, None, None)
    assert not await store.exists(key)


async def test_a_writer_is_used_once(store: BlobStore) -> None:
    async with store.writer(BlobKey.random("documents")) as writer:
        await writer.write(b"all")
        await writer.commit()
        with pytest.raises(RuntimeError):
            await writer.write(b"more")
        with pytest.raises(RuntimeError):
            await writer.commit()


async def test_twenty_uploads_at_once_all_arrive(store: BlobStore) -> None:
    blobs = {BlobKey.random("documents"): bytes([n]) * (n * 300_000 + n) for n in range(20)}

    await asyncio.gather(*(write(store, key, data) for key, data in blobs.items()))

    for key, data in blobs.items():
        assert await store.get(key, limit=len(data)) == data
    assert await store.sweep_temporary(soon()) == 0


async def test_deleting_is_final_and_repeatable(store: BlobStore) -> None:
    key, other = BlobKey.random("documents"), BlobKey.random("documents")
    await write(store, key, b"one")
    await write(store, other, b"two")

    await store.delete(key)
    await store.delete(key)

    assert not await store.exists(key)
    with pytest.raises(BlobMissing):
        await store.read(key, 0, 1)
    assert await keys(store) == [other]


async def test_pages_follow_the_order_of_keys(store: BlobStore) -> None:
    names = [
        *("a", "a/b", "a-b/c", "a.b", "a0", "ab/cd", "ab/cd/abcd", "abcd", "abcd/ef", "abcde"),
        *("tile/0/000", "tile/0/000.p/5", "tile/0/001", "tile/1/000", "checkpoint", "zz"),
        *(BlobKey.random("documents") for _ in range(5)),
    ]
    await asyncio.gather(*(store.put(BlobKey(name), b"x") for name in names))

    assert await keys(store) == sorted(names)
    for prefix in ["tile/", "tile/0/", "a/", "ab/", "documents/", "none/"]:
        assert await keys(store, prefix) == sorted(n for n in names if n.startswith(prefix))
    assert [i.key for i in await store.page(after=BlobKey("abcd"), limit=1)] == ["abcd/ef"]


async def test_a_small_blob_may_be_replaced_on_purpose(store: BlobStore) -> None:
    key = BlobKey("log/checkpoint")

    await store.put(key, b"first")
    await store.put(key, b"second")
    assert await store.get(key, limit=6) == b"second"
    with pytest.raises(InvalidBlob):
        await store.get(key, limit=5)

    assert not await store.put_if_absent(key, b"third")
    assert await store.put_if_absent(BlobKey("log/tile/0/000"), b"tile")
    assert await store.get(key, limit=100) == b"second"
    assert await store.get(BlobKey("log/tile/0/000"), limit=100) == b"tile"
    assert await store.sweep_temporary(soon()) == 0


async def test_a_working_store_is_ready(store: BlobStore) -> None:
    await store.check()


@pytest.mark.parametrize(
    "bad",
    [
        *("", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "../a", "a/.b", "a..b", "a."),
        *("A", "é", "a b", "a\n", "a\0", "a+b", "a!", "a\\b", "-a", "_a", "a" * 201, "%2e"),
    ],
)
def test_keys_cannot_leave_the_store(bad: str) -> None:
    with pytest.raises(ValueError, match="not a blob key") as refused:
        BlobKey(bad)
    assert len(bad) < 6 or bad not in str(refused.value)


@pytest.mark.parametrize("prefix", ["a", "/", "../", "a/../"])
async def test_neither_can_prefixes(store: BlobStore, prefix: str) -> None:
    with pytest.raises(ValueError, match=r"blob key|prefix"):
        await store.page(prefix)
