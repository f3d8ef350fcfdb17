"""A new card of a person's: its PIN is chosen, and the page to print is shown next.

The PDF is in the page itself, which the browser does not keep. For a few minutes a cookie holds the
card, sealed for the session: the page is not the answer to a form with a PIN in it.
"""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Response

from auth import means, pins
from auth.means import MeansView
from auth.person_names import own_name
from base import clock
from base.errors import ErrorKind, ServiceError
from base.key_names import SHOWN_CARD
from web.pages import cookies, sealed_values
from web.pages.forms import Form
from web.pages.own_proofs import MEANS, proof_in, shown_on, with_code
from web.pages.page import PersonPage, PersonPageDep, go, page_router
from web.printouts.card_sheet import MAX_PHONE, WantedCard, print_again, print_card

router = page_router()
READY = "/me/cards/ready"
_READY = timedelta(minutes=5)


@router.get("/me/cards/new")
async def ask(page: PersonPageDep, replaces: str = "", sent: str = "") -> Response:
    """The PIN, and what is printed beside the code."""
    found = await means.list_means(page.services, page.person)
    if replaces and _card(found, replaces) is None:
        return go(MEANS, done="means_gone")
    return await page.show("means/new_card.html", **await _values(page, found, replaces, sent))


@router.post("/me/cards")
async def make(page: PersonPageDep) -> Response:
    """Make the card: the next page shows it."""
    form = await page.form()
    found = await means.list_means(page.services, page.person)
    former, seen = _card(found, form.get("replaces")), _seen(form.get("seen"))
    if _is_made(found, seen):
        return await _to_made(page)
    if form.get("replaces") and former is None:
        return go(MEANS, done="means_gone")
    wanted = WantedCard(
        form.get("pin")[:32],
        form.get("again")[:32],
        proof_in(page, form),
        replaces=former.id if former else None,
        help_phone=form.get("help_phone"),
        with_name=form.has("with_name"),
        seen=seen,
    )
    try:
        card, _ = await print_card(page.services, page.person, wanted, page.language)
    except ServiceError as failure:
        return await _not_made(page, failure, form)
    sealed = await sealed_values.seal(
        page.services,
        SHOWN_CARD,
        page.secret,
        {
            "code": card.code,
            "secret": card.secret,
            "help_phone": wanted.help_phone,
            "with_name": wanted.with_name,
        },
        clock.now() + _READY,
    )
    response = go(READY)
    seconds = int(_READY.total_seconds())
    cookies.put(response, page.services.settings, "card", sealed, seconds=seconds)
    return response


@router.get(READY)
async def show_card(page: PersonPageDep) -> Response:
    """The card that was just made, for a few minutes."""
    values = await _shown_now(page)
    if values is None:
        return go(MEANS, done="card_once")
    pdf = await print_again(page.services, page.person, page.language, **values)
    drawn = base64.b64encode(pdf).decode()
    shown = {"code": values["code"], "pdf": drawn, "minutes": int(_READY.total_seconds()) // 60}
    return await page.show("means/card_ready.html", **shown)


async def _shown_now(page: PersonPage) -> dict[str, Any] | None:
    """What the card that was just made shows, in the session that made it; None once it is over."""
    text = cookies.read(page.request, page.services.settings, "card") or ""
    return await sealed_values.opened(page.services, SHOWN_CARD, page.secret, text)


async def _to_made(page: PersonPage) -> Response:
    """To the card that was made already, while it is shown; then to what to do without it."""
    shown = await _shown_now(page)
    return go(MEANS, done="card_once") if shown is None else go(READY)


async def _not_made(page: PersonPage, failure: ServiceError, form: Form) -> Response:
    """The form again, with what was typed but for PINs; or the list, where it was sent twice."""
    found = await means.list_means(page.services, page.person)
    if _is_made(found, _seen(form.get("seen"))):
        return await _to_made(page)
    if failure.kind is ErrorKind.NOT_FOUND:
        return go(MEANS, done="means_gone")
    values = await _values(page, found, form.get("replaces"), form.get("sent"))
    kept = {"help_phone": form.get("help_phone"), "with_name": form.has("with_name")}
    shown = values["former"]
    at = "/me/cards/new" + (f"?replaces={shown.id}" if shown else "")
    at = with_code(at, form.get("sent"))
    return await page.show_failure(failure, "means/new_card.html", at=at, **values | kept)


async def _values(
    page: PersonPage, found: list[MeansView], replaces: str, sent: str
) -> dict[str, Any]:
    """`seen`: the cards that there are now, so that a form that is sent twice makes one."""
    return {
        "proof": await shown_on(page, sent),
        "former": _card(found, replaces),
        "has_pin": await pins.has_pin(page.services, page.person),
        "name": await own_name(page.services, page.person),
        "seen": ",".join(str(one.id) for one in found if one.kind == "card"),
        "help_phone": "",
        "with_name": False,
        "longest": MAX_PHONE,
    }


def _card(found: list[MeansView], text: str) -> MeansView | None:
    return next((one for one in found if str(one.id) == text and one.kind == "card"), None)


def _is_made(found: list[MeansView], seen: frozenset[UUID]) -> bool:
    """Whether a card was made since the form was shown: of one that is sent twice, by the first."""
    return any(one.id not in seen for one in found if one.kind == "card")


def _seen(text: str) -> frozenset[UUID]:
    """Nothing of what is no list of ids: a card that is there is then one that was not seen."""
    try:
        return frozenset(UUID(one) for one in text.split(",") if one)
    except ValueError:
        return frozenset()
