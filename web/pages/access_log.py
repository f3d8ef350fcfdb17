"""The person's access log in plain sentences, by day and by person, and their reports of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Response

from audit.events import Action
from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault.access_log import reports
from vault.access_log.entries import EntryView, is_owner, list_for_person, see_for_person
from web.http.path_ids import PathId
from web.pages.documents import documents_by_id
from web.pages.page import PersonPage, PersonPageDep, go, page_router

ToldEntry = tuple[EntryView, tuple[list[UUID], int]]
"""An entry, and its documents: those that can be named, how many cannot."""


@dataclass(frozen=True, slots=True)
class Day:
    """What happened on one day, where the person is: by whom, and what they did themselves."""

    day: date
    others: dict[str, list[ToldEntry]] = field(default_factory=dict, repr=False)
    mine: list[ToldEntry] = field(default_factory=list, repr=False)


router = page_router()
LIMIT = 30
_MAX_PAGES = 10
_ABOUT_REPORTS = {Action.REPORT, Action.REPORT_SEEN, Action.REPORT_ANSWERED}


@router.get("/access-log")
async def show_log(page: PersonPageDep, cursor: str | None = None) -> Response:
    """What was done with my documents, by day and by person; what I did myself is folded."""
    entries, more = await _entries(page, cursor)
    ids = {id_ for entry in entries for text in entry.documents if (id_ := parse_id(text))}
    documents = await documents_by_id(page, ids, pictured=False) if ids else {}
    known = set(documents)
    lines = [(entry, _named(entry, known)) for entry in entries]
    return await page.show(
        "access_log.html",
        days=_by_day(lines, page.zone),
        documents=documents,
        more=more,
        reportable=is_reportable,
        first=cursor is None,
    )


@router.get("/access-log/{event_id}/report")
async def show_report(event_id: PathId, page: PersonPageDep) -> Response:
    """The form to say that an entry is not normal; once sent, the report and its answer."""
    return await page.show("report.html", **await _report_values(page, event_id))


@router.post("/access-log/{event_id}/report")
async def send_report(event_id: PathId, page: PersonPageDep) -> Response:
    """Report the entry."""
    text = (await page.form()).get("text")
    try:
        await reports.report(page.services, page.person, event_id, text)
    except ServiceError as failure:
        if failure.kind is ErrorKind.NOT_FOUND:
            raise
        values = await _report_values(page, event_id)
        return await page.show_failure(failure, "report.html", **{**values, "typed": text})
    return go(f"/access-log/{event_id}/report", done="reported")


def is_reportable(entry: EntryView) -> bool:
    """Whether the page offers to report an entry: all but those of reports themselves."""
    return entry.report is None and entry.action not in _ABOUT_REPORTS


async def _report_values(page: PersonPage, event_id: UUID) -> dict[str, Any]:
    entry = await see_for_person(page.services, page.person, event_id)
    return {
        "entry": entry,
        "organisation_told": reports.organisation_learns(entry),
        "longest": reports.MAX_TEXT,
        "typed": "",
    }


def _by_day(lines: Iterable[ToldEntry], zone: ZoneInfo) -> list[Day]:
    """The lines of each day; of each person together, the newest first."""
    days: dict[date, Day] = {}
    for line in lines:
        entry = line[0]
        when = datetime.fromisoformat(entry.at).astimezone(zone).date()
        day = days.setdefault(when, Day(when))
        if is_owner(entry):
            day.mine.append(line)
        else:
            day.others.setdefault(entry.actor.get("name", ""), []).append(line)
    return list(days.values())


async def _entries(page: PersonPage, cursor: str | None) -> tuple[list[EntryView], str | None]:
    """Enough entries to show, not counting those of the person's own acts."""
    shown: list[EntryView] = []
    for _ in range(_MAX_PAGES):
        listed = await list_for_person(page.services, page.person, cursor=cursor, limit=LIMIT)
        shown += listed.items
        cursor = listed.next
        if cursor is None or sum(not is_owner(entry) for entry in shown) >= LIMIT:
            break
    return shown, cursor


def _named(entry: EntryView, known: set[UUID]) -> tuple[list[UUID], int]:
    """The documents of an entry that can be named, and how many cannot (deleted since)."""
    ids = [document_id for text in entry.documents if (document_id := parse_id(text))]
    named = [document_id for document_id in ids if document_id in known]
    return named, len(ids) - len(named)
