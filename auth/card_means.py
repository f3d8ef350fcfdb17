"""Cards as means: made, compared with a PIN, barred by wrong ones, freed.

What is printed is a code and a longer secret, shown once. The database keeps keyed tags of both.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import card_codes, card_secrets, card_tries, pin_hashes
from auth.card_codes import CardText
from auth.pins import ChosenPin
from auth.records import cards, pins
from auth.services import CoreServices
from auth.session_start import SignInRefused
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid
from base.ids import new_id
from base.key_names import CARD, CARD_CODE, CARD_MARK, CARD_SECRET
from base.locks import hold_vault

MAX_CARDS = 4
_ENDING = 2


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card just made. `code`, in groups, and `secret` are shown this once, to be printed."""

    id: UUID
    code: str = field(repr=False)
    secret: str = field(repr=False)
    label: str
    created_at: datetime


async def read_card(services: CoreServices, typed: str) -> CardText:
    """What was typed or scanned, if it may be a card of this installation. No database is asked.

    Raises `ServiceError` INVALID `card_typo`, `card_of_another`.
    """
    text = card_codes.read(typed)
    if text.mark != await _mark(services):
        raise invalid("card_of_another")
    return text


@dataclass(frozen=True, slots=True)
class PlannedCard:
    """What a card is going to be: drawn before, so that a form that is sent twice makes one."""

    id: UUID
    code: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def grouped(self) -> str:
        """The code as it is printed."""
        return card_codes.grouped(self.code)

    @property
    def label(self) -> str:
        """How the code ends."""
        return self.code[-_ENDING:]


async def plan_card(services: CoreServices) -> PlannedCard:
    """A card that is not there yet: nothing is written."""
    mark = await _mark(services)
    return PlannedCard(new_id(), card_codes.new_code(mark), card_codes.new_secret(mark))


async def add_card(
    services: CoreServices,
    tx: AsyncConnection,
    person_id: UUID,
    chosen: ChosenPin,
    planned: PlannedCard | None = None,
) -> NewCard:
    """Make a card for a PIN that was just kept, in the caller's transaction.

    Raises `ServiceError` CONFLICT `too_many_cards`. The caller MUST hold the vault's lock, and
    record it.
    """
    macs = await services.field_encryption.row_macs()
    if len(await cards.cards_of(tx, macs, person_id)) >= MAX_CARDS:
        raise too_many_cards()
    planned, at = planned or await plan_card(services), await instant(tx)
    card_id, code, secret = planned.id, planned.code, planned.secret
    public = card_secrets.public_key(code)
    writer = await services.field_encryption.writer(person_id, tx)
    await cards.add_card(
        tx,
        macs,
        id=card_id,
        person_id=person_id,
        code_tag=await _tag(services, CardText("code", code)),
        secret_tag=await _tag(services, CardText("secret", secret)),
        code_sealed=card_secrets.seal_code(secret, card_id, code),
        public_key=public,
        pin_sealed=card_secrets.seal_verifier(public, card_id, chosen.edition, chosen.verifier),
        edition=chosen.edition,
        wrong=0,
        sealed=writer.seal(CARD, card_id, {"label": planned.label}),
        created_at=at,
        used_at=None,
    )
    return NewCard(card_id, planned.grouped, secret, planned.label, at)


def too_many_cards() -> ServiceError:
    """What is answered to one card too many."""
    return ServiceError(ErrorKind.CONFLICT, "too_many_cards", most=MAX_CARDS)


@dataclass(frozen=True, slots=True)
class TriedCard:
    """What a PIN came to. `card` is None for one that is not there; `refused` is for the log."""

    card: Any = field(repr=False)
    wrong: int
    refused: SignInRefused | None
    barred: bool = False

    @property
    def shown(self) -> dict[str, str | int]:
        """For the log: which card, its wrong PINs since the last right one, whether they bar it."""
        if self.card is None:
            return {}
        barred = {"barred": 1} if self.barred else {}
        return {"card": str(self.card.id), "wrong": self.wrong, **barred}


@dataclass(frozen=True, slots=True)
class TypedPin:
    """A PIN as it was typed for a card that may not be there: what proves it, of which edition."""

    text: CardText
    person_id: UUID
    edition: int
    verifier: bytes = field(repr=False)


async def prove(services: CoreServices, text: CardText, digits: str) -> TypedPin:
    """Derive what proves a typed PIN; a card that is not there costs as much. Nothing is held
    meanwhile."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        card = await card_of(services, tx, text)
        person_id: UUID = new_id() if card is None else card.person_id
        row = await pins.pin(tx, macs, person_id)
    salt = pin_hashes.new_salt() if row is None else row.salt
    typed = await pin_hashes.verifier(services, person_id, salt, digits)
    return TypedPin(text, person_id, 0 if row is None else row.edition, typed)


async def try_pin(services: CoreServices, tx: AsyncConnection, typed: TypedPin) -> TriedCard:
    """Compare, and count, in the caller's transaction, which it MUST commit. Of two wrong ones at
    once both count: the vault is locked. A barred card is compared with nothing."""
    macs = await services.field_encryption.row_macs()
    await hold_vault(tx, typed.person_id)
    card = await card_of(services, tx, typed.text)
    row = await pins.pin(tx, macs, typed.person_id)
    right = hmac.compare_digest(_proof(card, typed), typed.verifier)
    if card is None or row is None or card.person_id != typed.person_id:
        return TriedCard(None, 0, SignInRefused("not_found"))
    if is_barred(card, row.digits):
        return TriedCard(card, card.wrong, SignInRefused("card_barred"), barred=True)
    if not right or not (card.edition == row.edition == typed.edition):
        await cards.change_card(tx, macs, card, wrong=card.wrong + 1)
        barred = card_tries.is_barred(card.wrong + 1, row.digits)
        return TriedCard(card, card.wrong + 1, SignInRefused("pin_wrong"), barred)
    await cards.change_card(tx, macs, card, wrong=0, used_at=await instant(tx))
    return TriedCard(card, 0, None)


async def opens(services: CoreServices, tx: AsyncConnection, typed: TypedPin) -> bool:
    """Whether a card that is not barred opens by a PIN. Nothing is counted here: the caller MUST
    count, and hold the vault's lock."""
    macs = await services.field_encryption.row_macs()
    card = await card_of(services, tx, typed.text)
    row = await pins.pin(tx, macs, typed.person_id)
    right = hmac.compare_digest(_proof(card, typed), typed.verifier)
    if card is None or row is None or card.person_id != typed.person_id:
        return False
    same = card.edition == row.edition == typed.edition
    return right and same and not is_barred(card, row.digits)


def is_barred(card: Any, digits: int) -> bool:
    """Whether wrong PINs barred a card; `digits`: of the right one."""
    return card_tries.is_barred(card.wrong, digits)


def _proof(card: Any, typed: TypedPin) -> bytes:
    """What was sealed to the card, if the code that was shown opens it. As long for no card."""
    code: str | None = typed.text.text
    if typed.text.kind == "secret":
        card_id, sealed = (new_id(), bytes(48)) if card is None else (card.id, card.code_sealed)
        code = card_secrets.open_code(typed.text.text, card_id, sealed)
    card_id, sealed = (new_id(), bytes(80)) if card is None else (card.id, card.pin_sealed)
    edition = 0 if card is None else card.edition
    return card_secrets.open_verifier(code or "", card_id, edition, sealed) or b""


async def card_of(services: CoreServices, tx: AsyncConnection, text: CardText) -> Any:
    """The row of what was typed or scanned; None where there is none."""
    macs = await services.field_encryption.row_macs()
    find = cards.card_by_code if text.kind == "code" else cards.card_by_secret
    return await find(tx, macs, await _tag(services, text))


async def _tag(services: CoreServices, text: CardText) -> bytes:
    use = CARD_CODE if text.kind == "code" else CARD_SECRET
    return await services.field_encryption.tag(use, text.text)


async def _mark(services: CoreServices) -> str:
    return card_codes.mark_of(await services.field_encryption.tag(CARD_MARK))
