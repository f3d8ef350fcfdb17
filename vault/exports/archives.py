"""Archives: one file made of sealed pieces, gone on with after a crash, read by ranges, and gone
after a while.

A piece is one sealed blob. Its blob goes first, then its row; a piece that ends with an entry of
the zip, once `SAFE_BYTES` are written since the last one, is where the next attempt goes on. A
crash leaves a blob that no row refers to, or pieces beyond the last safe one. Plaintext touches no
disk.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.living_vaults import hold_living_vault
from base.errors import ServiceError
from base.key_names import ARCHIVE
from storage.content import ContentWriter, InvalidContent, content_writer, open_content
from vault.documents.uploads.pieces import delete_blobs, unreferenced_blobs
from vault.exports import records
from vault.exports.zip_format import ZipEntry
from vault.services import Services

PIECE_BYTES = 8 * 1024 * 1024
SAFE_BYTES = 1024 * 1024
"""What a crash loses at most, beside the entry that was being written."""
_BATCH = 100

Ready = Callable[[AsyncConnection], Awaitable[Mapping[str, Any]]]
"""What goes with the last commit of an archive; returns what changes of its row."""


class Superseded(Exception):
    """The archive is gone, or another attempt makes it: this one ends, and changes nothing more."""


@dataclass(frozen=True, slots=True)
class Safe:
    """What is safe of an archive when an attempt begins: its entries, pieces and bytes."""

    attempt: int
    pieces: int
    length: int
    entries: tuple[ZipEntry, ...] = field(repr=False)


async def begin_attempt(services: Services, person_id: UUID, archive_id: UUID) -> tuple[Any, Safe]:
    """The archive's row, and what is safe of it; what another attempt wrote beyond that goes, and
    what it still writes is refused. Raises `Superseded` for one that is gone or whole.

    A crash after the commit leaves blobs that no row refers to.
    """
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await _held(services, tx, person_id, archive_id)
        attempt = row.attempt + 1
        await records.change_archive(tx, macs, row, attempt=attempt)
        keys = await records.delete_pieces(tx, person_id, archive_id, after=row.pieces)
        pieces = await records.pieces_of(tx, person_id, archive_id)
    await delete_blobs(services, keys)
    _check_whole(row, pieces)
    reader = await services.field_encryption.reader(person_id)
    entries = [
        ZipEntry.of(values)
        for piece in pieces
        for values in reader.open(ARCHIVE, piece.id, piece.sealed)["entries"]
    ]
    return row, Safe(attempt, row.pieces, row.length, tuple(entries))


async def _held(services: Services, tx: AsyncConnection, person_id: UUID, archive_id: UUID) -> Any:
    """The row of an archive that is still being made, which nobody else changes meanwhile."""
    try:
        await hold_living_vault(tx, person_id)
    except ServiceError:
        raise Superseded from None
    row = await records.archive(tx, person_id, archive_id, lock=True)
    if row is None or row.ready_at is not None:
        raise Superseded
    (await services.field_encryption.row_macs()).check(records.ARCHIVE_ROW, row)
    return row


async def change_sealed(services: Services, row: Any, attempt: int, **changed: Any) -> None:
    """Keep other sealed values of an archive that this attempt makes; what else was sealed there
    meanwhile stays. Raises `Superseded`."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        held = await _held(services, tx, row.person_id, row.id)
        if held.attempt != attempt:
            raise Superseded
        reader = await services.field_encryption.reader(row.person_id, tx)
        values = reader.open(ARCHIVE, row.id, held.sealed)
        writer = await services.field_encryption.writer(row.person_id, tx)
        sealed = writer.seal(ARCHIVE, row.id, {**values, **changed})
        await records.change_archive(tx, macs, held, sealed=sealed)


class PieceWriter:
    """Writes an archive from where it is safe. The caller MUST use it as a context manager: what is
    not committed at its end is dropped."""

    def __init__(self, services: Services, person_id: UUID, archive_id: UUID, safe: Safe) -> None:
        self._services = services
        self._person_id = person_id
        self._archive_id = archive_id
        self._attempt = safe.attempt
        self._position = safe.pieces
        self._length = safe.length
        self._since_safe = 0
        self._entries: list[ZipEntry] = []
        self._stack = AsyncExitStack()
        self._sealing: ContentWriter | None = None
        self._filled = 0

    async def __aenter__(self) -> "PieceWriter":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def write(self, data: bytes) -> None:
        """More bytes of the archive."""
        rest = memoryview(data)
        while rest:
            if self._filled == PIECE_BYTES:
                await self._commit(safe=False)
            part = rest[: PIECE_BYTES - self._filled]
            await (await self._piece()).write(part)
            self._filled += len(part)
            self._since_safe += len(part)
            rest = rest[len(part) :]

    async def end_entry(self, entry: ZipEntry, *, may_stop: bool = True) -> None:
        """An entry ended with the last byte that was written. Without `may_stop`, no later attempt
        goes on after it: it is made again with the one that follows."""
        self._entries.append(entry)
        if may_stop and self._since_safe >= SAFE_BYTES:
            await self._commit(safe=True)

    async def finish(self, in_commit: Ready) -> None:
        """All is written: with the last piece, the archive is ready. `in_commit`: what goes with
        it, and changes its row."""
        await self._commit(safe=True, ready=in_commit)

    async def _piece(self) -> ContentWriter:
        if self._sealing is None:
            storage = self._services.storage
            self._sealing = await self._stack.enter_async_context(
                content_writer(
                    storage.blobs,
                    storage.keys,
                    self._person_id,
                    ARCHIVE,
                    version_id=self._archive_id,
                    position=self._position,
                )
            )
        return self._sealing

    async def _commit(self, *, safe: bool, ready: Ready | None = None) -> None:
        """The piece is durable, then its row. A crash in between leaves a blob of no row; before a
        safe one, pieces that the next attempt writes again."""
        async with unreferenced_blobs(self._services) as blobs:
            sealed = await (await self._piece()).commit()
            blobs.append(sealed.blob_key)
            await self._stack.aclose()
            self._sealing = None
            writer = await self._services.field_encryption.writer(self._person_id)
            entries = [entry.values() for entry in self._entries] if safe else []
            address = sealed.address
            async with self._services.database.transaction() as tx:
                row = await _held(self._services, tx, self._person_id, self._archive_id)
                if row.attempt != self._attempt:
                    raise Superseded
                await records.add_piece(
                    tx,
                    id=address.id,
                    archive_id=self._archive_id,
                    person_id=self._person_id,
                    position=self._position,
                    length=sealed.length,
                    sealed=writer.seal(ARCHIVE, address.id, {"entries": entries}),
                    blob_key=address.blob_key,
                    envelope=address.envelope,
                )
                changed = {} if ready is None else await ready(tx)
                if safe:
                    await self._move_safe(tx, row, sealed.length, changed)
                blobs.clear()
        self._position += 1
        self._length += sealed.length
        self._filled = 0
        if safe:
            self._entries, self._since_safe = [], 0

    async def _move_safe(
        self, tx: AsyncConnection, row: Any, length: int, changed: Mapping[str, Any]
    ) -> None:
        macs = await self._services.field_encryption.row_macs()
        whole = {"pieces": self._position + 1, "length": self._length + length, **changed}
        await records.change_archive(tx, macs, row, **whole)


class ArchiveContent:
    """The bytes of a whole archive, by ranges: pieces are opened one after the other."""

    def __init__(
        self, services: Services, person_id: UUID, row: Any, pieces: Sequence[Any]
    ) -> None:
        """Raises `InvalidContent` for pieces that are not all there."""
        _check_whole(row, pieces)
        self._services = services
        self._person_id = person_id
        self._pieces = pieces
        self.length: int = row.length

    async def slices(self, start: int = 0, stop: int | None = None) -> AsyncIterator[memoryview]:
        """archive[start:stop] in slices that are valid until the next one is requested."""
        stop = self.length if stop is None else stop
        storage, before = self._services.storage, 0
        for row in self._pieces:
            begin, end = before, before + row.length
            before = end
            if end <= start or begin >= stop:
                continue
            content = await open_content(
                storage.blobs, storage.keys, self._person_id, records.address_of(row)
            )
            if content.length != row.length:
                raise InvalidContent("pieces")
            async for part in content.slices(max(start - begin, 0), min(stop, end) - begin):
                yield part


def _check_whole(row: Any, pieces: Sequence[Any]) -> None:
    """The pieces up to where it is safe are all there, in their places, and as long as it is."""
    places = [piece.position for piece in pieces]
    if places != list(range(row.pieces)) or sum(one.length for one in pieces) != row.length:
        raise InvalidContent("pieces")


async def delete(services: Services, person_id: UUID, archive_id: UUID) -> bool:
    """Delete an archive; False if there was none. A crash after the commit leaves blobs that no row
    refers to."""
    async with services.database.transaction() as tx:
        keys = await records.blob_keys_of(tx, person_id, archive_id)
        deleted = await records.delete_archive(tx, person_id, archive_id)
    await delete_blobs(services, keys)
    return deleted


async def delete_expired(services: Services) -> int:
    """Delete the archives whose time is over; returns how many. Doing it twice changes nothing: a
    crash after a commit leaves blobs that no row refers to."""
    deleted = 0
    while True:
        async with services.database.transaction() as tx:
            due = await records.expired_archives(tx, _BATCH)
            keys: list[str] = []
            for row in due:
                keys += await records.blob_keys_of(tx, row.person_id, row.id)
                await records.delete_archive(tx, row.person_id, row.id)
        await delete_blobs(services, keys)
        deleted += len(due)
        if len(due) < _BATCH:
            return deleted
