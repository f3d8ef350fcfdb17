"""The sequencer's three operations: load the tree as it is, integrate events, sign.

The rows of `log_leaf` define the tree; tiles and bundles are computed from them alone, so that
computing them again gives the same bytes. Two sequencers at once cannot fork the tree: an index has
one row, a size one checkpoint, a tile one content; the slower sequencer fails and starts over.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from uuid import UUID

from audit.tlog import records
from audit.tlog.checkpoint import Checkpoint, InvalidCheckpoint, sign_checkpoint, verify_checkpoint
from audit.tlog.notes import InvalidNote, Note, Signer
from audit.tlog.records import Connection, Signed
from audit.tlog.right_edge import RightEdge, cut, edge_tiles
from audit.tlog.store import LogStore
from audit.tlog.tiles import HEIGHT, InvalidTile, Tile
from base.tasks import end
from storage.blobs import BlobUnavailable

BATCH = 256
_READ = 16 * BATCH


class InvalidLog(Exception):
    """The log cannot continue without forking. `reason` is one word:

    `signature`, `root`: the newest checkpoint is not one of ours, or not of the leaves that
    exist; `behind`: the public tree is larger than what the database holds; `superseded`: another
    sequencer has signed meanwhile.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Sequencer:
    """The tree, for the holder of the lock on this connection. After any failure it MUST be
    discarded and a new one loaded: the rows say what was done."""

    def __init__(self, connection: Connection, store: LogStore, signer: Signer) -> None:
        self._connection = connection
        self._store = store
        self._signer = signer
        self._edge = RightEdge()
        self._signed: Signed | None = None
        self._writing: asyncio.Task[None] | None = None
        self._partials: set[Tile] = set()

    @property
    def size(self) -> int:
        """Leaves in the tree, signed or not."""
        return self._edge.size

    @property
    def unsigned(self) -> bool:
        """Whether there are leaves that no checkpoint covers."""
        return self._signed is None or self._signed.size < self._edge.size

    async def take_up(self) -> None:
        """Load the tree from the rows and the newest checkpoint. Raises `InvalidLog`, or what the
        database and the store raise."""
        # 1. The newest checkpoint is ours, and nothing larger was published.
        self._signed = await records.newest_signed(self._connection)
        if self._signed is not None:
            self._check(self._signed)
        await self._check_public()
        # 2. The right edge of its tree, read from the store or rebuilt from the rows.
        if self._signed is not None and self._signed.size:
            self._edge = await self._edge_of(self._signed)
            self._partials = set(edge_tiles(self._signed.size))
        # 3. The leaves committed since, whose tiles a crash may have left unwritten.
        await self._catch_up(await records.leaf_count(self._connection))
        await self._wait_until_written()

    async def integrate(self, events: Sequence[UUID]) -> None:
        """Make leaves of at most 256 events that have none."""
        entries = await records.integrate(self._connection, self._edge.size, events)
        # A crash here leaves leaves without tiles: `take_up` writes these from the rows.
        await self._append(entries)

    async def sign(self) -> None:
        """Sign the tree as it is, once every tile of it is durable."""
        if not self.unsigned:
            return
        await self._wait_until_written()
        await self._write_partials()
        # A crash here leaves tiles of an unsigned tree; the next sequencer writes the same bytes.
        # 1. It continues what was signed last: the edge was loaded from that tree or grown since.
        last = await records.newest_signed(self._connection)
        if last != self._signed:
            raise InvalidLog("superseded")
        # 2. Sign, then store; the signature leaves this process only once it is stored.
        signed = self._sign()
        await records.add_signed(self._connection, signed)
        # A crash here leaves a checkpoint that receipts carry and that is not public yet.
        self._signed = signed
        await self._delete_partials()

    async def leave(self) -> None:
        """Cancel the write under way, if any, and ignore its result."""
        if self._writing is not None:
            await end(self._writing)

    async def _wait_until_written(self) -> None:
        """Wait until the full tiles of what was integrated are durable in the store."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            await writing

    def _check(self, signed: Signed) -> None:
        try:
            checkpoint = verify_checkpoint(signed.note, self._signer.verifier).checkpoint
            root = signed.range.root()
        except (InvalidCheckpoint, ValueError):
            raise InvalidLog("signature") from None
        if (checkpoint.size, checkpoint.root, root) != (signed.size, signed.root, signed.root):
            raise InvalidLog("signature")

    async def _check_public(self) -> None:
        raw = await self._store.checkpoint()
        if raw is None:
            return
        try:
            public = Checkpoint.of_text(Note.parse(raw).text)
        except (InvalidNote, InvalidCheckpoint):
            return  # replaced at the next publication
        size = 0 if self._signed is None else self._signed.size
        if public.origin == self._signer.verifier.name and public.size > size:
            raise InvalidLog("behind")

    async def _edge_of(self, signed: Signed) -> RightEdge:
        try:
            data = {tile: await read_tile(self._store, tile) for tile in edge_tiles(signed.size)}
            edge = RightEdge.of(signed.size, data)
        except InvalidTile:
            return await self._rebuild(signed)
        return edge if edge.root() == signed.root else await self._rebuild(signed)

    async def _rebuild(self, signed: Signed) -> RightEdge:
        """Write every tile again from the rows, after a restore without the store. Nothing is
        written unless the rows give the root that was signed."""
        edge = RightEdge()
        async for entries in self._rows(0, signed.size):
            edge.extend(entries)
        if (edge.size, edge.root()) != (signed.size, signed.root):
            raise InvalidLog("root")
        edge = RightEdge()
        async for entries in self._rows(0, signed.size):
            await self._store.write(edge.extend(entries))
        await self._store.write(edge.partials())
        return edge

    async def _rows(self, first: int, end: int) -> AsyncIterator[list[bytes]]:
        for start in range(first, end, _READ):
            yield await records.entries_between(self._connection, start, min(start + _READ, end))

    async def _catch_up(self, count: int) -> None:
        if count < self._edge.size:
            raise InvalidLog("root")
        async for entries in self._rows(self._edge.size, count):
            await self._append(entries)
        if self._edge.size != count:
            raise InvalidLog("root")

    async def _append(self, entries: Sequence[bytes]) -> None:
        """Append leaves; their full tiles are written while the next batch is being integrated."""
        full = self._edge.extend(entries)
        await self._wait_until_written()
        if full:
            self._writing = asyncio.create_task(self._store.write(full), name="tiles")

    async def _write_partials(self) -> None:
        new = [(tile, data) for tile, data in self._edge.partials() if tile not in self._partials]
        await self._store.write(new)
        self._partials.update(tile for tile, _ in new)

    async def _delete_partials(self) -> None:
        """Delete the partial tiles that are full by now. A crash here, or a store that refuses,
        leaves some permanently; they are harmless."""
        full = {tile for tile in self._partials if end_of(tile.full) <= self._edge.size}
        self._partials -= full
        with suppress(BlobUnavailable):
            await self._store.delete(full)

    def _sign(self) -> Signed:
        edge = self._edge
        checkpoint = Checkpoint(self._signer.verifier.name, edge.size, edge.root())
        note = sign_checkpoint(checkpoint, self._signer).encode()
        return Signed(edge.size, checkpoint.root, b"".join(edge.range.hashes), note)


async def read_tile(store: LogStore, tile: Tile) -> bytes:
    """A tile's bytes, or its part of the full tile's, or those of a published tree, whose size is
    not always one at which the sequencer signed. Raises `InvalidTile`."""
    data = await store.read(tile)
    if data is None and tile != tile.full:
        full = await store.read(tile.full)
        data = await store.read_public(tile) if full is None else cut(full, tile)
    if data is None:
        raise InvalidTile(tile.path, "missing")
    return data


def end_of(tile: Tile) -> int:
    """The index after the last leaf that a tile spans."""
    return ((tile.index << HEIGHT) + tile.width) << (HEIGHT * max(tile.level, 0))
