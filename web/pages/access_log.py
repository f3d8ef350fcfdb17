"""The person's access log in plain sentences, newest first."""

from uuid import UUID

from fastapi import Response

from base.ids import parse_id
from vault.access_log.entries import EntryView, is_owner, list_for_person
from web.i18n.event_messages import describe
from web.pages.documents import documents_by_id
from web.pages.page import PersonPage, PersonPageDep, page_router

router = page_router()
LIMIT = 30
_MAX_PAGES = 10


@router.get("/access-log")
async def show_log(page: PersonPageDep, cursor: str | None = None, mine: str = "") -> Response:
    """What others did with my documents; with `mine`, what I did too."""
    entries, more = await _entries(page, cursor, mine=bool(mine))
    ids = {id_ for entry in entries for text in entry.documents if (id_ := parse_id(text))}
    documents = await documents_by_id(page, ids) if ids else {}
    known = set(documents)
    lines = [(entry, describe(entry, page.language), _named(entry, known)) for entry in entries]
    return await page.show(
        "access_log.html",
        lines=lines,
        documents=documents,
        more=more,
        mine=bool(mine),
        first=cursor is None,
    )


async def _entries(
    page: PersonPage, cursor: str | None, *, mine: bool
) -> tuple[list[EntryView], str | None]:
    """Enough entries to show; skips those of the person's own acts unless they are wanted."""
    shown: list[EntryView] = []
    for _ in range(_MAX_PAGES):
        listed = await list_for_person(page.services, page.person, cursor=cursor, limit=LIMIT)
        shown += [entry for entry in listed.items if mine or not is_owner(entry)]
        cursor = listed.next
        if cursor is None or len(shown) >= LIMIT:
            break
    return shown, cursor


def _named(entry: EntryView, known: set[UUID]) -> tuple[list[UUID], int]:
    """The documents of an entry that can be named, and how many cannot (deleted since)."""
    ids = [document_id for text in entry.documents if (document_id := parse_id(text))]
    named = [document_id for document_id in ids if document_id in known]
    return named, len(ids) - len(named)
