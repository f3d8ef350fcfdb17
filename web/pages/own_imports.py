"""« Reprendre mes papiers d’ailleurs »: a copy of elsewhere is sent, looked at, agreed to, and its
papers come in. Each step is seen by loading the page again; nothing needs a script."""

from typing import Annotated, Any

from fastapi import Header, Response

from base.errors import ErrorKind, ServiceError, invalid
from vault.exports import imports
from vault.exports.import_uploads import most_bytes
from vault.exports.imports import ImportView, RefusedPaper
from web.http import import_bodies, tus
from web.http.body_limits import let_through
from web.http.path_ids import PathId
from web.http.uploads import MultipartForm
from web.pages import forms
from web.pages.labels import FailureMessage, failure_message
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.uploads import check_ours

router = page_router()
IMPORT = "/me/import"
PARTS = "/me/import/parts"
_PAGE = "imports/import.html"
_MIB = 1024 * 1024


@router.get(IMPORT)
async def see(page: PersonPageDep, sent: str = "") -> Response:
    """What it is, and the file to choose; or how far the one is that was sent."""
    return await page.show(_PAGE, **await _values(page, sent))


@router.post(IMPORT)
async def send(page: PersonPageDep) -> Response:
    """A whole copy, in a form. It is looked at; nothing comes in."""
    try:
        await imports.check_alone(page.services, page.person)
        await _receive(page)
    except ServiceError as failure:
        return await page.show_failure(failure, _PAGE, **await _values(page, ""))
    return go(IMPORT)


@router.post(PARTS)
async def begin(
    page: PersonPageDep, upload_length: Annotated[str | None, Header(pattern=tus.NUMBER)] = None
) -> Response:
    """By the page's script, which sends it in parts: a connection that breaks loses nothing of what
    came."""
    await imports.check_alone(page.services, page.person)
    await check_ours(page)
    if upload_length is None:
        raise invalid("upload_length_missing")
    begun = await imports.begin(page.services, page.person, announced=int(upload_length))
    headers = _state(begun) | {"Location": f"{PARTS}/{begun.id}"}
    return Response(status_code=201, headers=headers)


@router.get(PARTS + "/{import_id}")
async def see_part(import_id: PathId, page: PersonPageDep) -> Response:
    """How much of it is kept, in headers: asked for by HEAD."""
    return Response(headers=_state(await imports.see(page.services, page.person, import_id)))


@router.patch(PARTS + "/{import_id}")
async def continue_(
    import_id: PathId,
    page: PersonPageDep,
    upload_offset: Annotated[str, Header(pattern=tus.NUMBER)] = "0",
) -> Response:
    """The bytes that follow; what comes before a cut is kept."""
    await imports.check_alone(page.services, page.person)
    await check_ours(page)
    tus.check_media_type(page.request)
    view = await import_bodies.append(
        page.request, page.services, page.person, import_id, int(upload_offset)
    )
    return Response(status_code=204, headers=_state(view))


@router.post("/me/import/{import_id}/yes")
async def agree(import_id: PathId, page: PersonPageDep) -> Response:
    """It is mine: its papers come in."""
    form = await page.form()
    try:
        await imports.say_yes(page.services, page.person, import_id, proof_in(page, form))
    except ServiceError as failure:
        if failure.kind in (ErrorKind.NOT_FOUND, ErrorKind.CONFLICT):
            return go(IMPORT)
        sent = form.get("sent")
        values, at = await _values(page, sent), with_code(IMPORT, sent)
        return await page.show_failure(failure, _PAGE, at=at, **values)
    return go(IMPORT)


@router.post("/me/import/{import_id}/end")
async def end(import_id: PathId, page: PersonPageDep) -> Response:
    """Forget it. What came in stays."""
    await page.form()
    try:
        await imports.cancel(page.services, page.person, import_id)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.NOT_FOUND:
            raise
    return go(IMPORT, done="import_gone")


def _state(view: ImportView) -> dict[str, str]:
    ours = {"Tus-Resumable": tus.VERSION, "Cache-Control": "no-store"}
    return ours | {"Upload-Offset": str(view.length), "Upload-Length": str(view.announced or 0)}


async def _receive(page: PersonPage) -> None:
    """The first file of the form, unless it was sent in parts already. The token stands before it:
    a form that is not ours is refused before any of it is read."""
    forms.check_origin(page.request, page.services.settings)
    limit = most_bytes(page.services)
    let_through(page.request, limit)
    form = MultipartForm(page.request, limit)
    async for file in form.files():
        await forms.check(page.services, page.secret, form.fields.get(forms.TOKEN, ""))
        await imports.receive(
            page.services, page.person, announced=imports.UNKNOWN_LENGTH, slices=file.slices()
        )
        return
    await forms.check(page.services, page.secret, form.fields.get(forms.TOKEN, ""))
    if not form.fields.get(forms.UPLOADS):
        raise ServiceError(ErrorKind.INVALID, "file_missing", fields=[("file",)])


async def _values(page: PersonPage, sent: str) -> dict[str, Any]:
    found = await imports.latest(page.services, page.person)
    asked = found is not None and found.state == "asked"
    return {
        "found": found,
        "proof": await shown_on(page, sent) if asked else None,
        "refused": [] if found is None else [_refused(one) for one in found.refused],
        "problem": _problem(page, found),
        "waits": _said(found.waits) if found and found.waits else None,
        "most": most_bytes(page.services),
    }


def _refused(paper: RefusedPaper) -> tuple[str, FailureMessage]:
    return paper.named, _said(paper.code, paper.values)


def _problem(page: PersonPage, found: ImportView | None) -> FailureMessage | None:
    if found is None or found.problem is None:
        return None
    return _said(found.problem, {"limit_mib": most_bytes(page.services) // _MIB})


def _said(code: str, values: dict[str, str | int] | None = None) -> FailureMessage:
    failure = ServiceError(ErrorKind.INVALID, code)
    failure.values = values or {}
    return failure_message(failure)
