"""Every old means of a vault is told that somebody asks to open it again: at once, when it is
complete, and the day before it opens. Each message holds the digits that stop it.

The same rows and statements whether or not there is a vault: what is for nobody is not sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import messages, recovery_texts
from auth.person_contact import PersonContact, contact_alike
from base.ids import new_id
from vault.recovery import old_means, records
from vault.recovery.formers import judged
from vault.recovery.held_vaults import hold
from vault.recovery.old_means import OldMeans
from vault.recovery.recovery_values import Kept, kept_of, seal
from vault.services import Services

_LIFE = timedelta(days=7)
"""A gateway that is away for days holds an opening back for as long."""
_FRIENDS = 4
"""Trusted people who are told: two at most are trusted at once, and others until lately."""
_NOWHERE = "+33600000000"
_DUE = 100

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Notice:
    """What a vault's phone is told: the digits that stop it, and from when on it may be opened,
    where that is known. Of one that only a proof stops, no digits."""

    code: str = field(repr=False)
    opens_at: datetime | None = None


async def warn(
    services: Services,
    tx: AsyncConnection,
    vault: UUID,
    old: OldMeans,
    notice: Notice,
    *,
    send: bool,
) -> tuple[str, ...]:
    """Queue what a vault's phone and the people whom its person trusts are told; the ids of the
    messages. Without `send`, and for nobody, the same rows."""
    contact = await contact_alike(services, tx, vault)
    text = _text(services, notice, contact)
    told = [await _queue(services, tx, contact, text, send=send)]
    for number in range(_FRIENDS):
        friend = old.trusted[number] if number < len(old.trusted) else new_id()
        contact = await contact_alike(services, tx, friend)
        text = recovery_texts.recovery_of_friend(services, contact.language)
        told.append(await _queue(services, tx, contact, text, send=send))
    return tuple(str(one) for one in told)


async def tell_stopped(services: Services, tx: AsyncConnection, vault: UUID, *, send: bool) -> None:
    """Queue to a vault's phone that nothing was opened."""
    contact = await contact_alike(services, tx, vault)
    text = recovery_texts.recovery_stopped(services, contact.language)
    await _queue(services, tx, contact, text, send=send)


async def still_waiting(tx: AsyncConnection, ids: Sequence[str]) -> bool:
    """Whether one of these messages was neither sent nor dropped yet: whom it is for could not stop
    anything."""
    return await messages.still_waiting(tx, [UUID(one) for one in ids])


async def remind_due(services: Services) -> int:
    """Remind those whose vault may be opened within a day; returns how many. Repeated after a
    crash, it neither repeats nor loses one. What fails for one keeps back neither the others nor
    the jobs that follow."""
    async with services.database.transaction() as tx:
        due = await records.due_for_reminder(tx, _DUE)
    reminded = 0
    for row in due:
        try:
            reminded += await _remind(services, row)
        except Exception as error:  # noqa: BLE001  (logged; the next run tries again)
            _log.error("recovery_reminder_failed", error=type(error).__name__)
    return reminded


async def _remind(services: Services, found: Any) -> bool:
    """The messages and `reminded_at` are one commit."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await hold(tx, found.waiting_id, found.former_id)
        row = await records.recovery_to_change(tx, macs, found.id)
        if row is None or row.reminded_at is not None:
            return False
        now = await judged(services, tx, row)
        if now.former_id is None or not now.facts.lives or row.opens_at is None:
            return False
        kept = await kept_of(services, row)
        old = await old_means.of_vault(services, tx, now.former_id)
        notice = notice_of(kept, row.opens_at)
        told = await warn(services, tx, now.former_id, old, notice, send=True)
        sealed = await seal(services, row.id, with_warnings(kept, told))
        await records.change(tx, macs, row, reminded_at=row.at, sealed=sealed)
    return True


def notice_of(kept: Kept, opens_at: datetime | None) -> Notice:
    """What is told of a recovery now."""
    if kept.strong and opens_at is not None:
        return Notice("", opens_at)
    return Notice(kept.stop_code, opens_at)


def with_warnings(kept: Kept, told: tuple[str, ...]) -> Kept:
    """What is kept once these were queued."""
    return replace(kept, warned=True, warnings=(*kept.warnings, *told))


def _text(services: Services, notice: Notice, contact: PersonContact) -> str:
    if notice.opens_at is None:
        return recovery_texts.recovery_begun(services, contact.language, notice.code)
    return recovery_texts.recovery_soon(
        services, contact.language, notice.code, notice.opens_at, contact.zone
    )


async def _queue(
    services: Services, tx: AsyncConnection, contact: PersonContact, text: str, *, send: bool
) -> UUID:
    return await messages.queue(
        services,
        tx,
        channel="sms",
        to=contact.phone or _NOWHERE,
        text=text,
        life=_LIFE,
        send=send and contact.phone is not None,
    )
