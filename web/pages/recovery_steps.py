"""A vault that is opened again at the desk, from one page to the next: the card and the slip that
are going to be printed, or the slip that the second agent holds; and of an identity paper what is
kept of it, never what was typed. Sealed, for the worker's session alone, for a few minutes.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Response

from auth.card_means import PlannedCard
from base import clock
from base.ids import new_id
from base.key_names import RECOVERY_VISIT
from vault.recovery import first_agents
from vault.recovery.first_agents import PlannedRecovery
from vault.recovery.identities import SeenTag
from vault.recovery.shown_means import NOTHING_SHOWN, ShownMeans
from web.pages import cookies, forms, sealed_values
from web.pages.desk_visits import FIELD, LIFE
from web.pages.page import Page, go

AT = "/pro/desk/recovery"
STEPS = ("language", "left", "who", "agree", "pin", "print", "end")
SECOND_STEPS = ("code", "left", "who")


@dataclass(frozen=True, slots=True)
class RecoveryVisit:
    """What was chosen so far. `card`: of the first agent's visit alone, and so is `language`.
    `sign_in`: of a code that was sent to a phone; `earliest`: what the second agent was told."""

    id: UUID
    until: datetime
    code: str = field(default="", repr=False)
    language: str = ""
    card: PlannedCard | None = None
    shown: ShownMeans = NOTHING_SHOWN
    sign_in: UUID | None = None
    seen: SeenTag | None = None
    earliest: datetime | None = None

    @property
    def proofs(self) -> int:
        """How many means were shown, whether or not they are of a vault."""
        return sum(map(bool, (self.shown.card, self.shown.reached, self.shown.trusted_code)))


async def begin(page: Page, language: str) -> RecoveryVisit:
    """A visit of the first agent, with somebody who reads this language."""
    planned: PlannedRecovery = await first_agents.plan(page.services)
    return RecoveryVisit(new_id(), clock.now() + LIFE, planned.code, language, planned.card)


def begin_second(code: str) -> RecoveryVisit:
    """A visit of the second one, who typed the code of a slip."""
    return RecoveryVisit(new_id(), clock.now() + LIFE, code)


async def seal(page: Page, visit: RecoveryVisit) -> str:
    """The visit, as a field that this session's pages can open."""
    return await sealed_values.seal(
        page.services, RECOVERY_VISIT, page.secret, _values(visit), visit.until
    )


async def keep(page: Page, response: Response, visit: RecoveryVisit) -> None:
    """Let the next page find it, where no form of the one before leads there."""
    seconds = int((visit.until - clock.now()).total_seconds())
    value = await seal(page, visit)
    cookies.put(response, page.services.settings, "desk", value, seconds=seconds)


def address(step: str, visit: RecoveryVisit) -> str:
    """Of a page that finds the visit so."""
    return f"{AT}/{step}?of={visit.id}"


async def kept(page: Page) -> RecoveryVisit | None:
    """The visit that was kept, if it goes on, and is the one that the address names."""
    text = cookies.read(page.request, page.services.settings, "desk")
    visit = await _visit_of(page, text or "")
    named = page.request.query_params.get("of")
    return visit if visit is not None and named == str(visit.id) else None


async def visit_in(page: Page, form: forms.Form) -> RecoveryVisit:
    """The visit that a form goes on with. Raises `form_expired` for one of another session, of
    before, or of nobody."""
    visit = await _visit_of(page, form.get(FIELD))
    if visit is None:
        raise forms.expired()
    return visit


async def lead_to(page: Page, step: str, visit: RecoveryVisit, more: str = "") -> Response:
    """To the page of a step, which finds the visit."""
    response = go(address(step, visit) + more)
    await keep(page, response, visit)
    return response


async def steps_of(page: Page, visit: RecoveryVisit) -> dict[str, Any]:
    """What every page of a visit is shown with."""
    first = visit.card is not None
    return {
        "visit": await seal(page, visit),
        "task": AT,
        "begin": f"{AT}/language",
        "steps": STEPS if first else SECOND_STEPS,
        "first": first,
        "proofs": visit.proofs,
    }


async def _visit_of(page: Page, text: str) -> RecoveryVisit | None:
    values = await sealed_values.opened(page.services, RECOVERY_VISIT, page.secret, text)
    if values is None:
        return None
    card, seen, earliest = values["card"], values["seen"], values["earliest"]
    shown, sign_in = ShownMeans(**values["shown"]), values["sign_in"]
    return RecoveryVisit(
        UUID(values["id"]),
        datetime.fromisoformat(values["until"]),
        values["code"],
        values["language"],
        PlannedCard(UUID(card["id"]), card["code"], card["secret"]) if card else None,
        replace(shown, known=UUID(shown.known)) if isinstance(shown.known, str) else shown,
        UUID(sign_in) if sign_in else None,
        SeenTag(seen["kind"], seen["end"], bytes.fromhex(seen["tag"])) if seen else None,
        datetime.fromisoformat(earliest) if earliest else None,
    )


def _values(visit: RecoveryVisit) -> dict[str, Any]:
    card, seen, earliest, known = visit.card, visit.seen, visit.earliest, visit.shown.known
    return {
        "id": str(visit.id),
        "until": visit.until.isoformat(),
        "code": visit.code,
        "language": visit.language,
        "card": {**asdict(card), "id": str(card.id)} if card else None,
        "shown": {**asdict(visit.shown), "known": known and str(known)},
        "sign_in": str(visit.sign_in) if visit.sign_in else None,
        "seen": {**asdict(seen), "tag": seen.tag.hex()} if seen else None,
        "earliest": earliest.isoformat() if earliest else None,
    }
