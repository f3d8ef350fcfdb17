"""All that a vault has, taken away in one file."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from vault.exports import exports
from vault.exports.exports import MEDIA_TYPE, ExportView
from web.api.documents import RangeHeader
from web.api.holder_proofs import ProvedIn, proof_in
from web.http.dependencies import PersonDep, ServicesDep
from web.http.downloads import ContentResponse
from web.http.path_ids import PathId
from web.http.visitor import VisitorDep

router = APIRouter(prefix="/v1/me", tags=["me"])

_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
_BYTES: dict[str, Any] = {MEDIA_TYPE: {"schema": _FILE}}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": _BYTES, "description": "The whole file."},
    206: {"content": _BYTES, "description": "The range asked for."},
}


class ExportOut(BaseModel):
    """A copy of all that I have here. `mine`: this session may take it; another one asks for it
    again, with a proof."""

    id: UUID
    state: Literal["making", "ready"]
    papers: int = Field(description="That go in, those in the trash too.")
    done: int = Field(description="How many of them are in it, about.")
    bytes: int = Field(description="Made so far; all of them once it is ready.")
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime = Field(description="When it is gone.")
    waits: bool = Field(description="The store takes nothing now; it is tried again by itself.")
    mine: bool


@router.post("/export", operation_id="askForExport", status_code=202)
async def ask(
    body: ProvedIn, services: ServicesDep, person: PersonDep, visitor: VisitorDep
) -> ExportOut:
    """Have one file made of all that I have here; told to my phone now, and when it is ready. The
    one that is there already is answered again."""
    return _out(await exports.ask(services, person, proof_in(body), visitor))


@router.get("/exports/{export_id}", operation_id="getExport")
async def see(export_id: PathId, services: ServicesDep, person: PersonDep) -> ExportOut:
    """How far it is."""
    return _out(await exports.see(services, person, export_id))


@router.get(
    "/exports/{export_id}/content",
    operation_id="getExportContent",
    response_class=Response,
    responses=_CONTENT,
)
async def content(
    export_id: PathId, services: ServicesDep, person: PersonDep, range_: RangeHeader = None
) -> Response:
    """The file, a zip; cut, it goes on with a range. 409 while it is made."""
    stream = await exports.open_export(services, person, export_id)
    return ContentResponse(services, stream, range_)


@router.delete("/exports/{export_id}", operation_id="cancelExport", status_code=204)
async def cancel(export_id: PathId, services: ServicesDep, person: PersonDep) -> None:
    """Give it up: it is made no more, or gone before its day."""
    await exports.cancel(services, person, export_id)


def _out(view: ExportView) -> ExportOut:
    return ExportOut(
        id=view.id,
        state=view.state,
        papers=view.papers,
        done=view.done,
        bytes=view.length,
        asked_at=view.asked_at,
        ready_at=view.ready_at,
        expires_at=view.expires_at,
        waits=view.waits,
        mine=view.mine,
    )
