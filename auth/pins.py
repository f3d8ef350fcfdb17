"""A vault's PIN: chosen by its person, proved to each card, and to the phone if there is one."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import card_secrets, card_tries, means_log, phone_means, pin_hashes
from auth.living_vaults import hold_living_vault
from auth.pin_hashes import SALT
from auth.pin_rules import SIX, VAULTS_ON_A_PHONE
from auth.rate_buckets import Rate
from auth.records import cards, people, pins
from auth.services import CoreServices
from auth.subjects import Person
from auth.wrong_codes import count_wrong_code, seconds_until_fewer, wrong_codes
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.key_names import MEANS_COUNTS, PIN
from base.locks import hold_tag, hold_vault
from storage.row_macs import RowAltered

CHOSEN_A_DAY = 5
PHONE_TAKEN = Rate(3, timedelta(days=1))
"""How often a PIN is chosen to add one phone, by whomever: each says whether the other has it."""


@dataclass(frozen=True, slots=True)
class ChosenPin:
    """A PIN as it was just kept: what proves it is sealed to cards that are made with it."""

    edition: int
    verifier: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TypedChoice:
    """A PIN that a person chooses, with what proves it to their vault and would prove it to the
    others of the phone: derived before the transaction that keeps it."""

    digits: str = field(repr=False)
    salt: bytes = field(repr=False)
    verifier: bytes = field(repr=False)
    others: dict[bytes, bytes] = field(repr=False)
    """By the salt of the other's PIN."""


async def derive(
    services: CoreServices,
    person_id: UUID,
    digits: str,
    phone_tags: Sequence[bytes] = (),
    *,
    leaving: UUID | None = None,
) -> TypedChoice:
    """What proves a PIN that is chosen. The same work whoever is there; nothing is held meanwhile.

    `phone_tags`: of a phone that the vault is about to have; that which it has where there are
    none. `leaving`: a vault whose phone it is no more by then.
    """
    macs = await services.field_encryption.row_macs()
    but = (person_id, leaving)
    async with services.database.transaction() as tx:
        if not phone_tags:
            row = await people.person(tx, macs, person_id)
            phone_tags = () if row is None or row.phone_tag is None else (row.phone_tag,)
        found = await pins.people_of_phone(tx, macs, list(phone_tags) or [bytes(32)])
        rows = [await pins.pin(tx, macs, one.id) for one in found if one.id not in but]
    others: dict[bytes, bytes] = {}
    salt = pin_hashes.new_salt()
    async with pin_hashes.in_turn(person_id.bytes):
        for row in [one for one in rows if one is not None][: VAULTS_ON_A_PHONE - 1]:
            others[row.salt] = await pin_hashes.verifier(services, row.person_id, row.salt, digits)
        for _ in range(VAULTS_ON_A_PHONE - 1 - len(others)):
            await pin_hashes.verifier(services, new_id(), pin_hashes.new_salt(), digits)
        verifier = await pin_hashes.verifier(services, person_id, salt, digits)
    return TypedChoice(digits, salt, verifier, others)


async def take_choice(services: CoreServices, person: Person, action: Action) -> None:
    """Count a PIN that a person chooses, whatever becomes of it: whoever tries one after the other
    learns that of another vault of the same phone. Five in a day and the hour that it began in.

    Raises `ServiceError` TOO_MANY `too_many_pins`, recorded as a refusal of `action`.
    """
    counted = await services.field_encryption.tag(MEANS_COUNTS, person.id.bytes)
    wait = 0
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        at = await instant(tx)
        chosen = (await wrong_codes(services, tx, counted, at)).get(("choice", SIX), 0)
        if chosen < CHOSEN_A_DAY:
            await count_wrong_code(services, tx, counted, "choice", SIX, at)
        else:
            wait = await seconds_until_fewer(services, tx, counted, "choice", at)
            await means_log.record(services, tx, person, action, reason="too_many_pins")
    if wait:
        raise too_many_pins(wait)


def too_many_pins(wait: int) -> ServiceError:
    """`wait`: seconds until one more is counted."""
    return ServiceError(ErrorKind.TOO_MANY, "too_many_pins", retry_after=wait)


async def hold_means(
    services: CoreServices,
    tx: AsyncConnection,
    person_id: UUID,
    held: Sequence[bytes] | None = None,
) -> Any:
    """Lock a vault's phone, then the vault: the order of every change of means. The person's row;
    None where the phone changed in between, or the vault ended in another.

    `held`: the tags of phones that the caller has locked, that of this vault among them.
    """
    macs = await services.field_encryption.row_macs()
    row = await people.person(tx, macs, person_id)
    tag = None if row is None else row.phone_tag
    if tag is not None:
        if held is None:
            await hold_tag(tx, tag)
        elif tag not in held:
            return None
    await hold_vault(tx, person_id)
    row = await people.person(tx, macs, person_id)
    return None if row is None or row.ended or row.phone_tag != tag else row


async def has_pin(services: CoreServices, person: Person) -> bool:
    """Whether the caller chose a PIN already."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        return await pins.pin(tx, macs, person.id) is not None


async def chosen_at(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> datetime | None:
    """When a person's PIN was chosen last, as with each new card; None where they have none."""
    row = await pins.pin(tx, await services.field_encryption.row_macs(), person_id)
    return None if row is None else row.set_at


async def put_pin(
    services: CoreServices,
    tx: AsyncConnection,
    person_id: UUID,
    typed: TypedChoice,
    *,
    phone_tag: bytes | None = None,
) -> ChosenPin | None:
    """Keep a PIN in the caller's transaction; None for one that nobody may choose here: a decoy, or
    that of the other vault of the phone. The same work in every case. `typed`: of `derive`, for the
    same phone.

    `phone_tag`: of a phone that the vault is about to have. The caller MUST hold `hold_means`.
    """
    macs = await services.field_encryption.row_macs()
    row = await people.person(tx, macs, person_id)
    if row is None:
        raise RowAltered("person")
    tag = phone_tag or row.phone_tag
    decoy = await pin_hashes.is_decoy(services, person_id, typed.digits)
    if await _is_taken(services, tx, person_id, tag, typed) or decoy:
        return None
    former = await pins.pin(tx, macs, person_id)
    edition = 1 if former is None else former.edition + 1
    chosen = ChosenPin(edition, typed.verifier)
    writer = await services.field_encryption.writer(person_id, tx)
    sealed = writer.seal(PIN, person_id, {"verifier": chosen.verifier.hex()}) if tag else None
    digits = len(typed.digits)
    values = {"edition": edition, "digits": digits, "salt": typed.salt, "sealed": sealed}
    await pins.put_pin(tx, macs, person_id=person_id, set_at=await instant(tx), **values)
    for card in await cards.cards_of(tx, macs, person_id):
        pin_sealed = card_secrets.seal_verifier(card.public_key, card.id, edition, chosen.verifier)
        wrong = card_tries.after_new_pin(card.wrong)
        await cards.change_card(tx, macs, card, pin_sealed=pin_sealed, edition=edition, wrong=wrong)
    await phone_means.mark_pin(services, tx, person_id, edition)
    return chosen


async def open_verifier(services: CoreServices, tx: AsyncConnection, row: Any) -> bytes | None:
    """What proves the PIN of a row to a phone; None where no phone needs it."""
    if row.sealed is None:
        return None
    reader = await services.field_encryption.reader(row.person_id, tx)
    return bytes.fromhex(reader.open(PIN, row.person_id, row.sealed)["verifier"])


async def forget_verifier(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """No phone needs what proves the PIN any more: cards alone have it."""
    macs = await services.field_encryption.row_macs()
    row = await pins.pin(tx, macs, person_id)
    if row is not None:
        values = {name: getattr(row, name) for name in pins.PIN_ROW.columns}
        await pins.put_pin(tx, macs, **(values | {"sealed": None}))


async def _is_taken(
    services: CoreServices,
    tx: AsyncConnection,
    person_id: UUID,
    phone_tag: bytes | None,
    typed: TypedChoice,
) -> bool:
    """Whether another vault of the phone has this PIN. One comparison, whoever is there."""
    macs = await services.field_encryption.row_macs()
    tags = [phone_tag or bytes(32)]
    found = [row for row in await pins.people_of_phone(tx, macs, tags) if row.id != person_id]
    taken = False
    missing = VAULTS_ON_A_PHONE - 1 - len(found)
    for other in [*(row.id for row in found), *(new_id() for _ in range(missing))]:
        row = await pins.pin(tx, macs, other)
        expected = None if row is None else await open_verifier(services, tx, row)
        proved = typed.others.get(bytes(SALT) if row is None else row.salt)
        if row is not None and proved is None:
            # Another one was chosen meanwhile: the only case in which a connection waits for it.
            proved = await pin_hashes.verifier(services, other, row.salt, typed.digits)
        taken |= hmac.compare_digest(expected or bytes(32), proved or bytes(31))
    return taken
