"""The means of a person: their phone and their cards, listed and ended. A person is themselves.

Every change is a line in the vault's log, is told to its phone, and needs a proof of now, but one:
a card that was lost is stopped at once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, card_means, card_tries, means_log, phone_means, pins, sessions
from auth.card_means import MAX_CARDS, NewCard, too_many_cards
from auth.holder_proofs import NO_PROOF, Proof, ShownProof
from auth.means_changes import NotChanged, change
from auth.pin_rules import SIX, pin_weak, read_pin
from auth.pins import put_pin
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
    """One means, as its person sees it. `label`: how its number ends. `barred`: it opens nothing,
    by wrong PINs; or `stopped` as lost, by its person or at a desk."""

    id: UUID
    kind: MeansKind
    label: str = field(repr=False)
    added_at: datetime
    last_used_at: datetime | None
    barred: bool = False
    stopped: bool = False


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
        barred, stopped = card_means.is_barred(card, digits), card.wrong == card_tries.STOPPED
        dates = (card.created_at, card.used_at)
        found.append(MeansView(card.id, "card", label, *dates, barred=barred, stopped=stopped))
    return found


def may_remove(found: list[MeansView], one: MeansView) -> bool:
    """Whether one of a person's means may be ended: another one lets them in."""
    return not _is_last(found, one)


async def remove(
    services: CoreServices, person: Person, means_id: UUID, *, proof: Proof = NO_PROOF
) -> None:
    """End one of the caller's means: a card that was lost, a phone that is another's now. Sessions
    elsewhere end with it: whoever holds it may have opened one.

    Raises as `auth.means_changes.change`; `ServiceError` NOT_FOUND, CONFLICT `last_means`.
    """

    async def act(tx: AsyncConnection, row: Any, _shown: ShownProof) -> NotChanged | None:
        found = await means_of(services, tx, row)
        ended = next((one for one in found if one.id == means_id), None)
        if ended is None:
            return NotChanged("not_found", not_found())
        if _is_last(found, ended):
            return NotChanged("last_means", ServiceError(ErrorKind.CONFLICT, "last_means"))
        # The phone is told before it is gone.
        await means_log.tell(services, tx, person.id, Action.MEANS_REMOVED)
        await _end(services, tx, person, ended)
        await sessions.end_all(services, tx, person, but_this=True)
        return None

    await change(services, person, Action.MEANS_REMOVED, proof, act)


async def stop(
    services: CoreServices,
    person: Person,
    card_id: UUID,
    on_card_stopped: Callable[[CoreServices, AsyncConnection, Person], Awaitable[None]],
) -> None:
    """Stop a lost card of the caller's, at once and without a proof; a proof frees it again.

    Every session ends, the caller's too: whoever took one over keeps nothing by it
    (docs/adr/0061-lost-cards-and-anchors.md). `on_card_stopped`: undoes, in the same commit,
    what that card could have cancelled. Raises `ServiceError` REFUSED `not_when_assisted`,
    NOT_FOUND, CONFLICT `last_means`, `card_is_stopped`; PRECONDITION `changed_meanwhile`. Refusals
    are recorded. A crash before the commit leaves everything as it was.
    """
    await assistance.check_alone(services, person, Action.MEANS_STOPPED)
    async with services.database.transaction() as tx:
        refused = await _stop(services, tx, person, card_id)
        if refused is None:
            await on_card_stopped(services, tx, person)
        else:
            await means_log.record(
                services, tx, person, Action.MEANS_STOPPED, reason=refused.reason
            )
    if refused is not None:
        raise refused.error


async def _stop(
    services: CoreServices, tx: AsyncConnection, person: Person, card_id: UUID
) -> NotChanged | None:
    macs = await services.field_encryption.row_macs()
    row = await pins.hold_means(services, tx, person.id)
    if row is None:
        error = ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
        return NotChanged("changed_meanwhile", error)
    found = await means_of(services, tx, row)
    ended = next((one for one in found if (one.id, one.kind) == (card_id, "card")), None)
    if ended is None:
        return NotChanged("not_found", not_found())
    if ended.stopped:
        return NotChanged("card_stopped", ServiceError(ErrorKind.CONFLICT, "card_is_stopped"))
    if _is_last(found, ended):
        return NotChanged("last_means", ServiceError(ErrorKind.CONFLICT, "last_means"))
    (card,) = [one for one in await cards.cards_of(tx, macs, person.id) if one.id == card_id]
    await cards.change_card(tx, macs, card, wrong=card_tries.STOPPED)
    closed = await sessions.end_with_account(tx, "person", person.id)
    await means_log.tell(services, tx, person.id, Action.MEANS_STOPPED)
    told: dict[str, str | int] = {
        "means": str(card_id),
        "kind": "card",
        "wrong": card_tries.STOPPED,
    }
    told["ended"] = " ".join(str(one) for one in closed)
    actor = person.actor()
    await means_log.record_by(services, tx, person, Action.MEANS_STOPPED, actor, told)
    return None


async def free(
    services: CoreServices, person: Person, means_id: UUID, *, proof: Proof = NO_PROOF
) -> None:
    """Free a card of the caller's that wrong PINs barred: each time, it may be guessed at again.
    Nothing is changed, recorded or told of one that is not barred.

    Raises as `auth.means_changes.change`; `ServiceError` NOT_FOUND.
    """

    async def act(tx: AsyncConnection, row: Any, _shown: ShownProof) -> NotChanged | None:
        found = await means_of(services, tx, row)
        card = next((one for one in found if (one.id, one.kind) == (means_id, "card")), None)
        if card is None:
            return NotChanged("not_found", not_found())
        if not card.barred:
            return None
        await free_card(services, tx, person.id, means_id)
        await means_log.tell(services, tx, person.id, Action.MEANS_FREED)
        details = {"means": str(means_id), "kind": "card"}
        await means_log.record(services, tx, person, Action.MEANS_FREED, **details)
        return None

    await change(services, person, Action.MEANS_FREED, proof, act)


async def choose_pin(
    services: CoreServices, person: Person, pin: str, again: str, *, proof: Proof = NO_PROOF
) -> None:
    """Set the PIN of the caller's vault, for all its cards and its phone. Sessions elsewhere end:
    whoever knew the former one may have opened them.

    Raises as `auth.pin_rules.read_pin`, `auth.means_changes.change`; `ServiceError` INVALID
    `pin_weak`. A crash before the commit leaves the former one.
    """
    digits = read_pin(pin, again)

    async def act(tx: AsyncConnection, _row: Any, shown: ShownProof) -> NotChanged | None:
        assert shown.chosen is not None  # noqa: S101  (`chooses_pin` says so)
        chosen = await put_pin(services, tx, person.id, shown.chosen)
        if chosen is None:
            return NotChanged("pin_weak", pin_weak())
        await means_log.tell(services, tx, person.id, Action.PIN_SET)
        await means_log.record(services, tx, person, Action.PIN_SET, edition=chosen.edition)
        await sessions.end_all(services, tx, person, but_this=True)
        return None

    await change(services, person, Action.PIN_SET, proof, act, chooses_pin=digits)


async def free_card(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, card_id: UUID
) -> bool:
    """Forget the wrong PINs of a card; False where there is none. The caller MUST hold
    `auth.pins.hold_means`, and record it."""
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
    proof: Proof = NO_PROOF,
    replaces: UUID | None = None,
    seen: frozenset[UUID] | None = None,
    before_commit: Callable[[NewCard], Awaitable[None]] | None = None,
) -> NewCard:
    """A new card for the caller, with the PIN that all their means have from now on. The one that
    it `replaces` dies in the same commit. Sessions elsewhere end with a card that is replaced, and
    with a PIN that is another. If `before_commit` raises, nothing was changed.

    `seen`: the cards that they had when they asked; a form that is sent twice makes one card.
    Raises as `choose_pin`; `ServiceError` NOT_FOUND for a card to replace that is not theirs,
    CONFLICT `too_many_cards`, PRECONDITION `changed_meanwhile` where a card is not `seen`. A crash
    after the commit leaves a card that nobody holds: it is in the list, and can be ended.
    """
    digits = read_pin(pin, again)

    async def act(tx: AsyncConnection, row: Any, shown: ShownProof) -> NewCard | NotChanged:
        found = await means_of(services, tx, row)
        if seen is not None and any(one.id not in seen for one in found if one.kind == "card"):
            error = ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
            return NotChanged("changed_meanwhile", error)
        former = next((one for one in found if (one.id, one.kind) == (replaces, "card")), None)
        if replaces is not None and former is None:
            return NotChanged("not_found", not_found())
        if former is None and sum(one.kind == "card" for one in found) >= MAX_CARDS:
            return NotChanged("too_many_cards", too_many_cards())
        assert shown.chosen is not None  # noqa: S101  (`chooses_pin` says so)
        chosen = await put_pin(services, tx, person.id, shown.chosen)
        if chosen is None:
            return NotChanged("pin_weak", pin_weak())
        card = await _replace(services, tx, person, chosen, former)
        if former is not None or shown.pin != digits:
            await sessions.end_all(services, tx, person, but_this=True)
        if before_commit is not None:
            await before_commit(card)
        return card

    return await change(services, person, Action.MEANS_ADDED, proof, act, chooses_pin=digits)


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


def _is_last(found: list[MeansView], ended: MeansView) -> bool:
    """Whether nothing else lets its person in. A barred card lets nobody in."""
    return all(one.id == ended.id or one.barred for one in found)


def _phone_view(phone: phone_means.PhoneMeans) -> MeansView:
    label = phone.phone[-_LAST_DIGITS:]
    return MeansView(phone.id, "phone", label, phone.added_at, phone.used_at)
