"""A worker adds papers for a person: what they say of them, one thing a page, before any file is
chosen: of which sort each is, the one date that matters of each; then all of it is read again.

What was said goes along in the forms, and is kept nowhere: no mistake in it costs a file, which is
chosen on the last page alone.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from base.errors import ServiceError, invalid
from vault import catalogue
from vault.consent.grants import GrantView
from vault.consent.people import KnownPerson, known_by_grant
from vault.document_view import DocumentMetadata
from vault.rules import GrantAction
from web.http.path_ids import PathId
from web.pages import draft_steps
from web.pages.document_fields import date_of, metadata_of
from web.pages.forms import Form
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.worker_grants import live_grant

router = page_router()
ROWS = (1, 2, 3, 4)
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class StatedPaper:
    """What is said of one paper. `dated`: the date that matters of its sort, as the form of a
    document has it; empty where none is known."""

    row: int
    type: str
    dated: str = ""

    @property
    def date_field(self) -> str | None:
        """The field of that date; None for a sort without one."""
        return draft_steps.date_field(self.type)

    @property
    def day(self) -> date | None:
        """The date, where it is a day that can be read."""
        try:
            return None if self.date_field == "income_year" else date_of(self.dated)
        except ServiceError:
            return None

    def metadata(self) -> DocumentMetadata:
        """Of the document that it becomes. Raises as `metadata_of`."""
        name = self.date_field
        return metadata_of({"type": self.type} | ({name: self.dated} if name else {}))


@router.get("/pro/grants/{grant_id}/add")
async def ask_types(grant_id: PathId, page: WorkerPageDep) -> Response:
    """Of which sort each paper is, among those that the grant permits."""
    return await page.show("pro/add.html", **await values_of(page, grant_id), chosen={})


@router.get("/pro/grants/{grant_id}/add/dates")
@router.get("/pro/grants/{grant_id}/add/check")
async def begin_again(grant_id: PathId) -> Response:
    """A step that was reached by its address: only the page before leads to it."""
    return go(f"/pro/grants/{grant_id}/add")


@router.post("/pro/grants/{grant_id}/add/dates")
async def ask_dates(grant_id: PathId, page: WorkerPageDep) -> Response:
    """The date that matters of each paper; to the next page, where none has one."""
    form = await page.form()
    values = await values_of(page, grant_id)
    if not (papers := _stated(form, values)):
        return await _begin_anew(page, values, form, grant_id)
    if not any(paper.date_field for paper in papers):
        return await _show_check(page, values, papers)
    days = {paper.row: draft_steps.parts_of_day(paper.dated) for paper in papers}
    return await page.show("pro/add_dates.html", **values, papers=papers, days=days)


@router.post("/pro/grants/{grant_id}/add/check")
async def check(grant_id: PathId, page: WorkerPageDep) -> Response:
    """Which paper, which person, which date: to be read again, before a file is chosen."""
    form = await page.form()
    values = await values_of(page, grant_id)
    if not (papers := _stated(form, values)):
        return await _begin_anew(page, values, form, grant_id)
    read, failures, days = [], [], {}
    for paper in papers:
        typed = _typed_of(form, paper)
        try:
            draft_steps.check_whole_day(typed, paper.type)
            said = StatedPaper(paper.row, paper.type, _date_in(typed, paper))
            said.metadata()
            read.append(said)
        except ServiceError as failure:
            read.append(StatedPaper(paper.row, paper.type, typed.get(paper.date_field or "")))
            failures.append(_of_row(failure, paper))
        days[paper.row] = draft_steps.day_parts(typed, paper.date_field or "")
    if failures:
        shown = {**values, "papers": read, "days": days}
        return await page.show_failures(failures, "pro/add_dates.html", **shown)
    return await _show_check(page, values, read)


def _stated(form: Form, values: dict[str, Any]) -> Sequence[StatedPaper]:
    """The papers that the step before stated; none once nothing may be added any more."""
    return stated_in(dict(form.pairs), values["codes"]) if values["may_add"] else ()


async def _begin_anew(
    page: WorkerPage, values: dict[str, Any], form: Form, grant_id: UUID
) -> Response:
    if not values["may_add"]:
        return go(f"/pro/grants/{grant_id}/add")
    chosen = {row: form.get(f"type_{row}")[:_LONGEST] for row in ROWS}
    failure = invalid("type_missing", fields=[("type_1",)], missing="granted_type")
    return await page.show_failure(failure, "pro/add.html", **values, chosen=chosen)


async def _show_check(
    page: WorkerPage, values: dict[str, Any], papers: Sequence[StatedPaper]
) -> Response:
    return await page.show("pro/add_check.html", **values, papers=papers, **NOTHING_DONE)


NOTHING_DONE: dict[str, Any] = {"results": (), "refused": {}, "others": ()}


def stated_in(fields: Mapping[str, str], codes: Sequence[str]) -> list[StatedPaper]:
    """The papers that are said to be of a sort that is permitted, numbered from 1 on."""
    stated = [(fields.get(f"type_{row}", "").strip(), f"date_{row}") for row in ROWS]
    permitted = [(code, name) for code, name in stated if code in codes]
    return [
        StatedPaper(row, code, fields.get(name, "").strip()[:_LONGEST])
        for row, (code, name) in enumerate(permitted, 1)
    ]


def _typed_of(form: Form, paper: StatedPaper) -> Form:
    """What was typed of a paper's date, under the names that a form of one document has."""
    name = paper.date_field
    if name is None:
        return Form()
    ends = ("", *(f"_{part}" for part in draft_steps.DAY_PARTS))
    return Form(tuple((f"{name}{end}", form.get(f"{name}_{paper.row}{end}")) for end in ends))


def _date_in(typed: Form, paper: StatedPaper) -> str:
    return draft_steps.details_in(typed, paper.type).get(paper.date_field or "", "")[:_LONGEST]


def _of_row(failure: ServiceError, paper: StatedPaper) -> ServiceError:
    """The same, said of the field of that paper."""
    fields = [(f"{paper.date_field}_{paper.row}",)]
    return invalid(failure.code, fields=fields, **failure.values)


async def values_of(page: WorkerPage, grant_id: UUID) -> dict[str, Any]:
    """What each of the pages says of the person and of what they permit."""
    grant = await live_grant(page, grant_id)
    known = await known_by_grant(page.services, page.worker, grant_id)
    return {
        "known": known,
        "grant": grant,
        "may_add": grant.state == "live" and GrantAction.DEPOSIT in grant.terms.scope.actions,
        "rows": ROWS,
        "codes": _codes(grant),
        "named": bool(grant.terms.scope.document_types),
        "ask_for": ask_for(known, ()),
        "file_field": file_field,
        "once": secrets.token_urlsafe(18),
    }


def file_field(row: int) -> str:
    """The id of the field of a paper's files: of the first one, the name that errors have."""
    return "photo" if row == ROWS[0] else f"file_{row}"


def ask_for(known: KnownPerson | None, types: Sequence[str]) -> str:
    """The address of a request to add papers, of these types if there are any."""
    said = [("person", str(known.id))] if known else []
    said += [("action", GrantAction.DEPOSIT.value), *(("type", code) for code in types)]
    return f"/pro/requests/new?{urlencode(said)}"


def _codes(grant: GrantView) -> list[str]:
    """The kinds of paper that the grant lets one add; without any named, all that are offered."""
    named = list(grant.terms.scope.document_types)
    return named or [entry.code for entry in catalogue.offered_types()]
