"""What a worker says that a paper of unknown type is, one thing a page; and its owner's answer, in
one press."""

from typing import Any
from uuid import UUID

from fastapi import Response

from base.errors import ErrorKind, ServiceError
from vault import catalogue
from vault.consent.people import known_by_grant
from vault.document_view import DocumentMetadata, DocumentView
from vault.documents import type_suggestions
from vault.documents.type_suggestions import Suggested
from web.http.path_ids import PathId
from web.pages.document_fields import metadata_of
from web.pages.draft_steps import date_field, day_parts, details_in
from web.pages.forms import Form
from web.pages.page import PersonPage, PersonPageDep, WorkerPage, WorkerPageDep, go, page_router
from web.pages.worker_grants import live_grant

router = page_router()


@router.get("/pro/grants/{grant_id}/documents/{document_id}/type")
async def ask(
    grant_id: PathId,
    document_id: PathId,
    page: WorkerPageDep,
    type: str = "",  # noqa: A002  (the contract's word)
) -> Response:
    """Which paper it is; then, with `type`, whose it is and its date. It names no paper, so that no
    line says it."""
    known = catalogue.by_code(type) is not None and type != catalogue.UNKNOWN_TYPE
    return await _ask(page, grant_id, document_id, Form(), type if known else "")


@router.post("/pro/grants/{grant_id}/documents/{document_id}/type")
async def suggest(grant_id: PathId, document_id: PathId, page: WorkerPageDep) -> Response:
    """Propose it."""
    form = await page.form()
    code = form.get("type")[:64]
    try:
        said = _suggested(metadata_of(details_in(form, code) | {"type": code}))
        await type_suggestions.suggest(page.services, page.worker, grant_id, document_id, said)
    except ServiceError as failure:
        if failure.kind not in (ErrorKind.INVALID, ErrorKind.TOO_MANY):
            raise
        return await _ask(page, grant_id, document_id, form, code, failure)
    return go(f"/pro/grants/{grant_id}/documents/{document_id}", done="type_suggested")


@router.post("/documents/{document_id}/type-suggestions/{suggestion_id}")
async def answer(document_id: PathId, suggestion_id: PathId, page: PersonPageDep) -> Response:
    """Say yes or no to what was proposed."""
    yes = (await page.form()).get("answer") == "yes"
    act = type_suggestions.accept if yes else type_suggestions.refuse
    try:
        await act(page.services, page.person, document_id, suggestion_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
        # Pressed twice, or replaced meanwhile: the list says what is so now.
        return go("/documents")
    return go("/documents", done="type_accepted" if yes else "type_refused")


async def waiting_of(
    page: PersonPage, listed: list[DocumentView], *, more: bool
) -> list[DocumentView]:
    """The papers of which a type is proposed: those of a list, and, if there are more, of what
    comes after it."""
    shown = [document for document in listed if document.waiting_suggestions]
    if not more:
        return shown
    before = listed[-1].id if listed else None
    return shown + await type_suggestions.list_waiting(page.services, page.person, before=before)


def _suggested(metadata: DocumentMetadata) -> Suggested:
    return Suggested(
        type=metadata.type,
        title=metadata.title,
        issued_on=metadata.issued_on,
        expires_on=metadata.expires_on,
        due_on=metadata.due_on,
        income_year=metadata.income_year,
    )


async def _ask(
    page: WorkerPage,
    grant_id: UUID,
    document_id: UUID,
    form: Form,
    code: str,
    *failures: ServiceError,
) -> Response:
    name = date_field(code)
    values: dict[str, Any] = {
        "known": await known_by_grant(page.services, page.worker, grant_id),
        "grant": await live_grant(page, grant_id),
        "paper": f"/pro/grants/{grant_id}/documents/{document_id}",
        "code": code if catalogue.by_code(code) else "",
        "name": name,
        "typed": form,
        "day": {} if name in (None, "income_year") else day_parts(form, str(name)),
    }
    return await page.show_failures(failures, "pro/type.html", **values)
