"""All entries of a vault's log until a moment, for the copy that its person takes away. What makes
the copy records it; nothing here does. A row that somebody altered keeps no other entry back."""

from collections.abc import AsyncIterator
from datetime import datetime

from auth.subjects import Person
from storage.field_encryption import DecryptionError
from storage.row_macs import RowAltered
from vault.access_log.entries import EntryView, list_for_person
from vault.cursors import Page
from vault.services import Services

_PAGE = 100


class OlderUnreadable(Exception):
    """The entries before those that were read cannot be: somebody altered what opens them."""


async def exported_log(
    services: Services, person: Person, until: datetime
) -> AsyncIterator[EntryView]:
    """The entries, the newest first, read page by page. Raises `OlderUnreadable` in place of those
    that cannot be read."""
    cursor: str | None = None
    while True:
        page = await _page(services, person, cursor)
        for entry in page.items:
            if datetime.fromisoformat(entry.at) <= until:
                yield entry
        cursor = page.next
        if cursor is None:
            return


async def _page(services: Services, person: Person, cursor: str | None) -> Page[EntryView]:
    for reported in (True, False):
        try:
            return await list_for_person(
                services, person, cursor=cursor, limit=_PAGE, reported=reported
            )
        except (RowAltered, DecryptionError):
            continue  # a report that somebody altered: the entries themselves, without any
    raise OlderUnreadable
