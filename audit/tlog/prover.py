"""Proofs out of the stored tiles: which tiles a proof needs, read at once, a few kept in memory."""

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

_MOST_KEPT = 1024
"""Tiles, of 16 KiB each."""


class Prover:
    """Builds proofs in any tree for which a checkpoint was signed."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._kept: OrderedDict[Tile, list[bytes]] = OrderedDict()

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of a leaf in the tree of `size` leaves.

        The store is not trusted: the caller MUST verify it. Raises `InvalidTile`.
        """
        return await self._prove(size, lambda read: merkle.inclusion_proof(index, size, read))

    async def consistency(self, first: int, second: int) -> list[bytes]:
        """That the tree of `second` leaves continues that of `first`; to be verified too."""
        return await self._prove(second, lambda read: merkle.consistency_proof(first, second, read))

    async def _prove(self, size: int, prove: Callable[[HashReader], T]) -> T:
        # 1. Go through the proof once without a hash, to know its tiles.
        needed: dict[Tile, list[bytes]] = {}

        def note(level: int, index: int) -> bytes:
            needed.setdefault(_tile(size, level, index), [])
            return bytes(HASH)

        prove(note)
        # 2. Read those that are not kept, at once.
        await asyncio.gather(*(self._load(tile, needed[tile]) for tile in needed))

        # 3. Go through it again.
        def read(level: int, index: int) -> bytes:
            inner = level % HEIGHT
            at = ((index << inner) % WIDTH >> inner) * HASH
            return needed[_tile(size, level, index)][inner][at : at + HASH]

        return prove(read)

    async def _load(self, tile: Tile, rows: list[bytes]) -> None:
        kept = self._kept.get(tile)
        if kept is None:
            kept = _rows(hashes_in(tile, await read_tile(self._store, tile)))
            self._kept[tile] = kept
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(tile)
        rows += kept


def _tile(size: int, level: int, index: int) -> Tile:
    """Where the hash of a complete subtree lies, as the tree of `size` leaves has it."""
    tile_level, inner = divmod(level, HEIGHT)
    tile_index = (index << inner) // WIDTH
    width = (size >> (HEIGHT * tile_level)) - tile_index * WIDTH
    return Tile(tile_level, tile_index, min(width, WIDTH))


def _rows(hashes: Sequence[bytes]) -> list[bytes]:
    """The complete subtrees inside a tile, each level joined."""
    rows = [b"".join(hashes)]
    below = hashes
    for _ in range(HEIGHT - 1):
        below = [node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)]
        rows.append(b"".join(below))
    return rows
