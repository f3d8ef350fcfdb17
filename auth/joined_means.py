"""The means of a vault that ends in another one of the same person: its cards, and its phone where
the other has none, open that one from now on. After a recovery they take the place of what was
there.

One PIN is asked for all the means of a vault: it is chosen with the join, as with a new card or
phone, by the same rules. So it tells no more of whoever else has the phone than these do
(docs/adr/0052-one-phone-two-people.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import card_secrets, card_tries, means_log, phone_means
from auth.card_means import MAX_CARDS, too_many_cards
from auth.means import MeansView, means_of
from auth.means_changes import NotChanged
from auth.pin_rules import pin_weak
from auth.pins import (
    PHONE_TAKEN,
    ChosenPin,
    TypedChoice,
    derive,
    forget_verifier,
    put_pin,
    take_choice,
    too_many_pins,
)
from auth.rate_buckets import SharedBuckets
from auth.records import cards, people
from auth.services import CoreServices
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError
from base.key_names import CARD


@dataclass(frozen=True, slots=True)
class Manner:
    """By which act they come. `replaces`: whoever had the other vault's means lost them: its cards
    are stopped, and a phone that comes takes the place of its own; `phone_goes`: even where none
    comes."""

    action: Action = Action.VAULT_JOINED
    replaces: bool = False
    phone_goes: bool = False


JOIN = Manner()


@dataclass(frozen=True, slots=True)
class ComingMeans:
    """What opens the vault that stays from the join on, and what opens nothing any more: a card
    that a desk stopped, a phone beside the one that is there. `phone`: one of `coming`."""

    coming: tuple[MeansView, ...]
    left: tuple[MeansView, ...]
    cards_held: int = 0

    @property
    def phone(self) -> MeansView | None:
        """The phone that comes."""
        return next((one for one in self.coming if one.kind == "phone"), None)

    @property
    def cards(self) -> int:
        """How many cards come."""
        return sum(one.kind == "card" for one in self.coming)

    @property
    def too_many(self) -> bool:
        """Whether the vault that stays would have more cards than one may."""
        return self.cards_held + self.cards > MAX_CARDS


async def coming_means(
    services: CoreServices, tx: AsyncConnection, stays: UUID, ended: UUID, manner: Manner = JOIN
) -> ComingMeans:
    """What would become of the means of `ended`. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    held = []
    if not manner.replaces:
        held = await means_of(services, tx, await people.person(tx, macs, stays))
    has_phone = any(one.kind == "phone" for one in held)
    found = await means_of(services, tx, await people.person(tx, macs, ended))
    left = [one for one in found if one.stopped or (one.kind == "phone" and has_phone)]
    coming = [one for one in found if one not in left]
    cards_held = sum(one.kind == "card" for one in held)
    return ComingMeans(tuple(coming), tuple(left), cards_held)


async def phones_of(services: CoreServices, tx: AsyncConnection, *ids: UUID) -> list[bytes]:
    """The tags of the phones of some vaults, to be locked before these."""
    macs = await services.field_encryption.row_macs()
    rows = [await people.person(tx, macs, one) for one in ids]
    return [row.phone_tag for row in rows if row is not None and row.phone_tag is not None]


async def is_there(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> bool:
    """Whether a vault is there, and did not end in another."""
    macs = await services.field_encryption.row_macs()
    row = await people.person(tx, macs, person_id)
    return row is not None and not row.ended


async def choose(
    services: CoreServices,
    person: Person,
    vaults: tuple[UUID, UUID],
    digits: str,
    phones: tuple[Sequence[bytes], Sequence[bytes]],
    manner: Manner = JOIN,
) -> TypedChoice:
    """Count a PIN that `person` chooses with a join, and derive what proves it: both before any
    lock. `vaults`: the one that stays, and the other; `phones`: of `phones_of` each: the one that
    it has, or gets.

    Raises `ServiceError` TOO_MANY `too_many_pins`, recorded.
    """
    action = manner.action
    await take_choice(services, person, action)
    (stays, ended), (has, gets) = vaults, phones
    if gets and (manner.replaces or not has):
        taken = await SharedBuckets(services, "pin", PHONE_TAKEN).take(gets[0], 1)
        if not taken.granted:
            async with services.database.transaction() as tx:
                await means_log.record(services, tx, person, action, reason="too_many_pins")
            raise too_many_pins(int(taken.wait) + 1)
    tags = (gets or has) if manner.replaces else (has or gets)
    return await derive(services, stays, digits, tags, leaving=ended)


async def move_means(
    services: CoreServices,
    tx: AsyncConnection,
    stays: Person,
    ended: Person,
    typed: TypedChoice | None,
    manner: Manner = JOIN,
) -> dict[str, str | int] | NotChanged:
    """Give a vault the means of one that ends, and its PIN, which all of them have from now on;
    what the log is told of it. The caller MUST hold both vaults, their phones, and record it.
    `typed`: as `choose` gives it; None where nothing comes.
    """
    coming = await coming_means(services, tx, stays.id, ended.id, manner)
    if coming.too_many:
        return NotChanged("too_many_cards", too_many_cards())
    if coming.coming and typed is None:
        error = ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
        return NotChanged("changed_meanwhile", error)
    macs = await services.field_encryption.row_macs()
    moved = await cards.cards_of(tx, macs, ended.id)
    if typed is None:
        await _tell(services, tx, ended, stays, manner)
        await _leave(services, tx, ended, moved)
        return {}
    # 1. Nothing is written that another PIN would have to undo.
    phone = await _phone(services, tx, ended, coming)
    tag = None if phone is None else phone[1]
    chosen = await _choose(services, tx, (stays, ended), typed, tag, manner)
    if chosen is None:
        return NotChanged("pin_weak", pin_weak())
    # 2. The cards and the phone, with the PIN of the vault that stays.
    await _leave(services, tx, ended, moved)
    stopped = [one.id for one in coming.left]
    await _move_cards(services, tx, stays, ended, chosen, [c for c in moved if c.id not in stopped])
    told: dict[str, str | int] = {"edition": chosen.edition, "cards": coming.cards}
    if phone is not None:
        await phone_means.put_phone(services, tx, stays.id, *phone)
        told["phone"] = str(await phone_means.means_id(services, stays.id, phone[1]))
    return told


async def _phone(
    services: CoreServices, tx: AsyncConnection, ended: Person, coming: ComingMeans
) -> tuple[str, bytes] | None:
    """The phone that comes, and its tag."""
    macs = await services.field_encryption.row_macs()
    row = await people.person(tx, macs, ended.id)
    found = await phone_means.phone_of(services, tx, row)
    if coming.phone is None or found is None or row is None:
        return None
    return found.phone, row.phone_tag


async def _choose(
    services: CoreServices,
    tx: AsyncConnection,
    vaults: tuple[Person, Person],
    typed: TypedChoice,
    phone_tag: bytes | None,
    manner: Manner,
) -> ChosenPin | None:
    """The PIN of the vault that stays; None, and everything as it was, where it cannot be chosen.
    That of the vault that ends is no other person's: it is off the phone first."""
    stays, ended = vaults
    async with tx.begin_nested() as attempt:
        await _tell(services, tx, ended, stays, manner)
        if manner.replaces:
            await _replace(services, tx, stays, phone_goes=manner.phone_goes or bool(phone_tag))
        await phone_means.remove_phone(services, tx, ended.id)
        await forget_verifier(services, tx, ended.id)
        chosen = await put_pin(services, tx, stays.id, typed, phone_tag=phone_tag)
        if chosen is None:
            await attempt.rollback()
    return chosen


async def _replace(
    services: CoreServices, tx: AsyncConnection, stays: Person, *, phone_goes: bool
) -> None:
    """The cards of a vault are stopped, as lost ones, and its phone goes; each has its line."""
    macs = await services.field_encryption.row_macs()
    found = await means_of(services, tx, await people.person(tx, macs, stays.id))
    for card in await cards.cards_of(tx, macs, stays.id):
        if card.wrong != card_tries.STOPPED:
            await cards.change_card(tx, macs, card, wrong=card_tries.STOPPED)
            await means_log.record(
                services,
                tx,
                stays,
                Action.MEANS_STOPPED,
                means=str(card.id),
                kind="card",
                wrong=card_tries.STOPPED,
            )
    phone = next((one for one in found if one.kind == "phone"), None)
    if phone is not None and phone_goes:
        await phone_means.remove_phone(services, tx, stays.id)
        await means_log.record(
            services, tx, stays, Action.MEANS_REMOVED, means=str(phone.id), kind="phone"
        )


async def _tell(
    services: CoreServices, tx: AsyncConnection, ended: Person, stays: Person, manner: Manner
) -> None:
    """Tell the phones of both, while they are there; once where it is the same."""
    phones = await phones_of(services, tx, ended.id, stays.id)
    for one in (ended, stays) if len(set(phones)) == len(phones) else (stays,):
        await means_log.tell(services, tx, one.id, manner.action)


async def _leave(
    services: CoreServices, tx: AsyncConnection, ended: Person, moved: Sequence[Any]
) -> None:
    """Nothing opens the vault that ends any more."""
    await phone_means.remove_phone(services, tx, ended.id)
    await forget_verifier(services, tx, ended.id)
    for card in moved:
        await cards.delete_card(tx, card.id)
        if card.wrong == card_tries.STOPPED:
            details = {"means": str(card.id), "kind": "card"}
            await means_log.record(services, tx, ended, Action.MEANS_REMOVED, **details)


async def _move_cards(
    services: CoreServices,
    tx: AsyncConnection,
    stays: Person,
    ended: Person,
    chosen: ChosenPin,
    moved: Sequence[Any],
) -> None:
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(ended.id, tx)
    writer = await services.field_encryption.writer(stays.id, tx)
    for card in moved:
        values = {name: getattr(card, name) for name in cards.CARD_ROW.columns}
        label = reader.open(CARD, card.id, card.sealed)
        proof = (card.public_key, card.id, chosen.edition, chosen.verifier)
        values |= {
            "person_id": stays.id,
            "sealed": writer.seal(CARD, card.id, label),
            "pin_sealed": card_secrets.seal_verifier(*proof),
            "edition": chosen.edition,
            "wrong": card_tries.after_new_pin(card.wrong),
        }
        await cards.add_card(tx, macs, **values)
