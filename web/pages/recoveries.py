"""At the desk: the papers of somebody who lost every way in, opened again by two agents who see
them.

The first one opens a place beside the person, as at any desk, and gives them a slip; the second one
types the slip's code. Each types what they read on the identity paper themselves, and neither page
tells whether anything was found: only the person reads it, alone.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import Response

from auth import desk_rights, desk_vaults
from auth.anchor_rules import LONGEST
from auth.card_means import PlannedCard
from auth.desk_vaults import DeskVault
from base.errors import ErrorKind, ServiceError, invalid
from base.user_text import digits_of
from vault.recovery import (
    added_means,
    first_agents,
    identities,
    recovery_agents,
    second_agents,
    stops,
)
from vault.recovery.first_agents import PlannedRecovery
from vault.recovery.identities import KINDS, SeenDocument, SeenTag
from vault.recovery.recovery_codes import DIGITS
from web.http.pdf_response import pdf_response
from web.i18n.identity_papers import PAPER_KINDS
from web.i18n.languages import offered
from web.pages import cookies, forms, recovery_steps
from web.pages.desk_turns import ALONE, alone, help_phone, together
from web.pages.forms import Form
from web.pages.own_anchor import NOTHING_TYPED, shown_again, typed_in
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.pages.recovery_steps import AT, SECOND_STEPS, STEPS, RecoveryVisit, lead_to, steps_of
from web.pages.sign_in import visitor_here
from web.printouts.card_sheet import print_planned
from web.printouts.recovery_sheet import print_slip

router = page_router()
_LONGEST_CODE = 40


@router.get(AT)
async def see(page: WorkerPageDep) -> Response:
    """What it takes, and who may."""
    allowed = await desk_rights.is_allowed(page.services, page.worker)
    senior = await recovery_agents.has_seniority(page.services, page.worker)
    return await page.show("recovery/start.html", allowed=allowed, senior=senior)


@router.get("/pro/desk/recovery/language")
async def ask_language(page: WorkerPageDep) -> Response:
    """The person's language."""
    allowed = await desk_rights.is_allowed(page.services, page.worker)
    if not (allowed and await recovery_agents.has_seniority(page.services, page.worker)):
        return go(AT)
    return await page.show(
        "desk/language.html", steps=STEPS, action="/pro/desk/recovery/language", back=AT
    )


@router.post("/pro/desk/recovery/language")
async def take_language(page: WorkerPageDep) -> Response:
    """Their card and their slip are drawn: nothing is written yet."""
    language = (await page.form()).get("language")
    if language not in offered():
        return go("/pro/desk/recovery/language")
    return await lead_to(page, "left", await recovery_steps.begin(page, language))


@router.get("/pro/desk/recovery/second")
async def ask_code(page: WorkerPageDep) -> Response:
    """The code of a slip: I am the second agent."""
    return await page.show("recovery/code.html", steps=SECOND_STEPS)


@router.post("/pro/desk/recovery/second")
async def take_code(page: WorkerPageDep) -> Response:
    """It is not looked up before the second agent says what they see; only its length is."""
    code = (await page.form()).get("code")[:_LONGEST_CODE]
    if len(digits_of(code)) != DIGITS:
        wrong = ServiceError(ErrorKind.REFUSED, "recovery_code_wrong", fields=(("code",),))
        return await page.show_failure(wrong, "recovery/code.html", steps=SECOND_STEPS)
    return await lead_to(page, "left", recovery_steps.begin_second(code))


@router.get("/pro/desk/recovery/cancel")
async def ask_to_cancel(page: WorkerPageDep) -> Response:
    """The code of a slip, to end what I began or confirmed."""
    return await page.show("recovery/cancel.html")


@router.post("/pro/desk/recovery/cancel")
async def cancel(page: WorkerPageDep) -> Response:
    """A recovery of mine ends: its person is not opened what they had."""
    code = (await page.form()).get("code")[:_LONGEST_CODE]
    try:
        await stops.withdraw(page.services, page.worker, code)
    except ServiceError as failure:
        return await page.show_failure(failure, "recovery/cancel.html")
    return go(AT, done="recovery_withdrawn")


@router.get("/pro/desk/recovery/who")
async def ask_who(page: WorkerPageDep) -> Response:
    """What stands on the identity paper in front of me."""
    visit = await recovery_steps.kept(page)
    return go(AT) if visit is None else await page.show(**await _who(page, visit))


@router.post("/pro/desk/recovery/who")
async def take_who(page: WorkerPageDep) -> Response:
    """Of the paper the tag goes on; of the second agent's, the answer comes now."""
    form = await page.form()
    visit = await recovery_steps.visit_in(page, form)
    try:
        seen = await _seen_in(page, form)
        if visit.card is not None:
            return await lead_to(page, "agree", replace(visit, seen=seen))
        earliest = await _second(page, visit, seen)
    except ServiceError as failure:
        wrong_code = failure.code == "recovery_code_wrong"
        shown = await _who(page, visit) | {"typed": _typed(form)}
        at = f"{AT}/second" if wrong_code else recovery_steps.address("who", visit)
        response = await page.show_failure(failure, at=at, **shown)
        await recovery_steps.keep(page, response, visit)
        return response
    return await lead_to(page, "noted", replace(visit, code="", earliest=earliest))


@router.get("/pro/desk/recovery/noted")
async def say_noted(page: WorkerPageDep) -> Response:
    """The same for every second agent, whatever was found."""
    visit = await recovery_steps.kept(page)
    if visit is None or visit.earliest is None:
        return go(AT)
    return await page.show("recovery/noted.html", earliest=visit.earliest)


@router.get("/pro/desk/recovery/agree")
async def ask_agreement(page: WorkerPageDep) -> Response:
    """What is going to happen: both look."""
    visit = await recovery_steps.kept(page)
    if visit is None or visit.seen is None:
        return go(AT)
    return await _together(page, visit, "recovery/agree.html")


@router.post("/pro/desk/recovery/turn")
async def give_device(page: WorkerPageDep) -> Response:
    """« C’est à la personne » : the worker gives the device."""
    visit = await recovery_steps.visit_in(page, await page.form())
    return await _show(page, visit, "desk/turn.html")


@router.post("/pro/desk/recovery/pin")
async def give_turn(page: WorkerPageDep) -> Response:
    """The person's turn: to the page where they choose a PIN, which says what was wrong with it."""
    return await lead_to(page, "pin", await recovery_steps.visit_in(page, await page.form()))


@router.get("/pro/desk/recovery/pin")
async def ask_pin(page: WorkerPageDep) -> Response:
    """They choose a PIN."""
    visit = await recovery_steps.kept(page)
    return go(AT) if visit is None else await _alone(page, visit, "desk/pin.html")


@router.post("/pro/desk/recovery/open")
async def begin(page: WorkerPageDep) -> Response:
    """Begin, once for a form that is sent twice."""
    form = await page.form()
    visit = await recovery_steps.visit_in(page, form)
    card, seen = _first(visit)
    if await desk_vaults.is_open(page.services, card):
        return await lead_to(page, "opened", visit, "&first=yes")
    wanted = DeskVault(visit.language, form.get("pin")[:32], form.get("again")[:32])
    planned = PlannedRecovery(card, visit.code)
    try:
        await first_agents.begin(page.services, page.worker, planned, wanted, seen, visit.shown)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.INVALID:
            raise
        at = recovery_steps.address("pin", visit)
        response = await page.show_failure(failure, "desk/pin.html", at=at)
        await recovery_steps.keep(page, response, visit)
        return response
    return await lead_to(page, "opened", visit)


@router.get("/pro/desk/recovery/opened")
async def give_back(page: WorkerPageDep, first: str = "") -> Response:
    """It is begun: the person gives the device back. `first`: the PIN was chosen before."""
    visit = await recovery_steps.kept(page)
    if visit is None or visit.card is None:
        return go(AT)
    if not await desk_vaults.is_open(page.services, visit.card):
        return go(AT)
    return await _alone(page, visit, "desk/opened.html", new=not first)


@router.get("/pro/desk/recovery/{step}")
async def begin_again() -> Response:
    """A step that was reached by its address: only the page before leads to it."""
    return go(AT)


@router.post("/pro/desk/recovery/print")
async def take_device(page: WorkerPageDep) -> Response:
    """The worker has the device again, and prints."""
    visit, _ = await _begun(page)
    return await _show(page, visit, "recovery/print.html", until=visit.until)


@router.post("/pro/desk/recovery/sheet.pdf")
async def print_card(page: WorkerPageDep) -> Response:
    """The card and its spare: again as often as needed, while the page before is open."""
    visit, card = await _begun(page)
    phone = await help_phone(page)
    pdf = await print_planned(
        page.services, page.worker, card, visit.language, name=None, help_phone=phone
    )
    return _unkept(pdf_response(pdf, "carte"))


@router.post("/pro/desk/recovery/slip.pdf")
async def print_code(page: WorkerPageDep) -> Response:
    """The slip for the second agent, which opens nothing."""
    visit, _ = await _begun(page)
    pdf = await print_slip(page.worker, visit.code, visit.language, second=not visit.proofs)
    return _unkept(pdf_response(pdf, "bon"))


@router.post("/pro/desk/recovery/end")
async def end(page: WorkerPageDep) -> Response:
    """What to tell the person."""
    visit, _ = await _begun(page)
    response = await _together(page, visit, "recovery/end.html")
    cookies.drop(response, page.services.settings, "desk")
    return response


async def _seen_in(page: WorkerPage, form: Form) -> SeenTag:
    """What is kept of the paper that an agent read. Raises as `identities.seen`; `ServiceError`
    INVALID `paper_not_compared` where they do not say that it is the person's."""
    document = SeenDocument(form.get("kind")[:_LONGEST_CODE], typed_in(form))
    seen = await identities.seen(page.services, document)
    if not form.has("compared"):
        raise invalid("paper_not_compared", fields=(("compared",),))
    return seen


async def _second(page: WorkerPage, visit: RecoveryVisit, seen: SeenTag) -> datetime:
    """What is shown later counts whichever agent shows it; without it, this one is the second."""
    if visit.proofs:
        return await added_means.add_means(
            page.services, page.worker, visit.code, seen, visit.shown, visitor_here(page)
        )
    return await second_agents.second(
        page.services, page.worker, visit.code, seen, visitor_here(page), visit.shown
    )


def _typed(form: Form) -> dict[str, str]:
    typed: dict[str, str] = shown_again(form)["typed"]
    return typed | {"kind": form.get("kind")[:_LONGEST_CODE]}


async def _who(page: WorkerPage, visit: RecoveryVisit) -> dict[str, Any]:
    """The page of an identity paper: its template and values."""
    return {
        "template": "recovery/who.html",
        **await steps_of(page, visit),
        "back": recovery_steps.address("left", visit),
        "kinds": [(one, PAPER_KINDS[one]) for one in KINDS],
        "typed": NOTHING_TYPED | {"kind": ""},
        "longest": LONGEST,
    }


def _first(visit: RecoveryVisit) -> tuple[PlannedCard, SeenTag]:
    """Of a first agent's visit that read a paper. Raises `form_expired`."""
    if visit.card is None or visit.seen is None:
        raise forms.expired()
    return visit.card, visit.seen


async def _begun(page: WorkerPage) -> tuple[RecoveryVisit, PlannedCard]:
    """The visit of one that is begun. Raises `form_expired` before: there is no card yet."""
    visit = await recovery_steps.visit_in(page, await page.form())
    card, _ = _first(visit)
    if not await desk_vaults.is_open(page.services, card):
        raise forms.expired()
    return visit, card


async def _together(page: WorkerPage, visit: RecoveryVisit, template: str) -> Response:
    return await _show(together(page, visit.language), visit, template)


async def _alone(page: WorkerPage, visit: RecoveryVisit, template: str, **values: Any) -> Response:
    return await _show(alone(page, visit.language), visit, template, **ALONE, **values)


async def _show(page: WorkerPage, visit: RecoveryVisit, template: str, **values: Any) -> Response:
    shown = {**await steps_of(page, visit), "worker": page.worker, **values}
    return await page.show(template, **shown)


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
