"""Reconciling the database with the tree: every event has its leaf, with its commitment and its
sealed bytes unchanged; every leaf has its event; every tile and every checkpoint follows from them.

In index order, one stretch at a time, opening nothing. When row, entry and tile disagree, the one
that the two others contradict is named.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row

from audit.audit_log import AuditLog
from audit.sealing import InvalidEvent
from audit.tlog import records as tlog_records
from audit.tlog.checkpoint import InvalidCheckpoint, verify_checkpoint
from audit.tlog.merkle import leaf_hash
from audit.tlog.notes import Verifier
from audit.tlog.right_edge import RightEdge, Written
from audit.tlog.sequencer import read_tile
from audit.tlog.store import LogStore
from audit.tlog.tiles import ENTRIES, WIDTH, InvalidTile, Tile, entries_in, hashes_in
from base.database import Database
from storage.field_encryption import DecryptionError

Progress = Callable[[int, int], None]

BUNDLES = 64
"""How many are looked at together: 16 384 entries, some 3 MB."""
_PAGE = 1000
_MOST_FAULTS = 1000
_YOUNG = 10
"""Seconds for which an event may be without a leaf."""

_STRETCH = text("""
    WITH made AS MATERIALIZED (  -- so that each event is hashed once
        SELECT l.index, l.entry, e.commitment || sha256(e.sealed) AS entry_now
        FROM unefois.log_leaf l LEFT JOIN unefois.access_event e ON e.id = l.event_id
        WHERE l.index >= :first AND l.index < :end ORDER BY l.index)
    SELECT index / 256 AS bundle, count(*) AS leaves,
        count(*) FILTER (WHERE entry = entry_now) AS same,
        string_agg(coalesce(entry_now, entry), ''::bytea ORDER BY index) AS entries
    FROM made GROUP BY 1 ORDER BY 1
""")
_LEAVES = text("""
    SELECT l.index, l.event_id, l.entry, e.commitment || sha256(e.sealed) AS made
    FROM unefois.log_leaf l LEFT JOIN unefois.access_event e ON e.id = l.event_id
    WHERE l.index >= :first AND l.index < :end ORDER BY l.index
""")
_CHECKPOINTS = text("""
    SELECT size, root, note FROM unefois.log_checkpoint
    WHERE size > :after AND size <= :upto ORDER BY size
""")
_END = text("SELECT id FROM unefois.access_event WHERE id > :after ORDER BY id OFFSET :n LIMIT 1")
_LEAFLESS = text("""
    SELECT e.id FROM unefois.access_event e
    WHERE e.id > :after AND e.id <= :upto AND e.at < unefois.now() - :young * interval '1 second'
        AND NOT EXISTS (SELECT FROM unefois.log_leaf l
            WHERE l.event_id = e.id AND l.event_id > :after AND l.event_id <= :upto)
    ORDER BY e.id LIMIT :most
""")
_EVENTS = text("""
    SELECT id, key_id, sealed, commitment, NULL AS state FROM unefois.access_event
    WHERE id > :after ORDER BY id LIMIT :limit
""")
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was signed. `what` is one word, `name` says which one."""

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
    "does_not_open": "the event opens and is not the one committed to, or does not open",
}


@dataclass(slots=True)
class Report:
    """What was looked at, and what is wrong: at most a thousand faults."""

    leaves: int = 0
    checkpoints: int = 0
    opened: int = 0
    destroyed: int = 0
    faults: list[Fault] = field(default_factory=list)

    def say(self, what: str, name: str) -> None:
        """Add a fault."""
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(what, name))


@dataclass(frozen=True, slots=True)
class _Stored:
    """A bundle and its tile as the store has them: None when missing or not to be read."""

    entries: list[bytes] | None
    hashes: list[bytes] | None


class Reconciler:
    """Goes once through the whole log as it was signed last."""

    def __init__(self, database: Database, store: LogStore, log: Verifier) -> None:
        self._database = database
        self._store = store
        self._log = log
        self._edge = RightEdge()
        self.report = Report()

    async def run(self, progress: Progress) -> Report:
        """Reconcile; `progress` is told (leaves done, of how many)."""
        async with self._database.transaction() as tx:
            newest = await tlog_records.newest_checkpoint(tx)
        total = 0 if newest is None else newest.size
        step = BUNDLES * WIDTH
        stretches = [(first, min(first + step, total)) for first in range(0, total, step)]
        # The database reads the next stretch while this one is compared.
        ahead = self._ahead(*stretches[0]) if stretches else None
        for at, (first, end) in enumerate(stretches, 1):
            assert ahead is not None  # noqa: S101  (made for each)
            read = await ahead
            ahead = self._ahead(*stretches[at]) if at < len(stretches) else None
            await self._stretch(first, end, read)
            progress(self._edge.size, total)
        await self._compare(self._edge.partials())
        await self._leafless()
        return self.report

    async def open_all(self, audit_log: AuditLog) -> None:
        """Open every event whose key is there, and recompute its commitment."""
        after = UUID(int=0)
        while rows := await self._rows(_EVENTS, after=after, limit=_PAGE):
            after = rows[-1].id
            async with self._database.transaction() as tx:
                for row in rows:
                    try:
                        line = (await audit_log.open_entries(tx, [row]))[0]
                    except (InvalidEvent, DecryptionError, ValueError):
                        self.report.say("does_not_open", f"event {row.id}")
                        continue
                    if line.values is None:
                        self.report.destroyed += 1
                    elif line.values.get("id") != str(row.id):
                        self.report.say("does_not_open", f"event {row.id}")
                    else:
                        self.report.opened += 1

    def _ahead(self, first: int, end: int) -> "asyncio.Task[Sequence[Row[Any]]]":
        return asyncio.create_task(self._rows(_STRETCH, first=first, end=end))

    async def _stretch(self, first: int, end: int, read: Sequence[Row[Any]]) -> None:
        rows = {row.bundle: row for row in read}
        checkpoints = await self._rows(_CHECKPOINTS, after=first, upto=end)
        tiles = [
            Tile(0, start // WIDTH, min(WIDTH, end - start)) for start in range(first, end, WIDTH)
        ]
        stored = await asyncio.gather(*(self._stored(tile) for tile in tiles))
        full: list[Written] = []
        for tile, found in zip(tiles, stored, strict=True):
            start = tile.index * WIDTH
            entries, leaves = await self._entries(tile, rows.get(tile.index), found)
            due = [one for one in checkpoints if start < one.size <= start + tile.width]
            full += self._grow(entries, leaves, due)
        await self._compare([one for one in full if one[0].level > 0])

    def _grow(
        self, entries: list[bytes], leaves: list[bytes], due: Sequence[Row[Any]]
    ) -> list[Written]:
        """Add these leaves, stopping where checkpoints were signed."""
        start, at = self._edge.size, 0
        full: list[Written] = []
        for row in due:
            upto = row.size - start
            full += self._edge.extend(entries[at:upto], leaves[at:upto])
            at = upto
            self._check(row)
        return full + self._edge.extend(entries[at:], leaves[at:])

    def _check(self, row: Row[Any]) -> None:
        self.report.checkpoints += 1
        name = f"checkpoint {row.size}"
        if self._edge.root() != row.root:
            self.report.say("root_changed", name)
        try:
            found = verify_checkpoint(row.note, self._log).checkpoint
        except InvalidCheckpoint:
            self.report.say("signature", name)
            return
        if (found.size, found.root) != (row.size, row.root):
            self.report.say("root_changed", name)

    async def _entries(
        self, tile: Tile, row: Row[Any] | None, stored: _Stored
    ) -> tuple[list[bytes], list[bytes]]:
        """The entries that were signed, as far as the three places agree on them; their hashes."""
        self.report.leaves += tile.width
        if row is not None and row.same == row.leaves == tile.width:
            entries = [row.entries[at : at + 64] for at in range(0, len(row.entries), 64)]
            leaves = [leaf_hash(one) for one in entries]
            if stored.entries == entries and stored.hashes == leaves:
                return entries, leaves
        entries = await self._disagreeing(tile, stored)
        return entries, [leaf_hash(one) for one in entries]

    async def _disagreeing(self, tile: Tile, stored: _Stored) -> list[bytes]:
        """Leaf by leaf: who is contradicted by the others."""
        first = tile.index * WIDTH
        rows = {
            row.index_: row
            for row in map(_Leaf.of, await self._rows(_LEAVES, first=first, end=first + tile.width))
        }
        for missing, level in ((stored.entries, ENTRIES), (stored.hashes, 0)):
            if missing is None:
                self.report.say("tile_missing", Tile(level, tile.index, tile.width).path)
        if len(rows) < tile.width:
            self.report.say("gap", f"leaves {first} to {first + tile.width - 1}")
        wrong_tile = False
        entries = []
        for at in range(tile.width):
            entry, tile_agrees = self._leaf(first + at, rows.get(first + at), stored, at)
            wrong_tile = wrong_tile or not tile_agrees
            entries.append(entry)
        if wrong_tile:
            self.report.say("tile_changed", tile.path)
        return entries

    def _leaf(
        self, index: int, row: "_Leaf | None", stored: _Stored, at: int
    ) -> tuple[bytes, bool]:
        """The entry of one leaf, and whether the tile agrees with it."""
        there = None if stored.entries is None else stored.entries[at]
        expected = None if stored.hashes is None else stored.hashes[at]
        made = None if row is None else row.made
        kept = None if row is None else row.entry
        candidates = [one for one in (made, kept, there) if one is not None]
        signed = _signed(candidates, expected)
        if row is not None and made is None:
            self.report.say("event_missing", f"leaf {index}, event {row.event_id}")
        elif row is not None and made != signed:
            self.report.say("event_changed", f"event {row.event_id} (leaf {index})")
        if row is not None and kept != signed:
            self.report.say("leaf_changed", f"leaf {index}")
        if there is not None and there != signed:
            path = Tile(ENTRIES, index // WIDTH).path
            self.report.say("entry_changed", f"entry {index} ({path})")
        return signed, expected is None or hmac.compare_digest(leaf_hash(signed), expected)

    async def _compare(self, tiles: Sequence[Written]) -> None:
        """Tiles above the leaves, and the partial ones, as they should be."""
        for tile, data in tiles:
            try:
                if await read_tile(self._store, tile) != data and tile.level > 0:
                    self.report.say("tile_changed", tile.path)
            except InvalidTile:
                if tile.level > 0:
                    self.report.say("tile_missing", tile.path)

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

    async def _leafless(self) -> None:
        async for after, upto in self._ranges():
            for row in await self._rows(
                _LEAFLESS, after=after, upto=upto, young=_YOUNG, most=_MOST_FAULTS
            ):
                self.report.say("leaf_missing", f"event {row.id}")

    async def _ranges(self) -> AsyncIterator[tuple[UUID, UUID]]:
        after: UUID | None = UUID(int=0)
        while after is not None:
            rows = await self._rows(_END, after=after, n=BUNDLES * WIDTH)
            upto = rows[0].id if rows else None
            yield after, upto or _LAST
            after = upto

    async def _rows(self, query: Any, **values: object) -> Sequence[Row[Any]]:
        async with self._database.transaction() as tx:
            return (await tx.execute(query, values)).all()


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A leaf's row: `made` is the entry that its event gives now, None without event."""

    index_: int
    event_id: UUID
    entry: bytes
    made: bytes | None

    @classmethod
    def of(cls, row: Any) -> "_Leaf":
        return cls(*row)


def _signed(candidates: Sequence[bytes], expected: bytes | None) -> bytes:
    """The entry that was signed: the one that the tile has, or else the one most places have."""
    for one in candidates:
        if leaf_hash(one) == expected:
            return one
    return max(candidates, key=candidates.count, default=b"")
