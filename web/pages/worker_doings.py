"""What a worker did, as the log holds it: all of it, or about one person; on a page and as a table.

Papers have no names here: to write one is to open it again. A line leads to its person's page,
where that is recorded, and to no paper alone: its owner may have deleted it since, and a line that
leads nowhere any more would say so before anything is recorded. Requests are in their own list:
here they would tell whom they reached.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse

from audit.events import Action
from base.ids import parse_id
from vault import rate_limit
from vault.access_log.entries import EntryView, list_by_actor
from vault.consent.people import KnownPerson, known_by_grants
from web.http.csv_rows import BYTE_ORDER_MARK, MEDIA_TYPE, csv_row
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.translations import translations
from web.pages.page import WorkerPage, WorkerPageDep, page_router

router = page_router()
LIMIT = 50
_MAX_PAGES = 10
_PAGE = 100
_COLUMNS = (
    _("Quand"),
    _("Ce qui s’est passé"),
    _("Personne"),
    _("Pourquoi"),
    _("Action"),
    _("Résultat"),
    _("Raison du refus"),
    _("Documents"),
    _("Numéro"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are wanted: about a person (the worker's own id), a paper, refused ones alone."""

    person: UUID | None
    document: UUID | None
    refused: bool
    known: Mapping[UUID, KnownPerson] = field(repr=False)

    def person_of(self, entry: EntryView) -> KnownPerson | None:
        """Whom a line is about, if its grant is still shown."""
        grant = parse_id(entry.grant or "")
        return None if grant is None else self.known.get(grant)

    def wants(self, entry: EntryView) -> bool:
        """Whether a line is wanted."""
        about = self.person_of(entry)
        return (
            (self.person is None or (about is not None and about.id == self.person))
            and (self.document is None or str(self.document) in entry.documents)
            and (not self.refused or entry.outcome == "refused")
        )


@router.get("/pro/doings")
async def list_(
    page: WorkerPageDep,
    person: str = "",
    document: str = "",
    only: str = "",
    cursor: str | None = None,
) -> Response:
    """What I did, newest first."""
    wanted = await _filter(page, person, document, only)
    entries, more = await _some(page, wanted, cursor)
    lines = [(entry, wanted.person_of(entry)) for entry in entries]
    return await page.show(
        "pro/actions.html",
        lines=_folded(lines),
        more=more,
        people={one.id: one for one in wanted.known.values()},
        wanted=wanted,
        query=f"&person={wanted.person or ''}&document={wanted.document or ''}"
        f"&only={'refused' if wanted.refused else ''}",
    )


@router.get("/pro/doings.csv")
async def table(
    page: WorkerPageDep, person: str = "", document: str = "", only: str = "", names: str = ""
) -> Response:
    """The same as a table. What I call people is in it only if I ask: it leaves the vault."""
    wanted = await _filter(page, person, document, only)
    return StreamingResponse(
        _rows(page, wanted, names=names == "yes"),
        headers={
            "Content-Disposition": 'attachment; filename="unefois-journal.csv"',
            "Cache-Control": "no-store",
        },
        media_type=MEDIA_TYPE,
    )


async def _filter(page: WorkerPage, person: str, document: str, only: str) -> Filter:
    known = await known_by_grants(page.services, page.worker)
    return Filter(parse_id(person), parse_id(document), only == "refused", known)


async def _some(
    page: WorkerPage, wanted: Filter, cursor: str | None
) -> tuple[list[EntryView], str | None]:
    """Enough lines to show; a page may be short where few of many are wanted."""
    found: list[EntryView] = []
    for _page in range(_MAX_PAGES):
        listed = await list_by_actor(page.services, page.worker, cursor=cursor, limit=LIMIT)
        found += filter(wanted.wants, listed.items)
        cursor = listed.next
        if cursor is None or len(found) >= LIMIT:
            break
    return found, cursor


def _folded(
    lines: Iterable[tuple[EntryView, KnownPerson | None]],
) -> list[tuple[EntryView, KnownPerson | None, list[EntryView]]]:
    """Each line, with those just before it that say the same: that the list of the papers of the
    same person was seen, as each opening of a page and each of its grants has a line."""
    folded: list[tuple[EntryView, KnownPerson | None, list[EntryView]]] = []
    key: UUID | None = None
    for entry, about in lines:
        last, key = key, _list_seen(entry, about)
        if key is not None and key == last:
            folded[-1][2].append(entry)
        else:
            folded.append((entry, about, []))
    return folded


def _list_seen(entry: EntryView, about: KnownPerson | None) -> UUID | None:
    if about is None or entry.action != Action.LIST or entry.outcome != "allowed":
        return None
    return about.id


async def _rows(page: WorkerPage, wanted: Filter, *, names: bool) -> AsyncIterator[bytes]:
    """Every line, read page by page; no database connection is held while one is being sent."""
    translate = translations(page.language).gettext
    yield BYTE_ORDER_MARK + csv_row([translate(column) for column in _COLUMNS], page.language)
    cursor: str | None = None
    while True:
        # Of tables that are asked for at once, one page is read at a time.
        async with rate_limit.in_turn(page.worker.id):
            listed = await list_by_actor(page.services, page.worker, cursor=cursor, limit=_PAGE)
        for entry in filter(wanted.wants, listed.items):
            yield csv_row(_cells(page, wanted, entry, names=names), page.language)
        cursor = listed.next
        if cursor is None:
            return


def _cells(page: WorkerPage, wanted: Filter, entry: EntryView, *, names: bool) -> list[str]:
    about = wanted.person_of(entry)
    who = "" if about is None else str(about.id)
    if about is not None and names:
        who = about.label or about.phone or who
    return [
        datetime.fromisoformat(entry.at).astimezone(page.zone).isoformat(),
        describe(entry, page.language),
        who,
        entry.purpose or "",
        entry.action,
        entry.outcome,
        entry.reason,
        " ".join(entry.documents),
        str(entry.id),
    ]
