"""At the desk, one thing a page: a vault opened beside somebody, with a card that is printed.

Whose turn it is to hold the device is said before each turn. What needs help, such as an identity
paper, is asked before, while both look. In the person's turn the pages are in their language and
lead nowhere else; what they type is sent once and stands on no page.
"""

from dataclasses import replace
from typing import Any

from fastapi import Response

from auth import anchors, desk_rights, desk_vaults
from auth.anchor_rules import LONGEST
from auth.desk_vaults import MAX_NAME, DeskVault
from base.errors import ErrorKind, ServiceError, about
from base.user_text import clean_title
from web.http.pdf_response import pdf_response
from web.i18n.languages import offered
from web.pages import cookies, desk_visits, forms
from web.pages.desk_turns import ALONE, alone, help_phone, together
from web.pages.desk_visits import DeskVisit
from web.pages.own_anchor import NOTHING_TYPED, shown_again, typed_in
from web.pages.page import WorkerPage, WorkerPageDep, go, page_router
from web.printouts.card_sheet import print_planned

router = page_router()
STEPS = ("language", "card", "name", "anchor", "pin", "print", "end")


@router.get("/pro/desk")
async def see(page: WorkerPageDep) -> Response:
    """What may be done at the desk, and what never."""
    allowed = await desk_rights.is_allowed(page.services, page.worker)
    team = page.services.settings.operator_email
    return await page.show("desk/desk.html", allowed=allowed, team=team)


@router.get("/pro/desk/has-card")
async def has_card(page: WorkerPageDep) -> Response:
    """What to do with somebody who has a card already, or had one."""
    return await page.show("desk/has_card.html")


@router.get("/pro/desk/vault")
async def ask_language(page: WorkerPageDep) -> Response:
    """The person's language."""
    if not await desk_rights.is_allowed(page.services, page.worker):
        return go("/pro/desk")
    return await page.show(
        "desk/language.html", steps=STEPS, action=f"{desk_visits.AT}/card", back="/pro/desk"
    )


@router.get("/pro/desk/vault/pin")
async def ask_pin_again(page: WorkerPageDep) -> Response:
    """They choose a PIN: what was wrong with the one before is said."""
    visit = await desk_visits.kept(page)
    return go("/pro/desk") if visit is None else await _alone(page, visit, "pin")


@router.get("/pro/desk/vault/anchor")
async def ask_anchor_again(page: WorkerPageDep) -> Response:
    """What was wrong with the identity paper, and the fields again."""
    visit = await desk_visits.kept(page)
    return go("/pro/desk") if visit is None else await _ask_anchor(page, visit)


@router.get("/pro/desk/vault/turn")
async def give_device(page: WorkerPageDep) -> Response:
    """« C’est à la personne » : the worker gives the device."""
    visit = await desk_visits.kept(page)
    return go("/pro/desk") if visit is None else await _show(page, visit, "turn")


@router.get("/pro/desk/vault/opened")
async def give_back(page: WorkerPageDep, first: str = "") -> Response:
    """The vault is open: the person gives the device back. `first`: the PIN was chosen before."""
    visit = await desk_visits.kept(page)
    if visit is None or not await desk_vaults.is_open(page.services, visit.card):
        return go("/pro/desk")
    return await _alone(page, visit, "opened", new=not first)


@router.get("/pro/desk/vault/{step}")
async def begin_again() -> Response:
    """A step that was reached by its address: only the page before leads to it."""
    return go("/pro/desk")


@router.post("/pro/desk/vault/card")
async def ask_card(page: WorkerPageDep) -> Response:
    """Whether they have a card already."""
    language = (await page.form()).get("language")
    if language not in offered():
        return go("/pro/desk/vault")
    return await _together(page, await desk_visits.begin(page, language), "card")


@router.post("/pro/desk/vault/name")
async def ask_name(page: WorkerPageDep) -> Response:
    """What they want to be called, if they do."""
    visit = await desk_visits.visit_in(page, await page.form())
    return await _together(page, visit, "name", longest=MAX_NAME)


@router.post("/pro/desk/vault/anchor")
async def ask_anchor(page: WorkerPageDep) -> Response:
    """Who they are on their identity paper, if they want: the worker may help."""
    form = await page.form()
    visit = await desk_visits.visit_in(page, form)
    try:
        with about("name"):
            name = clean_title(form.get("name"), MAX_NAME) or ""
    except ServiceError as failure:
        return await _together(page, visit, "name", failure, longest=MAX_NAME)
    with_name = bool(name) and form.has("with_name")
    return await _ask_anchor(page, replace(visit, name=name, with_name=with_name))


@router.post("/pro/desk/vault/turn")
async def take_anchor(page: WorkerPageDep) -> Response:
    """Of their paper the tag goes on, if they typed anything. The page that gives the device is
    another one: the worker's browser would keep what was typed with the page that answers it."""
    form = await page.form()
    visit = replace(await desk_visits.visit_in(page, form), anchor="")
    typed = shown_again(form)
    response: Response = go(desk_visits.address("turn", visit))
    if any(typed["typed"].values()) and not form.has("without"):
        try:
            tag = await anchors.tag_of(page.services, typed_in(form))
            visit = replace(visit, anchor=tag.hex())
        except ServiceError as failure:
            at = desk_visits.address("anchor", visit)
            response = await page.show_failure(failure, "desk/anchor.html", at=at, **typed)
    await desk_visits.keep(page, response, visit)
    return response


@router.post("/pro/desk/vault/pin")
async def ask_pin(page: WorkerPageDep) -> Response:
    """The person's turn: to the page where they choose a PIN, which says what was wrong with it."""
    visit = await desk_visits.visit_in(page, await page.form())
    response = go(desk_visits.address("pin", visit))
    await desk_visits.keep(page, response, visit)
    return response


@router.post("/pro/desk/vault/open")
async def open_vault(page: WorkerPageDep) -> Response:
    """Open the vault, once for a form that is sent twice. What comes of it is on another page: the
    worker's browser keeps what a form holds with the page that answers it."""
    form = await page.form()
    visit = await desk_visits.visit_in(page, form)
    wanted = DeskVault(
        visit.language,
        form.get("pin")[:32],
        form.get("again")[:32],
        visit.name,
        bytes.fromhex(visit.anchor) or None,
    )
    try:
        new = await desk_vaults.open_planned(page.services, page.worker, visit.card, wanted)
    except ServiceError as failure:
        if failure.kind is not ErrorKind.INVALID:
            raise
        at = desk_visits.address("pin", visit)
        response = await page.show_failure(failure, "desk/pin.html", at=at)
    else:
        response = go(desk_visits.address("opened", visit) + ("" if new else "&first=yes"))
    await desk_visits.keep(page, response, visit)
    return response


@router.post("/pro/desk/vault/print")
async def take_device(page: WorkerPageDep) -> Response:
    """The worker has the device again, and prints."""
    visit = await _opened(page)
    return await _show(page, visit, "print", until=visit.until)


@router.post("/pro/desk/vault/sheet.pdf")
async def print_card(page: WorkerPageDep) -> Response:
    """The card and its spare: again as often as needed, while the page before is open."""
    visit = await _opened(page)
    pdf = await print_planned(
        page.services,
        page.worker,
        visit.card,
        visit.language,
        name=visit.name if visit.with_name else None,
        help_phone=await help_phone(page),
    )
    answer = pdf_response(pdf, "carte")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/pro/desk/vault/end")
async def end(page: WorkerPageDep) -> Response:
    """What to tell the person."""
    response = await _together(page, await _opened(page), "end")
    cookies.drop(response, page.services.settings, "desk")
    return response


async def _opened(page: WorkerPage) -> DeskVisit:
    """The visit of a vault that is open. Raises `form_expired` before: there is no card yet."""
    visit = await desk_visits.visit_in(page, await page.form())
    if not await desk_vaults.is_open(page.services, visit.card):
        raise forms.expired()
    return visit


async def _ask_anchor(page: WorkerPage, visit: DeskVisit) -> Response:
    return await _together(page, visit, "anchor", typed=NOTHING_TYPED, longest=LONGEST)


async def _together(
    page: WorkerPage, visit: DeskVisit, step: str, *failed: ServiceError, **values: Any
) -> Response:
    """A page that both look at."""
    return await _show(together(page, visit.language), visit, step, *failed, **values)


async def _alone(
    page: WorkerPage, visit: DeskVisit, step: str, *failed: ServiceError, **values: Any
) -> Response:
    """A page that the person alone looks at: in their language, without the worker's menu."""
    turn = alone(page, visit.language)
    return await _show(turn, visit, step, *failed, **ALONE, **values)


async def _show(
    page: WorkerPage, visit: DeskVisit, step: str, *failed: ServiceError, **values: Any
) -> Response:
    shown = {
        "visit": await desk_visits.seal(page, visit),
        "task": desk_visits.AT,
        "begin": desk_visits.AT,
        "steps": STEPS,
        "worker": page.worker,
        **values,
    }
    return await page.show_failures(failed, f"desk/{step}.html", **shown)
