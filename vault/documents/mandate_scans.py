"""A signed mandate's scan, which is a paper of the person's: read, then signed for.

The person opens their own paper, which is recorded; a decoding child reads the QR codes on its
pages; nothing else of it is looked at.
"""

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from uuid import UUID

from auth.subjects import Person
from base.errors import ServiceError, invalid
from vault.consent import mandate_signatures, mandates
from vault.consent.mandate_signatures import ReadScan, SignedMandate
from vault.documents import records
from vault.documents.retrieval import SlicedContent, note_end, open_own
from vault.services import Services


async def sign_with_scan(
    services: Services,
    person: Person,
    mandate_id: UUID,
    document_id: UUID,
    chosen: Sequence[UUID],
    *,
    idempotency_key: str | None = None,
    seen: bytes | None = None,
) -> SignedMandate:
    """Say yes to what was ticked on a mandate, whose scan is a paper in the person's own vault.
    `seen`: as for `mandate_signatures.sign`.

    Raises `ServiceError`: INVALID `mandate_scan_deposited` for a paper that somebody else put in,
    those of `mandate_signatures.sign`, of `retrieval.open_own` and of
    `Decoder.codes`.
    """
    # Before a paper is opened for it, which costs, and is recorded.
    await mandates.see_mandate(services, person, mandate_id)
    scan = await _read(services, person, document_id)
    return await mandate_signatures.sign(
        services, person, mandate_id, chosen, scan, idempotency_key=idempotency_key, seen=seen
    )


async def _check_depositor(services: Services, person: Person, document_id: UUID) -> None:
    """Raise `mandate_scan_deposited` for a paper that somebody else put in: the person who signs
    adds the scan themself, and has looked at it. One that is not there is refused when opened."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        files = await records.own_files(tx, person.id, document_id)
        records.check_own(macs, files)
    if files and files[0].document_deposited_by_kind != "owner":
        raise invalid("mandate_scan_deposited", fields=(("document_id",),))


async def _read(services: Services, person: Person, document_id: UUID) -> ReadScan:
    await _check_depositor(services, person, document_id)
    file = await open_own(services, person, document_id, part=None, preview=False)
    hashed = _Hashed(file.content)
    try:
        codes = await services.decoder.codes(hashed.slices, account=person.id, size=file.length)
    except ServiceError:
        note_end(services, file.line, completed=False)
        raise
    note_end(services, file.line, completed=True)
    return ReadScan(document_id, hashed.digest(), codes)


class _Hashed:
    """A file that is hashed while it is read, once."""

    def __init__(self, content: SlicedContent) -> None:
        self._content = content
        self._hash = sha256()

    async def slices(self) -> AsyncIterator[memoryview]:
        self._hash = sha256()
        async for piece in self._content.slices():
            self._hash.update(piece)
            yield piece

    def digest(self) -> bytes:
        return self._hash.digest()
