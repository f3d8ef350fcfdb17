"""`storage/blobs/read_ahead.py`: the same bytes in fewer reads, whatever is asked for."""

import secrets

import pytest

from storage.blobs import InvalidBlob, Place
from storage.blobs.read_ahead import AHEAD, ReadAhead

DATA = secrets.token_bytes(3 * AHEAD + 12_345)


class Blob:
    """The contract's reader over bytes; `reads` are those that were made."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.reads: list[tuple[int, int]] = []

    async def read_into(self, offset: int, length: int, place: Place) -> memoryview:
        self.reads.append((offset, length))
        if offset + length > len(self.data):
            raise InvalidBlob
        view = place()
        view[:] = self.data[offset : offset + length]
        return view


async def read(reader: ReadAhead, offset: int, length: int) -> bytes:
    return bytes(await reader.read_into(offset, length, lambda: memoryview(bytearray(length))))


@pytest.mark.parametrize("piece", [1000, 262_144, AHEAD - 1, AHEAD, AHEAD + 1, 2 * AHEAD + 3])
async def test_a_blob_is_read_in_order_in_few_reads(piece: int) -> None:
    blob = Blob(DATA)
    reader = ReadAhead(blob, len(DATA))
    offsets = range(0, len(DATA), piece)
    got = [await read(reader, at, min(piece, len(DATA) - at)) for at in offsets]
    assert b"".join(got) == DATA
    assert blob.reads == [(at, min(AHEAD, len(DATA) - at)) for at in range(0, len(DATA), AHEAD)]


async def test_any_order_gives_the_same_bytes() -> None:
    reader = ReadAhead(Blob(DATA), len(DATA))
    for offset, length in [(5, 10), (2 * AHEAD, 7), (0, 3), (len(DATA) - 1, 1), (9, AHEAD)]:
        assert await read(reader, offset, length) == DATA[offset : offset + length]


async def test_a_blob_that_ends_too_early_is_broken() -> None:
    with pytest.raises(InvalidBlob):
        await read(ReadAhead(Blob(DATA[:-1]), len(DATA)), len(DATA) - 5, 5)
