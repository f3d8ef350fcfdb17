"""A finished upload in the place of a file of a form: what was sent in pieces is not sent again."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, invalid
from base.key_names import UPLOAD
from vault.decisions import AccessAttempt, record_refusal
from vault.documents.intake import SNIFF_BYTES, Allowance, allowed_type
from vault.documents.uploads import records
from vault.documents.uploads.metadata import read_metadata
from vault.documents.uploads.whole_files import H, InCommit, WholeFile, read_whole
from vault.rules import Reason
from vault.services import Services


@dataclass(slots=True)
class FinishedUpload:
    """An upload of the person, all of which has arrived. It is read as a file of a form is."""

    services: Services = field(repr=False)
    person: Person
    id: UUID
    length: int
    name: str | None = field(repr=False)

    async def slices(self) -> AsyncIterator[bytes]:
        """Its bytes."""
        async for part in read_whole(self.services, self.person.id, self.id):
            yield part

    async def take_up(self, allowance: Allowance, in_commit: InCommit[H]) -> tuple[WholeFile, H]:
        """Itself, with its type by its first bytes, and what has it: from the commit on it lives
        as long as that. Raises `too_large`, `type_not_allowed`, `unknown_upload` and what
        `in_commit` raises."""
        allowance.take(self.length)
        whole = WholeFile(self.id, self.length, allowed_type(await self._head()))
        macs = await self.services.field_encryption.row_macs()
        async with self.services.database.transaction() as tx:
            await hold_living_vault(tx, self.person.id)
            row = await records.upload(tx, self.person.id, self.id, lock=True)
            if row is None:
                raise _unknown()  # used or erased meanwhile
            holder = await in_commit(tx, whole)
            await records.change_upload(tx, macs, row, expires_at=holder.expires_at)
        return whole, holder

    async def _head(self) -> bytes:
        head = bytearray()
        async for part in self.slices():
            head += part[:SNIFF_BYTES]
            if len(head) >= SNIFF_BYTES:
                break
        return bytes(head)


async def finished_uploads(
    services: Services, person: Person, ids: Sequence[UUID]
) -> list[FinishedUpload]:
    """These uploads of the person. Raises `unknown_upload`, recorded, `upload_unfinished`,
    `type_not_allowed`."""
    async with services.database.transaction() as tx:
        found = [await records.upload(tx, person.id, upload_id) for upload_id in ids]
    rows = [row for row in found if row is not None and row.length]
    if len(rows) < len(ids):
        # Another person's, expired, or none: recorded, and the same answer (invariant 7).
        attempt = AccessAttempt(action=Action.DEPOSIT, actor=person.actor(), person=person.id)
        await record_refusal(services, attempt, Reason.NOT_FOUND)
        raise _unknown()
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(person.id)
    uploads = []
    for row in rows:
        macs.check(records.UPLOAD_ROW, row)
        if row.refused:
            raise ServiceError(ErrorKind.UNSUPPORTED_TYPE, "type_not_allowed")
        if row.received < row.length:
            raise invalid("upload_unfinished", fields=[("file",)])
        said = read_metadata(reader.open(UPLOAD, row.id, row.sealed)["metadata"])
        name = said.get("filename")
        uploads.append(FinishedUpload(services, person, row.id, row.length, name))
    return uploads


def _unknown() -> ServiceError:
    return invalid("unknown_upload", fields=[("file",)])
