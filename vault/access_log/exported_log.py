"""All entries of a vault's log until a moment, for the copy that its person takes away. What makes
the copy records it; nothing here does. A row that somebody altered keeps no other entry back."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.records import events_of
from auth.subjects import Person
from storage.field_encryption import DecryptionError
from storage.row_macs import RowAltered
from vault.access_log.entries import EntryView, views_of, with_reports
from vault.access_log.inclusion_proof import InclusionProof, proof_of
from vault.services import Services

_PAGE = 100


class OlderUnreadable(Exception):
    """The entries before those that were read cannot be: somebody altered what opens them."""


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """An entry as it is told, and what proves it but its place in the tree."""

    view: EntryView = field(repr=False)
    proof: InclusionProof


async def exported_log(
    services: Services, person: Person, until: datetime
) -> AsyncIterator[ExportedEntry]:
    """The entries, the newest first, read page by page. Raises `OlderUnreadable` in place of those
    that cannot be read."""
    before: UUID | None = None
    while True:
        try:
            found, before = await _page(services, person, before)
        except (RowAltered, DecryptionError):
            raise OlderUnreadable from None
        for entry in found:
            if datetime.fromisoformat(entry.view.at) <= until:
                yield entry
        if before is None:
            return


async def _page(
    services: Services, person: Person, before: UUID | None
) -> tuple[list[ExportedEntry], UUID | None]:
    """Entries, and the last of them if there are more."""
    tag = await services.audit_log.person_tag(person.id)
    async with services.database.transaction() as tx:
        rows = await events_of(tx, person_tag=tag, before=before, limit=_PAGE + 1)
        entries = await services.audit_log.open_entries(tx, rows[:_PAGE])
        views = await _reported(services, tx, person, views_of(entries))
    told = {view.id: view for view in views}
    found = [
        ExportedEntry(told[row.id], proof)
        for row, entry in zip(rows, entries, strict=False)
        if (proof := proof_of(row, entry)) is not None
    ]
    return found, rows[_PAGE - 1].id if len(rows) > _PAGE else None


async def _reported(
    services: Services, tx: AsyncConnection, person: Person, views: list[EntryView]
) -> list[EntryView]:
    """With what the person reported; without any of it where somebody altered one."""
    try:
        return await with_reports(services, tx, person, views)
    except (RowAltered, DecryptionError):
        return views
