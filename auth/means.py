"""The means of a person: their phone and their cards, listed and ended. A person is themselves.

Every change is a line in the vault's log, and told to its phone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import card_means, means_log, phone_means, pins, sessions
from auth.card_means import NewCard
from auth.pin_rules import SIX, pin_weak
from auth.pins import hold_means, put_pin, read_chosen
from auth.records import cards, people
from auth.records import pins as pin_records
from auth.services import CoreServices
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, not_found
from base.key_names import CARD

MeansKind = Literal["phone", "card"]
_LAST_DIGITS = 2


@dataclass(frozen=True, slots=True)
class MeansView:
    """One means, as its person sees it. `label`: how its number ends. `barred`: by wrong PINs."""

    id: UUID
    kind: MeansKind
    label: str = field(repr=False)
    added_at: datetime
    last_used_at: datetime | None
    barred: bool = False


async def list_means(services: CoreServices, person: Person) -> list[MeansView]:
    """The caller's means, the phone first."""
    async with services.database.transaction() as tx:
        row = await people.person(tx, await services.field_encryption.row_macs(), person.id)
        return await means_of(services, tx, row)


async def means_of(services: CoreServices, tx: AsyncConnection, row: Any) -> list[MeansView]:
    """The means of a person's row, which was checked."""
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(row.id, tx)
    phone = await phone_means.phone_of(services, tx, row)
    found = [] if phone is None else [_phone_view(phone)]
    pin = await pin_records.pin(tx, macs, row.id)
    digits = SIX if pin is None else pin.digits
    for card in await cards.cards_of(tx, macs, row.id):
        label = reader.open(CARD, card.id, card.sealed)["label"]
        barred = card_means.is_barred(card, digits)
        found.append(MeansView(card.id, "card", label, card.created_at, card.used_at, barred))
    return found


async def remove(services: CoreServices, person: Person, means_id: UUID) -> None:
    """End one of the caller's means: a card that was lost, a phone that is another's now. Sessions
    elsewhere end with it: whoever holds it may have opened one.

    Raises `ServiceError` NOT_FOUND, CONFLICT `last_means`; both are recorded.
    """
    async with services.database.transaction() as tx:
        row = await hold_means(services, tx, person.id)
        found = await means_of(services, tx, row)
        ended = next((one for one in found if one.id == means_id), None)
        reason = _refusal(found, ended)
        if ended is not None and not reason:
            # The phone is told before it is gone.
            await means_log.tell(services, tx, person.id, Action.MEANS_REMOVED)
            await _end(services, tx, person, ended)
            await sessions.end_all(services, tx, person, but_this=True)
        else:
            await means_log.record(services, tx, person, Action.MEANS_REMOVED, reason=reason)
    if reason == "last_means":
        raise ServiceError(ErrorKind.CONFLICT, "last_means")
    if reason:
        raise not_found()


async def free(services: CoreServices, person: Person, means_id: UUID) -> None:
    """Free a card of the caller's that wrong PINs barred: by another means, or by the card's own
    session that was open before. Raises `ServiceError` NOT_FOUND, recorded."""
    async with services.database.transaction() as tx:
        await hold_means(services, tx, person.id)
        freed = await free_card(services, tx, person.id, means_id)
        if freed:
            await means_log.tell(services, tx, person.id, Action.MEANS_FREED)
            details = {"means": str(means_id), "kind": "card"}
            await means_log.record(services, tx, person, Action.MEANS_FREED, **details)
        else:
            reason = "not_found"
            await means_log.record(services, tx, person, Action.MEANS_FREED, reason=reason)
    if not freed:
        raise not_found()


async def free_card(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, card_id: UUID
) -> bool:
    """Forget the wrong PINs of a card; False where there is none. The caller MUST hold
    `hold_means`, and record it."""
    macs = await services.field_encryption.row_macs()
    for card in await cards.cards_of(tx, macs, person_id):
        if card.id == card_id:
            await cards.change_card(tx, macs, card, wrong=0)
            return True
    return False


async def add_card(
    services: CoreServices,
    person: Person,
    pin: str,
    again: str,
    *,
    replaces: UUID | None = None,
    before_commit: Callable[[NewCard], Awaitable[None]] | None = None,
) -> NewCard:
    """A new card for the caller, with the PIN that all their means have from now on. The one that
    it `replaces` dies in the same commit. If `before_commit` raises, nothing was changed.

    Raises as `auth.pins.read_chosen`; `ServiceError` NOT_FOUND for a card to replace that is not
    theirs, CONFLICT `too_many_cards`. A crash after the commit leaves a card that nobody holds: it
    is in the list, and can be ended.
    """
    digits = await read_chosen(services, person, pin, again)
    async with services.database.transaction() as tx:
        row = await hold_means(services, tx, person.id)
        found = await means_of(services, tx, row)
        former = next((one for one in found if (one.id, one.kind) == (replaces, "card")), None)
        chosen, card = None, None
        if replaces is not None and former is None:
            reason = "not_found"
        else:
            chosen, reason = await put_pin(services, tx, person.id, digits), "pin_weak"
        if chosen is not None:
            card = await _replace(services, tx, person, chosen, former)
            if before_commit is not None:
                await before_commit(card)
        else:
            await means_log.record(services, tx, person, Action.MEANS_ADDED, reason=reason)
    if card is not None:
        return card
    raise not_found() if reason == "not_found" else pin_weak()


async def _replace(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    chosen: pins.ChosenPin,
    former: MeansView | None,
) -> NewCard:
    await means_log.record(services, tx, person, Action.PIN_SET, edition=chosen.edition)
    if former is not None:
        await _end(services, tx, person, former)
        await sessions.end_all(services, tx, person, but_this=True)
    card = await card_means.add_card(services, tx, person.id, chosen)
    await means_log.tell(services, tx, person.id, Action.MEANS_ADDED)
    details = {"means": str(card.id), "kind": "card"}
    await means_log.record(services, tx, person, Action.MEANS_ADDED, **details)
    return card


async def _end(
    services: CoreServices, tx: AsyncConnection, person: Person, ended: MeansView
) -> None:
    if ended.kind == "card":
        await cards.delete_card(tx, ended.id)
    else:
        await phone_means.remove_phone(services, tx, person.id)
        await pins.forget_verifier(services, tx, person.id)
    details = {"means": str(ended.id), "kind": ended.kind}
    await means_log.record(services, tx, person, Action.MEANS_REMOVED, **details)


def _refusal(found: list[MeansView], ended: MeansView | None) -> str:
    """Why a means is not ended; nothing when it is. A barred card lets nobody in."""
    if ended is None:
        return "not_found"
    others = [one for one in found if one.id != ended.id and not one.barred]
    return "" if others else "last_means"


def _phone_view(phone: phone_means.PhoneMeans) -> MeansView:
    label = phone.phone[-_LAST_DIGITS:]
    return MeansView(phone.id, "phone", label, phone.added_at, phone.used_at)
