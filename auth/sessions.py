"""Sessions: opaque tokens, hashed at rest, valid or expired by the database's clock."""

import re
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, Event, Outcome
from auth import profiles
from auth.records import people, sessions
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.db_time import instant
from base.ids import new_id
from base.pipeline import fetch_one

PREFIX = "uf_"
_TOKEN = re.compile(r"uf_[A-Za-z0-9_-]{43}")


async def open_session(
    services: CoreServices, tx: AsyncConnection, *, kind: str, subject_id: UUID
) -> tuple[str, datetime]:
    """A new token, shown only once, and when it expires. `kind` is `person` or `worker`.

    A crash before the caller's commit leaves a token that is not valid.
    """
    token = PREFIX + secrets.token_urlsafe(32)
    hours = {
        "person": services.settings.person_session_hours,
        "worker": services.settings.worker_session_hours,
    }[kind]
    expires_at = await sessions.add_session(
        tx,
        id=new_id(),
        token_hash=sha256(token.encode()).digest(),
        subject_kind=kind,
        subject_id=subject_id,
        life=timedelta(hours=hours),
    )
    return token, expires_at


def token_hash(token: str) -> bytes | None:
    """The hash by which the database finds a token (256 random bits, so SHA-256 is enough), or
    None for a text that cannot be one of ours."""
    return sha256(token.encode()).digest() if _TOKEN.fullmatch(token) else None


async def subject_of(
    services: CoreServices, tx: AsyncConnection, token: str
) -> Person | Worker | None:
    """The subject of the live session that the token opens, by one query in `tx`, or None.

    A person's vault is marked as used, at most once a day.
    """
    hashed = token_hash(token)
    session = hashed and await fetch_one(tx, sessions.live_session(hashed))
    if not session:
        return None
    if session.subject_kind != "person":
        return await worker_of_row(services, session)
    if session.not_used_today:
        await people.touch_person(
            tx, await services.field_encryption.row_macs(), session.subject_id
        )
    return Person(session.subject_id, session.language, session.session_id)


async def worker_of_row(services: CoreServices, row: Any) -> Worker:
    """The worker of a row of `live_session` whose `subject_kind` is `worker`."""
    return await profiles.worker(
        services,
        row.subject_id,
        row.organisation_id,
        row.worker_sealed,
        row.organisation_sealed,
        session_id=row.session_id,
    )


async def sign_out(services: CoreServices, subject: Person | Worker) -> None:
    """End the session that the subject used. Ending it twice is not an error."""
    if subject.session_id is None:
        return
    async with services.database.transaction() as tx:
        if await sessions.revoke_session(tx, subject.session_id):
            await _record_end(services, tx, subject.actor(), _vault(subject))


async def end_all(services: CoreServices, tx: AsyncConnection, subject: Person | Worker) -> int:
    """End every session of a subject, in the caller's transaction: a lost phone, an erasure."""
    ended = await sessions.revoke_sessions_of(tx, subject.id)
    if ended:
        await _record_end(services, tx, subject.actor(), _vault(subject), sessions=ended)
    return ended


def _vault(subject: Person | Worker) -> UUID | None:
    return subject.id if isinstance(subject, Person) else None


async def _record_end(
    services: CoreServices, tx: AsyncConnection, actor: Actor, person: UUID | None, **details: int
) -> None:
    event = Event(
        new_id(),
        await instant(tx),
        Action.SIGN_OUT,
        Outcome.ALLOWED,
        actor,
        person,
        details=dict(details),
    )
    await services.audit_log.record(tx, event)
