"""The caller's own means of entering: listed, added, ended; and the PIN that they share."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, StrictBool, StringConstraints

from auth import holder_proofs, means, phone_enrolment, proof_waits
from auth.holder_proofs import ProofKind
from auth.means import MeansView
from auth.one_time_codes import PendingSignIn, SignInWarning
from auth.phone_enrolment import TypedForPhone
from auth.subjects import Person
from base.errors import about
from vault.consent.request_transfer import adopt_requests
from vault.maintenance.erasure_requests import keep_vault
from vault.services import Services
from web.api.holder_proofs import ProvedIn, proof_in
from web.api.shapes import Strict
from web.http.dependencies import PersonDep, ServicesDep
from web.http.openapi_problems import problem_response
from web.http.path_ids import PathId
from web.http.pdf_response import PDF, pdf_response, prefers_pdf
from web.http.problems import language_of
from web.http.rate_limit import limit_sign_ins
from web.http.visitor import visitor_of
from web.printouts.card_sheet import MAX_PHONE, WantedCard, print_card

router = APIRouter(prefix="/v1/me", tags=["means"])

Pin = Annotated[str, StringConstraints(max_length=32)]
_CHANGED: dict[int | str, dict[str, Any]] = {412: problem_response(412)}
_MADE: dict[int | str, dict[str, Any]] = {
    **_CHANGED,
    201: {
        **PDF[200],
        "description": "The card as JSON; or, where `Accept` names `application/pdf`, a page with"
        " it and a spare, to cut out and fold.",
        "headers": {
            "Location": {
                "description": "Of the card, among the means.",
                "schema": {"type": "string", "format": "uri-reference"},
            }
        },
    },
}


class MeansOut(BaseModel):
    """A phone or a card by which I enter."""

    id: UUID
    kind: Literal["phone", "card"]
    label: str = Field(description="How its number or its code ends.")
    added_at: datetime
    last_used_at: datetime | None
    barred: bool = Field(
        description="It opens nothing until it is freed: after wrong PINs, or stopped."
    )
    stopped: bool = Field(description="By me or a desk, as lost or stolen. It is barred, too.")


class WaitOut(BaseModel):
    """Somebody inside asked to change a means without a proof."""

    opens_at: datetime = Field(description="From then on, for seven days, one change is made.")
    here: bool = Field(description="It is this session that asked.")


class MeansListOut(BaseModel):
    """The phone first, then the cards, the oldest first."""

    items: list[MeansOut]
    proof: ProofKind = Field(
        description="What each change of these asks for: the PIN; a card and the PIN; or a code"
        " that is sent to the phone."
    )
    wait: WaitOut | None


class PinIn(ProvedIn):
    """A PIN that its owner typed twice: six digits, or four for whoever cannot, which are tried
    less often."""

    pin: Pin
    again: Pin


class CardIn(PinIn):
    """The PIN of all my means from now on. `replaces`: a card of mine that dies at once."""

    replaces: UUID | None = None
    help_phone: Annotated[str, StringConstraints(max_length=MAX_PHONE)] | None = Field(
        None, description="Of whom it is printed that they help: in the PDF alone."
    )
    with_name: StrictBool = Field(
        False, description="Print the name that I chose: in the PDF alone."
    )


class CardMade(BaseModel):
    """`code` and `secret` are shown this once: to be printed, the secret as a QR."""

    id: UUID
    code: str
    secret: str
    label: str
    added_at: datetime


class PhoneIn(Strict):
    """A phone that I hold."""

    phone: Annotated[str, StringConstraints(max_length=320)]


class PhoneCodeSent(BaseModel):
    """A code is on its way. `secret` is shown this once; adding the phone needs it."""

    id: UUID
    secret: str
    expires_at: datetime
    warnings: list[SignInWarning] = []


class PhoneCodeIn(PinIn):
    """The code received, and the PIN of all my means from now on, which this phone asks too."""

    secret: Annotated[str, StringConstraints(max_length=64)]
    code: Annotated[str, StringConstraints(max_length=32)]


@router.get("/means", operation_id="listMeans")
async def list_(services: ServicesDep, person: PersonDep, response: Response) -> MeansListOut:
    """By what I enter, and when each let me in last."""
    response.headers["Cache-Control"] = "no-store"
    asked = await holder_proofs.asked_of(services, person)
    waiting = asked.waiting
    return MeansListOut(
        items=[_out(one) for one in await means.list_means(services, person)],
        proof=asked.kind,
        wait=waiting and WaitOut(opens_at=waiting.opens_at, here=waiting.here),
    )


@router.post(
    "/proof/code",
    operation_id="sendProofCode",
    status_code=202,
    dependencies=[Depends(limit_sign_ins)],
)
async def send_proof_code(
    request: Request, services: ServicesDep, person: PersonDep, response: Response
) -> PhoneCodeSent:
    """Send a code to the phone that I have, with which I change my means. 409 where my PIN is what
    proves that it is me."""
    response.headers["Cache-Control"] = "no-store"
    return _sent(await holder_proofs.send_code(services, person, visitor_of(request)))


@router.post("/proof/wait", operation_id="waitForProof", status_code=202)
async def wait(services: ServicesDep, person: PersonDep, response: Response) -> WaitOut:
    """I can prove nothing: let this session change a means in seven days. My phone is told now, and
    any session of mine can cancel it. 409 where this session ends sooner."""
    response.headers["Cache-Control"] = "no-store"
    return WaitOut(opens_at=await proof_waits.request(services, person), here=True)


@router.delete("/proof/wait", operation_id="cancelWait", status_code=204)
async def cancel_wait(services: ServicesDep, person: PersonDep) -> Response:
    """Nobody changes my means without a proof; my other sessions end."""
    await proof_waits.cancel(services, person)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.delete("/means/{means_id}", operation_id="removeMeans", status_code=204, responses=_CHANGED)
async def remove(
    means_id: PathId, services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """End a means of mine, at once, with my sessions elsewhere. The last one cannot be ended."""
    await means.remove(services, person, means_id, proof=proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post("/means/{means_id}/stop", operation_id="stopCard", status_code=204, responses=_CHANGED)
async def stop(means_id: PathId, services: ServicesDep, person: PersonDep) -> Response:
    """Stop a lost card of mine at once, without a proof; with one, it is freed. Every session of
    mine ends, this one too, and so does the wait of an erasure. 409 for the last means."""
    await means.stop(services, person, means_id, keep_vault)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post(
    "/means/{means_id}/free", operation_id="freeMeans", status_code=204, responses=_CHANGED
)
async def free(
    means_id: PathId, services: ServicesDep, person: PersonDep, body: ProvedIn | None = None
) -> Response:
    """Free a card of mine that wrong PINs barred."""
    await means.free(services, person, means_id, proof=proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.put("/pin", operation_id="choosePin", status_code=204, responses=_CHANGED)
async def choose_pin(body: PinIn, services: ServicesDep, person: PersonDep) -> Response:
    """Choose the PIN of all my means. A phone of mine asks it too from now on."""
    await means.choose_pin(services, person, body.pin, body.again, proof=proof_in(body))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.post(
    "/cards",
    operation_id="addCard",
    status_code=201,
    response_model=CardMade,
    responses=_MADE,
)
async def add_card(
    body: CardIn, request: Request, services: ServicesDep, person: PersonDep, response: Response
) -> CardMade | Response:
    """A new card, alone or in the place of another. As PDF, it is printed with a spare of it: the
    page is made in this answer and kept nowhere; 503 says that no card was made."""
    if prefers_pdf(request.headers.get("accept", "")):
        return await _printed(body, services, person, language_of(request))
    response.headers["Cache-Control"] = "no-store"
    card = await means.add_card(
        services, person, body.pin, body.again, proof=proof_in(body), replaces=body.replaces
    )
    response.headers["Location"] = _address(card.id)
    return CardMade(
        id=card.id,
        code=card.code,
        secret=card.secret,
        label=card.label,
        added_at=card.created_at,
    )


async def _printed(body: CardIn, services: Services, person: Person, language: str) -> Response:
    wanted = WantedCard(
        body.pin,
        body.again,
        proof_in(body),
        body.replaces,
        help_phone=body.help_phone,
        with_name=body.with_name,
    )
    card, pdf = await print_card(services, person, wanted, language)
    answer = pdf_response(pdf, "carte")
    answer.status_code = 201
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Location"] = _address(card.id)
    return answer


def _address(means_id: UUID) -> str:
    return f"{router.prefix}/means/{means_id}"


@router.post(
    "/phones", operation_id="sendPhoneCode", status_code=202, dependencies=[Depends(limit_sign_ins)]
)
async def send_phone_code(
    body: PhoneIn, request: Request, services: ServicesDep, person: PersonDep, response: Response
) -> PhoneCodeSent:
    """Send a code to a phone that I want to enter by."""
    response.headers["Cache-Control"] = "no-store"
    with about("phone"):
        sent = await phone_enrolment.begin(services, person, body.phone, visitor_of(request))
    return _sent(sent)


@router.post(
    "/phones/{sign_in_id}",
    operation_id="addPhone",
    status_code=201,
    responses={401: problem_response(401), **_CHANGED},
)
async def add_phone(
    sign_in_id: PathId,
    body: PhoneCodeIn,
    request: Request,
    services: ServicesDep,
    person: PersonDep,
    response: Response,
) -> MeansOut:
    """Add the phone, in the place of the one that I had, which is told."""
    response.headers["Cache-Control"] = "no-store"
    added = await phone_enrolment.finish(
        services,
        person,
        sign_in_id,
        TypedForPhone(body.secret, body.code, body.pin, body.again, proof_in(body)),
        on_phone_added=adopt_requests,
        visitor=visitor_of(request),
    )
    return _out(added)


def _sent(sent: PendingSignIn) -> PhoneCodeSent:
    return PhoneCodeSent(
        id=sent.id, secret=sent.secret, expires_at=sent.expires_at, warnings=list(sent.warnings)
    )


def _out(one: MeansView) -> MeansOut:
    return MeansOut(
        id=one.id,
        kind=one.kind,
        label=one.label,
        added_at=one.added_at,
        last_used_at=one.last_used_at,
        barred=one.barred,
        stopped=one.stopped,
    )
