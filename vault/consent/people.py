"""The people of a worker: those who gave them a grant that is live, or ended less than six months
ago.

Someone appears by a grant alone. A request that was not approved says nothing of whose vault it
reached: it stays in the list of what was sent, and stands beside a person only by the number that
the worker wrote. The list shows no paper and, like the list of grants, is not recorded; it opens
what the worker wrote, under the service's key, and nothing of a vault.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.services import CoreServices
from auth.subjects import Party, Worker
from base.errors import ErrorKind, ServiceError, about
from base.key_names import WORKER_PERSON
from base.locks import hold_tag, hold_vault
from base.user_text import clean_title
from vault import cursors, decisions
from vault.consent.person_ids import own_id, person_of
from vault.consent.person_labels import MAX_LENGTH, Labels, change_label, found_by, labels_of
from vault.consent.records import grants as grant_records
from vault.consent.records import requests as request_records
from vault.consent.records.grants import SOON
from vault.consent.request_views import SentRequest, sent
from vault.cursors import Page
from vault.decisions import AccessAttempt
from vault.rules import Reason, state_of
from vault.tables import GRANT_ROW

_LAST_DAYS = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """A person as one worker knows them.

    `id`: the worker's own. `revision`: of the label. `phone`: what the worker wrote in the last
    request to a phone that the person approved. `ends_next`: when the first live grant ends;
    `nears_end`: it has two days left, or a quarter of its time and no more than `SOON`;
    `ended_at`: when the last one did, if none is live. `waiting`: what the worker asked of that
    number since, and neither was approved nor lapsed nor was withdrawn. `rows`: the grants, newest
    first.
    """

    id: UUID
    person_id: UUID = field(repr=False)
    revision: UUID
    label: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    live: int
    ends_next: datetime | None
    ends_soon: bool
    nears_end: bool
    ended_at: datetime | None
    last_given_at: datetime
    approved: tuple[SentRequest, ...]
    waiting: tuple[SentRequest, ...]
    rows: tuple[Row[Any], ...] = field(repr=False)

    @property
    def phones(self) -> tuple[str, ...]:
        """Every number that the worker wrote in a request that this person approved, newest first,
        each once."""
        return tuple(dict.fromkeys(one.phone for one in self.approved if one.phone is not None))


async def list_people(
    services: CoreServices,
    worker: Worker,
    *,
    query: str | None = None,
    ends_soon: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[KnownPerson]:
    """A worker's people, who gave something last first. `query`: those whose label has its words.
    `ends_soon`: those of whom a live grant ends soon. Raises `ServiceError` `cursor_invalid`."""
    after = cursors.read(cursor)
    async with services.database.transaction() as tx:
        labels = await labels_of(services, tx, worker)
        rows = await grant_records.people_of_worker(
            tx,
            worker.id,
            among=None if query is None else found_by(labels, query),
            ends_soon=ends_soon,
            after=after,
            limit=limit + 1,
        )
        people = [row.person_id for row in rows[:limit]]
        items = await known_people(services, tx, worker, people, labels)
    return Page(items, cursors.cut(rows, limit, lambda row: (0, row.id)))


async def see_known(services: CoreServices, worker: Worker, shown: UUID) -> KnownPerson:
    """One person as the list shows them: no paper, and not recorded. Raises `ServiceError`
    `not_found`, which is recorded."""
    async with services.database.transaction() as tx:
        person_id = await find_person(services, tx, worker, shown)
        known = None if person_id is None else await _one(services, tx, worker, person_id)
    if known is None:
        raise await lookup_refused(services, worker)
    return known


async def known_by_grant(
    services: CoreServices, worker: Worker, grant_id: UUID
) -> KnownPerson | None:
    """Whom a worker knows by a grant of theirs; None for any other, and for one that ended more
    than six months ago. Not recorded, as the list is not."""
    async with services.database.transaction() as tx:
        row = await grant_records.grant(tx, grant_id)
        if row is None or Party(row.recipient_kind, row.recipient_id) != worker.party:
            return None
        known = await _one(services, tx, worker, row.person_id)
    return known if known and grant_id in {one.id for one in known.rows} else None


async def known_since(
    services: CoreServices, worker: Worker, person_id: UUID, since: datetime
) -> KnownPerson | None:
    """A person as a worker knows them, by a live grant that was given since a moment; None without
    one. Not recorded, as the list is not."""
    async with services.database.transaction() as tx:
        known = await _one(services, tx, worker, person_id)
    given = known is not None and any(_is_live(row) and row.given_at >= since for row in known.rows)
    return known if given else None


async def known_by_grants(services: CoreServices, worker: Worker) -> dict[UUID, KnownPerson]:
    """All of a worker's people, by each of their grants that is shown."""
    async with services.database.transaction() as tx:
        labels = await labels_of(services, tx, worker)
        people = await grant_records.people_of_worker(tx, worker.id)
        known = await known_people(services, tx, worker, [one.person_id for one in people], labels)
    return {row.id: one for one in known for row in one.rows}


async def _one(
    services: CoreServices, tx: AsyncConnection, worker: Worker, person_id: UUID
) -> KnownPerson | None:
    labels = await labels_of(services, tx, worker)
    return next(iter(await known_people(services, tx, worker, [person_id], labels)), None)


async def label_person(
    services: CoreServices,
    worker: Worker,
    shown: UUID,
    label: str | None,
    *,
    if_match: UUID | None = None,
) -> KnownPerson:
    """Write what the worker calls a person, or take it away; seen by this worker alone, and
    recorded for nobody.

    Raises `ServiceError`: `not_found`, `text_too_long`, `too_many_labels`, `changed_meanwhile`.
    """
    with about("label"):
        text = None if label is None else clean_title(label, MAX_LENGTH)
    async with services.database.transaction() as tx:
        labelled = await _label(services, tx, worker, shown, text, if_match)
    if labelled is None:
        raise await lookup_refused(services, worker)
    return labelled


async def _label(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    shown: UUID,
    text: str | None,
    if_match: UUID | None,
) -> KnownPerson | None:
    # One change at a time of a worker's labels, which are counted.
    await hold_tag(tx, await services.field_encryption.tag(WORKER_PERSON, worker.id.bytes))
    person_id = await find_person(services, tx, worker, shown)
    if person_id is None:
        return None
    # Erasure holds the vault: either its rows are there until this commits, or are gone.
    await hold_vault(tx, person_id)
    labels = await labels_of(services, tx, worker)
    known = await known_people(services, tx, worker, [person_id], labels)
    if not known:
        return None
    if if_match not in {None, known[0].revision}:
        raise ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
    labels = await change_label(services, tx, worker, person_id, labels, text)
    return (await known_people(services, tx, worker, [person_id], labels))[0]


async def find_person(
    services: CoreServices, tx: AsyncConnection, worker: Worker, shown: UUID
) -> UUID | None:
    """Whom a worker knows by an id, or None: unknown, another worker's, or shown no more."""
    people = await grant_records.people_of_worker(tx, worker.id)
    return await person_of(services, worker, shown, [row.person_id for row in people])


async def lookup_refused(services: CoreServices, worker: Worker) -> ServiceError:
    """Record that a worker looked for someone whom they do not know; the error to raise."""
    attempt = AccessAttempt(action=Action.PERSON_SEEN, actor=worker.actor())
    return await decisions.record_refusal(services, attempt, Reason.NOT_FOUND)


async def known_people(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    people: Sequence[UUID],
    labels: Labels,
) -> list[KnownPerson]:
    """These people as the worker knows them, in this order; those of whom no grant is shown are
    left out. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    grants: dict[UUID, list[Row[Any]]] = {}
    for row in await grant_records.grants_from(tx, worker.id, people):
        macs.check(GRANT_ROW, row)
        grants.setdefault(row.person_id, []).append(row)
    asked = await _asked(services, tx, worker, [row for rows in grants.values() for row in rows])
    return [
        await _known(services, worker, person_id, tuple(grants[person_id]), labels, asked)
        for person_id in people
        if person_id in grants
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the worker asked: `approved`, by the request's id, and the tag of its phone; `waiting`,
    by that tag."""

    approved: dict[UUID, tuple[bytes, SentRequest]]
    waiting: dict[bytes, list[SentRequest]]


async def _asked(
    services: CoreServices, tx: AsyncConnection, worker: Worker, grants: Sequence[Row[Any]]
) -> _Asked:
    ids = [row.request_id for row in grants if row.request_id is not None]
    answered = await request_records.requests_by_ids(tx, worker.party, ids)
    approved = {row.id: (row.phone_tag, await sent(services, row)) for row in answered}
    tags = {tag for tag, _ in approved.values()}
    waiting: dict[bytes, list[SentRequest]] = {}
    for row in await request_records.unlapsed_requests_to(tx, worker.party, sorted(tags)):
        request = await sent(services, row)
        # One that was refused and withdrawn reads as withdrawn: only what its sender reads counts.
        if request.state == "waiting":
            waiting.setdefault(row.phone_tag, []).append(request)
    return _Asked(approved, waiting)


async def _known(
    services: CoreServices,
    worker: Worker,
    person_id: UUID,
    rows: tuple[Row[Any], ...],
    labels: Labels,
    asked: _Asked,
) -> KnownPerson:
    shown, label = await own_id(services, worker, person_id), labels.get(person_id)
    live = [row for row in rows if _is_live(row)]
    ends_next = min((row.ends_at for row in live), default=None)
    approved = [asked.approved[row.request_id] for row in rows if row.request_id in asked.approved]
    tags = dict.fromkeys(tag for tag, _ in approved)
    return KnownPerson(
        id=shown,
        person_id=person_id,
        revision=shown if label is None else label.id,
        label=None if label is None else label.text,
        phone=next((one.phone for _, one in approved if one.phone is not None), None),
        live=len(live),
        ends_next=ends_next,
        ends_soon=ends_next is not None and ends_next < rows[0].at + SOON,
        nears_end=any(_nears_end(row) for row in live if row.ends_at == ends_next),
        ended_at=None if live else max(_ended_at(row) for row in rows),
        last_given_at=rows[0].given_at,
        approved=tuple(request for _, request in approved),
        waiting=tuple(one for tag in tags for one in asked.waiting.get(tag, ())),
        rows=rows,
    )


def _is_live(row: Row[Any]) -> bool:
    return state_of(row.revoked_at, row.ends_at, row.at) == "live"


def _nears_end(row: Row[Any]) -> bool:
    """Whether the end of a live grant is news: one of a week is not when it was just given."""
    left, whole = row.ends_at - row.at, row.ends_at - row.given_at
    return bool(left < SOON and (left < _LAST_DAYS or left < whole / 4))


def _ended_at(row: Row[Any]) -> datetime:
    """When a grant ended: one that expired may still be revoked, which ends nothing."""
    ends_at: datetime = row.ends_at
    return ends_at if row.revoked_at is None else min(row.revoked_at, ends_at)
