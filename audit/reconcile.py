"""Reconciling the database with the tree: every event has its leaf, with its commitment and its
sealed bytes unchanged; every leaf has its event; every tile and every checkpoint follows from them.

In index order, one range at a time, without opening events. When row, entry and tile disagree, the
one that the other two contradict is reported.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row

from audit.tlog import records as tlog_records
from audit.tlog.checkpoint import InvalidCheckpoint, verify_checkpoint
from audit.tlog.merkle import leaf_hash
from audit.tlog.notes import Verifier
from audit.tlog.right_edge import RightEdge, TileData
from audit.tlog.sequencer import read_tile
from audit.tlog.store import LogStore
from audit.tlog.tiles import ENTRIES, WIDTH, InvalidTile, Tile, entries_in, hashes_in
from base.database import Database

Progress = Callable[[int, int], None]

BUNDLES = 64
"""How many are compared at a time: 16 384 entries, about 3 MB."""
_MAX_FAULTS = 1000
_GRACE = 10
"""Seconds during which an event may have no leaf yet."""

_BUNDLES = text("""
    WITH hashed AS MATERIALIZED (  -- so that each event is hashed once
        SELECT l.index, l.entry, e.commitment || sha256(e.sealed) AS entry_now
        FROM unefois.log_leaf l LEFT JOIN unefois.access_event e ON e.id = l.event_id
        WHERE l.index >= :first AND l.index < :end ORDER BY l.index)
    SELECT index / 256 AS bundle, count(*) AS leaves,
        count(*) FILTER (WHERE entry = entry_now) AS same,
        string_agg(coalesce(entry_now, entry), ''::bytea ORDER BY index) AS entries
    FROM hashed GROUP BY 1 ORDER BY 1
""")
_LEAVES = text("""
    SELECT l.index, l.event_id, l.entry, e.commitment || sha256(e.sealed) AS entry_now
    FROM unefois.log_leaf l LEFT JOIN unefois.access_event e ON e.id = l.event_id
    WHERE l.index >= :first AND l.index < :end ORDER BY l.index
""")
_CHECKPOINTS = text("""
    SELECT size, root, note FROM unefois.log_checkpoint
    WHERE size > :after AND size <= :upto ORDER BY size
""")
_RANGE_END = text(
    "SELECT id FROM unefois.access_event WHERE id > :after ORDER BY id OFFSET :length LIMIT 1"
)
_LEAFLESS = text("""
    SELECT e.id FROM unefois.access_event e
    WHERE e.id > :after AND e.id <= :upto AND e.at < unefois.now() - :grace * interval '1 second'
        AND NOT EXISTS (SELECT FROM unefois.log_leaf l
            WHERE l.event_id = e.id AND l.event_id > :after AND l.event_id <= :upto)
    ORDER BY e.id LIMIT :limit
""")
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that differs from what was signed: `what`, a word of `_WORDS`, and which `name`."""

    what: str
    name: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.name}: {_WORDS[self.what]}"


_WORDS = {
    "event_changed": "the row is not the one whose leaf was signed",
    "event_missing": "the leaf has no event any more",
    "leaf_missing": "the event has no leaf",
    "leaf_changed": "the leaf's row is not what was signed",
    "entry_changed": "the entry in the store is not what was signed",
    "tile_changed": "the tile in the store is not what was signed",
    "tile_missing": "the file is missing from the store",
    "gap": "leaves are missing",
    "root_changed": "the checkpoint is not of the leaves that are there",
    "signature": "the checkpoint's signature does not hold",
}


@dataclass(slots=True)
class Report:
    """What was checked, and what is wrong: at most a thousand faults."""

    leaves: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add_fault(self, what: str, name: str) -> None:
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(Fault(what, name))


@dataclass(frozen=True, slots=True)
class _Stored:
    """A bundle and its tile as the store has them: None when missing or unreadable."""

    entries: list[bytes] | None
    hashes: list[bytes] | None


class Reconciler:
    """Checks the whole log once, up to the newest checkpoint."""

    def __init__(self, database: Database, store: LogStore, log: Verifier) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._edge = RightEdge()
        self.report = Report()

    async def run(self, progress: Progress) -> Report:
        """Reconcile; calls `progress(leaves done, total)` on the way."""
        async with self._database.transaction() as tx:
            newest = await tlog_records.newest_checkpoint(tx)
        total = 0 if newest is None else newest.size
        step = BUNDLES * WIDTH
        ranges = [(first, min(first + step, total)) for first in range(0, total, step)]
        # The database reads the next range while this one is compared.
        reading = self._read_ahead(*ranges[0]) if ranges else None
        for at, (first, end) in enumerate(ranges, 1):
            assert reading is not None  # noqa: S101  (one is started for each range)
            rows = await reading
            reading = self._read_ahead(*ranges[at]) if at < len(ranges) else None
            await self._check_range(first, end, rows)
            progress(self._edge.size, total)
        await self._compare_tiles(self._edge.partials())
        await self._check_leafless()
        return self.report

    def _read_ahead(self, first: int, end: int) -> "asyncio.Task[Sequence[Row[Any]]]":
        return asyncio.create_task(self._rows(_BUNDLES, first=first, end=end))

    async def _check_range(self, first: int, end: int, bundles: Sequence[Row[Any]]) -> None:
        rows = {row.bundle: row for row in bundles}
        checkpoints = await self._rows(_CHECKPOINTS, after=first, upto=end)
        tiles = [
            Tile(0, start // WIDTH, min(WIDTH, end - start)) for start in range(first, end, WIDTH)
        ]
        stored = await asyncio.gather(*(self._stored(tile) for tile in tiles))
        full: list[TileData] = []
        for tile, stored_tile in zip(tiles, stored, strict=True):
            start = tile.index * WIDTH
            entries, leaves = await self._entries(tile, rows.get(tile.index), stored_tile)
            inside = [row for row in checkpoints if start < row.size <= start + tile.width]
            full += self._append(entries, leaves, inside)
        await self._compare_tiles([(tile, data) for tile, data in full if tile.level > 0])

    def _append(
        self, entries: list[bytes], leaves: list[bytes], checkpoints: Sequence[Row[Any]]
    ) -> list[TileData]:
        """Append these leaves, and check each checkpoint at its size; the tiles now full."""
        start, at = self._edge.size, 0
        full: list[TileData] = []
        for row in checkpoints:
            upto = row.size - start
            full += self._edge.extend(entries[at:upto], leaves[at:upto])
            at = upto
            self._check_checkpoint(row)
        return full + self._edge.extend(entries[at:], leaves[at:])

    def _check_checkpoint(self, row: Row[Any]) -> None:
        self.report.checkpoints += 1
        name = f"checkpoint {row.size}"
        if self._edge.root() != row.root:
            self.report.add_fault("root_changed", name)
        try:
            signed = verify_checkpoint(row.note, self._log).checkpoint
        except InvalidCheckpoint:
            self.report.add_fault("signature", name)
            return
        if (signed.size, signed.root) != (row.size, row.root):
            self.report.add_fault("root_changed", name)

    async def _entries(
        self, tile: Tile, row: Row[Any] | None, stored: _Stored
    ) -> tuple[list[bytes], list[bytes]]:
        """The entries that were signed, by what row, entry and tile say, and their hashes."""
        self.report.leaves += tile.width
        if row is not None and row.same == row.leaves == tile.width:
            entries = [row.entries[at : at + 64] for at in range(0, len(row.entries), 64)]
            leaves = [leaf_hash(entry) for entry in entries]
            if stored.entries == entries and stored.hashes == leaves:
                return entries, leaves
        entries = await self._compare_leaves(tile, stored)
        return entries, [leaf_hash(entry) for entry in entries]

    async def _compare_leaves(self, tile: Tile, stored: _Stored) -> list[bytes]:
        """Report, leaf by leaf, what the others contradict; the entries that were signed."""
        first = tile.index * WIDTH
        rows = {
            row.index_: row
            for row in map(_Leaf.of, await self._rows(_LEAVES, first=first, end=first + tile.width))
        }
        for content, level in ((stored.entries, ENTRIES), (stored.hashes, 0)):
            if content is None:
                self.report.add_fault("tile_missing", Tile(level, tile.index, tile.width).path)
        if len(rows) < tile.width:
            self.report.add_fault("gap", f"leaves {first} to {first + tile.width - 1}")
        wrong_tile = False
        entries = []
        for at in range(tile.width):
            entry, tile_agrees = self._compare_leaf(first + at, rows.get(first + at), stored, at)
            wrong_tile = wrong_tile or not tile_agrees
            entries.append(entry)
        if wrong_tile:
            self.report.add_fault("tile_changed", tile.path)
        return entries

    def _compare_leaf(
        self, index: int, row: "_Leaf | None", stored: _Stored, at: int
    ) -> tuple[bytes, bool]:
        """The signed entry of one leaf, and whether the tile agrees with it."""
        in_bundle = None if stored.entries is None else stored.entries[at]
        expected = None if stored.hashes is None else stored.hashes[at]
        from_event = None if row is None else row.entry_now
        in_row = None if row is None else row.entry
        candidates = [entry for entry in (from_event, in_row, in_bundle) if entry is not None]
        signed = _signed_entry(candidates, expected)
        if row is not None and from_event is None:
            self.report.add_fault("event_missing", f"leaf {index}, event {row.event_id}")
        elif row is not None and from_event != signed:
            self.report.add_fault("event_changed", f"event {row.event_id} (leaf {index})")
        if row is not None and in_row != signed:
            self.report.add_fault("leaf_changed", f"leaf {index}")
        if in_bundle is not None and in_bundle != signed:
            path = Tile(ENTRIES, index // WIDTH).path
            self.report.add_fault("entry_changed", f"entry {index} ({path})")
        return signed, expected is None or hmac.compare_digest(leaf_hash(signed), expected)

    async def _compare_tiles(self, tiles: Sequence[TileData]) -> None:
        """Compare computed tiles with the store; those of the leaves are compared elsewhere."""
        for tile, data in tiles:
            try:
                if await read_tile(self._store, tile) != data and tile.level > 0:
                    self.report.add_fault("tile_changed", tile.path)
            except InvalidTile:
                if tile.level > 0:
                    self.report.add_fault("tile_missing", tile.path)

    async def _stored(self, tile: Tile) -> _Stored:
        entries = Tile(ENTRIES, tile.index, tile.width)
        return _Stored(await self._read(entries, entries_in), await self._read(tile, hashes_in))

    async def _read(
        self, tile: Tile, read: Callable[[Tile, bytes], list[bytes]]
    ) -> list[bytes] | None:
        try:
            return read(tile, await read_tile(self._store, tile))
        except InvalidTile:
            return None

    async def _check_leafless(self) -> None:
        async for after, upto in self._ranges():
            for row in await self._rows(
                _LEAFLESS, after=after, upto=upto, grace=_GRACE, limit=_MAX_FAULTS
            ):
                self.report.add_fault("leaf_missing", f"event {row.id}")

    async def _ranges(self) -> AsyncIterator[tuple[UUID, UUID]]:
        after: UUID | None = UUID(int=0)
        while after is not None:
            rows = await self._rows(_RANGE_END, after=after, length=BUNDLES * WIDTH)
            upto = rows[0].id if rows else None
            yield after, upto or _LAST
            after = upto

    async def _rows(self, query: Any, **values: object) -> Sequence[Row[Any]]:
        async with self._database.transaction() as tx:
            return (await tx.execute(query, values)).all()


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf's row; `entry_now` is computed from its event as it is now, None without event."""

    index_: int
    event_id: UUID
    entry: bytes
    entry_now: bytes | None

    @classmethod
    def of(cls, row: Any) -> "_Leaf":
        return cls(*row)


def _signed_entry(candidates: Sequence[bytes], expected: bytes | None) -> bytes:
    """The entry that was signed: the one whose hash is in the tile, or else the most frequent."""
    for entry in candidates:
        if leaf_hash(entry) == expected:
            return entry
    return max(candidates, key=candidates.count, default=b"")
