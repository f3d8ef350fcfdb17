"""« Tout emporter »: a copy of all that I have here, asked for, watched, taken, given up."""

from typing import Any

from fastapi import Response

from auth.person_contact import person_contact
from base.errors import ServiceError
from vault.exports import exports
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.http.visitor import visitor_of
from web.pages.own_proofs import proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router

router = page_router()
EXPORT = "/me/export"


@router.get(EXPORT)
async def see(page: PersonPageDep, sent: str = "") -> Response:
    """What it is; or how far it is; or where it is taken."""
    return await page.show("export.html", **await _values(page, sent))


@router.post(EXPORT)
async def ask(page: PersonPageDep) -> Response:
    """Have it prepared; or, of one that is there, take it with this session too."""
    form = await page.form()
    try:
        proof, visitor = proof_in(page, form), visitor_of(page.request)
        await exports.ask(page.services, page.person, proof, visitor)
    except ServiceError as failure:
        sent = form.get("sent")
        values, at = await _values(page, sent), with_code(EXPORT, sent)
        return await page.show_failure(failure, "export.html", at=at, **values)
    return go(EXPORT)


@router.post("/me/export/end")
async def end(page: PersonPageDep) -> Response:
    """Prepare it no more, or erase it from here."""
    await page.form()
    export = await exports.latest(page.services, page.person)
    if export is not None:
        await exports.cancel(page.services, page.person, export.id)
    return go(EXPORT, done="export_gone")


@router.get("/me/export/{export_id}/content")
async def content(export_id: PathId, page: PersonPageDep) -> Response:
    """The file; cut, it goes on with a range."""
    stream = await exports.open_export(page.services, page.person, export_id)
    return ContentResponse(page.services, stream, page.request.headers.get("range"))


async def _values(page: PersonPage, sent: str) -> dict[str, Any]:
    async with page.services.database.transaction() as tx:
        contact = await person_contact(page.services, tx, page.person.id)
    return {
        "export": await exports.latest(page.services, page.person),
        "proof": await shown_on(page, sent),
        "told": contact.phone is not None,
    }
