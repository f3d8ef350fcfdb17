"""A worker adds papers for a person, several at once, under a grant that allows it.

Each row of the form is one paper: its kind, then its photos or its file. A paper that is refused
says so by its kind, and keeps none of the others out.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError, invalid
from vault import catalogue
from vault.consent.grants import GrantView
from vault.consent.people import known_by_grant
from vault.document_view import DocumentMetadata
from vault.documents.granted_deposit import deposit_granted
from vault.documents.intake import IncomingFile
from vault.rules import GrantAction
from web.http.path_ids import PathId
from web.pages import forms, labels
from web.pages.document_fields import metadata_of
from web.pages.forms import UploadForm
from web.pages.page import WorkerPage, WorkerPageDep, page_router
from web.pages.worker_grants import live_grant

router = page_router()
ROWS = (1, 2, 3, 4)
# Failures of the whole form, or of the grant itself: the papers after it would fail alike.
_OF_ALL = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED, ErrorKind.MALFORMED, ErrorKind.UNAUTHENTICATED)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one paper: kept, or why not."""

    row: int
    type: str
    failure: ServiceError | None

    @property
    def field(self) -> str:
        """The id of the field to fill in again, of a paper that was refused."""
        assert self.failure is not None  # noqa: S101  (asked of those alone)
        if labels.failure_message(self.failure).field == "type":
            return f"type_{self.row}"
        return file_field(self.row)


def file_field(row: int) -> str:
    """The id of the field of a paper's files: of the first one, the name that errors have."""
    return "photo" if row == ROWS[0] else f"file_{row}"


@router.get("/pro/grants/{grant_id}/add")
async def ask(grant_id: PathId, page: WorkerPageDep) -> Response:
    """The form: whose papers, of which kinds."""
    return await page.show("pro/add.html", **await _values(page, grant_id, ()))


@router.post("/pro/grants/{grant_id}/add")
async def add(grant_id: PathId, page: WorkerPageDep) -> Response:
    """Add each paper as it arrives; what became of each. Sent again, the same form adds nothing."""
    papers = _Papers(page.upload())
    await papers.advance()
    # Before anything is kept: the first paper is committed while the others still arrive.
    await forms.check(page.services, page.secret, papers.fields.get(forms.TOKEN, ""))
    results = [one async for one in _deposited(page, grant_id, papers)]
    values = await _values(page, grant_id, results)
    if not results:
        return await page.show_failure(invalid("file_missing"), "pro/add.html", **values)
    return await page.show("pro/add.html", **values)


async def _deposited(page: WorkerPage, grant_id: UUID, papers: "_Papers") -> AsyncIterator[Result]:
    once = papers.fields.get("once", "")[:64]
    while (row := papers.row) is not None:
        code = papers.fields.get(f"type_{row}", "")
        failure: ServiceError | None = None
        try:
            await deposit_granted(
                page.services,
                page.worker,
                grant_id,
                papers,
                _metadata(code),
                idempotency_key=f"{once}-{row}" if once else None,
            )
        except ServiceError as refused:
            if refused.kind in _OF_ALL and not papers.begun(row):
                raise
            failure = refused
        await papers.skip(row)
        yield Result(row, code if catalogue.by_code(code) else "other", failure)


class _Papers:
    """The papers of a form, one after the other: an `Incoming` of the files of the current one."""

    def __init__(self, form: UploadForm) -> None:
        self._form = form
        self._files = form.files()
        self._file: IncomingFile | None = None
        self._first: int | None = None
        self.row: int | None = None
        self.fields = form.fields

    @property
    def announced(self) -> int:
        """Not said of one paper."""
        return 0

    async def advance(self) -> None:
        """To the next file, and the paper that it is of: the one whose kind was read last."""
        self._file = await anext(self._files, None)
        named = [row for row in ROWS if f"type_{row}" in self.fields]
        self.row = None if self._file is None else max(named, default=ROWS[0])
        self._first = self._first or self.row

    def begun(self, row: int) -> bool:
        """Whether a paper came before this one."""
        return row != self._first

    async def files(self) -> AsyncIterator[IncomingFile]:
        """The files of the current paper."""
        row = self.row
        while self._file is not None and self.row == row:
            yield self._file
            await self.advance()

    async def skip(self, row: int) -> None:
        """Past what is left of a paper that was refused."""
        while self.row == row:
            await self.advance()


def _metadata(code: str) -> Callable[[], DocumentMetadata]:
    return lambda: metadata_of({"type": code})


async def _values(
    page: WorkerPage, grant_id: UUID, results: "list[Result] | tuple[()]"
) -> dict[str, Any]:
    grant = await live_grant(page, grant_id)
    return {
        "known": await known_by_grant(page.services, page.worker, grant_id),
        "grant": grant,
        "may_add": grant.state == "live" and GrantAction.DEPOSIT in grant.terms.scope.actions,
        "rows": ROWS,
        "codes": _codes(grant),
        "results": results,
        "refused": {one.row: one for one in results if one.failure is not None},
        "file_field": file_field,
        "once": secrets.token_urlsafe(18),
    }


def _codes(grant: GrantView) -> list[str]:
    """The kinds of paper that the grant lets one add; without any named, all that are offered."""
    named = list(grant.terms.scope.document_types)
    return named or [entry.code for entry in catalogue.offered_types()]
