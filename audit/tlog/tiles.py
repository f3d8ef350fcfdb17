"""Tiles (C2SP tlog-tiles): the tree as files of up to 256 hashes, the entries as bundles. Pure."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from audit.tlog.merkle import HASH, HashReader, leaf_hash, node_hash

HEIGHT = 8
WIDTH = 1 << HEIGHT
MAX_ENTRY = 0xFFFF
_MAX_CACHED = 512
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class InvalidTile(Exception):
    """A tile or a bundle that is not that of the tree. `path` names it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile: `level` in tiles (-1 for a bundle of entries), `index` in it, and its width."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Where it is served, under the log's prefix."""
        name = f"{self.index % 1000:03}"
        rest = self.index // 1000
        while rest:
            name = f"x{rest % 1000:03}/{name}"
            rest //= 1000
        level = "entries" if self.level < 0 else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{name}{partial}"

    @property
    def full(self) -> "Tile":
        """The same tile once it is full."""
        return Tile(self.level, self.index)


ENTRIES = -1


def parse_path(path: str) -> Tile | None:
    """The tile that a path names in its only valid spelling, or None."""
    shape = _PATH.fullmatch(path)
    if shape is None:
        return None
    index = int(shape["index"].replace("x", "").replace("/", "")[:18])
    width = WIDTH if shape["width"] is None else int(shape["width"])
    level = ENTRIES if shape["level"] == "entries" else int(shape["level"])
    tile = Tile(level, index, width)
    return tile if width <= WIDTH and tile.path == path else None


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree, bundles first, partial ones last in their level."""
    yield from tiles_between(0, size)


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a tree of `new` leaves has and one of `old` does not, bundles included."""
    for level in (ENTRIES, *range(64)):
        shift = HEIGHT * max(level, 0)
        before, after = old >> shift, new >> shift
        if after == 0:
            return
        if before == after:
            continue
        for index in range(before >> HEIGHT, after >> HEIGHT):
            yield Tile(level, index)
        if after % WIDTH:
            yield Tile(level, after >> HEIGHT, after % WIDTH)


def bundle(entries: Sequence[bytes]) -> bytes:
    """A bundle of entries: each prefixed by its length, 16 bits, big-endian."""
    if len(entries) > WIDTH or any(len(entry) > MAX_ENTRY for entry in entries):
        raise ValueError("a bundle holds at most 256 entries of at most 65535 bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_in(tile: Tile, data: bytes) -> list[bytes]:
    """The entries of a bundle, exactly as many as its width. Raises `InvalidTile`."""
    entries, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        entry = data[at + 2 : at + 2 + length]
        if len(data) < at + 2 or len(entry) != length:
            raise InvalidTile(tile.path, "truncated")
        entries.append(entry)
        at += 2 + length
    if len(entries) != tile.width:
        raise InvalidTile(tile.path, "width")
    return entries


def hashes_in(tile: Tile, data: bytes) -> list[bytes]:
    """The hashes of a tile, exactly as many as its width. Raises `InvalidTile`."""
    if len(data) != tile.width * HASH:
        raise InvalidTile(tile.path, "width")
    return [data[at : at + HASH] for at in range(0, len(data), HASH)]


def check_bundle(tile: Tile, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
    """Check that a bundle's entries are the leaves of the tile above it. Raises `InvalidTile`."""
    for entry, expected in zip(entries, hashes, strict=True):
        if leaf_hash(entry) != expected:
            raise InvalidTile(tile.path, "entry")


class TileReader:
    """Reads the hash of any complete subtree from tiles, some of which it caches.

    `fetch` gives a tile's bytes; a partial tile that no longer exists is read from the full one.
    The caller MUST check what it computes from these hashes against a root that it trusts.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes | None]) -> None:
        self._size = size
        self._fetch = fetch
        self._cache: OrderedDict[Tile, list[bytes]] = OrderedDict()
        self.fetched = 0

    def read(self, level: int, index: int) -> bytes:
        """A `merkle.HashReader` over the tree of `size` leaves."""
        if (index + 1) << level > self._size:
            raise IndexError("not a complete subtree of that tree")
        tile_level, inner = divmod(level, HEIGHT)
        tile_index, at = divmod(index << inner, WIDTH)
        row = self._rows(self._tile(tile_level, tile_index))[inner]
        at = (at >> inner) * HASH
        return row[at : at + HASH]

    def reader(self) -> HashReader:
        """`read`, as the proofs take it."""
        return self.read

    def _tile(self, level: int, index: int) -> Tile:
        """The tile as this tree has it: full, or as wide as its size says."""
        width = (self._size >> (HEIGHT * level)) - (index << HEIGHT)
        return Tile(level, index, min(width, WIDTH))

    def _rows(self, tile: Tile) -> list[bytes]:
        """The tile's levels, each as joined bytes: lists would take three times the memory."""
        rows = self._cache.get(tile)
        if rows is None:
            rows = self._cache[tile] = [b"".join(row) for row in _rows(self._hashes(tile))]
            while len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(tile)
        return rows

    def _hashes(self, tile: Tile) -> list[bytes]:
        self.fetched += 1
        data = self._fetch(tile)
        if data is not None:
            return hashes_in(tile, data)
        data = None if tile.width == WIDTH else self._fetch(tile.full)
        if data is None:
            raise InvalidTile(tile.path, "missing")
        return hashes_in(tile.full, data)[: tile.width]


def _rows(hashes: list[bytes]) -> list[list[bytes]]:
    """The complete subtrees inside a tile, level by level from its own hashes."""
    rows = [hashes]
    for _ in range(HEIGHT - 1):
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows


def root_of_tile(hashes: Sequence[bytes]) -> bytes:
    """The hash of a full tile, which is one hash of the tile above it."""
    rows = _rows(list(hashes))
    return node_hash(rows[-1][0], rows[-1][1])
