"""A proof of now: whoever changes what opens a vault shows again that they are its holder.

An open session is not enough: whoever took one over would lock its person out for good. A vault
with a PIN asks it, with a card of its own where it has no phone (the database has nothing else to
compare a PIN with); one without a PIN asks a code of its phone. Who can give none of them waits
seven days (`auth/proof_waits.py`). ADR: docs/adr/0051-means-cards-and-pins.md.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, card_means, means_log, pin_hashes, proof_codes, proof_waits
from auth.card_codes import CardText
from auth.living_vaults import hold_living_vault
from auth.means_log import MeansReason
from auth.one_time_codes import PendingSignIn
from auth.person_contact import person_contact
from auth.person_values import read_values
from auth.pin_rules import SIX, TRIES
from auth.pins import TypedChoice, open_verifier
from auth.proof_waits import Waiting
from auth.records import pins
from auth.services import CoreServices
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor
from auth.wrong_codes import count_wrong_code, seconds_until_fewer, wrong_codes
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, about
from base.key_names import MEANS_COUNTS
from base.user_text import digits_of
from storage.row_macs import RowAltered

ProofKind = Literal["pin", "card_pin", "code"]
"""What a vault asks for: its PIN; one of its cards and its PIN; a code of its phone."""
_Compare = Callable[[AsyncConnection, Any], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller shows. `sign_in_id` and `secret`: of the code, as `send_code` gave them."""

    pin: str = field(default="", repr=False)
    card: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    sign_in_id: UUID | None = None
    secret: str = field(default="", repr=False)

    def answers(self, kind: ProofKind) -> bool:
        """Whether it may be the one that is asked for."""
        if kind == "code":
            return bool(self.code) and self.sign_in_id is not None
        return bool(self.pin) and (kind == "pin" or bool(self.card))


NO_PROOF = Proof()


@dataclass(frozen=True, slots=True)
class AskedProof:
    """What a vault asks for now, and the wait in its place, if there is one."""

    kind: ProofKind
    waiting: Waiting | None


@dataclass(frozen=True, slots=True)
class ShownProof:
    """A proof that was right: a `pin` of an `edition`, or the `code` (the row of its sign-in), or a
    wait that was over. `serves` and `spend` MUST be called in the transaction of the change.

    `chosen`: the PIN that the change chooses, if it does."""

    pin: str = field(default="", repr=False)
    edition: int = 0
    code: Any = field(default=None, repr=False)
    waited: bool = False
    chosen: TypedChoice | None = field(default=None, repr=False)


async def asked_of(services: CoreServices, person: Person) -> AskedProof:
    """What the caller's vault asks for."""
    async with services.database.transaction() as tx:
        kind = await _kind(services, tx, person.id)
        return AskedProof(kind, await proof_waits.first_of(services, tx, person))


async def send_code(
    services: CoreServices,
    person: Person,
    visitor: Visitor = UNKNOWN,
    *,
    secret: str | None = None,
) -> PendingSignIn:
    """Send a code to the phone that the vault has, if that is what it asks for.

    `secret`: as for `one_time_codes.send_code`. Raises `ServiceError` CONFLICT `no_proof_code`,
    REFUSED `not_when_assisted`.
    """
    await assistance.check_alone(services, person, Action.SIGN_IN_CODE)
    async with services.database.transaction() as tx:
        kind = await _kind(services, tx, person.id)
        phone = (await person_contact(services, tx, person.id)).phone
    if kind != "code" or phone is None:
        raise ServiceError(ErrorKind.CONFLICT, "no_proof_code")
    return await proof_codes.send_code(services, person, phone, visitor, secret)


async def show(
    services: CoreServices,
    person: Person,
    action: Action,
    proof: Proof,
    visitor: Visitor = UNKNOWN,
    *,
    or_waited: bool = True,
) -> ShownProof:
    """Check a proof before the change that it is for, in transactions of their own. `or_waited`: a
    wait that is over stands in its place.

    Raises `ServiceError` REFUSED `proof_needed`, `proof_wrong`, `not_when_assisted`; TOO_MANY
    `too_many_proofs`; INVALID `card_typo`, `card_of_another`. All but these two are recorded as a
    refusal of `action`.
    """
    await assistance.check_alone(services, person, action)
    async with services.database.transaction() as tx:
        kind = await _kind(services, tx, person.id)
        waited = await proof_waits.is_over(services, tx, person)
    if not proof.answers(kind):
        if waited and or_waited:
            return ShownProof(waited=True)
        raise await refuse(services, person, action, "proof_needed")
    if kind != "code":
        card = await _card_in(services, kind, proof)
        digits = digits_of(proof.pin)[:SIX]
        async with pin_hashes.in_turn(person.id.bytes):
            compare = await _comparison(services, person, card, digits)
            edition = await _try_pin(services, person, action, compare)
        return ShownProof(digits, edition)
    assert proof.sign_in_id is not None  # noqa: S101  (`answers` says so)
    row = await proof_codes.check(
        services,
        person,
        proof.sign_in_id,
        secret=proof.secret,
        code=proof.code,
        visitor=visitor,
    )
    if row is None:
        raise await refuse(services, person, action, "proof_wrong")
    return ShownProof(code=row)


async def show_pin(
    services: CoreServices, person: Person, action: Action, proof: Proof
) -> ShownProof | None:
    """`show`, of a vault that has a PIN, which a wait does not stand for. None of one without: it
    asks nothing where nothing changes of what opens it."""
    if (await asked_of(services, person)).kind == "code":
        await assistance.check_alone(services, person, action)
        return None
    return await show(services, person, action, proof, or_waited=False)


async def pin_serves(
    services: CoreServices, tx: AsyncConnection, person: Person, shown: ShownProof | None
) -> bool:
    """Whether no PIN was chosen meanwhile, since `show_pin`. The caller MUST hold the vault's
    lock."""
    if shown is None:
        return await _kind(services, tx, person.id) == "code"
    return await serves(services, tx, person, shown)


async def serves(
    services: CoreServices, tx: AsyncConnection, person: Person, shown: ShownProof
) -> bool:
    """Whether no other change used it up, or chose another PIN, meanwhile. The caller MUST hold the
    vault's lock."""
    if shown.waited:
        return await proof_waits.is_over(services, tx, person)
    if shown.code is not None:
        return await proof_codes.is_unused(services, tx, shown.code)
    row = await pins.pin(tx, await services.field_encryption.row_macs(), person.id)
    return row is not None and row.edition == shown.edition


async def spend(
    services: CoreServices, tx: AsyncConnection, person: Person, shown: ShownProof
) -> None:
    """The change is made: a code, or a wait, serves no more."""
    if shown.waited:
        await proof_waits.spend(services, tx, person)
    elif shown.code is not None:
        await proof_codes.use_up(tx, shown.code)


async def _kind(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> ProofKind:
    """Raises `RowAltered` where the person's row says otherwise: deleting a PIN's row lets nobody
    change a means by a phone alone."""
    macs = await services.field_encryption.row_macs()
    has_pin = await pins.pin(tx, macs, person_id) is not None
    values = await read_values(services, tx, person_id)
    if bool(values.get("pin")) != has_pin:
        raise RowAltered("pin")
    if not has_pin:
        return "code"
    return "pin" if values.get("phone") else "card_pin"


async def _card_in(services: CoreServices, kind: ProofKind, proof: Proof) -> CardText | None:
    """The card that is shown, where one is asked for."""
    if kind != "card_pin":
        return None
    with about("proof", "card"):
        return await card_means.read_card(services, proof.card)


async def _comparison(
    services: CoreServices, person: Person, card: CardText | None, digits: str
) -> _Compare:
    """How a typed PIN is compared with the one that is there. What proves it is derived now, while
    nothing is held; not for one that is not compared in any case."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await pins.pin(tx, macs, person.id)
        tried, _ = await _tried(services, tx, person)
    if row is None or tried >= TRIES[row.digits]:
        return _never
    if card is not None:
        typed = await card_means.prove(services, card, digits)

        async def with_card(tx: AsyncConnection, _row: Any) -> bool:
            # Another's card is compared with nothing, and its count does not move.
            return typed.person_id == person.id and await card_means.opens(services, tx, typed)

        return with_card
    salt = row.salt
    proved = await pin_hashes.verifier(services, person.id, salt, digits)

    async def with_phone(tx: AsyncConnection, row: Any) -> bool:
        expected = await open_verifier(services, tx, row)
        # Of a PIN that another one took the place of meanwhile, nothing is right.
        return hmac.compare_digest(expected or bytes(32), proved) and row.salt == salt

    return with_phone


async def _never(_tx: AsyncConnection, _row: Any) -> bool:
    return False


async def _tried(services: CoreServices, tx: AsyncConnection, person: Person) -> tuple[int, bytes]:
    """How many wrong proofs were shown in a day, and the tag under which they are counted."""
    counted = await services.field_encryption.tag(MEANS_COUNTS, person.id.bytes)
    counts = await wrong_codes(services, tx, counted, await instant(tx))
    return counts.get(("proof", SIX), 0), counted


async def _try_pin(
    services: CoreServices, person: Person, action: Action, compare: _Compare
) -> int:
    """Compare, and count a wrong one, under the vault's lock: of two at once both count. The
    edition of the PIN that was right."""
    macs = await services.field_encryption.row_macs()
    reason: MeansReason | None = None
    wait = 0
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row = await pins.pin(tx, macs, person.id)
        at = await instant(tx)
        tried, counted = await _tried(services, tx, person)
        details: dict[str, str | int] = {}
        if row is not None and tried >= TRIES[row.digits]:
            reason = "too_many_proofs"
            wait = await seconds_until_fewer(services, tx, counted, "proof", at)
        elif row is None or not await compare(tx, row):
            reason, details = "proof_wrong", {"lane": "proof", "digits": SIX}
            await count_wrong_code(services, tx, counted, "proof", SIX, at)
        if reason is not None:
            await means_log.record(services, tx, person, action, reason=reason, **details)
    if reason is not None or row is None:
        raise _error(reason or "proof_wrong", wait)
    edition: int = row.edition
    return edition


async def refuse(
    services: CoreServices, person: Person, action: Action, reason: MeansReason
) -> ServiceError:
    async with services.database.transaction() as tx:
        await means_log.record(services, tx, person, action, reason=reason)
    return _error(reason)


_ERRORS: dict[MeansReason, tuple[ErrorKind, str]] = {
    "proof_needed": (ErrorKind.REFUSED, "proof_needed"),
    "proof_wrong": (ErrorKind.REFUSED, "proof_wrong"),
    "too_many_proofs": (ErrorKind.TOO_MANY, "too_many_proofs"),
}


def _error(reason: MeansReason, wait: int = 0) -> ServiceError:
    return ServiceError(*_ERRORS[reason], retry_after=wait or None)
