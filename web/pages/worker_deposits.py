"""A worker adds papers for a person, several at once, under a grant that allows it.

Each row of the form is one paper: its kind, then its photos or its file. A paper that is refused
says so by its kind, and keeps none of the others out.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError, invalid
from vault import catalogue
from vault.consent.grants import GrantView
from vault.consent.people import KnownPerson, known_by_grant
from vault.document_view import DocumentMetadata
from vault.documents.granted_deposit import deposit_granted
from vault.documents.intake import IncomingFile
from vault.rules import GrantAction
from web.http.path_ids import PathId
from web.i18n.error_messages import ErrorMessage, _
from web.pages import forms, labels
from web.pages.document_fields import metadata_of
from web.pages.forms import UploadForm
from web.pages.labels import FailureMessage
from web.pages.page import WorkerPage, WorkerPageDep, page_router
from web.pages.worker_grants import live_grant

router = page_router()
ROWS = (1, 2, 3, 4)
_ANOTHER_TYPE = "outside_scope"
_OF_A_TYPE = {
    "type_missing": ErrorMessage(
        _("Quel papier est-ce ?"),
        _("Vous n’avez pas choisi la sorte de papier."),
        _("Choisissez dans la liste. Elle a seulement ce que la personne permet."),
    ),
    _ANOTHER_TYPE: ErrorMessage(
        _("Une autre sorte de papier"),
        _("La personne ne permet pas d’ajouter cette sorte de papier. Rien n’est ajouté."),
        _("Demandez-lui un nouvel accord. Ou elle ajoute ce papier elle-même."),
    ),
}
"""What is said of a type here, where the list has those alone that the grant permits."""
# Failures of the whole form, or of the grant itself: the papers after it would fail alike.
_OF_ALL = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED, ErrorKind.MALFORMED, ErrorKind.UNAUTHENTICATED)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one paper: kept, or why not."""

    row: int
    type: str
    failure: ServiceError | None

    @property
    def said(self) -> FailureMessage:
        """Why a paper was refused, and what to do."""
        assert self.failure is not None  # noqa: S101  (asked of those alone)
        if self.failure.code in _OF_A_TYPE:
            return FailureMessage(_OF_A_TYPE[self.failure.code], {}, "type")
        return labels.failure_message(self.failure)

    @property
    def field(self) -> str:
        """The id of the field to fill in again, of a paper that was refused."""
        return f"type_{self.row}" if self.said.field == "type" else file_field(self.row)

    @property
    def is_another_type(self) -> bool:
        """Whether it is of a type that the grant does not permit."""
        return self.failure is not None and self.failure.code == _ANOTHER_TYPE


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
            of_all = refused.kind in _OF_ALL and refused.code != _ANOTHER_TYPE
            if of_all and not papers.begun(row):
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
    known = await known_by_grant(page.services, page.worker, grant_id)
    others = [one.type for one in results if one.is_another_type]
    return {
        "known": known,
        "grant": grant,
        "may_add": grant.state == "live" and GrantAction.DEPOSIT in grant.terms.scope.actions,
        "rows": ROWS,
        "codes": _codes(grant),
        "others": others,
        "named": bool(grant.terms.scope.document_types),
        "ask_for": _ask_for(known, others),
        "results": results,
        "refused": {one.row: one for one in results if one.failure is not None},
        "file_field": file_field,
        "once": secrets.token_urlsafe(18),
    }


def _ask_for(known: KnownPerson | None, types: list[str]) -> str:
    """The address of a request to add papers, of these types if there are any."""
    said = [("person", str(known.id))] if known else []
    said += [("action", GrantAction.DEPOSIT.value), *(("type", code) for code in types)]
    return f"/pro/requests/new?{urlencode(said)}"


def _codes(grant: GrantView) -> list[str]:
    """The kinds of paper that the grant lets one add; without any named, all that are offered."""
    named = list(grant.terms.scope.document_types)
    return named or [entry.code for entry in catalogue.offered_types()]
