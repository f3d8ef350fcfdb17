"""Whoever represents a person under tutelle: named, asked for at a desk, entering, ended."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from vault.representation import (
    entrances,
    judgements,
    representation_ends,
    representation_views,
    representatives,
)
from vault.representation.judgements import LONGEST as LONGEST_TEXT
from vault.representation.representation_rules import Judgement, RepresentationState
from vault.representation.representation_views import RepresentationView
from vault.representation.representatives import LONGEST
from web.api.anchors import AnchorText, tag_in
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Language, Strict
from web.http.dependencies import PersonDep, ServicesDep, WorkerDep, remember_session
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.visitor import visitor_of
from web.i18n.languages import SOURCE

router = APIRouter(tags=["representation"])

_Name = Annotated[str, StringConstraints(max_length=4 * LONGEST)]
_Text = Annotated[str, StringConstraints(max_length=4 * LONGEST_TEXT)]
_Code = Annotated[str, StringConstraints(min_length=1, max_length=32)]
_CHANGED: dict[int | str, dict[str, Any]] = {412: problem_response(412)}


class RepresentativeIn(ProvedIn):
    """Whom I name, and how they know me. Each side reads what the other one calls them nowhere."""

    label: _Name = Field(description="What I call them.")
    own_name: _Name = Field(description="What they call me: they read it once they typed the code.")


class OfferIn(ProvedIn):
    """Whom I represent: somebody who has no vault, and will enter none themselves."""

    own_name: _Name = Field(description="What I call them.")


class RepresentationCodeIn(Strict):
    """The digits that the person shows."""

    code: _Code


class JudgementIn(Strict):
    """What stands on the judgement, which is not kept."""

    representative: _Text = Field(description="Whom it names: every line of theirs says it.")
    court: _Text
    decided_on: date
    ends_on: date = Field(description="Its last day: what it opens ends with it.")


class DeskRepresentationIn(Strict):
    """The digits that the representative shows, and the judgement, both in front of me."""

    code: _Code
    judgement: JudgementIn
    anchor: AnchorText | None = Field(
        None, description="Who the person is on their paper, where they have no vault yet."
    )
    language: Language = SOURCE


class RepresentationOut(BaseModel):
    """As one of its two sides sees it. `open`: digits wait to be typed; `answered`: a judgement is
    waited for; `live`: it opens; `lapsed`: its last day is over, another judgement makes it go on;
    `ended`: it was."""

    id: UUID
    side: Literal["represented", "represents"] = Field(description="Which one I am.")
    state: RepresentationState
    name: str = Field(description="What I call the other one, or they are called.")
    created_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    waits_until: datetime | None
    ends_at: datetime | None = Field(description="The end of the last day of the judgement.")
    representative: str | None = Field(description="As the judgement names them.")
    court: str | None
    decided_on: date | None
    ends_on: date | None
    read_by: dict[str, str] | None = Field(description="The worker who read the judgement.")
    code: str | None = Field(
        description="Eight digits, while they serve, in the session that asked for them: of a"
        " naming, for whom I name; or for the desk."
    )
    code_ends_at: datetime | None


class RepresentationList(BaseModel):
    """The last first; those that ended stay for a month."""

    items: list[RepresentationOut]


class RepresentedSession(BaseModel):
    """The token is shown this once. It opens the other vault, for an hour at most."""

    token: str
    expires_at: datetime


@router.get("/v1/me/representative", operation_id="listRepresentatives")
async def list_mine(
    services: ServicesDep, person: PersonDep, response: Response
) -> RepresentationList:
    """Who represents me, or whom I named."""
    response.headers["Cache-Control"] = "no-store"
    return _list(await representation_views.list_mine(services, person))


@router.post(
    "/v1/me/representative",
    operation_id="nameRepresentative",
    status_code=201,
    responses=_CHANGED,
)
async def name(
    body: RepresentativeIn, services: ServicesDep, person: PersonDep, response: Response
) -> RepresentationOut:
    """Get eight digits for whoever represents me, face to face, for ten minutes. They enter only
    once a worker read the judgement."""
    response.headers["Cache-Control"] = "no-store"
    proof = proof_in(body)
    return _out(await representatives.name(services, person, body.label, body.own_name, proof))


@router.delete(
    "/v1/me/representative/{representation_id}",
    operation_id="endRepresentative",
    status_code=204,
    responses=_CHANGED,
)
async def end(
    representation_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    body: ProvedIn | None = None,
) -> Response:
    """Be represented by somebody here no more, or not after all. What they have open stops."""
    await representation_ends.end_mine(services, person, representation_id, proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.get("/v1/representations", operation_id="listRepresentations")
async def list_represented(
    services: ServicesDep, person: PersonDep, response: Response
) -> RepresentationList:
    """Whom I represent, or ask to."""
    response.headers["Cache-Control"] = "no-store"
    return _list(await representation_views.list_represented(services, person))


@router.post(
    "/v1/representations", operation_id="offerRepresentation", status_code=201, responses=_CHANGED
)
async def offer(
    body: OfferIn, services: ServicesDep, person: PersonDep, response: Response
) -> RepresentationOut:
    """Get eight digits for a desk, which reads the judgement and opens an empty vault for whom I
    represent."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await representatives.offer(services, person, body.own_name, proof_in(body)))


@router.post("/v1/representations/answer", operation_id="answerRepresentation")
async def answer(
    body: RepresentationCodeIn, services: ServicesDep, person: PersonDep, response: Response
) -> RepresentationOut:
    """Type the digits of whom I represent. Digits that do not exist, that were typed, that are over
    or one's own are refused alike; five wrong ones in a day."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await representatives.answer(services, person, body.code))


@router.post(
    "/v1/representations/{representation_id}/desk",
    operation_id="showRepresentation",
    status_code=201,
    responses=_CHANGED,
)
async def show(
    representation_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    response: Response,
    body: ProvedIn | None = None,
) -> RepresentationOut:
    """Get eight digits, for half an hour, for the desk that reads the judgement: the first one, or
    the one that follows."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await representatives.show(services, person, representation_id, proof_in(body)))


@router.post(
    "/v1/representations/{representation_id}/enter",
    operation_id="enterRepresented",
    status_code=201,
    responses=_CHANGED,
)
async def enter(
    representation_id: PathId,
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    response: Response,
    body: ProvedIn | None = None,
) -> RepresentedSession:
    """Enter the vault of whom I represent. I may add papers, read them and give access to them;
    every line of it has my name. It ends with my own session, and with the judgement."""
    response.headers["Cache-Control"] = "no-store"
    opened = await entrances.enter(
        services, person, representation_id, proof_in(body), visitor_of(request)
    )
    remember_session(request, opened)
    return RepresentedSession(token=opened.token, expires_at=opened.expires_at)


@router.delete(
    "/v1/representations/{representation_id}", operation_id="leaveRepresentation", status_code=204
)
async def leave(representation_id: PathId, services: ServicesDep, person: PersonDep) -> Response:
    """Represent somebody no more: their phone is told."""
    await representation_ends.end_for(services, person, representation_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post("/v1/desk/representations", operation_id="readJudgement", status_code=204)
async def read(body: DeskRepresentationIn, services: ServicesDep, worker: WorkerDep) -> Response:
    """Note what a judgement says, in front of whoever it names: they represent that person here
    until its last day. I get nothing by it; my name is in both logs."""
    anchor = None if body.anchor is None else await tag_in(services, body.anchor)
    told = body.judgement
    judgement = Judgement(told.representative, told.court, told.decided_on, told.ends_on)
    await judgements.read(
        services, worker, body.code, judgement, anchor=anchor, language=body.language
    )
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _list(found: list[RepresentationView]) -> RepresentationList:
    return RepresentationList(items=[_out(one) for one in found])


def _out(one: RepresentationView) -> RepresentationOut:
    return RepresentationOut.model_validate(one, from_attributes=True)
