"""The log's retention: after the announced years, the keys of a year of it are destroyed, its
owner having been told. Rows, commitments and the tree stay, and say nothing any more.

A year is kept whole: that of 2026, for three years, until the first of January 2030 (UTC).
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import notifications
from auth.messages import queue
from auth.records import people
from base.db_time import instant
from base.key_names import PERSON
from storage.errors import KeyDestroyed
from vault.access_log import records
from vault.decisions import AccessAttempt, record_allowed
from vault.services import Services

NOTICE = timedelta(days=30)
_LIFE = timedelta(days=7)
_BATCH = 200
_log = structlog.get_logger()


async def apply_retention(services: Services) -> int:
    """Warn those whose turn comes, destroy what is due and was announced; how many keys went."""
    await _warn(services)
    return await _destroy(services)


async def _warn(services: Services) -> None:
    """The message and the mark that it was queued are one commit: a crash tells nobody twice, nor
    destroys what nobody was told of."""
    while True:
        async with services.database.transaction() as tx:
            year = _last_year(services, (await instant(tx) + NOTICE).year)
            rows = await records.to_warn(tx, year, _BATCH)
            told: dict[UUID, int] = {}
            for row in rows:
                if row.owner_id and await records.add_warning(tx, row.owner_id, row.year):
                    told[row.owner_id] = row.year
            for person_id, last in told.items():
                await _notify(services, tx, person_id, last)
        if len(rows) < _BATCH:
            return


async def _destroy(services: Services) -> int:
    """A crash before a commit leaves keys for the next run; after it, they are gone and said so."""
    gone = 0
    while True:
        async with services.database.transaction() as tx:
            at = await instant(tx)
            year = _last_year(services, at.year)
            rows = await records.destroy_keys(tx, year, NOTICE, _BATCH)
            for row in rows:
                if row.owner_id is not None:
                    await records.forget_warning(tx, row.owner_id, row.year)
                attempt = AccessAttempt(
                    action=Action.KEY_DESTROYED,
                    actor=Actor(ActorKind.SERVICE),
                    person=row.owner_id,
                    details={"log_of": row.year},
                )
                await record_allowed(services, tx, at, attempt)
        _forget(services, (row.owner_id for row in rows))
        gone += len(rows)
        if len(rows) < _BATCH:
            return gone


def _last_year(services: Services, year: int) -> int:
    """The last year that is beyond retention at the beginning of `year`."""
    return year - 1 - services.settings.log_retention_years


def _forget(services: Services, owners: Iterable[UUID | None]) -> None:
    for owner_id in set(owners):
        services.audit_log.forget(owner_id)


async def _notify(services: Services, tx: AsyncConnection, person_id: UUID, year: int) -> None:
    """By a text message; whoever has no phone is told at the desk, where the log is shown."""
    row = await people.person(tx, person_id)
    if row is None:
        return
    try:
        values = (await services.field_encryption.reader(person_id, tx)).open(
            PERSON, row.id, row.sealed
        )
    except KeyDestroyed:
        _log.warning("person_without_key")
        return
    if values.get("phone"):
        text = notifications.log_ends(services, row.language, year)
        await queue(services, tx, channel="sms", to=values["phone"], text=text, life=_LIFE)
