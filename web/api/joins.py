"""Two vaults of one person that become one, from inside both."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field, StringConstraints

from auth.means import MeansView
from vault.maintenance.joins import join_codes, joined_vaults, union
from vault.maintenance.joins.join_rules import JoinState
from vault.maintenance.joins.join_views import JoinPlan, JoinView
from vault.maintenance.joins.union import TypedYes
from web.api.access_log import EntryList, entries_out
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Cursor, Limit, Strict
from web.http.dependencies import PersonDep, ServicesDep
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.problems import language_of

router = APIRouter(prefix="/v1/me/joins", tags=["joins"])

Pin = Annotated[str, StringConstraints(max_length=32)]


class JoinCodeIn(Strict):
    """The digits that the other vault shows."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=32)]


class YesIn(ProvedIn):
    """The PIN that all the means of the joined vault have from now on, twice, where `asks_pin` says
    so: it may be the one that is there. And a proof of now."""

    pin: Pin = ""
    again: Pin = ""


class JoinMeansOut(BaseModel):
    """A means of the vault that ends, and how its number or its code ends."""

    kind: Literal["phone", "card"]
    label: str


class WhoEnds(BaseModel):
    """Who has an access or waits for an answer."""

    name: str
    organisation: str


class JoinPlanOut(BaseModel):
    """What a yes would do. No grant moves: who had one asks again."""

    papers: int = Field(description="How many come, the trash included; one in both comes once.")
    coming: list[JoinMeansOut] = Field(description="They open this vault from then on.")
    left: list[JoinMeansOut] = Field(description="They open nothing any more.")
    grants: list[WhoEnds] = Field(description="Accesses to the other vault that end.")
    requests: list[WhoEnds] = Field(description="Requests to the other vault that are refused.")
    seen_by: list[WhoEnds] = Field(
        description="Accesses to this vault that show what comes of their types, as they were given"
        " for later papers too; no other access shows it."
    )
    asks_pin: bool


class JoinOut(BaseModel):
    """A join, as one of its two vaults sees it. `open`: its digits wait to be typed; `answered`:
    the vault that stays shows what would happen; `joined`: it is done; `over`: too late."""

    id: UUID
    side: Literal["ends", "stays"] = Field(description="What becomes of the caller's vault.")
    state: JoinState
    ends_at: datetime = Field(description="Until when what comes next may be done.")
    joined_at: datetime | None
    code: str | None = Field(description="Eight digits, in the vault that ends, while they serve.")
    plan: JoinPlanOut | None = Field(description="In the vault that stays, while it is answered.")


class JoinedOut(BaseModel):
    """A vault that ended in the caller's. Its log is kept, and read here."""

    id: UUID
    joined_at: datetime


class JoinedList(BaseModel):
    """The last first."""

    items: list[JoinedOut]
    possible_at: datetime | None = Field(
        description="From when the means of my vault are old enough to join it with another, either"
        " way: seven days after the last one was added, or a PIN chosen. Null where they are."
    )


@router.post("", operation_id="askJoin", status_code=201)
async def ask(
    services: ServicesDep, person: PersonDep, response: Response, body: ProvedIn | None = None
) -> JoinOut:
    """In the vault that will end: get eight digits, for ten minutes. Those of before serve no more.
    409 while an erasure, or a change without a proof, waits, and while a means is new."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await join_codes.ask(services, person, proof_in(body)))


@router.delete("/asked", operation_id="withdrawJoin", status_code=204)
async def withdraw(services: ServicesDep, person: PersonDep) -> Response:
    """In the vault that would end: the digits serve no more, typed or not; nothing is joined."""
    await join_codes.withdraw(services, person)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post("/answer", operation_id="answerJoin")
async def answer(
    body: JoinCodeIn, services: ServicesDep, person: PersonDep, response: Response
) -> JoinOut:
    """In the vault that stays: type the digits, and see what would happen. Digits that do not
    exist, that were typed, that are over, or one's own are refused alike; five wrong ones in a day.
    """
    response.headers["Cache-Control"] = "no-store"
    return _out(await join_codes.answer(services, person, body.code))


@router.get("", operation_id="listJoined")
async def list_(services: ServicesDep, person: PersonDep, response: Response) -> JoinedList:
    """The vaults that ended in mine; and from when mine may be joined with another."""
    response.headers["Cache-Control"] = "no-store"
    found = await joined_vaults.list_joined(services, person)
    return JoinedList(
        items=[JoinedOut(id=one.id, joined_at=one.joined_at) for one in found],
        possible_at=await join_codes.possible_at(services, person),
    )


@router.get("/{join_id}", operation_id="getJoin")
async def see(
    join_id: PathId, services: ServicesDep, person: PersonDep, response: Response
) -> JoinOut:
    """How far a join is, to its two vaults."""
    response.headers["Cache-Control"] = "no-store"
    return _out(await join_codes.see(services, person, join_id))


@router.post("/{join_id}/yes", operation_id="sayYesToJoin", responses={412: problem_response(412)})
async def say_yes(
    join_id: PathId,
    services: ServicesDep,
    person: PersonDep,
    response: Response,
    body: YesIn | None = None,
) -> JoinOut:
    """In the vault that stays: join them, at once and for good. A second time changes nothing."""
    response.headers["Cache-Control"] = "no-store"
    said = body or YesIn()
    typed = TypedYes(said.pin, said.again, proof_in(said))
    return _out(await union.join(services, person, join_id, typed))


@router.get("/{join_id}/access-log", operation_id="listLogOfJoined")
async def list_log(
    join_id: PathId,
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    response: Response,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EntryList:
    """What happened on a vault until it ended in mine, newest first."""
    response.headers["Cache-Control"] = "no-store"
    page = await joined_vaults.log_of_joined(services, person, join_id, cursor=cursor, limit=limit)
    return entries_out(page, language_of(request))


def _out(join: JoinView) -> JoinOut:
    return JoinOut(
        id=join.id,
        side=join.side,
        state=join.state,
        ends_at=join.ends_at,
        joined_at=join.joined_at,
        code=join.code,
        plan=join.plan and _plan(join.plan),
    )


def _plan(plan: JoinPlan) -> JoinPlanOut:
    return JoinPlanOut(
        papers=plan.papers,
        coming=[_means(one) for one in plan.means.coming],
        left=[_means(one) for one in plan.means.left],
        grants=[_who(one) for one in plan.consents.grants],
        requests=[_who(one) for one in plan.consents.requests],
        seen_by=[_who(one) for one in plan.seen_by],
        asks_pin=plan.asks_pin,
    )


def _means(one: MeansView) -> JoinMeansOut:
    return JoinMeansOut(kind=one.kind, label=one.label)


def _who(one: tuple[str, str]) -> WhoEnds:
    return WhoEnds(name=one[0], organisation=one[1])
