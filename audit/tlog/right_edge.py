"""The right edge of the tree as tiles: what appending needs, and the tiles it completes. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from audit.tlog.merkle import HASH, CompactRange, compact_range, leaf_hash
from audit.tlog.tiles import ENTRIES, HEIGHT, WIDTH, Tile, TileReader, bundle, entries_in, hashes_in

TileData = tuple[Tile, bytes]


class RightEdge:
    """A growing tree: its partial tiles, and enough to compute its root."""

    def __init__(self) -> None:
        self._range = CompactRange()
        self._entries: list[bytes] = []
        self._levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """The number of leaves."""
        return self._range.size

    @property
    def range(self) -> CompactRange:
        """The compact range; the caller MUST not change it."""
        return self._range

    @classmethod
    def of(cls, size: int, data: Mapping[Tile, bytes]) -> "RightEdge":
        """The edge of a tree of `size` leaves, from its partial tiles (`edge_tiles`).

        Raises `InvalidTile`. The caller MUST compare `root()` with one that it trusts.
        """
        edge = cls()
        edge._levels = []
        for tile in edge_tiles(size):
            if tile.level == ENTRIES:
                edge._entries = entries_in(tile, data[tile])
                continue
            while len(edge._levels) < tile.level:
                edge._levels.append([])
            edge._levels.append(hashes_in(tile, data[tile]))
        edge._levels = edge._levels or [[]]
        edge._range = compact_range(size, TileReader(size, data.get).read)
        return edge

    def extend(
        self, entries: Sequence[bytes], leaves: Iterable[bytes] | None = None
    ) -> list[TileData]:
        """Append entries; returns the full tiles and bundles that this completes, in order.
        `leaves` are the entries' hashes, where the caller has them."""
        full: list[TileData] = []
        for entry, leaf in zip(entries, leaves or map(leaf_hash, entries), strict=True):
            self._entries.append(entry)
            for level, _, completed in self._range.append(leaf):
                if level % HEIGHT == 0:
                    self._hashes_of(level // HEIGHT).append(completed)
            if len(self._entries) == WIDTH:
                full.append((Tile(ENTRIES, self.size // WIDTH - 1), bundle(self._entries)))
                self._entries = []
                full += self._take_full_tiles()
        return full

    def partials(self) -> list[TileData]:
        """The partial tiles and the partial bundle as they are now."""
        tiles = [(tile, b"".join(self._levels[tile.level])) for tile in self._partial_tiles()]
        if self._entries:
            tile = Tile(ENTRIES, self.size // WIDTH, len(self._entries))
            tiles.insert(0, (tile, bundle(self._entries)))
        return tiles

    def root(self) -> bytes:
        """The root of the tree so far."""
        return self._range.root()

    def _hashes_of(self, level: int) -> list[bytes]:
        while len(self._levels) <= level:
            self._levels.append([])
        return self._levels[level]

    def _take_full_tiles(self) -> list[TileData]:
        full = []
        for level, hashes in enumerate(self._levels):
            if len(hashes) == WIDTH:
                index = (self.size >> (HEIGHT * (level + 1))) - 1
                full.append((Tile(level, index), b"".join(hashes)))
                self._levels[level] = []
        return full

    def _partial_tiles(self) -> Sequence[Tile]:
        return [tile for tile in edge_tiles(self.size) if tile.level != ENTRIES]


def edge_tiles(size: int) -> list[Tile]:
    """The partial tiles of a tree, its partial bundle first."""
    tiles = [Tile(ENTRIES, size // WIDTH, size % WIDTH)] if size % WIDTH else []
    level = 0
    while size >> (HEIGHT * level):
        width = (size >> (HEIGHT * level)) % WIDTH
        if width:
            tiles.append(Tile(level, size >> (HEIGHT * (level + 1)), width))
        level += 1
    return tiles


def cut(data: bytes, tile: Tile) -> bytes:
    """A partial tile's bytes, cut out of the full tile's."""
    if tile.level != ENTRIES:
        return data[: tile.width * HASH]
    at = 0
    for _ in range(tile.width):
        at += 2 + int.from_bytes(data[at : at + 2], "big")
    return data[:at]
