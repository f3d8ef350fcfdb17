"""Whom I trust, and who trusts me: somebody who may say at a desk that it is me, and nothing
else."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from vault.trusted import naming, trusted_ends, trusted_views, vouching
from vault.trusted.naming import LONGEST
from vault.trusted.trusted_rules import TrustedState
from vault.trusted.trusted_views import TrustedView
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Strict
from web.http.dependencies import PersonDep, ServicesDep
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId

router = APIRouter(tags=["trusted"])

_Name = Annotated[str, StringConstraints(max_length=4 * LONGEST)]
_CHANGED: dict[int | str, dict[str, Any]] = {412: problem_response(412)}


class NamingIn(ProvedIn):
    """Whom I name, and how they know me. Each side reads what the other one calls them nowhere."""

    label: _Name = Field(description="What I call them.")
    own_name: _Name = Field(description="What they call me: they read it once they typed the code.")


class TrustedCodeIn(Strict):
    """The digits that the other one shows."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class TrustedOut(BaseModel):
    """A trust, as one of its two sides sees it. `open`: its digits wait to be typed; `answered`:
    they were, and a yes is waited for; `accepted`: it is; `ended`: it was; `over`: too late."""

    id: UUID
    side: Literal["trusts", "is_trusted"] = Field(description="Which one I am.")
    state: TrustedState
    name: str = Field(description="What I call the other one, or they are called.")
    created_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    ends_at: datetime | None = Field(description="Until when what comes next may be done.")
    vouches_from: datetime | None = Field(
        description="From when the one who is trusted may vouch: seven days after their yes."
    )
    may_vouch: bool = Field(description="Whether I may, now.")
    code: str | None = Field(
        description="Eight digits, while they serve, in the session that asked for them: of the"
        " naming, for whom I name; or that vouch, for the desk."
    )
    code_ends_at: datetime | None


class TrustedList(BaseModel):
    """The last first; those that ended stay for a month."""

    items: list[TrustedOut]


@router.get("/v1/me/trusted", operation_id="listTrusted")
async def list_mine(services: ServicesDep, person: PersonDep, response: Response) -> TrustedList:
    """Whom I trust, or named."""
    response.headers["Cache-Control"] = "no-store"
    return _list(await trusted_views.list_mine(services, person))


@router.post("/v1/me/trusted", operation_id="nameTrusted", status_code=201, responses=_CHANGED)
async def name(
    body: NamingIn, services: ServicesDep, person: PersonDep, response: Response
) -> TrustedOut:
    """Get eight digits for somebody whom I trust, face to face, for ten minutes; those of before
    serve no more. Two people at most."""
    response.headers["Cache-Control"] = "no-store"
    proof = proof_in(body)
    return _out(await naming.name(services, person, body.label, body.own_name, proof))


@router.delete(
    "/v1/me/trusted/{naming_id}", operation_id="endTrusted", status_code=204, responses=_CHANGED
)
async def end(
    naming_id: PathId, services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """Trust somebody no more, or not after all. For seven days they are still told of a
    recovery."""
    await trusted_ends.end_mine(services, person, naming_id, proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.get("/v1/trusted", operation_id="listTrusting")
async def list_for_me(services: ServicesDep, person: PersonDep, response: Response) -> TrustedList:
    """Who trusts me, or asks me to."""
    response.headers["Cache-Control"] = "no-store"
    return _list(await trusted_views.list_for_me(services, person))


@router.post("/v1/trusted/answer", operation_id="answerTrusted")
async def answer(
    body: TrustedCodeIn, services: ServicesDep, person: PersonDep, response: Response
) -> TrustedOut:
    """Type the digits of who trusts me. Digits that do not exist, that were typed, that are over,
    one's own, or of who trusts me already are refused alike; five wrong ones in a day."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await naming.answer(services, person, body.code))


@router.post("/v1/trusted/{naming_id}/accept", operation_id="acceptTrusted")
async def accept(
    naming_id: PathId, services: ServicesDep, person: PersonDep, response: Response
) -> TrustedOut:
    """Say yes: I see none of their papers, and may say at a desk that it is them, from seven days
    on. A second time changes nothing."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await naming.accept(services, person, naming_id))


@router.post(
    "/v1/trusted/{naming_id}/vouch",
    operation_id="vouchTrusted",
    status_code=201,
    responses=_CHANGED,
)
async def vouch(
    naming_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    response: Response,
    body: ProvedIn | None = None,
) -> TrustedOut:
    """Get eight digits, for half an hour, that say at the desk that it is them."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await vouching.vouch(services, person, naming_id, proof_in(body)))


@router.delete("/v1/trusted/{naming_id}", operation_id="leaveTrusted", status_code=204)
async def leave(naming_id: PathId, services: ServicesDep, person: PersonDep) -> Response:
    """Be trusted no more, or say no: the other one is told."""
    await trusted_ends.end_for_me(services, person, naming_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _list(found: list[TrustedView]) -> TrustedList:
    return TrustedList(items=[_out(one) for one in found])


def _out(one: TrustedView) -> TrustedOut:
    return TrustedOut(
        id=one.id,
        side=one.side,
        state=one.state,
        name=one.name,
        created_at=one.created_at,
        accepted_at=one.accepted_at,
        ended_at=one.ended_at,
        ends_at=one.ends_at,
        vouches_from=one.vouches_from,
        may_vouch=one.may_vouch,
        code=one.code,
        code_ends_at=one.code_ends_at,
    )
