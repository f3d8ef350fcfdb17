"""The bytes of an import, received in one request or in several: sealed as they come, each piece
durable before the next is taken, so that a connection that breaks loses nothing of what came.

A crash leaves a blob of no row, which the sweep removes. Plaintext touches no disk.
"""

from collections.abc import AsyncIterator
from typing import Any

from base.db_time import instant
from base.errors import ErrorKind, ServiceError, not_found
from base.key_names import ARCHIVE
from storage.content import SealedContent, content_writer
from vault.documents.intake import SNIFF_BYTES
from vault.documents.uploads.pieces import BodyCut, IncomingBytes, unreferenced_blobs
from vault.exports import import_rows, records
from vault.exports.archives import PIECE_BYTES, Superseded
from vault.exports.import_rows import Values
from vault.services import Services

MAX_PIECES = 20_000
"""Of one import: a piece ends with each request, and after a minute."""
_MIB = 1024 * 1024
_HEADERS = 16 * _MIB
"""Of a zip, beside what is in it."""


def most_bytes(services: Services) -> int:
    """Of one import: a full vault, and what is said of its papers."""
    return services.settings.max_vault_bytes * 21 // 20 + _HEADERS


def too_large(services: Services) -> ServiceError:
    """`import_too_large`."""
    limit = most_bytes(services) // _MIB
    return ServiceError(ErrorKind.TOO_LARGE, "import_too_large", limit_mib=limit)


async def append(
    services: Services,
    row: Any,
    values: Values,
    offset: int,
    slices: AsyncIterator[bytes | memoryview],
) -> None:
    """Receive the bytes that follow `offset`, which is what is durable already. What came before a
    cut is kept, and `BodyCut` raised. Of two requests at once, each piece of one is kept only at
    the offset that it was sent for. Raises CONFLICT `upload_offset`, `too_many_pieces`; TOO_LARGE
    `upload_longer`, `import_too_large`; `not_found` where it was given up meanwhile."""
    announced = values["announced"]
    room = (most_bytes(services) if announced < 0 else announced) - offset
    incoming = IncomingBytes(
        # A zip is no paper: what it is is judged once all of it is there.
        slices, room=room, head=bytes(SNIFF_BYTES), length=SNIFF_BYTES, checksum=None
    )  # fmt: skip
    received, position = offset, row.pieces
    try:
        while piece := await _keep_piece(services, row, position, received, incoming):
            received, position = received + piece.length, position + 1
    except ServiceError as failure:
        if failure.code == "upload_longer" and announced < 0:
            raise too_large(services) from None
        raise
    if incoming.cut:
        raise BodyCut


async def _keep_piece(
    services: Services, row: Any, position: int, offset: int, incoming: IncomingBytes
) -> SealedContent | None:
    """The next piece, sealed and durable, then its row; None at the end of the body. A crash in
    between leaves a blob of no row."""
    if not await incoming.has_more():
        return None
    if position >= MAX_PIECES:
        raise ServiceError(ErrorKind.CONFLICT, "too_many_pieces", limit=MAX_PIECES)
    storage, person_id = services.storage, row.person_id
    async with (
        unreferenced_blobs(services) as blobs,
        content_writer(
            storage.blobs, storage.keys, person_id, ARCHIVE, version_id=row.id, position=position
        ) as sealing,
    ):
        async for part in incoming.take(PIECE_BYTES):
            await sealing.write(part)
        sealed = await sealing.commit()
        blobs.append(sealed.blob_key)
        await _add(services, row, sealed, offset, blobs)
    return sealed


async def _add(
    services: Services, begun: Any, sealed: SealedContent, offset: int, blobs: list[str]
) -> None:
    """A piece becomes part of its import, if that still ends where the piece begins; with the last
    one, all of it is there. `blobs` is emptied once only the commit remains."""
    address, person_id, end = sealed.address, begun.person_id, offset + sealed.length
    writer = await services.field_encryption.writer(person_id)
    async with services.database.transaction() as tx:
        try:
            row = await import_rows.hold_living(services, tx, person_id, begun.id)
        except Superseded:
            raise not_found() from None
        check_offset(row, offset)
        await records.add_piece(
            tx,
            id=address.id,
            archive_id=row.id,
            person_id=person_id,
            position=address.position,
            length=sealed.length,
            sealed=writer.seal(ARCHIVE, address.id, {"entries": []}),
            blob_key=address.blob_key,
            envelope=address.envelope,
        )
        at, columns = await instant(tx), {"length": end, "pieces": row.pieces + 1}
        values = await import_rows.opened(services, row)
        if end == values["announced"]:
            await import_rows.end_receiving(services, tx, row, at, values, **columns)
        else:
            await import_rows.change(services, tx, row, at, **columns)
        blobs.clear()


def check_offset(row: Any, offset: int) -> None:
    """Raise `upload_offset` unless an import is being received, and ends there."""
    if row.ready_at is not None or row.length != offset:
        raise ServiceError(ErrorKind.CONFLICT, "upload_offset")
