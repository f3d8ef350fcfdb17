"""Asking to erase one's vault: a code, seven days during which everything works, then the erasure.
A vault of cards alone asks a card and the PIN, again, in the place of the code.

It is told to the person's phone at once and again the day before, and is cancelled by any of their
sessions.
"""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, holder_proofs, means_log, notifications, pins
from auth.holder_proofs import NO_PROOF, Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.messages import queue
from auth.person_contact import PersonContact, person_contact
from auth.services import CoreServices
from auth.session_list import count_sessions
from auth.subjects import Person
from base.clock import rfc3339
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.locks import hold_vault
from vault.decisions import AccessAttempt, record_allowed, record_refused
from vault.maintenance import erasure, records
from vault.maintenance.erasure_codes import try_code
from vault.rules import Reason, failure_of
from vault.services import Services

WAIT = timedelta(days=7)
REMINDED_BEFORE = timedelta(days=1)
MIN_NOTICE = timedelta(hours=20)
"""Nothing is erased sooner after its reminder, even when the jobs did not run for days."""
_MESSAGE_LIFE = timedelta(days=2)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WhatEnds:
    """What an erasure ends, counted."""

    documents: int
    grants: int
    requests: int
    sessions: int


async def what_ends(services: Services, person: Person) -> WhatEnds:
    """What would end if the vault were erased now."""
    async with services.database.transaction() as tx:
        return await _what_ends(tx, person)


async def erases_at(services: Services, person: Person) -> datetime | None:
    """When the vault will be erased, if the person asked for it. Raises
    `storage.row_macs.RowAltered`."""
    async with services.database.transaction() as tx:
        return await erases_at_within(services, tx, person.id)


async def is_by_card(services: Services, person: Person) -> bool:
    """Whether an erasure is confirmed by a card and the PIN: there is no phone for a code."""
    return (await holder_proofs.asked_of(services, person)).kind == "card_pin"


async def ask(
    services: Services, person: Person, code: str = "", *, proof: Proof = NO_PROOF
) -> tuple[datetime, WhatEnds]:
    """Have the vault erased in seven days: when, and what ends. A second time changes nothing.
    `code`: sent to the phone; `proof`: where there is none.

    Raises `ServiceError` REFUSED `erasure_code_wrong` (with the tries `left`), or
    `erasure_code_over` when there is no code, or none that still serves; as
    `auth.holder_proofs.show` where a card is asked for, and CONFLICT `card_too_new` where its PIN
    is; `not_when_assisted`. Each try is recorded.
    """
    await assistance.check_alone(services, person, Action.ERASE_ASKED)
    if await is_by_card(services, person):
        # A wrong proof counts as one for a change of means: there are five a day for both.
        shown = await holder_proofs.show(
            services, person, Action.ERASE_ASKED, proof, or_waited=False
        )
        return await _ask_with_card(services, person, shown)
    return await _ask_with_code(services, person, code)


async def _ask_with_card(
    services: Services, person: Person, shown: ShownProof
) -> tuple[datetime, WhatEnds]:
    """Nobody is told where there is no phone: a PIN that was chosen within the week, as with each
    new card, erases nothing. Whoever took over a session may have chosen it."""
    asked: tuple[datetime, WhatEnds] | ServiceError
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        at, chosen_at = await instant(tx), await pins.chosen_at(services, tx, person.id)
        if not await holder_proofs.serves(services, tx, person, shown):
            # Another PIN, or a phone, came in between.
            await means_log.record(services, tx, person, Action.ERASE_ASKED, reason="proof_wrong")
            asked = ServiceError(ErrorKind.REFUSED, "proof_wrong")
        elif chosen_at is None or at - chosen_at < WAIT:
            attempt = _attempt(person, Action.ERASE_ASKED)
            await record_refused(services, tx, at, attempt, Reason.CARD_TOO_NEW)
            asked = failure_of(Reason.CARD_TOO_NEW)
        else:
            asked = await _asked(services, tx, person, at)
    if isinstance(asked, ServiceError):
        raise asked
    return asked


async def _ask_with_code(
    services: Services, person: Person, code: str
) -> tuple[datetime, WhatEnds]:
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        # 1. The try is counted and recorded in this transaction, whatever it gives.
        left = await try_code(services, tx, person, code)
        at = await instant(tx)
        if left is not None:
            attempt = _attempt(person, Action.ERASE_ASKED)
            await record_refused(services, tx, at, attempt, Reason.CODE_WRONG)
        else:
            # 2. The wait, its event and its message: one commit. A crash before it leaves none.
            asked = await _asked(services, tx, person, at)
    if left is None:
        return asked
    if left == 0:
        raise ServiceError(ErrorKind.REFUSED, "erasure_code_over", fields=[("code",)])
    raise ServiceError(ErrorKind.REFUSED, "erasure_code_wrong", fields=[("code",)], left=left)


async def cancel(services: Services, person: Person) -> None:
    """Keep the vault after all. Nothing is recorded or told when no erasure was waiting."""
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        await keep_vault(services, tx, person)


async def keep_vault(services: CoreServices, tx: AsyncConnection, person: Person) -> None:
    """The same, in the caller's transaction. The caller MUST hold the vault's lock."""
    if not await records.delete_pending(tx, person.id):
        return
    attempt = _attempt(person, Action.ERASE_CANCELLED)
    await record_allowed(services, tx, await instant(tx), attempt)
    contact = await person_contact(services, tx, person.id)
    text = notifications.erasure_cancelled(services, contact.language)
    await _tell(services, tx, contact, text)


async def run_due(services: Services) -> int:
    """Remind those whose vault is erased within a day, then erase what is due; returns how many
    were erased. Repeated after a crash: it neither repeats nor loses a reminder.

    What fails for one person keeps back neither the others nor the jobs that follow; the next run
    tries again.
    """
    async with services.database.transaction() as tx:
        to_remind = await records.pending_to_remind(tx, REMINDED_BEFORE)
    for person_id in to_remind:
        await _unless_it_fails(_remind(services, person_id))
    async with services.database.transaction() as tx:
        due = await records.due_erasures(tx, MIN_NOTICE)
    done = [await _unless_it_fails(_erase(services, person_id)) for person_id in due]
    return sum(one is True for one in done)


async def _unless_it_fails(work: Coroutine[Any, Any, bool | None]) -> bool | None:
    try:
        return await work
    except Exception as error:  # noqa: BLE001  (logged; the next run tries again)
        _log.error("pending_erasure_failed", error=type(error).__name__)
        return None


async def _erase(services: Services, person_id: UUID) -> bool:
    async def still_due(tx: AsyncConnection) -> bool:
        return await _is_due(services, tx, person_id)

    return await erasure.erase(services, Person(person_id), only_if=still_due)


async def _asked(
    services: Services, tx: AsyncConnection, person: Person, at: datetime
) -> tuple[datetime, WhatEnds]:
    """What waits already, or from now on. The caller MUST hold the vault's lock."""
    when = await erases_at_within(services, tx, person.id)
    if when is None:
        when = await _wait(services, tx, person, at)
    return when, await _what_ends(tx, person)


async def _wait(services: Services, tx: AsyncConnection, person: Person, at: datetime) -> datetime:
    """Write the wait, tell the person, record it; returns when it is over."""
    when = at + WAIT
    values = {"person_id": person.id, "asked_at": at, "erases_at": when, "reminded_at": None}
    macs = await services.field_encryption.row_macs()
    await records.add_pending(tx, macs.add(records.PENDING_ERASURE_ROW, values))
    contact = await person_contact(services, tx, person.id)
    text = notifications.erasure_asked(services, contact.language, when, contact.zone)
    await _tell(services, tx, contact, text)
    attempt = _attempt(person, Action.ERASE_ASKED, erases_at=rfc3339(when))
    await record_allowed(services, tx, at, attempt)
    return when


async def _remind(services: Services, person_id: UUID) -> None:
    """The message and `reminded_at` are one commit. A row that we did not write erases nothing."""
    async with services.database.transaction() as tx:
        await hold_vault(tx, person_id)
        row = await records.pending(tx, person_id)
        if row is None or row.reminded_at is not None:
            return
        macs = await services.field_encryption.row_macs()
        if not macs.holds(records.PENDING_ERASURE_ROW, row):
            _log.error("pending_erasure_altered")
            return
        contact = await person_contact(services, tx, person_id)
        at = await instant(tx)
        # A reminder that comes late puts the erasure off: it names no date that is past.
        when = max(row.erases_at, at + MIN_NOTICE)
        text = notifications.erasure_soon(services, contact.language, when, contact.zone)
        await _tell(services, tx, contact, text)
        values = {**row._mapping, "reminded_at": at}
        await records.note_reminder(tx, macs.add(records.PENDING_ERASURE_ROW, values))


async def _is_due(services: Services, tx: AsyncConnection, person_id: UUID) -> bool:
    """Asked again under the vault's lock: the person may have cancelled meanwhile."""
    if not await records.due_erasures(tx, MIN_NOTICE, person_id):
        return False
    row = await records.pending(tx, person_id)
    macs = await services.field_encryption.row_macs()
    if row is None or not macs.holds(records.PENDING_ERASURE_ROW, row):
        _log.error("pending_erasure_altered")
        return False
    return True


async def erases_at_within(
    services: Services, tx: AsyncConnection, person_id: UUID
) -> datetime | None:
    """`erases_at`, in the caller's transaction."""
    row = await records.pending(tx, person_id)
    if row is None:
        return None
    (await services.field_encryption.row_macs()).check(records.PENDING_ERASURE_ROW, row)
    at: datetime = row.erases_at
    return at


async def _what_ends(tx: AsyncConnection, person: Person) -> WhatEnds:
    documents, grants, requests = await records.count_contents(tx, person.id)
    return WhatEnds(documents, grants, requests, await count_sessions(tx, person))


async def _tell(
    services: CoreServices, tx: AsyncConnection, contact: PersonContact, text: str
) -> None:
    """Queue a text message. A person without a phone is told at the desk."""
    if contact.phone is not None:
        await queue(services, tx, channel="sms", to=contact.phone, text=text, life=_MESSAGE_LIFE)


def _attempt(person: Person, action: Action, **details: str) -> AccessAttempt:
    return AccessAttempt(
        action=action, actor=person.actor(), person=person.id, details=dict(details)
    )
