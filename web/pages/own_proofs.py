"""A proof of now on the pages that change what opens a vault: what is asked, a code that is sent
for it, and seven days in its place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import Depends, Response

from auth import holder_proofs, one_time_codes, proof_waits
from auth.holder_proofs import Proof, ProofKind
from base.errors import ServiceError
from web.http.rate_limit import limit_sign_ins
from web.http.visitor import visitor_of
from web.pages.demonstration import demo_message
from web.pages.forms import Form
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.pages.return_address import own_address

router = page_router()
MEANS = "/me/means"


@dataclass(frozen=True, slots=True)
class ShownOnPage:
    """What a page asks for. `code_id`: of a code that was sent for it from this browser, if any;
    `opens_at`: of a wait, and `waits_here` where it is this session's; `message`: of the
    demonstration."""

    kind: ProofKind | Literal["waited"]
    code_id: UUID | None
    opens_at: datetime | None
    waits_here: bool
    message: str | None

    @property
    def is_ready(self) -> bool:
        """Whether the form can be filled in: a code was sent, if it takes one."""
        return self.kind != "code" or self.code_id is not None


@router.post("/me/proof/code", dependencies=[Depends(limit_sign_ins)])
async def send_code(page: PersonPageDep) -> Response:
    """Send a code to the phone that I have, and go back to the change that it is for."""
    form = await page.form()
    back = own_address(form.get("back"), MEANS)
    try:
        # The session's own secret: only this browser can show the code.
        sent = await holder_proofs.send_code(
            page.services, page.person, visitor_of(page.request), secret=page.secret
        )
    except ServiceError as failure:
        if failure.code != "no_proof_code":
            raise
        return go(back)
    return go(with_code(back, str(sent.id)))


@router.post("/me/proof/wait")
async def wait(page: PersonPageDep) -> Response:
    """I can prove nothing: a change is made in seven days."""
    await page.form()
    try:
        await proof_waits.request(page.services, page.person)
    except ServiceError as failure:
        return await page.show_failure(failure, "failure.html", back=MEANS)
    return go(MEANS, done="wait_begun")


@router.post("/me/proof/wait/cancel")
async def cancel_wait(page: PersonPageDep) -> Response:
    """Nobody changes my means without a proof."""
    await page.form()
    await proof_waits.cancel(page.services, page.person)
    return go(MEANS, done="wait_cancelled")


async def shown_on(page: PersonPage, sent: str = "") -> ShownOnPage:
    """What the page of a change asks for. `sent`: the id of a code, as `send_code` said it."""
    asked = await holder_proofs.asked_of(page.services, page.person)
    waiting = asked.waiting
    async with page.services.database.transaction() as tx:
        waited = await proof_waits.is_over(page.services, tx, page.person)
    code_id = await _code_of(page, sent) if asked.kind == "code" else None
    return ShownOnPage(
        "waited" if waited else asked.kind,
        code_id,
        waiting.opens_at if waiting else None,
        waiting is not None and waiting.here,
        await demo_message(page, "sms") if code_id else None,
    )


def with_code(address: str, sent: str) -> str:
    """The address of a change, with the code that was sent for it, if any."""
    code_id = _uuid(sent)
    return (
        address if code_id is None else f"{address}{'&' if '?' in address else '?'}sent={code_id}"
    )


def proof_in(page: PersonPage, form: Form) -> Proof:
    """As use cases take it: one field has the PIN or the code, whichever is asked for."""
    typed = form.get("proof")[:32]
    card = form.get("card")[:320]
    return Proof(typed, card, typed, _uuid(form.get("sent")), page.secret)


async def _code_of(page: PersonPage, sent: str) -> UUID | None:
    """The id of a code that this session asked for and that is not late."""
    code_id = _uuid(sent)
    if code_id is None:
        return None
    sent_to = await one_time_codes.sent_to(page.services, code_id, page.secret)
    return code_id if sent_to is not None and sent_to.address else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
