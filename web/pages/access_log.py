"""The person's access log in plain sentences, by day and by person, and their reports of it."""

from typing import Any
from uuid import UUID

from fastapi import Response

from audit.events import Action
from base.errors import ErrorKind, ServiceError
from base.ids import parse_id
from vault.access_log import reports
from vault.access_log.entries import EntryView, is_owner, list_for_person, see_for_person
from vault.consent.grants import GrantView
from vault.document_view import DocumentView
from vault.maintenance.joins.joined_vaults import list_joined
from web.http.path_ids import PathId
from web.pages.documents import documents_by_id
from web.pages.grants import live_grants
from web.pages.log_lines import by_day, is_code_of_somebody, is_opened_by_another
from web.pages.own_acts import others_of
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.page_address import came_from

router = page_router()
LIMIT = 30
_MAX_PAGES = 10
_ABOUT_REPORTS = {Action.REPORT, Action.REPORT_SEEN, Action.REPORT_ANSWERED}


@router.get("/access-log")
async def show_log(page: PersonPageDep, cursor: str | None = None, paper: str = "") -> Response:
    """What was done with my documents, by day and by person; codes and what I did are folded.
    `paper`: only what others did with that one. What happened at a place that was joined to this
    one stays in a list of its own."""
    of = (await documents_by_id(page, {id_}, pictured=False)) if (id_ := parse_id(paper)) else {}
    entries, more = await _entries(page, cursor, id_ if of else None)
    documents = await documents_of(page, entries)
    known = set(documents)
    lines = [(entry, named(entry, known)) for entry in entries]
    return await page.show(
        "access_log.html",
        days=by_day(lines, page.zone),
        documents=documents,
        others=await others_of(page, entries),
        more=more,
        opened=any(is_opened_by_another(entry) for entry in entries),
        reportable=is_reportable,
        first=cursor is None,
        team=page.services.settings.operator_email,
        joined=await list_joined(page.services, page.person),
        paper=next(iter(of.values()), None),
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
    documents = await documents_of(page, [entry])
    return {
        "entry": entry,
        "back": back_to(page, event_id),
        "of_entry": named(entry, set(documents)),
        "documents": documents,
        "organisation_told": await reports.tells_organisation(page.services, entry),
        "grant": await _live_grant(page, entry),
        "reportable": is_reportable,
        "longest": reports.MAX_TEXT,
        "answer_days": page.services.settings.report_answer_days,
        "typed": "",
        "team": page.services.settings.operator_email,
    }


def back_to(page: PersonPage, event_id: UUID) -> str:
    """The line in the list that one came from, whichever of its pages it was."""
    came = came_from(page.request)
    listed = came if came.split("?")[0] == "/access-log" else "/access-log"
    return f"{listed}#line-{event_id}"


async def documents_of(page: PersonPage, entries: list[EntryView]) -> dict[UUID, DocumentView]:
    """The papers of some entries that are still there."""
    ids = {id_ for entry in entries for text in entry.documents if (id_ := parse_id(text))}
    return await documents_by_id(page, ids, pictured=False) if ids else {}


async def _live_grant(page: PersonPage, entry: EntryView) -> GrantView | None:
    """The grant under which it was done, while it lives."""
    return next((one for one in await live_grants(page) if str(one.id) == entry.grant), None)


async def _entries(
    page: PersonPage, cursor: str | None, paper: UUID | None = None
) -> tuple[list[EntryView], str | None]:
    """Enough entries to show, not counting what is folded: codes, and the person's own acts. Of one
    paper, what others did with it."""
    shown: list[EntryView] = []
    for _ in range(_MAX_PAGES):
        listed = await list_for_person(page.services, page.person, cursor=cursor, limit=LIMIT)
        shown += [one for one in listed.items if paper is None or _is_about(one, paper)]
        cursor = listed.next
        if cursor is None or sum(not _is_folded(entry) for entry in shown) >= LIMIT:
            break
    return shown, cursor


def _is_about(entry: EntryView, paper: UUID) -> bool:
    return not is_owner(entry) and str(paper) in entry.documents


def _is_folded(entry: EntryView) -> bool:
    return is_owner(entry) or is_code_of_somebody(entry)


def named(entry: EntryView, known: set[UUID]) -> tuple[list[UUID], int]:
    """The documents of an entry that can be named, and how many cannot (deleted since)."""
    ids = [document_id for text in entry.documents if (document_id := parse_id(text))]
    there = [document_id for document_id in ids if document_id in known]
    return there, len(ids) - len(there)
