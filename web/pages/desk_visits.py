"""A vault that is being opened at the desk, from one page to the next: what was chosen, and the
card that is going to be printed; sealed, for the worker's session alone, for a few minutes.

Nothing of it is kept here, and the PIN is never in it. While the page is open the card can be
printed again; once it is closed, or the power was cut, it cannot: an empty vault is left, which
nobody enters, and another is opened.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Response

from auth.card_means import PlannedCard, plan_card
from base import clock
from base.key_names import DESK_VISIT
from web.pages import cookies, forms, sealed_values
from web.pages.page import Page

AT = "/pro/desk/vault"
FIELD = "visit"
LIFE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class DeskVisit:
    """What was chosen so far. `with_name`: whether the card says the name. `until`: when it ends,
    and with it the printing."""

    language: str
    card: PlannedCard
    until: datetime
    name: str = field(default="", repr=False)
    with_name: bool = False
    anchor: str = field(default="", repr=False)
    """The tag of who they are on their paper, in hexadecimal; what they typed goes no further."""


async def begin(page: Page, language: str) -> DeskVisit:
    """A visit of somebody who reads this language."""
    return DeskVisit(language, await plan_card(page.services), clock.now() + LIFE)


async def seal(page: Page, visit: DeskVisit) -> str:
    """The visit, as a field that this session's pages can open."""
    card = {**asdict(visit.card), "id": str(visit.card.id)}
    values = {**asdict(visit), "card": card, "until": visit.until.isoformat()}
    return await sealed_values.seal(page.services, DESK_VISIT, page.secret, values, visit.until)


async def keep(page: Page, response: Response, visit: DeskVisit) -> None:
    """Let the next page find it, where no form of the one before leads there: a form with a PIN is
    answered by no page."""
    seconds = int((visit.until - clock.now()).total_seconds())
    value = await seal(page, visit)
    cookies.put(response, page.services.settings, "desk", value, seconds=seconds)


def address(step: str, visit: DeskVisit) -> str:
    """Of a page that finds the visit so: it names the card, which the code alone opens."""
    return f"{AT}/{step}?of={visit.card.id}"


async def kept(page: Page) -> DeskVisit | None:
    """The visit that was kept, if it goes on, and is the one that the address names: a browser
    keeps one, the last. In the window of another, nobody chooses the PIN of somebody else's card.
    """
    text = cookies.read(page.request, page.services.settings, "desk")
    visit = await _visit_of(page, text or "")
    named = page.request.query_params.get("of")
    return visit if visit is not None and named == str(visit.card.id) else None


async def visit_in(page: Page, form: forms.Form) -> DeskVisit:
    """The visit that a form goes on with. Raises `form_expired` for one of another session, of
    before, or of nobody."""
    visit = await _visit_of(page, form.get(FIELD))
    if visit is None:
        raise forms.expired()
    return visit


async def _visit_of(page: Page, text: str) -> DeskVisit | None:
    values = await sealed_values.opened(page.services, DESK_VISIT, page.secret, text)
    if values is None:
        return None
    card = values["card"]
    return DeskVisit(
        values["language"],
        PlannedCard(UUID(card["id"]), card["code"], card["secret"]),
        datetime.fromisoformat(values["until"]),
        values["name"],
        values["with_name"],
        values.get("anchor", ""),
    )
