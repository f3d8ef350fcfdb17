"""The desk: a vault that is opened again for somebody who lost the means of it, by two agents who
see them, or by one and a means that is left. What agents are answered is the same whatever was
found."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from auth.anchor_rules import TypedAnchor
from auth.desk_vaults import MAX_NAME, DeskVault
from vault.recovery import added_means, first_agents, reached_phones, second_agents
from vault.recovery.identities import SeenDocument
from vault.recovery.recovery_codes import DIGITS
from vault.recovery.shown_means import ShownMeans
from web.api.anchors import AnchorText
from web.api.desk_vaults import DeskCard
from web.api.means import PinIn
from web.api.shapes import Language, Strict
from web.api.sign_ins import Secret, SignInStarted, Typed
from web.http.dependencies import ServicesDep, WorkerDep
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.visitor import VisitorDep
from web.i18n.languages import SOURCE

router = APIRouter(prefix="/v1/desk/recoveries", tags=["desk"])


class SeenPaper(AnchorText):
    """What I read myself on the identity paper in front of me. Its kind and the last four signs of
    its number are kept, and a keyed tag of the rest."""

    kind: Annotated[str, StringConstraints(max_length=40)] = Field(
        description="`id_card`, `passport`, `residence_permit`, `asylum`, `driving` or `other`."
    )


class MeansIn(Strict):
    """What the person still has, all of it optional. `card`: its code, or what its QR holds; no PIN
    is asked. `reached`: what a right code of a phone was answered with. `trusted_code`: the digits
    that a trusted person shows."""

    card: Typed = ""
    reached: Annotated[str, StringConstraints(max_length=2000)] = ""
    trusted_code: Annotated[str, StringConstraints(max_length=32)] = ""


class SoughtIn(Strict):
    """What I read, what I was shown, and what helps to find the vault: the number that the person
    had, or `person`, my own id of one of my people."""

    document: SeenPaper
    shown: MeansIn = MeansIn()
    former_phone: Typed = ""
    person: UUID | None = None

    def seen(self) -> SeenDocument:
        """What was read."""
        paper = self.document
        parts = (paper.family_name, paper.given_name, paper.birth_date, paper.document_end)
        return SeenDocument(paper.kind, TypedAnchor(*parts))

    def means(self) -> ShownMeans:
        """What was shown."""
        given = self.shown
        return ShownMeans(
            given.card, given.reached, given.trusted_code, self.former_phone, self.person
        )


class RecoveryIn(PinIn, SoughtIn):
    """The person chooses the PIN of their new card, and types it themselves. `language`: the one
    that they read."""

    language: Language = SOURCE
    name: Annotated[str, StringConstraints(max_length=4 * MAX_NAME)] = Field(
        "", description="What they want to be called; none of their papers has to say it."
    )


class BegunRecoveryOut(BaseModel):
    """The same whatever was found. `code`: for the second agent. `card`: shown this once, to be
    printed for the person: it opens a new vault at once, where papers may be added."""

    code: str
    card: DeskCard
    second_agent: bool = Field(description="Whether somebody else must see the person too.")
    earliest_at: datetime | None = Field(
        description="From when on the person may open what they had, at the earliest."
    )


class SecondIn(SoughtIn):
    """The code that the first agent gave, and what I read and was shown myself."""

    code: Annotated[str, StringConstraints(max_length=4 * DIGITS)]


class SecondOut(BaseModel):
    """The same whatever was found."""

    earliest_at: datetime


class PhoneIn(Strict):
    """A phone that the person says they still reach. `language`: the one that they read."""

    phone: Typed
    language: Language = SOURCE


class PhoneCodeIn(Strict):
    """The digits that the person received, and the `secret` that the start answered."""

    secret: Secret
    code: Annotated[str, StringConstraints(max_length=32)]


class ReachedOut(BaseModel):
    """Goes in `shown`, for half an hour, by me alone."""

    reached: str


@router.post("/phone-codes", operation_id="sendRecoveryCode", status_code=202)
async def send_code(
    body: PhoneIn,
    services: ServicesDep,
    worker: WorkerDep,
    visitor: VisitorDep,
    response: Response,
) -> SignInStarted:
    """Send a code to a phone that the person still reaches. It lets nobody in, and the answer is
    the same whether or not a vault has that phone."""
    response.headers["Cache-Control"] = "no-store"
    started = await reached_phones.send(
        services, worker, body.phone, visitor, language=body.language
    )
    return SignInStarted(
        id=started.id,
        secret=started.secret,
        expires_at=started.expires_at,
        warnings=list(started.warnings),
    )


@router.post(
    "/phone-codes/{sign_in_id}",
    operation_id="confirmRecoveryCode",
    responses={401: problem_response(401)},
)
async def confirm_code(
    sign_in_id: PathId,
    body: PhoneCodeIn,
    services: ServicesDep,
    worker: WorkerDep,
    visitor: VisitorDep,
    response: Response,
) -> ReachedOut:
    """Type the digits that arrived. 401 `code_wrong` for any that do not serve."""
    response.headers["Cache-Control"] = "no-store"
    note = await reached_phones.confirm(
        services, worker, sign_in_id, secret=body.secret, code=body.code, visitor=visitor
    )
    return ReachedOut(reached=note)


@router.post("", operation_id="beginRecovery", status_code=202)
async def begin(
    body: RecoveryIn, services: ServicesDep, worker: WorkerDep, response: Response
) -> BegunRecoveryOut:
    """Begin to open again the vault of somebody who lost the means of it. A new vault is opened
    beside them as at any desk; what they had comes into it later, if all of it fits and nobody
    stops it. Only they will read whether something was found. My name is in both logs."""
    response.headers["Cache-Control"] = "no-store"
    wanted = DeskVault(body.language, body.pin, body.again, body.name)
    planned = await first_agents.plan(services)
    begun = await first_agents.begin(services, worker, planned, wanted, body.seen(), body.means())
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
    told = await second_agents.second(
        services, worker, body.code, body.seen(), visitor, body.means()
    )
    return SecondOut(earliest_at=told)


@router.post("/means", operation_id="addRecoveryMeans", status_code=202)
async def add_means(
    body: SecondIn,
    services: ServicesDep,
    worker: WorkerDep,
    visitor: VisitorDep,
    response: Response,
) -> SecondOut:
    """Show a means later, beside the person: it may be opened sooner then, never later."""
    response.headers["Cache-Control"] = "no-store"
    told = await added_means.add_means(
        services, worker, body.code, body.seen(), body.means(), visitor
    )
    return SecondOut(earliest_at=told)
