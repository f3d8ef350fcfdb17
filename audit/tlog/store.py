"""The log's objects in the blob store: tiles and bundles, and the published checkpoint.

Under `log/tile/…`, every tile, partial ones for each checkpoint that was signed; under
`log/public/tile/…`, the partial ones of published checkpoints; `log/checkpoint`, the published one.
A tile's key is its tlog-tiles path with `tile-` before the last part: the directory store makes two
folders for all names that start with the same four letters, not two per tile, each to be flushed.

The store is trusted to keep what it acknowledged; it is *not* trusted to return the right bytes:
every reader checks them against a root.
"""

import asyncio
from collections.abc import Awaitable, Iterable

from audit.tlog.right_edge import TileData
from audit.tlog.tiles import WIDTH, InvalidTile, Tile
from storage.blobs import BlobKey, BlobMissing, BlobStore

_PREFIX = "log"
_PUBLIC = "log/public"
_CHECKPOINT = BlobKey("log/checkpoint")
_MAX_BYTES = 1 << 20
_TRIES = 3


def tile_key(tile: Tile, prefix: str = _PREFIX) -> BlobKey:
    """The blob key of a tile."""
    folder, _, name = tile.path.rpartition("/")
    return BlobKey(f"{prefix}/{folder}/tile-{name}")


class LogStore:
    """The log's objects in a blob store."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def write(self, tiles: Iterable[TileData]) -> None:
        """Write tiles concurrently. One that exists must have the same bytes: a tile never changes.
        Raises `InvalidTile(path, "differs")`, or the store's errors.

        A crash leaves some of them; writing them again completes it.
        """
        await _all(self._write(_PREFIX, tile, data) for tile, data in tiles)

    async def write_public(self, tiles: Iterable[TileData]) -> None:
        """The same for the partial tiles of a published tree."""
        await _all(self._write(_PUBLIC, tile, data) for tile, data in tiles)

    async def read(self, tile: Tile) -> bytes | None:
        """A tile's bytes, or None."""
        return await self._get(tile_key(tile))

    async def read_public(self, tile: Tile) -> bytes | None:
        """A tile for the public. The caller MUST have checked that the published tree has it."""
        prefix = _PREFIX if tile.width == WIDTH else _PUBLIC
        return await self._get(tile_key(tile, prefix))

    async def delete(self, tiles: Iterable[Tile]) -> None:
        """Delete partial tiles whose full tile exists."""
        await _all(self._blobs.delete(tile_key(tile)) for tile in tiles)

    async def checkpoint(self) -> bytes | None:
        """The published checkpoint."""
        return await self._get(_CHECKPOINT)

    async def publish(self, note: bytes) -> None:
        """Replace the published checkpoint: readers see either the old or the new one."""
        await self._blobs.put(_CHECKPOINT, note)

    async def _write(self, prefix: str, tile: Tile, data: bytes) -> None:
        key = tile_key(tile, prefix)
        for _ in range(_TRIES):
            if await self._blobs.put_if_absent(key, data):
                return
            stored = await self._get(key)
            if stored == data:
                return
            if stored is not None:
                raise InvalidTile(tile.path, "differs")
        raise InvalidTile(tile.path, "missing")

    async def _get(self, key: BlobKey) -> bytes | None:
        try:
            return await self._blobs.get(key, _MAX_BYTES)
        except BlobMissing:
            return None


async def _all(operations: Iterable[Awaitable[None]]) -> None:
    """Wait for all, then raise the first failure: none goes on in the background."""
    results = await asyncio.gather(*operations, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
