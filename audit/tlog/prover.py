"""Proofs from the stored tiles: those that a proof needs are read concurrently; some are cached."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from audit.tlog import merkle
from audit.tlog.merkle import HASH, HashReader, node_hash
from audit.tlog.sequencer import read_tile
from audit.tlog.store import LogStore
from audit.tlog.tiles import HEIGHT, WIDTH, Tile, hashes_in

T = TypeVar("T")

_MAX_CACHED = 1024
"""Tiles, of 16 KiB each."""


class Prover:
    """Builds proofs in any tree for which a checkpoint was signed."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._cache: OrderedDict[Tile, list[bytes]] = OrderedDict()

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of a leaf in the tree of `size` leaves.

        The store is not trusted: the caller MUST verify it. Raises `InvalidTile`.
        """
        return await self._prove(size, lambda read: merkle.inclusion_proof(index, size, read))

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """The proof that one tree continues the other; the caller MUST verify it too."""
        return await self._prove(second, lambda read: merkle.consistency_proof(first, second, read))

    async def _prove(self, size: int, prove: Callable[[HashReader], T]) -> T:
        # 1. Compute the proof once without hashes, to learn which tiles it needs.
        needed: dict[Tile, list[bytes]] = {}

        def collect(level: int, index: int) -> bytes:
            needed.setdefault(_tile(size, level, index), [])
            return bytes(HASH)

        prove(collect)
        # 2. Read those that are not cached, concurrently.
        await asyncio.gather(*(self._load(tile, needed[tile]) for tile in needed))

        # 3. Compute it again, with the hashes.
        def read(level: int, index: int) -> bytes:
            inner = level % HEIGHT
            at = ((index << inner) % WIDTH >> inner) * HASH
            return needed[_tile(size, level, index)][inner][at : at + HASH]

        return prove(read)

    async def _load(self, tile: Tile, rows: list[bytes]) -> None:
        cached = self._cache.get(tile)
        if cached is None:
            cached = _rows(hashes_in(tile, await read_tile(self._store, tile)))
            self._cache[tile] = cached
            while len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(tile)
        rows += cached


def _tile(size: int, level: int, index: int) -> Tile:
    """The tile that holds the hash of a complete subtree, in the tree of `size` leaves."""
    tile_level, inner = divmod(level, HEIGHT)
    tile_index = (index << inner) // WIDTH
    width = (size >> (HEIGHT * tile_level)) - tile_index * WIDTH
    return Tile(tile_level, tile_index, min(width, WIDTH))


def _rows(hashes: Sequence[bytes]) -> list[bytes]:
    """The complete subtrees inside a tile, each level as joined bytes."""
    rows = [b"".join(hashes)]
    below = hashes
    for _ in range(HEIGHT - 1):
        below = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        rows.append(b"".join(below))
    return rows
