"""Sealed content on both stores: any range can be read, and only authentic bytes are given."""

import gc
import secrets
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from base.database import Database
from base.errors import ServiceError
from base.ids import new_id
from storage import content, floe
from storage.blobs import BlobKey, BlobMissing, BlobStore
from storage.blobs.directory import DirectoryStore
from storage.buffers import Buffers
from storage.content import SLICE, Address, InvalidContent, content_writer, open_content
from storage.envelopes import FILES, EnvelopeReader, InvalidEnvelope
from storage.errors import KeyDestroyed
from storage.keys import Keys
from tests.storage.blobs.conftest import directory, s3, s3_settings, store
from tests.storage.old_envelopes import old_envelope
from tests.storage.owners import new_owner

__all__ = ["directory", "s3", "s3_settings", "store"]

PAYLOAD = floe.SEGMENT_LENGTH - floe.OVERHEAD
LENGTHS = [
    0,
    1,
    SLICE - 1,
    SLICE,
    SLICE + 1,
    PAYLOAD - 1,
    PAYLOAD,
    PAYLOAD + 1,
    2 * PAYLOAD,
    700_001,
]
RANGES = [
    (0, 1),
    (699_999, 700_001),
    (PAYLOAD - 1, PAYLOAD + 1),
    (PAYLOAD, 2 * PAYLOAD),
    (100, 100),
    (700_001, 700_001),
    (SLICE - 7, 3 * SLICE + 7),
    (12_345, 654_321),
]


class Files:
    """One owner's files in a store."""

    def __init__(self, blobs: BlobStore, keys: Keys, owner: UUID) -> None:
        self.blobs = blobs
        self.keys = keys
        self.owner = owner

    async def seal(self, plain: bytes, role: str = "original") -> Address:
        async with content_writer(
            self.blobs, self.keys, self.owner, role, version_id=new_id()
        ) as writer:
            for at in range(0, len(plain), 100_000):
                await writer.write(plain[at : at + 100_000])
            file = await writer.commit()
        assert file.length == len(plain)
        return file.address

    async def read(self, address: Address, start: int = 0, stop: int | None = None) -> bytes:
        """Appends to `got`, so that a test sees what was given before an error."""
        self.got = bytearray()
        opened = await self.open(address)
        async for piece in opened.slices(start, stop):
            assert 0 < len(piece) <= SLICE
            self.got += piece
        return bytes(self.got)

    async def open(self, address: Address) -> content.Content:
        return await open_content(self.blobs, self.keys, self.owner, address)

    async def stored(self, address: Address) -> bytearray:
        return bytearray(await self.blobs.get(BlobKey(address.blob_key), 10_000_000))

    async def put(self, address: Address, sealed: bytes | bytearray) -> None:
        await self.blobs.put(BlobKey(address.blob_key), bytes(sealed))


@pytest.fixture
async def files(store: BlobStore, keys: Keys, database: Database) -> Files:
    """On each store in turn."""
    return Files(store, keys, await new_owner(keys, database))


@pytest.fixture
async def directory_files(directory: DirectoryStore, keys: Keys, database: Database) -> Files:
    """In the directory store only, for tests that do not depend on the store."""
    return Files(directory, keys, await new_owner(keys, database))


@pytest.mark.parametrize("length", LENGTHS)
async def test_what_is_sealed_comes_back(files: Files, length: int) -> None:
    plain = secrets.token_bytes(length)
    address = await files.seal(plain)
    assert await files.read(address) == plain
    opened = await files.open(address)
    assert b"".join([bytes(piece) async for piece in opened.whole()]) == plain


async def test_ranges_are_slices_of_the_whole(files: Files) -> None:
    plain = secrets.token_bytes(700_001)
    address = await files.seal(plain)
    for start, stop in RANGES:
        assert await files.read(address, start, stop) == plain[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (0, 11), (5, 4), (11, 11)])
async def test_a_range_outside_the_file_is_a_mistake(
    directory_files: Files, start: int, stop: int
) -> None:
    address = await directory_files.seal(b"0123456789")
    with pytest.raises(IndexError):
        await directory_files.read(address, start, stop)


async def test_the_store_sees_no_plaintext(files: Files) -> None:
    marker = b"Numero fiscal 30 23 456 789 012 "
    address = await files.seal(marker * 10_000)
    sealed = await files.stored(address)
    assert marker[:8] not in sealed
    assert len(sealed) == floe.ciphertext_length(len(marker) * 10_000)
    assert str(address.id).encode() not in sealed


async def test_leaving_without_commit_leaves_nothing(files: Files) -> None:
    with pytest.raises(ConnectionResetError):
        async with content_writer(
            files.blobs, files.keys, files.owner, "original", version_id=new_id()
        ) as writer:
            await writer.write(bytes(1_000_000))
            raise ConnectionResetError
    assert await files.blobs.page() == []


# A store that gives wrong bytes


Damage = Callable[[bytearray], bytes | bytearray]
SEGMENT = floe.SEGMENT_LENGTH
HEADER = floe.HEADER_LENGTH


def flip(at: int) -> Damage:
    def damage(sealed: bytearray) -> bytearray:
        sealed[at] ^= 1
        return sealed

    return damage


DAMAGES = [
    pytest.param(flip(0), 0, id="its parameters"),
    pytest.param(flip(20), 0, id="its iv"),
    pytest.param(flip(HEADER - 1), 0, id="its header tag"),
    pytest.param(flip(HEADER), 0, id="the first length"),
    pytest.param(flip(HEADER + 5), 0, id="the first iv"),
    pytest.param(flip(HEADER + 1000), 0, id="the first segment"),
    pytest.param(flip(HEADER + SEGMENT + 1000), 1, id="the second segment"),
    pytest.param(flip(-1), 2, id="the last tag"),
    pytest.param(lambda sealed: sealed[:-1], 2, id="cut by a byte"),
    pytest.param(lambda sealed: sealed[: HEADER + 2 * SEGMENT], 2, id="cut by a segment"),
    pytest.param(lambda sealed: sealed[: HEADER + SEGMENT + 50], 1, id="cut in a segment"),
    pytest.param(lambda sealed: sealed[:40], 0, id="cut in its header"),
    pytest.param(lambda _: b"x", 0, id="another thing"),
    pytest.param(
        lambda s: s[:HEADER] + s[HEADER + SEGMENT : HEADER + 2 * SEGMENT] * 2 + s[-200_000:],
        0,
        id="a segment repeated",
    ),
    pytest.param(
        lambda s: s[: HEADER + SEGMENT] + s[HEADER : HEADER + SEGMENT] + s[HEADER + 2 * SEGMENT :],
        1,
        id="a segment moved",
    ),
    pytest.param(
        lambda s: s[: HEADER + SEGMENT] + s[HEADER + 2 * SEGMENT :], 1, id="a segment dropped"
    ),
]


@pytest.mark.parametrize(("damage", "whole"), DAMAGES)
async def test_a_damaged_blob_gives_whole_authenticated_segments_and_an_error(
    files: Files, damage: Damage, whole: int
) -> None:
    plain = secrets.token_bytes(700_001)
    address = await files.seal(plain)
    await files.put(address, damage(await files.stored(address)))
    with pytest.raises((InvalidContent, ServiceError)):
        await files.read(address)
    assert bytes(files.got) == plain[: whole * PAYLOAD]


async def test_a_lost_blob_is_an_error(files: Files) -> None:
    address = await files.seal(b"content")
    await files.blobs.delete(BlobKey(address.blob_key))
    with pytest.raises(BlobMissing):
        await files.read(address)


async def test_an_empty_file_is_checked_like_any_other(files: Files) -> None:
    """Its header and its only segment are authenticated."""
    address = await files.seal(b"")
    assert await files.read(address) == b""
    whole = await files.stored(address)
    for at in (0, HEADER - 1, HEADER, len(whole) - 1):
        altered = bytearray(whole)
        altered[at] ^= 1
        await files.put(address, altered)
        with pytest.raises(InvalidContent):
            await files.read(address)
    await files.put(address, whole[:-1])
    with pytest.raises(ServiceError):
        await files.read(address)
    await files.blobs.delete(BlobKey(address.blob_key))
    with pytest.raises(BlobMissing):
        await files.read(address)


async def test_another_file_in_its_place_is_refused(files: Files) -> None:
    first, other = await files.seal(b"one" * 1000), await files.seal(b"two" * 1000)
    await files.put(first, await files.stored(other))
    with pytest.raises(InvalidContent):
        await files.read(first)


# A database that gives wrong rows


async def test_an_envelope_moved_elsewhere_does_not_open(
    directory_files: Files, keys: Keys, database: Database
) -> None:
    """Moved to another file, another role, another person, another version, position or blob."""
    first, other = await directory_files.seal(b"one"), await directory_files.seal(b"two")
    rendition = await directory_files.seal(b"three", "rendition")
    stranger = Files(directory_files.blobs, keys, await new_owner(keys, database))
    for moved in (
        replace(other, envelope=first.envelope),
        replace(first, id=new_id()),
        replace(first, role="rendition"),
        replace(rendition, role="original"),
        replace(rendition, role="original", blob_key=first.blob_key),
        replace(first, version_id=other.version_id),
        replace(first, position=1),
        replace(first, blob_key=other.blob_key),
    ):
        with pytest.raises(InvalidContent):
            await directory_files.read(moved)
    with pytest.raises(InvalidContent):
        await stranger.read(first)
    assert await directory_files.read(first) == b"one"


@pytest.mark.parametrize("column", ["version_id", "position", "blob_key"])
async def test_an_envelope_holds_for_its_row_alone(directory_files: Files, column: str) -> None:
    """Even where the blob has the same bytes: a page in the place of another is refused."""
    address = await directory_files.seal(b"content")
    blob = BlobKey.random(FILES)
    await directory_files.blobs.put(blob, bytes(await directory_files.stored(address)))
    changed = {"version_id": new_id(), "position": 1, "blob_key": str(blob)}[column]
    with pytest.raises(InvalidContent):
        await directory_files.read(replace(address, **{column: changed}))
    assert directory_files.got == b""
    assert await directory_files.read(address) == b"content"


async def test_an_envelope_of_the_first_release_is_not_read(directory_files: Files) -> None:
    """It is bound to the file and the role alone: it opens only to be bound to the rest."""
    address = await directory_files.seal(b"content")
    secret = await directory_files.keys.owner(directory_files.owner)
    reader = EnvelopeReader(secret)
    opened, old = reader.open(address), old_envelope(secret, address)
    for envelope in (old, b"\x02" + old):
        with pytest.raises(InvalidContent):
            await directory_files.read(replace(address, envelope=envelope))
    assert reader.open_unbound(replace(address, envelope=old)) == opened
    with pytest.raises(InvalidEnvelope):
        reader.open_unbound(address)


@pytest.mark.parametrize("length", [0, 1, 5, 13, 29, 68])
async def test_a_cut_envelope_is_broken(directory_files: Files, length: int) -> None:
    address = await directory_files.seal(b"content")
    with pytest.raises(InvalidContent):
        await directory_files.read(replace(address, envelope=address.envelope[:length]))


async def test_every_flipped_bit_of_an_envelope_is_noticed(directory_files: Files) -> None:
    address = await directory_files.seal(b"content")
    for at in range(len(address.envelope)):
        altered = bytearray(address.envelope)
        altered[at] ^= 1 << at % 8
        with pytest.raises(InvalidContent):
            await directory_files.read(replace(address, envelope=bytes(altered)))


async def test_after_erasure_nothing_opens(directory_files: Files, database: Database) -> None:
    address = await directory_files.seal(b"content")
    async with database.transaction() as tx:
        await directory_files.keys.destroy_owner(tx, directory_files.owner)
    directory_files.keys.forget(str(directory_files.owner))
    with pytest.raises(KeyDestroyed):
        await directory_files.read(address)
    with pytest.raises(KeyDestroyed):
        await directory_files.seal(b"more")


async def test_nothing_shows_an_envelope_or_a_key(directory_files: Files) -> None:
    address = await directory_files.seal(b"content")
    opened = await open_content(
        directory_files.blobs, directory_files.keys, directory_files.owner, address
    )
    shown = f"{address!r} {opened!r}"
    assert repr(address.envelope)[2:-1] not in shown
    assert "envelope" not in shown
    assert repr(opened._dek)[2:-1] not in shown


# Memory


async def test_memory_does_not_grow_with_the_file(directory_files: Files) -> None:
    """32 MiB are sealed and read with at most 4 MiB of memory."""
    piece, pieces = secrets.token_bytes(1024 * 1024), 32
    await directory_files.read(await directory_files.seal(piece))
    gc.collect()
    tracemalloc.start()
    try:
        async with content_writer(
            directory_files.blobs,
            directory_files.keys,
            directory_files.owner,
            "original",
            version_id=new_id(),
        ) as writer:
            for _ in range(pieces):
                await writer.write(piece)
            file = await writer.commit()
        opened = await directory_files.open(file.address)
        length = 0
        async for some in opened.slices():
            length += len(some)
        assert length == len(piece) * pieces
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


async def test_a_slow_reader_holds_what_it_has_yet_to_get(directory_files: Files) -> None:
    """Nothing of the segment before, and nothing of this one twice."""
    opened = await directory_files.open(await directory_files.seal(bytes(3 * PAYLOAD)))
    gc.collect()
    tracemalloc.start()
    try:
        readers = [opened.slices() for _ in range(4 * content.FEW)]
        for reader in readers:
            for _ in range(-(-PAYLOAD // SLICE) + 1):
                await anext(reader)
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < len(readers) * (SEGMENT - SLICE // 2)


async def test_buffers_come_back_into_use(
    directory_files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that holds each slice until the next one costs one buffer of each kind."""
    pools = {
        name: Buffers(length)
        for name, length in (
            ("_sealed_buffers", HEADER + SEGMENT),
            ("_plain_buffers", SEGMENT),
        )
    }
    address = await directory_files.seal(bytes(3 * PAYLOAD + 5))
    for name, pool in pools.items():
        monkeypatch.setattr(content, name, pool)
    await directory_files.read(address)
    await directory_files.read(address, 2 * PAYLOAD)
    await directory_files.put(address, flip(-1)(await directory_files.stored(address)))
    for _ in range(3):
        with pytest.raises(InvalidContent):
            await directory_files.read(address)
    await directory_files.put(address, flip(-1)(await directory_files.stored(address)))
    assert [len(pool._idle) for pool in pools.values()] == [1, 1]
    before = {name: id(pool._idle[0]) for name, pool in pools.items()}
    await directory_files.read(address)
    assert before == {name: id(pool._idle[0]) for name, pool in pools.items()}
