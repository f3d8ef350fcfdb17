"""The log's retention: after the announced number of years, the keys of a year of the log are
destroyed, once its owner was warned. Rows, commitments and the tree stay, but are unreadable.

A year is kept as a whole: with three years, that of 2026 until 1 January 2030 (UTC).
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import notifications
from auth.messages import queue
from auth.person_contact import contact_to_tell
from base.db_time import instant
from vault.access_log import records
from vault.decisions import AccessAttempt, record_allowed
from vault.services import Services

NOTICE = timedelta(days=30)
_MESSAGE_LIFE = timedelta(days=7)
_BATCH = 200


async def apply_retention(services: Services) -> int:
    """Warn those whose keys are due soon, destroy due keys; returns how many were destroyed."""
    await _warn(services)
    return await _destroy(services)


async def _warn(services: Services) -> None:
    """The message and its warning row are one commit: a crash neither repeats a warning nor lets a
    key be destroyed without one."""
    while True:
        async with services.database.transaction() as tx:
            at = await instant(tx)
            year = _last_year(services, (at + NOTICE).year)
            macs = await services.field_encryption.row_macs()
            rows = await records.unwarned_keys(tx, year, _BATCH)
            warned: dict[UUID, int] = {}
            for row in rows:
                if row.owner_id and await records.add_warning(tx, macs, row.owner_id, row.year, at):
                    warned[row.owner_id] = row.year
            for person_id, last in warned.items():
                await _notify(services, tx, person_id, last)
        if len(rows) < _BATCH:
            return


async def _destroy(services: Services) -> int:
    """A crash before a commit leaves the keys to the next run; after it, they are destroyed and
    recorded."""
    destroyed = 0
    while True:
        async with services.database.transaction() as tx:
            at = await instant(tx)
            year = _last_year(services, at.year)
            macs = await services.field_encryption.row_macs()
            rows = await records.destroy_keys(tx, macs, year, NOTICE, _BATCH)
            for row in rows:
                if row.owner_id is not None:
                    await records.delete_warning(tx, row.owner_id, row.year)
                attempt = AccessAttempt(
                    action=Action.KEY_DESTROYED,
                    actor=Actor(ActorKind.SERVICE),
                    person=row.owner_id,
                    details={"log_of": row.year},
                )
                await record_allowed(services, tx, at, attempt)
        _forget(services, (row.owner_id for row in rows))
        destroyed += len(rows)
        if len(rows) < _BATCH:
            return destroyed


def _last_year(services: Services, year: int) -> int:
    """The last year whose retention is over at the beginning of `year`."""
    return year - 1 - services.settings.log_retention_years


def _forget(services: Services, owners: Iterable[UUID | None]) -> None:
    for owner_id in set(owners):
        services.audit_log.forget(owner_id)


async def _notify(services: Services, tx: AsyncConnection, person_id: UUID, year: int) -> None:
    """Queue a text message. A person without a phone is informed at the desk, with the log."""
    contact = await contact_to_tell(services, tx, person_id)
    if contact.phone is not None:
        text = notifications.log_year_expires(services, contact.language, year)
        await queue(services, tx, channel="sms", to=contact.phone, text=text, life=_MESSAGE_LIFE)
