"""All entries of a person's own log, for the files that they download."""

from collections.abc import AsyncIterator

from audit.events import Action
from auth.assistance import check_alone
from auth.subjects import Person
from vault import rate_limit
from vault.access_log import entries
from vault.access_log.entries import EntryView
from vault.services import Services

_PAGE = 100


async def export_all(services: Services, person: Person) -> AsyncIterator[EntryView]:
    """Every entry on the person's vault, newest first, read page by page.

    Not recorded, like the log on the screen: only its owner reads it. No database connection is
    held while an entry is being sent. Raises `ServiceError` REFUSED `not_when_assisted`, which is
    recorded.
    """
    await check_alone(services, person, Action.VAULT_EXPORTED)
    cursor: str | None = None
    while True:
        # Of files that are asked for at once, one page is read at a time.
        async with rate_limit.in_turn(person.id):
            page = await entries.list_for_person(services, person, cursor=cursor, limit=_PAGE)
        for entry in page.items:
            yield entry
        cursor = page.next
        if cursor is None:
            return
