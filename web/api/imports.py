"""A copy of elsewhere, brought here: sent whole or in parts, looked at, and after a yes its papers
come in as their person's own word."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from base.errors import invalid, not_found
from vault.exports import imports
from vault.exports.imports import ImportSummary, ImportView
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import LOCATION
from web.http import import_bodies, tus
from web.http.dependencies import PersonDep, ServicesDep
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.visitor import VisitorDep

router = APIRouter(prefix="/v1/me", tags=["me"])

_BYTES = {"type": "string", "contentMediaType": "application/octet-stream"}
_OFFSET = {
    "Upload-Offset": {
        "description": "How many bytes are kept, whatever happens.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
_KEPT: dict[int | str, dict[str, Any]] = {204: {"description": "Kept.", "headers": _OFFSET}}


def _body(media_type: str, *, required: bool) -> dict[str, Any]:
    content = {media_type: {"schema": _BYTES}}
    return {"requestBody": {"required": required, "content": content}}


class ImportSummaryOut(BaseModel):
    """What the copy says of itself. Nobody here vouches for it."""

    origin: str = Field(description="The address where it was made.")
    made_at: datetime
    key: str = Field(description="The `kid` of the key that signed it.")
    papers: int
    receipts: int
    lines: int = Field(description="Of its log, that the log's key proves.")
    left: int = Field(description="Papers in the trash there: they stay in the copy.")


class RefusedPaperOut(BaseModel):
    """A paper that did not come in. `code`: as the `type` of a problem ends."""

    name: str
    code: str


class ImportOut(BaseModel):
    """A copy that is brought here."""

    id: UUID
    state: Literal["receiving", "checking", "asked", "coming", "done", "refused"]
    bytes: int = Field(description="Kept of it; none once it is over.")
    length: int | None = Field(description="Of all of it, where that was said.")
    asked_at: datetime
    expires_at: datetime = Field(description="When it is forgotten, if nothing happens before.")
    summary: ImportSummaryOut | None
    handled: int = Field(description="Papers that came in, were here already, or were refused.")
    added: int
    held: int = Field(description="That were here already.")
    not_taken: int
    refused: list[RefusedPaperOut] = Field(description="The first 200 of those not taken.")
    waits: str | None = Field(description="Why it does not go on now; it goes on by itself.")
    problem: str | None = Field(description="Why none of it comes in.")


Length = Annotated[
    str | None,
    Header(
        alias="Upload-Length",
        pattern=tus.NUMBER,
        description="Bytes of the whole copy, of which none comes with this request: they follow in"
        " parts (tus 1.0).",
    ),
]
Offset = Annotated[
    str, Header(alias="Upload-Offset", pattern=tus.NUMBER, description="Where these bytes begin.")
]


_SENT: dict[int | str, dict[str, Any]] = {
    201: {
        "description": "Begun, with `Upload-Length`.",
        "model": ImportOut,
        "headers": LOCATION | _OFFSET,
    },
    202: {"description": "Received whole.", "headers": LOCATION | _OFFSET},
}


@router.post(
    "/import",
    operation_id="createImport",
    status_code=202,
    responses=_SENT,
    openapi_extra=_body("application/zip", required=False),
)
async def create(
    request: Request,
    response: Response,
    services: ServicesDep,
    person: PersonDep,
    upload_length: Length = None,
) -> ImportOut:
    """Bring a copy: the zip itself, or `Upload-Length` alone. Then it is looked at; nothing comes
    in before my yes. One at a time."""
    await imports.check_alone(services, person)
    if upload_length is None:
        import_bodies.check_zip(request)
        view = await import_bodies.receive(request, services, person)
    else:
        if request.headers.get("content-length", "0") != "0":
            raise invalid("invalid_request")
        view = await imports.begin(services, person, announced=int(upload_length))
        response.status_code = 201
    response.headers["Location"] = f"/v1/me/imports/{view.id}"
    return _told(response, view)


@router.get("/import", operation_id="getLatestImport", responses={404: problem_response(404)})
async def see_latest(response: Response, services: ServicesDep, person: PersonDep) -> ImportOut:
    """The one that there is. 404 without one."""
    view = await imports.latest(services, person)
    if view is None:
        raise not_found()
    return _told(response, view)


@router.get("/imports/{import_id}", operation_id="getImport")
async def see(
    import_id: PathId, response: Response, services: ServicesDep, person: PersonDep
) -> ImportOut:
    """How far it is."""
    return _told(response, await imports.see(services, person, import_id))


@router.patch(
    "/imports/{import_id}",
    operation_id="continueImport",
    status_code=204,
    response_class=Response,
    responses=_KEPT,
    openapi_extra=_body(tus.OFFSET_STREAM, required=True),
)
async def continue_(
    import_id: PathId,
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    upload_offset: Offset = "0",
) -> Response:
    """Send the bytes that follow. What comes before the connection is cut is kept."""
    await imports.check_alone(services, person)
    tus.check_media_type(request)
    view = await import_bodies.append(request, services, person, import_id, int(upload_offset))
    return Response(status_code=204, headers={"Upload-Offset": str(view.length)})


@router.post("/imports/{import_id}/yes", operation_id="agreeToImport", status_code=202)
async def agree(
    import_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    visitor: VisitorDep,
    body: ProvedIn | None = None,
) -> ImportOut:
    """It is mine: its papers come in, one after the other. What is here already stays as it is."""
    return _out(await imports.say_yes(services, person, import_id, proof_in(body), visitor))


@router.delete("/imports/{import_id}", operation_id="cancelImport", status_code=204)
async def cancel(import_id: PathId, services: ServicesDep, person: PersonDep) -> None:
    """Give it up, or forget one that is over. What came in stays."""
    await imports.cancel(services, person, import_id)


def _told(response: Response, view: ImportView) -> ImportOut:
    response.headers["Upload-Offset"] = str(view.length)
    if view.announced is not None:
        response.headers["Upload-Length"] = str(view.announced)
    return _out(view)


def _out(view: ImportView) -> ImportOut:
    return ImportOut(
        id=view.id,
        state=view.state,
        bytes=view.length,
        length=view.announced,
        asked_at=view.asked_at,
        expires_at=view.expires_at,
        summary=None if view.summary is None else _summary(view.summary),
        handled=view.handled,
        added=view.added,
        held=view.held,
        not_taken=view.not_taken,
        refused=[RefusedPaperOut(name=one.named, code=one.code) for one in view.refused],
        waits=view.waits,
        problem=view.problem,
    )


def _summary(summary: ImportSummary) -> ImportSummaryOut:
    return ImportSummaryOut(
        origin=summary.origin,
        made_at=summary.made_at,
        key=summary.key,
        papers=summary.papers,
        receipts=summary.receipts,
        lines=summary.lines,
        left=summary.left,
    )
