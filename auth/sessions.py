"""Sessions: opaque tokens, hashed at rest, valid or expired by the database's clock.

Their rows are believed only with their MAC: who inserts or changes one without the service's key
opens nothing (`storage/row_macs.py`).
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Event, Outcome
from auth import (
    assistance,
    browsers,
    profiles,
    representations,
    session_devices,
    session_locks,
    shared_devices,
)
from auth.levels import Level, level_of, prefix_of
from auth.records import people, sessions
from auth.services import CoreServices
from auth.subjects import Person, Representative, Worker
from auth.visitor import UNKNOWN, Visitor
from base.database import notify
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, not_found
from base.ids import new_id
from base.pipeline import fetch_one

CHANNEL = "unefois_sessions"
"""Told the ids of the sessions that end: what they have under way stops."""

_TOKEN = re.compile(r"ufc?s?_[A-Za-z0-9_-]{43}|(uf[cp]?a|ufc?ts?)_[A-Za-z0-9_-]{65}")


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session just opened; `token` is shown this once."""

    id: UUID
    token: str = field(repr=False)
    expires_at: datetime


async def open_session(
    services: CoreServices,
    tx: AsyncConnection,
    *,
    kind: str,
    subject_id: UUID,
    visitor: Visitor = UNKNOWN,
    level: Level = Level.PHONE_CODE,
    beside: Worker | None = None,
    representative: Person | None = None,
) -> OpenedSession:
    """A new session, on the visitor's device. `kind` is `person` or `worker`. One on a device that
    others use ends unless it is used (`auth/shared_devices.py`). `level`: what its token says.
    `beside`: the worker from whose session it is opened (`auth/assistance.py`); `representative`:
    whoever enters for the person, from their own (`auth/representations.py`).

    A crash before the caller's commit leaves a token that is not valid.
    """
    opener = beside or representative
    from_ = None if opener is None else opener.session_id
    assisted, represented = beside is not None, representative is not None
    token = prefix_of(level, shared=visitor.shared, assisted=assisted, represented=represented)
    token += secrets.token_urlsafe(32) + ("" if from_ is None else assistance.ending_of(from_))
    created_at = await instant(tx)
    expires_at = _first_end(services, kind, created_at, visitor)
    if opener is not None:
        expires_at = _end_by(opener, created_at)
    owner = session_devices.owner_of(kind, subject_id)
    writer = await services.field_encryption.writer(owner, tx)
    session_id = new_id()
    values = {
        "id": session_id,
        "token_hash": sha256(token.encode()).digest(),
        "subject_kind": kind,
        "subject_id": subject_id,
        "created_at": created_at,
        "expires_at": expires_at,
        "sealed": session_devices.seal_device(writer, session_id, subject_id, visitor, from_),
    }
    macs = await services.field_encryption.row_macs()
    row = macs.add(sessions.SESSION_ROW, values) | {"worker_session_id": from_}
    await sessions.add_session(tx, row)
    return OpenedSession(session_id, token, expires_at)


def _first_end(
    services: CoreServices, kind: str, opened_at: datetime, visitor: Visitor
) -> datetime:
    if visitor.shared:
        return shared_devices.first_end(opened_at)
    hours = {
        "person": services.settings.person_session_hours,
        "worker": services.settings.worker_session_hours,
    }[kind]
    return opened_at + timedelta(hours=hours)


def _end_by(opener: Person | Worker, opened_at: datetime) -> datetime:
    """The end of one that was opened from another: a worker's, or a representative's own. On a
    device that others use, each use of the second moves the end of that one instead."""
    if isinstance(opener, Person):
        return opened_at + representations.LIFE
    ends = opened_at + assistance.LIFE
    return min(ends, opener.session_ends_at or ends)


def token_hash(token: str) -> bytes | None:
    """The hash by which the database finds a token (256 random bits, so SHA-256 is enough), or
    None for a text that cannot be one of ours."""
    return sha256(token.encode()).digest() if _TOKEN.fullmatch(token) else None


async def subject_of(
    services: CoreServices,
    tx: AsyncConnection,
    token: str,
    *,
    used: bool = True,
    locked_too: bool = False,
) -> Person | Worker | None:
    """The subject of the live session that the token opens, by one query in `tx`, or None; by more
    for one that was opened from another, which it does not outlive.

    A person's vault is marked as used, at most once a day; the end of a session on a shared device
    moves. Neither is so when it is only looked at, not `used`. Raises `ServiceError` REFUSED
    `session_locked` for a worker's unless `locked_too`; `storage.row_macs.RowAltered`.
    """
    hashed = token_hash(token)
    session = hashed and await fetch_one(tx, sessions.live_session(hashed))
    if not session:
        return None
    await check_row(services, session)
    ends_at = session.session_expires_at
    opener = None
    if assistance.is_assisted(token) or representations.is_represented(token):
        opener = await _opener(services, tx, session, token, used=used)
        if opener is None:
            return None
    elif used and shared_devices.is_shared(token):
        ends_at = await shared_devices.postpone_end(services, tx, session)
    if session.session_subject_kind != "person":
        worker = await worker_of_row(services, session, locked_too=locked_too)
        return replace(worker, session_ends_at=ends_at)
    if used and session.not_used_today:
        await people.touch_person(
            tx, await services.field_encryption.row_macs(), session.session_subject_id
        )
    return Person(
        session.session_subject_id,
        session.language,
        session.session_id,
        ends_at,
        level_of(token),
        opener if isinstance(opener, Worker) else None,
        shared_devices.is_shared(token),
        opener if isinstance(opener, Representative) else None,
    )


async def _opener(
    services: CoreServices, tx: AsyncConnection, session: Any, token: str, *, used: bool
) -> Worker | Representative | None:
    """From whose session one was opened, which lives no longer than that one; None once it is over.
    Raises `RowAltered`."""
    if representations.is_represented(token):
        return await _representative(services, tx, session, token, used=used)
    return await _worker_beside(services, tx, session, token)


async def _representative(
    services: CoreServices, tx: AsyncConnection, session: Any, token: str, *, used: bool
) -> Representative | None:
    """Who acts in the person's place, of which the token says their own session; None once that one
    is over, or the representation, and where the row says another. Raises `RowAltered`."""
    named = assistance.opener_of(token)
    own = await fetch_one(tx, sessions.live_session_by_id(named))
    if own is None or session.worker_session_id != named:
        return None
    await check_row(services, own)
    by = await representations.representative_in(services, tx, session.session_subject_id, own)
    if by is not None and used and shared_devices.is_shared(token):
        await shared_devices.postpone_end(services, tx, own)
    return by


async def _worker_beside(
    services: CoreServices, tx: AsyncConnection, session: Any, token: str
) -> Worker | None:
    """The worker of an assisted session, of whom the token says which session is locked; None once
    that one is over, and where the row of the assisted one says another. Raises `RowAltered`."""
    named = assistance.opener_of(token)
    row = await fetch_one(tx, sessions.live_session_by_id(named))
    if row is None or session.worker_session_id != named or row.session_subject_kind != "worker":
        return None
    await check_row(services, row)
    return await worker_of_row(services, row, locked_too=True)


async def check_row(services: CoreServices, row: Any) -> None:
    """Raise `storage.row_macs.RowAltered` for a row of `live_session` that we did not write."""
    (await services.field_encryption.row_macs()).check(sessions.LIVE_SESSION_ROW, row)


async def worker_of_row(services: CoreServices, row: Any, *, locked_too: bool = False) -> Worker:
    """The worker of a row of `live_session` that was checked, of the kind `worker`. Raises
    `ServiceError` REFUSED `session_locked`, unless `locked_too`, while somebody is in their own
    vault on the worker's device; `storage.row_macs.RowAltered`."""
    lock = row.locked and not locked_too
    if lock and await session_locks.is_locked(services, row.session_id):
        raise ServiceError(ErrorKind.REFUSED, "session_locked")
    (await services.field_encryption.row_macs()).check(sessions.LIVE_WORKER_ROW, row)
    return await profiles.worker(
        services,
        row.session_subject_id,
        row.worker_organisation_id,
        row.worker_sealed,
        row.organisation_sealed,
        session_id=row.session_id,
    )


async def may_lend(services: CoreServices, tx: AsyncConnection, session_id: UUID) -> bool:
    """Whether a session is a worker's, lives, and is not locked: an assisted one may be opened from
    it. Raises `RowAltered`."""
    row = await fetch_one(tx, sessions.live_session_by_id(session_id))
    if row is None or row.session_subject_kind != "worker":
        return False
    await check_row(services, row)
    return not row.locked or not await session_locks.assisted_from(services, tx, session_id)


async def lives(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, session_id: UUID
) -> bool:
    """Whether a session is that person's, and not over. Raises `RowAltered`."""
    row = await fetch_one(tx, sessions.live_session_by_id(session_id))
    if row is None or (row.session_subject_kind, row.session_subject_id) != ("person", person_id):
        return False
    await check_row(services, row)
    return True


async def hold_for_assistance(services: CoreServices, tx: AsyncConnection, worker: Worker) -> None:
    """Keep a worker's session as it is until the transaction ends, to open an assisted one from it.
    Raises `ServiceError` REFUSED `session_locked` where one lives, UNAUTHENTICATED once it is over.
    """
    held = worker.session_id
    if held is not None:
        await sessions.hold_session(tx, held)
    row = None if held is None else await fetch_one(tx, sessions.live_session_by_id(held))
    if row is None:
        raise ServiceError(ErrorKind.UNAUTHENTICATED, "unauthenticated")
    await check_row(services, row)
    await worker_of_row(services, row)


async def sign_out(services: CoreServices, subject: Person | Worker) -> None:
    """End the session that the subject used. Ending it twice is not an error."""
    if subject.session_id is None:
        return
    async with services.database.transaction() as tx:
        await _end(services, tx, subject, subject.session_id)


async def sign_out_here(services: CoreServices, subject: Person | Worker) -> None:
    """The same, and of a representative, who leaves the device, also their own."""
    await sign_out(services, subject)
    by = subject.represented_by if isinstance(subject, Person) else None
    if by is not None:
        await sign_out(services, Person(by.person_id, session_id=by.session_id))


async def end_one(services: CoreServices, subject: Person | Worker, session_id: UUID) -> None:
    """End one session of the subject's own, here or elsewhere. Raises `ServiceError` NOT_FOUND for
    any other, recorded in the subject's own log (invariant 7).

    After one elsewhere, the browsers that signed in before are unknown again: a session that was
    not wanted comes back as new, and is told.
    """
    if isinstance(subject, Person) and session_id != subject.session_id:
        await assistance.check_self(services, subject, Action.SIGN_OUT)
    async with services.database.transaction() as tx:
        ended = await _end(services, tx, subject, session_id)
        if ended and session_id != subject.session_id:
            await browsers.forget_all(tx, subject.id)
    if not ended:
        async with services.database.transaction() as tx:
            await _record_end(services, tx, subject, reason="not_found")
        raise not_found()


async def end_all(
    services: CoreServices, tx: AsyncConnection, subject: Person | Worker, *, but_this: bool = False
) -> int:
    """End every session of a subject, `but_this` one if so, in the caller's transaction; returns
    how many. The browsers that signed in before are then unknown again.

    A crash before the commit leaves all of them, after it none.
    """
    kept = subject.session_id if but_this else None
    kind = subject.party.kind
    ended = await _end_all(tx, kind, subject.id, but=kept)
    if ended:
        ids = " ".join(str(one) for one in ended)
        await _record_end(services, tx, subject, sessions=len(ended), ended=ids)
    return len(ended)


async def end_of_representative(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, representative_id: UUID
) -> None:
    """End the sessions in a person's vault that a representative opened from their own, and what
    they have under way, in the caller's transaction, which records why. Raises `RowAltered`."""
    for row in await sessions.live_sessions_of(tx, "person", person_id):
        from_ = row.worker_session_id
        if from_ is not None and await lives(services, tx, representative_id, from_):
            await sessions.revoke_session(tx, "person", person_id, row.id)
            await _stop(tx, [row.id])


async def end_with_account(tx: AsyncConnection, kind: str, subject_id: UUID) -> Sequence[UUID]:
    """End every session of an account that is barred or erased, or of which a card was stopped, and
    what they have under way; returns them. The caller records why, in the same transaction."""
    return await _end_all(tx, kind, subject_id)


async def end_others(
    services: CoreServices, subject: Person | Worker, *, this_too: bool = False
) -> int:
    """End the subject's other sessions, or `this_too`; returns how many ended. Raises
    `ServiceError` REFUSED `not_when_represented`, recorded."""
    if isinstance(subject, Person):
        await assistance.check_self(services, subject, Action.SIGN_OUT)
    async with services.database.transaction() as tx:
        return await end_all(services, tx, subject, but_this=not this_too)


async def _end(
    services: CoreServices, tx: AsyncConnection, subject: Person | Worker, session_id: UUID
) -> bool:
    """End one session and record it, with the word of its device; False when there is none."""
    row = await sessions.revoke_session(tx, subject.party.kind, subject.id, session_id)
    if row is None:
        return False
    await _stop(tx, [session_id])
    device = await session_devices.open_device(services, tx, row)
    await _record_end(services, tx, subject, session=str(session_id), device=device.word)
    return True


async def _end_all(
    tx: AsyncConnection, kind: str, subject_id: UUID, *, but: UUID | None = None
) -> Sequence[UUID]:
    ended = await sessions.revoke_sessions_of(tx, kind, subject_id, but=but)
    await browsers.forget_all(tx, subject_id)
    await _stop(tx, ended)
    return ended


async def _stop(tx: AsyncConnection, ended: Sequence[UUID]) -> None:
    for session_id in ended:
        await notify(tx, CHANNEL, str(session_id))


async def _record_end(
    services: CoreServices,
    tx: AsyncConnection,
    subject: Person | Worker,
    *,
    reason: str = "",
    **details: str | int,
) -> None:
    """In the person's own log, or in the service's for a worker."""
    event = Event(
        new_id(),
        await instant(tx),
        Action.SIGN_OUT,
        Outcome.REFUSED if reason else Outcome.ALLOWED,
        subject.actor(),
        subject.id if isinstance(subject, Person) else None,
        reason,
        details=details,
    )
    await services.audit_log.record(tx, event)
