"""A phone added to a vault by its holder: a code shows that it is theirs.

Another vault may have the same phone, if both have a PIN, or if that one was unused for six months:
the number may have changed hands. Nothing is said of it.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import (
    assistance,
    holder_proofs,
    means_log,
    one_time_codes,
    phone_means,
    sessions,
    sign_in_codes,
)
from auth.holder_proofs import NO_PROOF, Proof, ShownProof
from auth.means import MeansView, means_of
from auth.means_changes import NotChanged, settle
from auth.one_time_codes import PendingSignIn
from auth.pin_rules import VAULTS_ON_A_PHONE, pin_weak, read_pin
from auth.pins import (
    PHONE_TAKEN,
    TypedChoice,
    derive,
    put_pin,
    take_choice,
    too_many_pins,
)
from auth.rate_buckets import SharedBuckets
from auth.records import people
from auth.services import CoreServices
from auth.session_start import Account, OnVaultOpened
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor
from base.errors import ErrorKind, ServiceError


async def begin(
    services: CoreServices,
    person: Person,
    phone: str,
    visitor: Visitor = UNKNOWN,
    *,
    secret: str | None = None,
) -> PendingSignIn:
    """Send a code to the phone. `secret`: as for `send_code`. Raises `ServiceError` INVALID
    `phone_invalid`, REFUSED `not_when_assisted`."""
    await assistance.check_alone(services, person, Action.MEANS_ADDED)
    return await one_time_codes.send_code(
        services, phone=phone, language=person.language, visitor=visitor, secret=secret
    )


@dataclass(frozen=True, slots=True)
class TypedForPhone:
    """What the holder of a phone types to add it: the code received, with the secret of who asked
    for it; the PIN, twice; and the proof that the vault asks for."""

    secret: str = field(repr=False)
    code: str = field(repr=False)
    pin: str = field(repr=False)
    again: str = field(repr=False)
    proof: Proof = NO_PROOF


async def finish(
    services: CoreServices,
    person: Person,
    sign_in_id: UUID,
    typed: TypedForPhone,
    *,
    on_phone_added: OnVaultOpened | None = None,
    visitor: Visitor = UNKNOWN,
) -> MeansView:
    """Add the phone whose code is right, in the place of the one that the vault had, which is told.

    The PIN is that of all the caller's means from now on, and is asked after each code of this
    phone. `on_phone_added`: as `on_vault_opened` of `start_session`, where the phone had no vault.
    Raises as `auth.means.choose_pin`; `ServiceError` UNAUTHENTICATED `code_wrong`; CONFLICT
    `phone_not_added` where a vault without a PIN has the phone, unless that one sleeps, or two have
    it; TOO_MANY `too_many_pins` where it was tried too often, by whomever.
    """
    digits = read_pin(typed.pin, typed.again)
    shown = await holder_proofs.show(services, person, Action.MEANS_ADDED, typed.proof, visitor)
    chosen = await _choice(services, person, sign_in_id, typed.secret, digits)
    former = await _phones_of(services, person)

    async def start(tx: AsyncConnection, account: Account) -> MeansView | NotChanged:
        async def act(tx: AsyncConnection, row: Any, _: ShownProof) -> MeansView | NotChanged:
            return await _add(services, tx, person, account, row, shown, chosen)

        held = (account.address.tag, *former)
        added = await settle(services, tx, person, Action.MEANS_ADDED, shown, act, held)
        new = not account.behind_pin and account.row is None
        if isinstance(added, MeansView) and on_phone_added is not None and new:
            await on_phone_added(services, tx, person.id, account.address.tags)
        return added

    added: MeansView | NotChanged = await one_time_codes.redeem_for(
        services,
        sign_in_id,
        start,
        secret=typed.secret,
        code=typed.code,
        visitor=visitor,
        also=former,
    )
    if isinstance(added, NotChanged):
        raise added.error
    return added


async def _choice(
    services: CoreServices, person: Person, sign_in_id: UUID, secret: str, digits: str
) -> TypedChoice:
    """The PIN as it is typed for the phone that was asked for, one of the day's choices."""
    await take_choice(services, person, Action.MEANS_ADDED)
    begun = await one_time_codes.begun_by(services, sign_in_id, secret)
    return await derive(services, person.id, digits, () if begun is None else begun[1].tags)


async def is_used_up(services: CoreServices, sign_in_id: UUID, secret: str) -> bool:
    """Whether a code of `begin` was right already, whatever came after it; also for who did not ask
    for it."""
    begun = await one_time_codes.begun_by(services, sign_in_id, secret)
    if begun is None:
        return True
    async with services.database.transaction() as tx:
        return bool((await sign_in_codes.code_of(services, tx, begun[0])).used)


async def _phones_of(services: CoreServices, person: Person) -> tuple[bytes, ...]:
    """The tag of the phone that a vault has: it is locked together with the new one, in one order,
    so that two people who exchange phones do not wait for each other."""
    async with services.database.transaction() as tx:
        row = await people.person(tx, await services.field_encryption.row_macs(), person.id)
    return () if row is None or row.phone_tag is None else (row.phone_tag,)


def _is_theirs(person: Person, account: Account) -> bool:
    """Whether the vault has the phone already: adding it again says no more than choosing a PIN,
    whose five a day count, and takes nothing from who shares it."""
    return any(one.id == person.id for one in _there(account))


def _there(account: Account) -> list[Any]:
    """Every vault that has the phone."""
    return [*account.behind_pin, *([account.row] if account.row is not None else [])]


async def _add(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    account: Account,
    row: Any,
    shown: ShownProof,
    typed: TypedChoice,
) -> MeansView | NotChanged:
    """The caller holds the lock of the new phone, and those of the vault's means."""
    address = account.address
    not_added = NotChanged("phone_not_added", ServiceError(ErrorKind.CONFLICT, "phone_not_added"))
    if address.kind != "person":
        return not_added
    others = [one for one in _there(account) if one.id != person.id]
    # Whoever has the code has the number: a vault that slept keeps nobody from it, and from here on
    # no code opens it (`people_of_phone`: two are there).
    unprotected = account.row is not None and bool(others) and not account.row.asleep
    if unprotected or len(others) >= VAULTS_ON_A_PHONE:
        return not_added
    if not _is_theirs(person, account):
        taken = await SharedBuckets(services, "pin", PHONE_TAKEN).take(address.tag, 1)
        if not taken.granted:
            return NotChanged("too_many_pins", too_many_pins(int(taken.wait) + 1))
    # A phone that another vault keeps in a form of before is kept in that form here too.
    tag = others[0].phone_tag if others else address.tag
    phone = address.forms[address.tags.index(tag)]
    chosen = await put_pin(services, tx, person.id, typed, phone_tag=tag)
    if chosen is None:
        return NotChanged("pin_weak", pin_weak())
    former = await phone_means.phone_of(services, tx, row)
    await means_log.record(services, tx, person, Action.PIN_SET, edition=chosen.edition)
    await means_log.tell(services, tx, person.id, Action.MEANS_ADDED)
    if former is not None:
        details = {"means": str(former.id), "kind": "phone"}
        await means_log.record(services, tx, person, Action.MEANS_REMOVED, **details)
    if former is not None or shown.pin != typed.digits:
        await sessions.end_all(services, tx, person, but_this=True)
    await phone_means.put_phone(services, tx, person.id, phone, tag)
    details = {"means": str(await phone_means.means_id(services, person.id, tag)), "kind": "phone"}
    await means_log.record(services, tx, person, Action.MEANS_ADDED, **details)
    macs = await services.field_encryption.row_macs()
    kept = await people.person(tx, macs, person.id)
    return (await means_of(services, tx, kept))[0]
