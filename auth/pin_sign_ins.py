"""The second step of a sign-in: the PIN, after a phone's code or for a card.

The same is written, done and answered whether or not a card is there, works, or is barred; and
whether one vault is on a phone, or two: the PIN alone decides which one opens.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import card_means, pin_hashes, pins, session_start, sessions
from auth.card_codes import CardText
from auth.card_means import TriedCard
from auth.levels import Level
from auth.phone_means import mark_used
from auth.pin_rules import PHONE_TRIES, SIX, TRIES, VAULTS_ON_A_PHONE
from auth.records import people, pin_steps
from auth.records import pins as pin_records
from auth.records.pin_steps import PIN_STEP_ROW
from auth.services import CoreServices
from auth.session_start import Account, NewSession, SignInRefused, record_attempt
from auth.subjects import Person, Worker
from auth.visitor import UNKNOWN, Visitor
from auth.wrong_codes import count_wrong_code, wrong_codes
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.key_names import MEANS_COUNTS, PHONE_GUESSES, PIN_STEP
from base.locks import hold_tag
from base.user_text import digits_of

STEP_LIFE = timedelta(minutes=10)
STEP_TRIES = 5
"""PINs typed under one step; then it is as one that is late. Whoever has slow fingers shows the
card, or asks for a code, again; who tries many has as many as steps are begun."""
_FAILED = Action.SIGN_IN_FAILED


@dataclass(frozen=True, slots=True)
class PendingPin:
    """A sign-in that waits for a PIN; `secret` is shown this once."""

    id: UUID
    secret: str = field(repr=False)
    expires_at: datetime


class PinAsked(Exception):
    """A code was right, and is used up: a PIN is asked now, under the same id and secret."""

    def __init__(self, pending: PendingPin) -> None:
        super().__init__()
        self.pending = pending


async def begin_with_card(
    services: CoreServices, typed: str, *, secret: str | None = None
) -> PendingPin:
    """A sign-in with a card, whatever becomes of it: no card is looked for yet.

    `secret`: what the visitor holds already, 128 random bits or more; a new one when None. Raises
    `ServiceError` INVALID `card_typo`, `card_of_another`.
    """
    text = await card_means.read_card(services, typed)
    secret = secret or secrets.token_urlsafe(32)
    values = {"card": text.text, "kind": text.kind}
    async with services.database.transaction() as tx:
        return await add_step(services, tx, new_id(), secret, "card", values)


async def add_step(
    services: CoreServices,
    tx: AsyncConnection,
    step_id: UUID,
    secret: str,
    kind: str,
    values: dict[str, str],
) -> PendingPin:
    """Keep what was shown so far, for who holds `secret`. A crash after the commit leaves a row
    that expires by itself."""
    at = await instant(tx)
    writer = await services.field_encryption.writer(None)
    macs = await services.field_encryption.row_macs()
    row = {
        "id": step_id,
        "kind": kind,
        "secret_hash": _secret_hash(step_id, secret),
        "sealed": writer.seal(PIN_STEP, step_id, values),
        "created_at": at,
        "expires_at": at + STEP_LIFE,
    }
    await pin_steps.add_step(tx, **macs.add(PIN_STEP_ROW, row))
    return PendingPin(step_id, secret, at + STEP_LIFE)


async def is_begun(services: CoreServices, step_id: UUID, secret: str) -> bool:
    """Whether a PIN is what a sign-in waits for, for who began it."""
    return await _begun(services, step_id, secret) is not None


async def redeem_pin(
    services: CoreServices,
    step_id: UUID,
    *,
    secret: str,
    pin: str,
    visitor: Visitor = UNKNOWN,
    beside: Worker | None = None,
) -> NewSession:
    """Exchange a right PIN for a session; an assisted one with the worker `beside`, by a card
    alone.

    Raises `ServiceError` UNAUTHENTICATED `pin_wrong`, the same for an unknown or late step, or one
    under which `STEP_TRIES` were typed, another one's secret, a wrong PIN, a card that is not there
    or barred, and a phone on which too many were tried.
    """
    begun = await _begun(services, step_id, secret)
    if begun is None or (beside is not None and begun[0].kind != "card"):
        await session_start.record_refusal(services, None, _FAILED, "not_found", visitor, beside)
        raise _pin_wrong()
    row, values = begun
    digits = digits_of(pin)[:SIX]
    result: NewSession | None = None
    async with pin_hashes.in_turn(*_sources(values, visitor)):
        counted = await _take_try(services, step_id)
        if counted and row.kind == "card":
            result = await _with_card(services, row, values, digits, visitor, beside)
        elif counted:
            result = await _with_phone(services, row, values["to"], digits, visitor)
    if not counted:
        await session_start.record_refusal(services, None, _FAILED, "not_found", visitor, beside)
    # A crash from here on leaves a session whose token nobody holds; it expires by itself.
    if result is None:
        raise _pin_wrong()
    return result


def _sources(values: dict[str, str], visitor: Visitor) -> list[bytes]:
    """Whose turn it is: of one card, or phone, from one network; then of that network, so that many
    cards together are one too."""
    shown = values.get("card") or values["to"]
    network = sha256(b"network|" + visitor.network.encode()).digest()
    narrow = sha256(network + shown.encode()).digest()
    return [narrow] if visitor.network == UNKNOWN.network else [narrow, network]


async def _with_card(
    services: CoreServices,
    row: Any,
    values: dict[str, str],
    digits: str,
    visitor: Visitor,
    beside: Worker | None,
) -> NewSession | None:
    text = CardText("code" if values["kind"] == "code" else "secret", values["card"])
    # 1. What proves the PIN, whether or not the card is there.
    typed = await card_means.prove(services, text, digits)
    async with services.database.transaction() as tx:
        # 2. Compared and counted under the vault's lock: a refusal undoes no count.
        tried = await card_means.try_pin(services, tx, typed)
        opens = tried.refused is None and await _use_up(tx, row.id)
        # 3. A session, or the refusal, in the log of the card's vault or of the service.
        if opens:
            if beside is not None:
                await sessions.hold_for_assistance(services, tx, beside)
            person = Person(tried.card.person_id, beside=beside)
            return await _start(services, tx, person, visitor, Level.CARD_PIN, tried.shown)
        await _record_card(services, tx, tried, visitor, beside)
    return None


async def _record_card(
    services: CoreServices,
    tx: AsyncConnection,
    tried: TriedCard,
    visitor: Visitor,
    beside: Worker | None,
) -> None:
    """In the vault's log. A barred card has a line there once in a day and the hour that it began
    in: more would bury what matters. The others are in the service's log, as those of a card that
    is not there."""
    reason = "not_found" if tried.refused is None else tried.refused.reason
    vault, shown = None if tried.card is None else tried.card.person_id, tried.shown
    card_id = new_id() if tried.card is None else tried.card.id
    counted = await services.field_encryption.tag(MEANS_COUNTS, card_id.bytes)
    at = await instant(tx)
    told = (await wrong_codes(services, tx, counted, at)).get(("barred", SIX), 0)
    if reason == "card_barred" and told:
        vault, shown = None, {}
    elif reason == "card_barred":
        await count_wrong_code(services, tx, counted, "barred", SIX, at)
    await session_start.record_in(
        services, tx, vault, _FAILED, reason, visitor=visitor, details=shown, beside=beside
    )


async def _with_phone(
    services: CoreServices, row: Any, to: str, digits: str, visitor: Visitor
) -> NewSession | None:
    address = await session_start.phone_address(services, to)
    # 1. What proves the PIN to each vault that may be there: always as many.
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        found = await pin_records.people_of_phone(tx, macs, address.tags)
        salts = [await pin_records.pin(tx, macs, one.id) for one in found]
    typed = await _typed(services, [one for one in salts if one is not None], digits)
    async with services.database.transaction() as tx:
        # 2. One try on a phone at a time: the count is exact.
        account = await session_start.lock_account(services, tx, address)
        at = await instant(tx)
        opened = await _opened_by(services, tx, account, typed, await _tried(services, tx, account))
        # 3. A session, or a wrong PIN that counts.
        if isinstance(opened, Person) and await _use_up(tx, row.id):
            await mark_used(services, tx, opened.id, has_pin=True)
            await people.touch_person(tx, macs, opened.id)
            return await _start(services, tx, opened, visitor, Level.PHONE_CODE, {"pin": 1})
        reason = opened.reason if isinstance(opened, SignInRefused) else "not_found"
        spent: dict[str, str | int] = {}
        if reason == "pin_wrong":
            await count_wrong_code(services, tx, address.tag, "pin", SIX, at)
            guessed = await services.field_encryption.tag(PHONE_GUESSES, address.tag)
            spent = {"lane": "pin", "digits": SIX, "address": guessed[:16].hex()}
        await record_attempt(services, tx, account, _FAILED, reason, visitor=visitor, spent=spent)
    return None


@dataclass(frozen=True, slots=True)
class _Proof:
    """What proves a typed PIN to one vault, if its PIN is still of that edition."""

    person_id: UUID
    edition: int
    verifier: bytes = field(repr=False)


async def _typed(services: CoreServices, rows: list[Any], digits: str) -> list[_Proof]:
    proofs = []
    for row in rows:
        proved = await pin_hashes.verifier(services, row.person_id, row.salt, digits)
        proofs.append(_Proof(row.person_id, row.edition, proved))
    for _ in range(VAULTS_ON_A_PHONE - len(rows)):
        await pin_hashes.verifier(services, new_id(), pin_hashes.new_salt(), digits)
    return proofs


async def _tried(services: CoreServices, tx: AsyncConnection, account: Account) -> int:
    """How many wrong PINs were typed after codes of a phone in a day, by whomever."""
    counts = await wrong_codes(services, tx, account.address.tag, await instant(tx))
    return counts.get(("pin", SIX), 0)


async def _opened_by(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account,
    typed: list[_Proof],
    tried: int,
) -> Person | SignInRefused:
    """Whose PIN it is. Each vault of the phone is compared, whatever the others say. A vault that
    slept opens too: whoever has the number next does not know its PIN. One without a PIN, beside
    that of who has the number now, is opened by none."""
    macs = await services.field_encryption.row_macs()
    opened: Person | SignInRefused = SignInRefused("pin_wrong")
    if tried >= PHONE_TRIES:
        return SignInRefused("too_many_wrong_codes")
    for person in account.behind_pin:
        row = await pin_records.pin(tx, macs, person.id)
        proof = next((one for one in typed if one.person_id == person.id), None)
        expected = None if row is None else await pins.open_verifier(services, tx, row)
        if row is None or proof is None or expected is None or proof.edition != row.edition:
            continue
        right = hmac.compare_digest(expected, proof.verifier) and tried < TRIES[row.digits]
        if right:
            opened = Person(person.id)
    return opened


async def _start(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    visitor: Visitor,
    level: Level,
    shown: dict[str, str | int],
) -> NewSession:
    await session_start.tell_person_of_new_browser(services, tx, person.id, visitor)
    if level is not Level.PHONE_CODE:
        await people.touch_person(tx, await services.field_encryption.row_macs(), person.id)
    details = {"level": level.value, **shown}
    return await session_start.open_recorded_session(
        services, tx, person, visitor, level=level, shown=details
    )


async def _begun(
    services: CoreServices, step_id: UUID, secret: str
) -> tuple[Any, dict[str, str]] | None:
    """The step that the holder of `secret` began, and what was shown; None for anyone else, and
    once it is late, used, or its tries are. Raises `RowAltered`."""
    async with services.database.transaction() as tx:
        row = await pin_steps.step(tx, step_id)
    expected = bytes(32) if row is None else row.secret_hash
    if not hmac.compare_digest(expected, _secret_hash(step_id, secret)) or row is None:
        return None
    values = await _opened(services, row)
    return None if _tried_under(values) >= STEP_TRIES else (row, values)


async def _take_try(services: CoreServices, step_id: UUID) -> bool:
    """Count a PIN under a step before it is looked at, so that of many at once no more are; False
    when none is left. A crash after the commit leaves one try less."""
    async with services.database.transaction() as tx:
        await hold_tag(tx, step_id.bytes[8:])
        row = await pin_steps.step(tx, step_id)
        values = {} if row is None else await _opened(services, row)
        tried = _tried_under(values)
        if row is None or tried >= STEP_TRIES:
            return False
        writer = await services.field_encryption.writer(None)
        macs = await services.field_encryption.row_macs()
        counted = {name: getattr(row, name) for name in PIN_STEP_ROW.columns}
        counted["sealed"] = writer.seal(PIN_STEP, row.id, {**values, "tried": str(tried + 1)})
        await pin_steps.replace_step(tx, **macs.add(PIN_STEP_ROW, counted))
    return True


async def _use_up(tx: AsyncConnection, step_id: UUID) -> bool:
    """Use a step up, once no other try puts another row in its place; False where another did."""
    await hold_tag(tx, step_id.bytes[8:])
    return await pin_steps.take_step(tx, step_id)


async def _opened(services: CoreServices, row: Any) -> dict[str, str]:
    """What was sealed to a step. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    macs.check(PIN_STEP_ROW, row)
    reader = await services.field_encryption.reader(None)
    opened: dict[str, str] = reader.open(PIN_STEP, row.id, row.sealed)
    return opened


def _tried_under(values: dict[str, str]) -> int:
    return int(values.get("tried", "0"))


def _secret_hash(step_id: UUID, secret: str) -> bytes:
    """Of random bits, so SHA-256 is enough; with the step, as that of a sign-in."""
    return sha256(step_id.bytes + secret.encode()).digest()


def _pin_wrong() -> ServiceError:
    return ServiceError(ErrorKind.UNAUTHENTICATED, "pin_wrong")
