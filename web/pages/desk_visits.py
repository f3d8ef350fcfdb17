"""A vault that is being opened at the desk, from one page to the next: what was chosen, and the
card that is going to be printed; sealed, for the worker's session alone, for a few minutes.

Nothing of it is kept here, and the PIN is never in it. While the page is open the card can be
printed again; once it is closed, or the power was cut, it cannot: an empty vault is left, which
nobody enters, and another is opened.
"""

import base64
import binascii
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from auth.card_means import PlannedCard, plan_card
from base import clock
from base.key_names import DESK_VISIT
from storage.field_encryption import DecryptionError
from web.pages import forms
from web.pages.page import Page

FIELD = "visit"
LIFE = timedelta(minutes=30)
_LONGEST = 4000


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
    writer = await page.services.field_encryption.writer(None)
    sealed = writer.seal(DESK_VISIT, _session_of(page), values)
    return base64.urlsafe_b64encode(sealed).decode()


async def visit_in(page: Page, form: forms.Form) -> DeskVisit:
    """The visit that a form goes on with. Raises `form_expired` for one of another session, of
    before, or of nobody."""
    values = await _opened(page, form.get(FIELD))
    if values is None or datetime.fromisoformat(values["until"]) <= clock.now():
        raise forms.expired()
    card = values["card"]
    return DeskVisit(
        values["language"],
        PlannedCard(UUID(card["id"]), card["code"], card["secret"]),
        datetime.fromisoformat(values["until"]),
        values["name"],
        values["with_name"],
        values.get("anchor", ""),
    )


async def _opened(page: Page, value: str) -> dict[str, Any] | None:
    if not value or len(value) > _LONGEST:
        return None
    try:
        raw = base64.b64decode(value.encode(), b"-_", validate=True)
        reader = await page.services.field_encryption.reader(None)
        return reader.open(DESK_VISIT, _session_of(page), raw)
    except (binascii.Error, ValueError, DecryptionError):
        return None


def _session_of(page: Page) -> UUID:
    """The row that a visit belongs to: of the session's secret, which nobody else has."""
    return UUID(bytes=sha256(page.secret.encode()).digest()[:16])
