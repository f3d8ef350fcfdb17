"""Where every means of signing in ends: a vault found or opened, a session, the log entries.

A means is one file, such as `one_time_codes`. In one transaction it locks the account, checks what
it was shown, calls `start_session`, and records a refusal by `record_attempt`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome
from audit.records import audit_key
from auth import browsers, closings, messages, notifications, profiles, sessions
from auth.empty_vaults import open_empty_vault
from auth.levels import Level
from auth.person_contact import contact_to_tell
from auth.phone_forms import bring_forward
from auth.phone_means import mark_used
from auth.pin_rules import VAULTS_ON_A_PHONE
from auth.records import people, pins, recipients
from auth.services import CoreServices
from auth.subjects import Person, Worker
from auth.visitor import UNKNOWN, Visitor
from base.contact import normal_email
from base.db_time import instant
from base.ids import new_id
from base.key_names import EMAIL, PHONE
from base.locks import hold_tags
from base.phone_numbers import normal_phone, phone_forms
from base.pipeline import fetch_one

_NOTHING: Mapping[str, str | int] = {}
_ANONYMOUS = Actor(ActorKind.ANONYMOUS)

AccountKind = Literal["person", "worker"]
OnVaultOpened = Callable[[CoreServices, AsyncConnection, UUID, Sequence[bytes]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just opened; `token` is shown this once. `browser`: the secret by which the browser
    is known again; empty where others use it."""

    token: str = field(repr=False)
    expires_at: datetime
    kind: AccountKind
    subject_id: UUID
    browser: str = field(repr=False)


SignInReason = Literal[
    "code_wrong",
    "too_many_wrong_codes",
    "vault_asleep",
    "closed",
    "not_found",
    "pin_wrong",
    "card_barred",
]
"""Why a sign-in is refused: stored in the log, only ever added to."""


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """The reason for the log; the caller learns less."""

    reason: SignInReason


@dataclass(frozen=True, slots=True)
class Address:
    """A person's phone or a worker's work e-mail: its normal form and its keyed tag.

    `forms`: every form under which the account may be kept, the first to be looked for first; and
    their `tags`.
    """

    kind: AccountKind
    value: str = field(repr=False)
    tag: bytes = field(repr=False)
    forms: tuple[str, ...] = field(repr=False)
    tags: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """The account of an address; `row` is None when there is none, and when a PIN is asked.

    `behind_pin`: the people of a phone who have a PIN, one or two. Until it is right, nothing is
    said, written or recorded of them: their phone is as one where nobody is.
    """

    address: Address
    row: Any = field(default=None, repr=False)
    behind_pin: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def holders(self) -> tuple[UUID, ...]:
        """Whose browsers may be known: with PINs, as many as there can be, whoever is there."""
        if self.row is not None:
            return (self.row.id,)
        missing = VAULTS_ON_A_PHONE - len(self.behind_pin)
        ids = tuple(row.id for row in self.behind_pin)
        return (*ids, *(new_id() for _ in range(missing))) if ids else (new_id(),)

    @property
    def vault(self) -> UUID | None:
        """The vault in whose log this is recorded; None for the service's log."""
        return self.row.id if self.row is not None and self.address.kind == "person" else None

    @property
    def details(self) -> dict[str, str | int]:
        """Which worker this is about, for the service's log."""
        known_worker = self.row is not None and self.address.kind == "worker"
        return {"worker": str(self.row.id)} if known_worker else {}


async def phone_address(services: CoreServices, phone: str) -> Address:
    """The address of a person. Raises `ServiceError` INVALID `phone_invalid`."""
    value, forms = normal_phone(phone), phone_forms(phone)
    tags = [await services.field_encryption.tag(PHONE, form) for form in forms]
    return Address("person", value, tags[forms.index(value)], forms, tuple(tags))


async def email_address(services: CoreServices, email: str) -> Address:
    """The address of a worker. Raises `ServiceError` INVALID `email_invalid`."""
    value = normal_email(email)
    tag = await services.field_encryption.tag(EMAIL, value)
    return Address("worker", value, tag, (value,), (tag,))


async def lock_account(
    services: CoreServices, tx: AsyncConnection, address: Address, also: Sequence[bytes] = ()
) -> Account:
    """Wait until no other sign-in of this address is under way, then read its account. `also`: tags
    of other phones that are locked with it.

    Until `tx` ends, counts of the address's attempts are exact and no other one opens its vault.
    """
    await hold_tags(tx, (address.tag, *also))
    macs = await services.field_encryption.row_macs()
    if address.kind == "person":
        found = await pins.people_of_phone(tx, macs, address.tags)
        if len(found) > 1 or any(row.has_pin for row in found):
            return Account(address, behind_pin=tuple(found))
        return Account(address, found[0] if found else None)
    return Account(address, await recipients.worker_by_email(tx, macs, address.tag))


async def start_session(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account,
    *,
    visitor: Visitor = UNKNOWN,
    language: str = "fr",
    on_vault_opened: OnVaultOpened | None = None,
) -> NewSession | SignInRefused:
    """A session for an account whose holder the caller has verified, in the caller's transaction.

    A person without a vault gets an empty one, in `language`; then
    `on_vault_opened(services, tx, person_id, phone_tags)` runs. Refused: `vault_asleep` (a number
    unused for six months may be another person's), `not_found` where no worker has the address, and
    `closed` where no vault opens any more.
    A sign-in from a browser that is not known is told to the account's phone or e-mail, except
    that which opens the vault.

    The caller MUST have got `account` from `lock_account` in `tx`. A crash before the commit
    leaves nothing; after it, a session whose token nobody holds, which expires by itself.
    """
    subject: Person | Worker
    if account.address.kind == "worker":
        if account.row is None:
            return SignInRefused("not_found")
        subject = await _worker(services, account.row)
    elif account.row is None:
        if await closings.is_over(services, tx):
            return SignInRefused("closed")
        subject = await _open_vault(services, tx, account.address, language, on_vault_opened)
    elif account.row.asleep:
        return SignInRefused("vault_asleep")
    else:
        subject = Person(account.row.id)
        await bring_forward(services, tx, account.row, account.address.value, account.address.tag)
        await mark_used(services, tx, subject.id, has_pin=False)
        await people.touch_person(tx, await services.field_encryption.row_macs(), subject.id)
    if account.row is not None:
        await _tell_of_new_browser(services, tx, account, visitor, language)
    return await open_recorded_session(services, tx, subject, visitor)


async def record_refusal(
    services: CoreServices,
    account: Account | None,
    action: Action,
    reason: str,
    visitor: Visitor = UNKNOWN,
    beside: Worker | None = None,
) -> None:
    """Record a refusal in a transaction of its own. `beside`: as for `record_in`."""
    async with services.database.transaction() as tx:
        await record_attempt(services, tx, account, action, reason, visitor=visitor, beside=beside)


async def record_attempt(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account | None,
    action: Action,
    reason: str = "",
    *,
    visitor: Visitor = UNKNOWN,
    spent: Mapping[str, str | int] = _NOTHING,
    beside: Worker | None = None,
) -> None:
    """Record the attempt of an anonymous caller, with the word of their device, in the vault's log
    or in the service's.

    Refused when there is a `reason`. `spent`: the budget that a wrong code counts in, by which the
    log tells counts that were reset. `beside`: as for `record_in`. Whether or not the account
    exists, one audit key is read from the database and one entry is sealed (invariant 7).
    """
    vault = None if account is None else account.vault
    details = {**({} if account is None else account.details), **spent}
    await record_in(
        services, tx, vault, action, reason, visitor=visitor, details=details, beside=beside
    )


async def record_in(
    services: CoreServices,
    tx: AsyncConnection,
    vault: UUID | None,
    action: Action,
    reason: str = "",
    *,
    visitor: Visitor = UNKNOWN,
    details: Mapping[str, str | int] = _NOTHING,
    beside: Worker | None = None,
) -> None:
    """`record_attempt`, in the log of a vault that a means names, or in the service's. `beside`:
    the worker on whose device it was tried."""
    at = await instant(tx)
    if vault is None:
        await fetch_one(tx, audit_key(new_id(), at.year))
    else:
        services.audit_log.forget(vault)
    event = Event(
        new_id(),
        at,
        action,
        Outcome.REFUSED if reason else Outcome.ALLOWED,
        _ANONYMOUS if beside is None else Actor(ActorKind.ANONYMOUS, beside=beside.actor()),
        vault,
        reason,
        details={"device": visitor.device, **details},
    )
    await services.audit_log.record(tx, event)


async def _worker(services: CoreServices, row: Any) -> Worker:
    return await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


async def _open_vault(
    services: CoreServices,
    tx: AsyncConnection,
    phone: Address,
    language: str,
    on_vault_opened: OnVaultOpened | None,
) -> Person:
    """An empty vault, for who showed that the phone is theirs."""
    person = Person(new_id(), language)
    await open_empty_vault(
        services,
        tx,
        person,
        phone_tag=phone.tag,
        values={"phone": phone.value},
        opened_by=person.actor(),
    )
    if on_vault_opened is not None:
        await on_vault_opened(services, tx, person.id, phone.tags)
    return person


async def _tell_of_new_browser(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account,
    visitor: Visitor,
    language: str,
) -> None:
    """Tell the holder of a sign-in from a browser that is not known, in their own language.

    A crash before the commit leaves neither the session nor the message.
    """
    address = account.address
    if await browsers.is_known(services, tx, address.kind, account.row.id, visitor):
        return
    at = await instant(tx)
    if address.kind == "person":
        language = account.row.language
        zone = (await contact_to_tell(services, tx, account.row.id)).zone
        text = notifications.new_device(services, language, visitor.device, at, zone)
    else:
        worker = await _worker(services, account.row)
        zone = worker.zone
        text = notifications.new_device_of_worker(services, language, visitor.device, at, zone)
    await messages.queue(
        services,
        tx,
        channel="sms" if address.kind == "person" else "email",
        to=address.value,
        text=text,
        subject=notifications.new_device_subject(services, language),
    )


async def tell_person_of_new_browser(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, visitor: Visitor
) -> None:
    """The same, to the phone that a vault has, if it has one."""
    if await browsers.is_known(services, tx, "person", person_id, visitor):
        return
    contact = await contact_to_tell(services, tx, person_id)
    if contact.phone is not None:
        text = notifications.new_device(
            services, contact.language, visitor.device, await instant(tx), contact.zone
        )
        await messages.queue(services, tx, channel="sms", to=contact.phone, text=text)


async def open_recorded_session(
    services: CoreServices,
    tx: AsyncConnection,
    subject: Person | Worker,
    visitor: Visitor,
    *,
    level: Level = Level.PHONE_CODE,
    shown: Mapping[str, str | int] = _NOTHING,
) -> NewSession:
    """A session and its log entry; a person's entry is in their own log. The browser is known from
    here on, unless others use it. `shown`: what the entry says of the means."""
    kind: AccountKind = "person" if isinstance(subject, Person) else "worker"
    opened = await sessions.open_session(
        services,
        tx,
        kind=kind,
        subject_id=subject.id,
        visitor=visitor,
        level=level,
        beside=subject.beside if isinstance(subject, Person) else None,
    )
    event = Event(
        new_id(),
        await instant(tx),
        Action.SIGN_IN,
        Outcome.ALLOWED,
        subject.actor(),
        subject.id if kind == "person" else None,
        details={"session": str(opened.id), "device": visitor.device, **shown},
    )
    await services.audit_log.record(tx, event)
    browser = ""
    if not visitor.shared:
        browser = await browsers.remember(services, tx, kind, subject.id, visitor)
    return NewSession(opened.token, opened.expires_at, kind, subject.id, browser)
