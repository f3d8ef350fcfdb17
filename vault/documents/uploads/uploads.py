"""A file received in pieces (tus 1.0): begun, seen, continued, dropped. Not yet an access to
anything: the log tells of the document that is made of it, and of ids that are not the caller's.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from base.key_names import UPLOAD
from storage.content import SealedContent
from storage.row_macs import RowMacs
from vault.decisions import AccessAttempt, record_refusal
from vault.documents.intake import SNIFF_BYTES
from vault.documents.quotas import check_room
from vault.documents.uploads import draft_rows, records
from vault.documents.uploads.pieces import (
    MAX_PIECES,
    BodyCut,
    Checksum,
    IncomingBytes,
    delete_blobs,
    read_pieces,
    row_of,
    seal_piece,
    unreferenced_blobs,
)
from vault.documents.uploads.upload_rows import insert
from vault.rules import Reason
from vault.services import Services

MAX_UPLOADS = 50
"""Of one vault at once, finished or not, but for those of papers that are being added."""
MAX_DOCUMENTS_WORTH = 4
"""How many of the largest documents the uploads of one vault may hold together, in bytes."""
_CHECKED_SECONDS = 3600
"""How long the bytes of one checksum may take to come: they have no row before its end, and the
sweep removes older blobs without one."""
_MIB = 1024 * 1024
_BATCH = 100


@dataclass(frozen=True, slots=True)
class UploadView:
    """An upload: how much of it is durable, and what its sender said of it, as it was sent."""

    id: UUID
    length: int
    received: int
    expires_at: datetime
    metadata: str = field(default="", repr=False)


async def create(services: Services, person: Person, *, length: int, metadata: str) -> UploadView:
    """Begin an upload of `length` bytes. Raises `too_large`, `file_empty`, `too_many_uploads`,
    `uploads_too_large`."""
    if length > services.settings.max_document_bytes:
        limit = services.settings.max_document_bytes // _MIB
        raise ServiceError(ErrorKind.TOO_LARGE, "too_large", fields=_LENGTH_FIELD, limit_mib=limit)
    if length == 0:
        raise invalid("file_empty", fields=_LENGTH_FIELD)
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        await _check_count(services, tx, person.id)
        await check_bytes(services, tx, person.id, length)
        row = await insert(
            services, tx, person.id, new_id(), length=length, said={"metadata": metadata}
        )
    return UploadView(row["id"], length, 0, row["expires_at"], metadata)


_LENGTH_FIELD = (("upload_length",),)


async def _check_count(services: Services, tx: AsyncConnection, person_id: UUID) -> None:
    """Those of the papers that are being added have a limit of their own (`drafts`): each once,
    and only where it is there."""
    count, _ = await records.open_uploads(tx, person_id)
    named: set[UUID] = set()
    for draft in await draft_rows.all_of(services, tx, person_id):
        named |= {draft.id, *(one for picture in draft.pictures for one in picture.uploads())}
    count -= len(await records.there(tx, person_id, list(named)))
    if count >= MAX_UPLOADS:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_uploads", limit=MAX_UPLOADS)


async def check_bytes(
    services: Services, tx: AsyncConnection, person_id: UUID, length: int
) -> None:
    """The one place where it is judged, before its row is there, whether a vault has room for the
    bytes of an upload. The vault is locked. Raises `uploads_too_large`, and what `check_room`
    raises."""
    _, announced = await records.open_uploads(tx, person_id)
    most = MAX_DOCUMENTS_WORTH * services.settings.max_document_bytes
    if announced + length > most:
        raise ServiceError(ErrorKind.CONFLICT, "uploads_too_large", limit_mib=most // _MIB)
    await check_room(services, tx, person_id, size=announced + length)


async def see(services: Services, person: Person, upload_id: UUID) -> UploadView:
    """An upload of the person. Raises `not_found`, recorded, or `type_not_allowed`."""
    row = await _own(services, person, upload_id)
    reader = await services.field_encryption.reader(person.id)
    metadata = reader.open(UPLOAD, row.id, row.sealed)["metadata"]
    return UploadView(row.id, row.length, row.received, row.expires_at, metadata)


async def append(
    services: Services,
    person: Person,
    upload_id: UUID,
    *,
    offset: int,
    slices: AsyncIterator[bytes],
    checksum: Checksum | None = None,
) -> UploadView:
    """Receive the bytes that follow `offset`, which is what is durable already.

    What came before the connection was cut is kept, and `BodyCut` raised; with a checksum, all of
    the request or nothing. Of two requests at once, each piece of one is kept only at the offset
    that it was sent for: the other gets `upload_offset`. Raises also `not_found`, recorded,
    `type_not_allowed`, `upload_longer`, `checksum_mismatch`, `too_many_pieces`.
    """
    row = await _own(services, person, upload_id)
    _check_offset(row, offset)
    incoming = IncomingBytes(
        slices,
        room=row.length - offset,
        head=await _head_of(services, row),
        length=row.length,
        checksum=checksum,
    )
    receive = _receive_as_it_comes if checksum is None else _receive_whole
    try:
        received = await receive(services, row, incoming)
    except ServiceError as failure:
        if failure.code == "type_not_allowed":
            await _refuse(services, row)
        raise
    if incoming.cut:
        raise BodyCut
    return UploadView(row.id, row.length, received, row.expires_at)


async def terminate(services: Services, person: Person, upload_id: UUID) -> None:
    """Drop an upload. Raises `not_found`, recorded."""
    async with services.database.transaction() as tx:
        keys = await records.blob_keys_of(tx, person.id, upload_id)
        deleted = await records.delete_upload(tx, person.id, upload_id)
    if not deleted:
        raise await unknown(services, person)
    await delete_blobs(services, keys)


async def delete_expired(services: Services) -> int:
    """Delete the uploads whose time is over, finished or not; returns how many. Doing it twice
    changes nothing: a crash after a commit leaves blobs that no row refers to."""
    deleted = 0
    while True:
        async with services.database.transaction() as tx:
            due = await records.expired_uploads(tx, _BATCH)
            keys: list[str] = []
            for row in due:
                keys += await records.blob_keys_of(tx, row.person_id, row.id)
                await records.delete_upload(tx, row.person_id, row.id)
        await delete_blobs(services, keys)
        deleted += len(due)
        if len(due) < _BATCH:
            return deleted


async def _own(services: Services, person: Person, upload_id: UUID) -> Row[Any]:
    """The row of a person's upload whose type is not refused."""
    async with services.database.transaction() as tx:
        row = await records.upload(tx, person.id, upload_id)
    if row is None:
        raise await unknown(services, person)
    (await services.field_encryption.row_macs()).check(records.UPLOAD_ROW, row)
    if row.refused:
        raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed")
    return row


async def unknown(services: Services, person: Person) -> ServiceError:
    """Another person's, expired, or none: recorded in the caller's log, same answer (inv. 7)."""
    attempt = AccessAttempt(action=Action.DEPOSIT, actor=person.actor(), person=person.id)
    return await record_refusal(services, attempt, Reason.NOT_FOUND)


def _check_offset(row: Row[Any], offset: int) -> None:
    if row.received != offset:
        raise ServiceError(ErrorKind.CONFLICT, "upload_offset")
    if row.pieces >= MAX_PIECES:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_pieces", limit=MAX_PIECES)


async def _head_of(services: Services, row: Row[Any]) -> bytes:
    """The first bytes that are there, where it takes more of them to know the type."""
    if not 0 < row.received < SNIFF_BYTES:
        return bytes(min(row.received, SNIFF_BYTES))  # as many as were judged already
    async with services.database.transaction() as tx:
        pieces = await records.pieces_of(tx, row.person_id, row.id)
    head = bytearray()
    async for part in read_pieces(services, row.person_id, pieces, row.received):
        head += part
    return bytes(head)


async def _receive_as_it_comes(services: Services, row: Row[Any], incoming: IncomingBytes) -> int:
    """Each piece is durable before the next is taken; returns what is received by then."""
    received, position = row.received, row.pieces
    while True:
        async with unreferenced_blobs(services) as blobs:
            piece = await seal_piece(services, row.person_id, row.id, position, incoming)
            if piece is None:
                return int(received)
            blobs.append(piece.blob_key)
            await _add(services, row, received, [piece], blobs)
        received, position = received + piece.length, position + 1


async def _receive_whole(services: Services, row: Row[Any], incoming: IncomingBytes) -> int:
    """All the pieces become the upload's at once, when the checksum holds."""
    async with unreferenced_blobs(services) as blobs:
        pieces: list[SealedContent] = []
        try:
            async with asyncio.timeout(_CHECKED_SECONDS):
                while piece := await seal_piece(
                    services, row.person_id, row.id, row.pieces + len(pieces), incoming
                ):
                    blobs.append(piece.blob_key)
                    pieces.append(piece)
                    if row.pieces + len(pieces) > MAX_PIECES:
                        raise ServiceError(ErrorKind.CONFLICT, "too_many_pieces", limit=MAX_PIECES)
        except TimeoutError:
            raise BodyCut from None
        if incoming.cut:
            raise BodyCut
        incoming.verify()
        if pieces:
            await _add(services, row, row.received, pieces, blobs)
    return int(row.received) + sum(piece.length for piece in pieces)


async def _add(
    services: Services,
    row: Row[Any],
    offset: int,
    pieces: Sequence[SealedContent],
    blobs: list[str],
) -> None:
    """Pieces become part of their upload, if it still ends where they begin. `blobs` is emptied
    once only the commit remains.

    A crash before the commit leaves blobs that no row refers to, and the offset as it was; after
    it, the bytes are the upload's, whether or not the sender was told.
    """
    async with services.database.transaction() as tx:
        found = await records.upload(tx, row.person_id, row.id, lock=True)
        if found is None:
            raise not_found()  # dropped, expired or used while its bytes came
        _check_offset(found, offset)
        await records.add_pieces(tx, [row_of(piece, row.person_id) for piece in pieces])
        await records.change_upload(
            tx,
            await _macs(services),
            found,
            received=offset + sum(piece.length for piece in pieces),
            pieces=found.pieces + len(pieces),
        )
        blobs.clear()


async def _refuse(services: Services, row: Row[Any]) -> None:
    """Its first bytes are of a type that is not taken: nothing more of it is."""
    async with services.database.transaction() as tx:
        found = await records.upload(tx, row.person_id, row.id, lock=True)
        if found is not None:
            await records.change_upload(tx, await _macs(services), found, refused=True)


async def _macs(services: Services) -> RowMacs:
    return await services.field_encryption.row_macs()
