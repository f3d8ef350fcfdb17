"""Signing in by a code: people by their phone, workers by their work e-mail.

Everything is written and done alike whether or not the account exists (invariant 7): the answer,
the rows, the sealing, the line of the log.
"""

import hmac
import secrets
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome
from audit.records import audit_key
from auth import messages, notifications, profiles, sessions
from auth.records import people, recipients, sign_ins
from auth.services import CoreServices
from auth.subjects import Person
from base.contact import normal_email, normal_phone
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from base.locks import hold_tag

CODE_LIFE = timedelta(minutes=10)
MOST_ATTEMPTS = 5
MOST_WRONG = 20
HOUR = timedelta(hours=1)
# An attempt comes at most a code's life after its sign-in: so no 24 hours hold more than
# MOST_WRONG wrong codes.
WRONG_WINDOW = timedelta(hours=24) + CODE_LIFE
_TABLE = "sign_in"
_DIGITS = 6
_STRANGER = Actor(ActorKind.ANONYMOUS)

Subject = Literal["person", "worker"]
OnOpened = Callable[[CoreServices, AsyncConnection, UUID, bytes], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Started:
    """A sign-in under way."""

    id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session just opened; `token` is shown this once."""

    token: str = field(repr=False)
    expires_at: datetime
    kind: Subject


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a code goes, and the account found there, if any."""

    kind: Subject
    value: str = field(repr=False)
    tag: bytes = field(repr=False)
    row: Any = field(default=None, repr=False)

    @property
    def vault(self) -> UUID | None:
        """The vault in whose log this belongs."""
        return self.row.id if self.row is not None and self.kind == "person" else None

    @property
    def details(self) -> dict[str, str | int]:
        """Which worker it is about, for the operator's log."""
        known_worker = self.row is not None and self.kind == "worker"
        return {"worker": str(self.row.id)} if known_worker else {}


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why not, as the log says it; the caller is told less. `retry_after` is in seconds."""

    reason: Literal["too_many_codes", "code_wrong", "too_many_wrong_codes", "vault_asleep"]
    retry_after: int | None = None


async def start(
    services: CoreServices,
    *,
    phone: str | None = None,
    email: str | None = None,
    language: str = "fr",
) -> Started:
    """Send a code to a phone (a person) or to a work e-mail (a worker).

    Raises `ServiceError`: INVALID `one_address`, `phone_invalid`, `email_invalid`; TOO_MANY
    `too_many_codes`, counted by address whether or not anyone is there.
    """
    address = await _address(services, phone, email)
    async with services.database.transaction() as tx:
        # 1. One sign-in of an address at a time: the counts below are exact.
        await hold_tag(tx, address.tag)
        at = await instant(tx)
        address = await _find(tx, address)
        started = await _send_code(services, tx, address, at, language)
    # A crash from here on leaves a code on its way, and a sign-in that expires by itself.
    if isinstance(started, _Refused):
        await _record_refusal(services, address, Action.SIGN_IN_CODE, started.reason)
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_codes", retry_after=started.retry_after)
    return started


async def finish(
    services: CoreServices,
    sign_in_id: UUID,
    *,
    code: str,
    language: str = "fr",
    on_opened: OnOpened | None = None,
) -> SignedIn:
    """Exchange a good code for a session; the first one for a phone opens an empty vault.

    `on_opened(desk, tx, person_id, phone_tag)` runs in the same transaction as the opening. Raises
    `ServiceError`: NOT_FOUND for an unknown sign-in; UNAUTHENTICATED `code_wrong` for a wrong,
    late, exhausted or used code alike; REFUSED `vault_asleep` for a good code that no longer
    suffices (a number unused for six months may be another person's).
    """
    async with services.database.transaction() as tx:
        row = await sign_ins.sign_in(tx, sign_in_id)
        address = None if row is None else await _address_of(services, row)
    if row is None or address is None:
        await _record_refusal(services, None, Action.SIGN_IN_FAILED, "not_found")
        raise not_found()
    async with services.database.transaction() as tx:
        # 1. One attempt on an address at a time, across all its sign-ins.
        await hold_tag(tx, address.tag)
        address = await _find(tx, address)
        # 2. The attempt is spent before the code is looked at, and whatever it was.
        refused = await _try_code(services, tx, row, code)
        # 3. The code is good, once: a session, a vault maybe, and the line that says so.
        if refused is None:
            ended = await _open(services, tx, row, address, language, on_opened)
        else:
            ended = refused
        if isinstance(ended, _Refused):
            # The spent attempt and its line commit together: nothing of the act is undone.
            await _record(services, tx, address, Action.SIGN_IN_FAILED, ended.reason)
    # A crash from here on leaves a session whose token nobody holds; it ends by itself.
    if isinstance(ended, SignedIn):
        return ended
    if ended.reason == "vault_asleep":
        raise ServiceError(ErrorKind.REFUSED, "vault_asleep")
    raise ServiceError(ErrorKind.UNAUTHENTICATED, "code_wrong")


async def _address(services: CoreServices, phone: str | None, email: str | None) -> _Address:
    if (phone is None) == (email is None):
        raise invalid("one_address")
    if phone is not None:
        value = normal_phone(phone)
        return _Address("person", value, await services.field_encryption.tag("phone", value))
    value = normal_email(email or "")
    return _Address("worker", value, await services.field_encryption.tag("email", value))


async def _address_of(services: CoreServices, row: Any) -> _Address:
    """The address of a sign-in under way."""
    reader = await services.field_encryption.reader(None)
    values = reader.open(_TABLE, row.id, row.sealed)
    return _Address(row.kind, values["to"], row.address_tag)


async def _find(tx: AsyncConnection, address: _Address) -> _Address:
    """The same address with its account as it stands now."""
    look_up = people.person_by_phone if address.kind == "person" else recipients.worker_by_email
    row = await look_up(tx, address.tag)
    return _Address(address.kind, address.value, address.tag, row)


async def _send_code(
    services: CoreServices, tx: AsyncConnection, address: _Address, at: datetime, language: str
) -> Started | _Refused:
    """Keep a sign-in and queue its message, unless this hour's codes are used up."""
    seen = await sign_ins.recent(tx, address.tag, sent_within=HOUR, tried=WRONG_WINDOW)
    if seen.sent >= services.settings.sign_ins_per_hour:
        wait = ceil((seen.oldest + HOUR - at).total_seconds())
        return _Refused("too_many_codes", max(wait, 1))
    started = Started(new_id(), at + CODE_LIFE)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    writer = await services.field_encryption.writer(None)
    await sign_ins.add_sign_in(
        tx,
        id=started.id,
        kind=address.kind,
        address_tag=address.tag,
        sealed=writer.seal(_TABLE, started.id, {"to": address.value}),
        code_tag=await _code_tag(services, started.id, code),
        expires_at=started.expires_at,
    )
    spoken = address.row.language if address.vault else language
    locked = seen.wrong >= MOST_WRONG
    await messages.queue(
        services,
        tx,
        channel="sms" if address.kind == "person" else "email",
        to=address.value,
        text=notifications.locked_text(spoken) if locked else notifications.code_text(spoken, code),
        subject=notifications.subject(spoken),
        life=CODE_LIFE,
        # A phone without a vault gets a real code: it opens one. An unknown e-mail gets nothing.
        really=address.kind == "person" or address.row is not None,
    )
    await _record(services, tx, address, Action.SIGN_IN_CODE)
    return started


async def _try_code(
    services: CoreServices, tx: AsyncConnection, row: Any, code: str
) -> _Refused | None:
    """Spend one attempt and compare; None when the code is good."""
    seen = await sign_ins.recent(tx, row.address_tag, sent_within=HOUR, tried=WRONG_WINDOW)
    if seen.wrong >= MOST_WRONG:
        return _Refused("too_many_wrong_codes")
    spent = await sign_ins.count_attempt(tx, row.id, MOST_ATTEMPTS)
    tag = await _code_tag(services, row.id, _typed(code))
    good = hmac.compare_digest(tag, row.code_tag)
    return None if good and spent else _Refused("code_wrong")


async def _open(
    services: CoreServices,
    tx: AsyncConnection,
    row: Any,
    address: _Address,
    language: str,
    on_opened: OnOpened | None,
) -> SignedIn | _Refused:
    """A session for whoever is at the address."""
    if address.kind == "worker" and address.row is None:
        return _Refused("code_wrong")
    await sign_ins.use_sign_in(tx, row.id)
    if address.kind == "worker":
        found = address.row
        worker = await profiles.worker(
            services, found.id, found.organisation_id, found.sealed, found.organisation_sealed
        )
        return await _session(services, tx, address.kind, worker.id, worker.actor(), None)
    if address.row is not None and address.row.asleep:
        return _Refused("vault_asleep")
    if address.row is None:
        person = await _open_vault(services, tx, address, language, on_opened)
    else:
        person = Person(address.row.id)
        await people.touch_person(tx, person.id)
    return await _session(services, tx, address.kind, person.id, person.actor(), person.id)


async def _session(
    services: CoreServices,
    tx: AsyncConnection,
    kind: Subject,
    subject_id: UUID,
    actor: Actor,
    vault: UUID | None,
) -> SignedIn:
    token, expires_at = await sessions.open_session(services, tx, kind=kind, subject_id=subject_id)
    event = Event(new_id(), await instant(tx), Action.SIGN_IN, Outcome.ALLOWED, actor, vault)
    await services.audit_log.record(tx, event)
    return SignedIn(token, expires_at, kind)


async def _open_vault(
    services: CoreServices,
    tx: AsyncConnection,
    address: _Address,
    language: str,
    on_opened: OnOpened | None,
) -> Person:
    """An empty vault: keys, row, log, in one commit. A crash before it leaves nothing."""
    person = Person(new_id(), language)
    at = await instant(tx)
    await services.field_encryption.create_owner(tx, person.id)
    await services.audit_log.prepare(tx, person.id, at.year)
    writer = await services.field_encryption.writer(person.id, tx)
    await people.add_person(
        tx,
        id=person.id,
        phone_tag=address.tag,
        language=language,
        sealed=writer.seal("person", person.id, {"phone": address.value}),
    )
    event = Event(new_id(), at, Action.VAULT_OPENED, Outcome.ALLOWED, person.actor(), person.id)
    await services.audit_log.record(tx, event)
    if on_opened is not None:
        await on_opened(services, tx, person.id, address.tag)
    return person


async def _record_refusal(
    services: CoreServices, address: _Address | None, action: Action, reason: str
) -> None:
    """Record a refusal that commits alone."""
    async with services.database.transaction() as tx:
        await _record(services, tx, address, action, reason)


async def _record(
    services: CoreServices,
    tx: AsyncConnection,
    address: _Address | None,
    action: Action,
    reason: str = "",
) -> None:
    """A line about a stranger at the door: in the vault's log, or in the service's.

    Either way one audit key is read from the database and one line sealed.
    """
    vault = None if address is None else address.vault
    at = await instant(tx)
    if vault is None:
        await audit_key(tx, new_id(), at.year)
    else:
        services.audit_log.forget(vault)
    event = Event(
        new_id(),
        at,
        action,
        Outcome.REFUSED if reason else Outcome.ALLOWED,
        _STRANGER,
        vault,
        reason,
        details={} if address is None else address.details,
    )
    await services.audit_log.record(tx, event)


async def _code_tag(services: CoreServices, sign_in_id: UUID, code: str) -> bytes:
    """A code under a key of the service: six digits alone would be guessed from a hash."""
    return await services.field_encryption.tag("sign-in-code", sign_in_id.bytes, code)


def _typed(code: str) -> str:
    """The digits of a code as people type it: `123 456`, or in the digits of another script."""
    kept = (unicodedata.decimal(character, None) for character in code)
    return "".join(str(digit) for digit in kept if digit is not None)
