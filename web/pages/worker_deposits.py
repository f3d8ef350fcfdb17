"""A worker adds papers for a person, several at once, under a grant that allows it.

Each part of the form is one paper: its kind and its date, said before (`worker_deposit_steps`),
then its photos or its file. A paper that is refused says so by its kind, and keeps none of the
others out.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError, invalid
from vault import catalogue
from vault.documents.granted_deposit import deposit_granted
from vault.documents.intake import IncomingFile
from web.http.path_ids import PathId
from web.i18n.error_messages import ErrorMessage, _
from web.pages import forms, labels
from web.pages.forms import UploadForm
from web.pages.labels import FailureMessage
from web.pages.page import WorkerPage, WorkerPageDep, page_router
from web.pages.worker_deposit_steps import (
    NOTHING_DONE,
    ROWS,
    StatedPaper,
    ask_for,
    file_field,
    values_of,
)

router = page_router()
_ANOTHER_TYPE = "outside_scope"
_OF_A_TYPE = {
    "type_missing": labels.MISSING_PARTS["granted_type"],
    _ANOTHER_TYPE: ErrorMessage(
        _("Une autre sorte de papier"),
        _("La personne ne permet pas d’ajouter cette sorte de papier. Rien n’est ajouté."),
        _("Demandez-lui un nouvel accord. Ou elle ajoute ce papier elle-même."),
    ),
}
"""What is said of a type here, where the list has those alone that the grant permits."""
_USED_BEFORE = ErrorMessage(
    _("Cette page a déjà servi"),
    _("Un autre papier a été ajouté avec cette page. Celui-ci n’est pas ajouté."),
    _("Choisissez son fichier de nouveau, puis ajoutez-le."),
)
# Failures of the whole form, or of the grant itself: the papers after it would fail alike.
_OF_ALL = (ErrorKind.NOT_FOUND, ErrorKind.REFUSED, ErrorKind.MALFORMED, ErrorKind.UNAUTHENTICATED)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one paper: kept, or why not. `place`: its number in the form that is shown
    again, with those that were refused."""

    paper: StatedPaper
    failure: ServiceError | None
    place: int = 0

    @property
    def said(self) -> FailureMessage:
        """Why a paper was refused, and what to do."""
        assert self.failure is not None  # noqa: S101  (asked of those alone)
        if self.failure.code in _OF_A_TYPE:
            return FailureMessage(_OF_A_TYPE[self.failure.code], {}, "type")
        if self.failure.code == "idempotency_key_reused":
            return FailureMessage(_USED_BEFORE, {}, "")
        return labels.failure_message(self.failure)

    @property
    def asks_type(self) -> bool:
        """Whether its sort is to be chosen again, rather than its file."""
        return self.failure is not None and self.said.field == "type"

    @property
    def field(self) -> str:
        """The id of the field to fill in again, of a paper that was refused."""
        return f"type_{self.place}" if self.asks_type else file_field(self.place)


@router.post("/pro/grants/{grant_id}/add")
async def add(grant_id: PathId, page: WorkerPageDep) -> Response:
    """Add each paper as it arrives; what became of each. Sent again, the same form adds nothing."""
    papers = _Papers(page.upload())
    await papers.advance()
    # Before anything is kept: the first paper is committed while the others still arrive.
    await forms.check(page.services, page.secret, papers.fields.get(forms.TOKEN, ""))
    results = [one async for one in _deposited(page, grant_id, papers)]
    values = await values_of(page, grant_id)
    without = _without_files(papers.fields, results)
    if not results:
        asked = [replace(paper, row=place) for place, paper in enumerate(without, 1)]
        shown = {**values, "papers": asked or [StatedPaper(1, "")], **NOTHING_DONE}
        return await page.show_failure(invalid("file_missing"), "pro/add_check.html", **shown)
    results += [Result(paper, invalid("file_missing")) for paper in without]
    return await page.show("pro/add_check.html", **(values | _told(results, values)))


def _without_files(fields: Mapping[str, str], results: list[Result]) -> list[StatedPaper]:
    """The papers that were said to be there, and came without a file."""
    came = {one.paper.row for one in results}
    return [paper for row in ROWS if (paper := _stated(fields, row)).type and row not in came]


def _told(results: list[Result], values: dict[str, Any]) -> dict[str, Any]:
    """What the page says of each, and the form of those that were refused, numbered anew."""
    results = sorted(results, key=lambda one: one.paper.row)
    refused: dict[int, Result] = {}
    for at, one in enumerate(results):
        if one.failure is not None:
            results[at] = refused[len(refused) + 1] = replace(one, place=len(refused) + 1)
    others = [
        one.paper.type
        for one in refused.values()
        if one.failure is not None and one.failure.code == _ANOTHER_TYPE
    ]
    return {
        "results": results,
        "refused": refused,
        "papers": [replace(one.paper, row=place) for place, one in refused.items()],
        "others": others,
        "ask_for": ask_for(values["known"], others),
    }


def _stated(fields: Mapping[str, str], row: int) -> StatedPaper:
    """What a form says of one paper, whatever it is."""
    code, said = fields.get(f"type_{row}", "").strip(), fields.get(f"date_{row}", "").strip()
    return StatedPaper(row, code[:64], said[:64])


async def _deposited(page: WorkerPage, grant_id: UUID, papers: "_Papers") -> AsyncIterator[Result]:
    once = papers.fields.get("once", "")[:64]
    while (row := papers.row) is not None:
        paper = _stated(papers.fields, row)
        failure: ServiceError | None = None
        try:
            await deposit_granted(
                page.services,
                page.worker,
                grant_id,
                papers,
                paper.metadata,
                idempotency_key=f"{once}-{row}" if once else None,
            )
        except ServiceError as refused:
            of_all = refused.kind in _OF_ALL and refused.code != _ANOTHER_TYPE
            if of_all and not papers.begun(row):
                raise
            failure = refused
        await papers.skip(row)
        known = catalogue.by_code(paper.type) is not None
        yield Result(paper if known else replace(paper, type="other"), failure)


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
