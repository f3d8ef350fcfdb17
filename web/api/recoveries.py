"""The desk: a vault that is opened again for somebody who lost every means of it, by two agents who
see them. What agents are answered is the same whatever was found."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from auth.anchor_rules import TypedAnchor
from auth.desk_vaults import MAX_NAME, DeskVault
from vault.recovery import first_agents, second_agents
from vault.recovery.identities import SeenDocument
from vault.recovery.recovery_codes import DIGITS
from web.api.anchors import AnchorText
from web.api.desk_vaults import DeskCard
from web.api.means import PinIn
from web.api.shapes import Language, Strict
from web.http.dependencies import ServicesDep, WorkerDep
from web.http.visitor import VisitorDep
from web.i18n.languages import SOURCE

router = APIRouter(prefix="/v1/desk/recoveries", tags=["desk"])


class SeenPaper(AnchorText):
    """What I read myself on the identity paper in front of me. Its kind and the last four signs of
    its number are kept, and a keyed tag of the rest."""

    kind: Annotated[str, StringConstraints(max_length=40)] = Field(
        description="`id_card`, `passport`, `residence_permit`, `asylum`, `driving` or `other`."
    )


class RecoveryIn(PinIn):
    """The person chooses the PIN of their new card, and types it themselves. `language`: the one
    that they read."""

    language: Language = SOURCE
    name: Annotated[str, StringConstraints(max_length=4 * MAX_NAME)] = Field(
        "", description="What they want to be called; none of their papers has to say it."
    )
    document: SeenPaper


class BegunRecoveryOut(BaseModel):
    """The same whatever was found. `code`: for the second agent. `card`: shown this once, to be
    printed for the person: it opens a new vault at once, where papers may be added."""

    code: str
    card: DeskCard
    second_agent: bool = Field(description="Whether somebody else must see the person too.")
    earliest_at: datetime | None = Field(
        description="From when on the person may open what they had, at the earliest."
    )


class SecondIn(Strict):
    """The code that the first agent gave, and what I read myself."""

    code: Annotated[str, StringConstraints(max_length=4 * DIGITS)]
    document: SeenPaper


class SecondOut(BaseModel):
    """The same whatever was found."""

    earliest_at: datetime


@router.post("", operation_id="beginRecovery", status_code=202)
async def begin(
    body: RecoveryIn, services: ServicesDep, worker: WorkerDep, response: Response
) -> BegunRecoveryOut:
    """Begin to open again the vault of somebody who lost every means of it. A new vault is opened
    beside them as at any desk; what they had comes into it later, if all of it fits and nobody
    stops it. Only they will read whether something was found. My name is in both logs."""
    response.headers["Cache-Control"] = "no-store"
    wanted = DeskVault(body.language, body.pin, body.again, body.name)
    planned = await first_agents.plan(services)
    begun = await first_agents.begin(services, worker, planned, wanted, _seen(body.document))
    card = begun.card
    return BegunRecoveryOut(
        code=begun.code,
        card=DeskCard(code=card.grouped, secret=card.secret, label=card.label),
        second_agent=begun.second_agent,
        earliest_at=begun.earliest_at,
    )


@router.post("/second", operation_id="secondRecovery", status_code=202)
async def second(
    body: SecondIn,
    services: ServicesDep,
    worker: WorkerDep,
    visitor: VisitorDep,
    response: Response,
) -> SecondOut:
    """See the person too, as the second agent: in my own session, with my own eyes. 409
    `same_agent` for whoever began it."""
    response.headers["Cache-Control"] = "no-store"
    told = await second_agents.second(services, worker, body.code, _seen(body.document), visitor)
    return SecondOut(earliest_at=told)


def _seen(paper: SeenPaper) -> SeenDocument:
    typed = TypedAnchor(paper.family_name, paper.given_name, paper.birth_date, paper.document_end)
    return SeenDocument(paper.kind, typed)
