"""A file of a form, kept as a finished upload until a document is made of it.

A form does not say how long each of its files is: the row comes at the end, with the rows of all
pieces. Blobs wait sealed for that, as those of a checksum do; a crash leaves blobs of no row.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.living_vaults import hold_living_vault
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from base.user_text import clean_file_name
from storage.content import SealedContent
from vault.decoding.media import MediaType
from vault.documents.intake import SNIFF_BYTES, Allowance, IncomingFile, allowed_type
from vault.documents.uploads import records
from vault.documents.uploads.metadata import write_metadata
from vault.documents.uploads.pieces import (
    MAX_PIECES,
    IncomingBytes,
    delete_blobs,
    read_pieces,
    row_of,
    seal_piece,
    unreferenced_blobs,
)
from vault.documents.uploads.upload_rows import insert
from vault.documents.uploads.uploads import check_bytes
from vault.services import Services

_SECONDS = 3600
"""How long a file may take to come: the sweep removes older blobs without a row."""


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A finished upload, its bytes, and what its first bytes say that it is."""

    id: UUID
    length: int
    media_type: MediaType


class Holder(Protocol):
    """What has a file; both expire together."""

    @property
    def expires_at(self) -> datetime | None: ...


H = TypeVar("H", bound=Holder)
InCommit = Callable[[AsyncConnection, WholeFile], Awaitable[H]]
"""What is stored with a file in one commit, the vault being locked; returns what has it then."""


async def keep_file(
    services: Services,
    person: Person,
    file: IncomingFile,
    allowance: Allowance,
    in_commit: InCommit[H],
) -> tuple[WholeFile, H]:
    """Seal a file as it comes; returns it, and what has it. Raises `file_empty`,
    `type_not_allowed`, `too_large`, `uploads_too_large`, what the vault has no room for, and what
    `in_commit` raises."""
    judged = _Judged(file, allowance)
    upload_id = new_id()
    async with unreferenced_blobs(services) as blobs, aclosing(judged.slices()) as slices:
        # What is too long is refused by the allowance, and the type by `_Judged`: no judging here.
        incoming = IncomingBytes(
            slices,
            room=allowance.limit,
            head=bytes(SNIFF_BYTES),
            length=SNIFF_BYTES,
            checksum=None,
        )
        pieces = await _seal(services, person, upload_id, incoming, blobs)
        kind = judged.media_type()
        whole = WholeFile(upload_id, sum(piece.length for piece in pieces), kind)
        async with services.database.transaction() as tx:
            await hold_living_vault(tx, person.id)
            said = {
                "metadata": write_metadata({"filename": clean_file_name(file.name or "") or ""})
            }
            await check_bytes(services, tx, person.id, whole.length)
            holder = await in_commit(tx, whole)
            await insert(
                services, tx, person.id, upload_id, length=whole.length, said=said,
                pieces=len(pieces), expires_at=holder.expires_at,
            )  # fmt: skip
            await records.add_pieces(tx, [row_of(piece, person.id) for piece in pieces])
            # A crash from here on leaves the file with its pieces, or blobs that no row refers to.
            blobs.clear()
    return whole, holder


async def read_whole(services: Services, person_id: UUID, upload_id: UUID) -> AsyncIterator[bytes]:
    """The bytes of a finished upload of the person, in slices. Raises `not_found`."""
    async with services.database.transaction() as tx:
        row = await records.upload(tx, person_id, upload_id)
        pieces = await records.pieces_of(tx, person_id, upload_id)
    if row is None:
        raise not_found()
    (await services.field_encryption.row_macs()).check(records.UPLOAD_ROW, row)
    async for part in read_pieces(services, person_id, pieces, row.received):
        yield bytes(part)


async def drop(services: Services, person_id: UUID, uploads: Iterable[UUID]) -> None:
    """Delete uploads, those that are gone already too. Blobs go after the commit: a crash in
    between leaves blobs that no row refers to."""
    keys: list[str] = []
    async with services.database.transaction() as tx:
        for upload_id in uploads:
            keys += await records.blob_keys_of(tx, person_id, upload_id)
            await records.delete_upload(tx, person_id, upload_id)
    await delete_blobs(services, keys)


async def _seal(
    services: Services,
    person: Person,
    upload_id: UUID,
    incoming: IncomingBytes,
    blobs: list[str],
) -> list[SealedContent]:
    pieces: list[SealedContent] = []
    try:
        async with asyncio.timeout(_SECONDS):
            while piece := await seal_piece(services, person.id, upload_id, len(pieces), incoming):
                blobs.append(piece.blob_key)
                pieces.append(piece)
                if len(pieces) > MAX_PIECES:
                    raise ServiceError(ErrorKind.CONFLICT, "too_many_pieces", limit=MAX_PIECES)
    except TimeoutError:
        raise ServiceError(ErrorKind.MALFORMED, "malformed_form") from None
    return pieces


class _Judged:
    """A file whose bytes are counted, and whose type is judged by the first of them."""

    def __init__(self, file: IncomingFile, allowance: Allowance) -> None:
        self._file = file
        self._allowance = allowance
        self._head = bytearray()
        self._kind: MediaType | None = None

    async def slices(self) -> AsyncGenerator[bytes]:
        """Its bytes as they arrive."""
        async for chunk in self._file.slices():
            self._allowance.take(len(chunk))
            if self._kind is None:
                self._head += chunk[:SNIFF_BYTES]
                if len(self._head) >= SNIFF_BYTES:
                    self._kind = allowed_type(bytes(self._head))
            yield bytes(chunk)

    def media_type(self) -> MediaType:
        """What it is, once all of it is read."""
        if not self._head:
            raise invalid("file_empty")
        return self._kind or allowed_type(bytes(self._head))
