"""Who looked: the person's log in plain sentences, newest first."""

from uuid import UUID

from fastapi import Response

from base.ids import parse_id
from vault.access_log.entries import EntryView, is_owner, list_for_person
from web.i18n.event_messages import describe
from web.pages.documents import papers_of
from web.pages.page import PersonPage, page_router

router = page_router()
LIMIT = 30
_MOST_PAGES = 10


@router.get("/access-log")
async def looked(page: PersonPage, cursor: str | None = None, mine: str = "") -> Response:
    """What others did with my papers; with `mine`, what I did too."""
    entries, more = await _entries(page, cursor, mine=bool(mine))
    ids = {found for one in entries for text in one.documents if (found := parse_id(text))}
    papers = await papers_of(page, ids) if ids else {}
    return await page.show(
        "access_log.html",
        lines=[(one, describe(one, page.language), _named(one, set(papers))) for one in entries],
        papers=papers,
        more=more,
        mine=bool(mine),
        first=cursor is None,
    )


async def _entries(
    page: PersonPage, cursor: str | None, *, mine: bool
) -> tuple[list[EntryView], str | None]:
    """Enough lines to read, passing over the person's own unless they are wanted."""
    shown: list[EntryView] = []
    for _ in range(_MOST_PAGES):
        read = await list_for_person(page.services, page.person, cursor=cursor, limit=LIMIT)
        shown += [one for one in read.items if mine or not is_owner(one)]
        cursor = read.next
        if cursor is None or len(shown) >= LIMIT:
            break
    return shown, cursor


def _named(entry: EntryView, known: set[UUID]) -> tuple[list[UUID], int]:
    """The papers of a line that can be named, and how many cannot (deleted since)."""
    ids = [found for text in entry.documents if (found := parse_id(text))]
    named = [one for one in ids if one in known]
    return named, len(ids) - len(named)
