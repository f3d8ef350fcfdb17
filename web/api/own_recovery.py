"""A vault that is opened again, as its person sees it: in the new one, which waits, and in the one
that they had lost."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from base.errors import not_found
from vault.maintenance.joins import openings
from vault.maintenance.joins.union import TypedYes
from vault.recovery import recovery_views
from vault.recovery.recovery_rules import RecoveryState
from vault.recovery.recovery_views import AgentShown
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.means import Pin
from web.api.sign_ins import SessionOpened
from web.http.dependencies import PersonDep, ServicesDep, remember_session
from web.http.openapi_problems import problem_response
from web.http.visitor import VisitorDep

router = APIRouter(prefix="/v1/me", tags=["recovery"])


class OpenIn(ProvedIn):
    """A proof of the vault that waits; and the PIN, twice, that all the means of my vault have from
    now on: it may be that of the new card."""

    pin: Pin = ""
    again: Pin = ""


class AgentOut(BaseModel):
    """A worker who saw me."""

    name: str
    job: str
    organisation: str
    at: datetime


class OwnRecoveryOut(BaseModel):
    """How far it is. Until `earliest_at` it is the same whether or not something was found.

    `one_agent`: somebody else must see me too; `waiting`, `later`: not yet; `ready`: I may open
    what I had; `nothing`: nothing was found, or what was shown is not enough; `rival`: two want the
    same vault; `stopped`; `opened`; `over`.
    """

    id: UUID
    state: RecoveryState
    began_at: datetime
    earliest_at: datetime | None
    opens_at: datetime | None = Field(description="Once it is `later` or `ready`.")
    ended_at: datetime | None
    agents: list[AgentOut]
    means: list[str] = Field(description="What was shown: `card`, `phone`, `trusted`.")


class RecoveryOnMineOut(BaseModel):
    """Somebody asks at a desk to open my vault again."""

    id: UUID
    began_at: datetime
    opens_at: datetime | None = Field(
        description="From when on it may be opened, if nobody stops it. Null: not as it stands."
    )
    agents: list[AgentOut]
    means: list[str]
    needs_proof: bool = Field(description="Whether only a proof stops it.")


class RecoveriesOnMineOut(BaseModel):
    """The last begun first."""

    items: list[RecoveryOnMineOut]


@router.get("/recovery", operation_id="getOwnRecovery", responses={404: problem_response(404)})
async def see(services: ServicesDep, person: PersonDep, response: Response) -> OwnRecoveryOut:
    """The recovery that my vault was opened for, at a desk. 404 where it was opened for none."""
    response.headers["Cache-Control"] = "no-store"
    found = await recovery_views.own(services, person)
    if found is None:
        raise not_found()
    return OwnRecoveryOut(
        id=found.id,
        state=found.state,
        began_at=found.began_at,
        earliest_at=found.earliest_at,
        opens_at=found.opens_at,
        ended_at=found.ended_at,
        agents=_agents(found.agents),
        means=list(found.means),
    )


@router.post(
    "/recovery/open",
    operation_id="openOwnRecovery",
    status_code=201,
    responses={404: problem_response(404), 412: problem_response(412)},
)
async def open_former(
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    visitor: VisitorDep,
    response: Response,
    body: OpenIn | None = None,
) -> SessionOpened:
    """Open what I had: this vault ends in it, with its papers and its card; the former cards are
    stopped, sessions elsewhere end. A session of it. 409 before its time, and where it was
    stopped."""
    response.headers["Cache-Control"] = "no-store"
    said = body or OpenIn()
    typed = TypedYes(said.pin, said.again, proof_in(said))
    opened = await openings.open_former(services, person, typed, visitor)
    remember_session(request, opened)
    return SessionOpened(
        token=opened.token,
        expires_at=opened.expires_at,
        kind=opened.kind,
        browser=opened.browser,
    )


@router.get(
    "/recovery/receipt",
    operation_id="getRecoveryReceipt",
    response_model=dict[str, Any],
    responses={404: problem_response(404)},
)
async def receipt(
    services: ServicesDep,
    person: PersonDep,
    response: Response,
    named: Annotated[UUID | None, Query(alias="id")] = None,
) -> dict[str, Any]:
    """The receipt of the recovery of this vault, signed: it names both workers. In the vault that
    was opened again, that of the last one, or of the one that is named. Verified by the keys of
    `GET /v1/receipt-keys`; its `typ` is `recovery-receipt+jws`."""
    response.headers["Cache-Control"] = "no-store"
    return await recovery_views.receipt(services, person, named)


@router.get("/recoveries", operation_id="listRecoveriesOfMine")
async def list_(
    services: ServicesDep, person: PersonDep, response: Response
) -> RecoveriesOnMineOut:
    """Those that may open my vault, if nobody stops them."""
    response.headers["Cache-Control"] = "no-store"
    found = await recovery_views.on_my_vault(services, person)
    return RecoveriesOnMineOut(
        items=[
            RecoveryOnMineOut(
                id=one.id,
                began_at=one.began_at,
                opens_at=one.opens_at,
                agents=_agents(one.agents),
                means=list(one.means),
                needs_proof=one.needs_proof,
            )
            for one in found
        ]
    )


def _agents(agents: tuple[AgentShown, ...]) -> list[AgentOut]:
    return [
        AgentOut(
            name=one.name,
            job=one.job,
            organisation=one.organisation,
            at=datetime.fromisoformat(one.at),
        )
        for one in agents
    ]
