"""Everything that one person gave a worker, in one place: each paper once, under every live grant
that covers it.

It is the listing of several grants at once, in the order of a retrieval: the grants are loaded `FOR
SHARE` and judged, one event for each grant used is committed, and only then is anything opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.subjects import Worker
from base.pipeline import fetch, fetch_one
from vault import rules
from vault.consent.grant_use import attempt_under
from vault.consent.grants import GrantView, opened
from vault.consent.people import KnownPerson, find_person, known_people, lookup_refused
from vault.consent.person_labels import labels_of
from vault.consent.records.grants import grant_facts, grant_for_use
from vault.cursors import Page, Position, cut, read
from vault.decisions import AccessAttempt, record_allowed
from vault.document_view import DocumentView
from vault.documents import records
from vault.documents.document_reader import open_document
from vault.rules import Allowed, state_of
from vault.services import Services
from vault.tables import check_documents


@dataclass(frozen=True, slots=True)
class CoveredPaper:
    """A paper, and the live grants that cover it."""

    document: DocumentView = field(repr=False)
    grants: tuple[GrantView, ...] = field(repr=False)
    may_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPapers:
    """A person as a worker knows them, their grants, live and ended, newest first, and a page of
    the papers that the live ones cover."""

    known: KnownPerson
    live: list[GrantView]
    ended: list[GrantView]
    papers: Page[CoveredPaper]


@dataclass(frozen=True, slots=True)
class _Used:
    """A grant that was judged and may be used, what it covers, and what is recorded of it."""

    grant: Any
    attempt: AccessAttempt
    rows: Sequence[Any]


async def open_person(
    services: Services, worker: Worker, shown: UUID, *, cursor: str | None = None, limit: int = 100
) -> PersonPapers:
    """A person by the worker's own id of them; recorded, once for each grant that shows its papers.

    A grant that shows none, because it ended, allows only to add, or is being changed, is listed
    and not used. Raises `ServiceError`: `not_found`, `cursor_invalid`.
    """
    after = read(cursor)
    async with services.database.transaction() as tx:
        found = await _known(services, tx, worker, shown)
        if found is not None:
            # 1-3. Load, judge, record, for each grant.
            used = await _used(services, tx, worker, found, after, limit)
            rows = _newest(used)
            await _record(services, tx, used, {row.id for row in rows[:limit]})
    if found is None:
        raise await lookup_refused(services, worker)
    # 4. Committed: only now are the grants' terms and the documents opened.
    grants = {row.id: await opened(services, row) for row in found.rows}
    papers = await _opened_papers(services, found.person_id, rows[:limit], used, grants)
    return PersonPapers(
        known=found,
        live=[one for one in grants.values() if one.state == "live"],
        ended=[one for one in grants.values() if one.state != "live"],
        papers=Page(papers, cut(rows, limit, lambda row: (0, row.id))),
    )


async def _known(
    services: Services, tx: AsyncConnection, worker: Worker, shown: UUID
) -> KnownPerson | None:
    person_id = await find_person(services, tx, worker, shown)
    if person_id is None:
        return None
    labels = await labels_of(services, tx, worker)
    return next(iter(await known_people(services, tx, worker, [person_id], labels)), None)


async def _used(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    known: KnownPerson,
    after: Position | None,
    limit: int,
) -> list[_Used]:
    """The grants that show papers now, locked in the order of their ids, as nobody locks two of
    them in another."""
    live = [row.id for row in known.rows if state_of(row.revoked_at, row.ends_at, row.at) == "live"]
    found = [await _use(services, tx, worker, one, after, limit) for one in sorted(live)]
    return [one for one in found if one is not None]


async def _use(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    grant_id: UUID,
    after: Position | None,
    limit: int,
) -> _Used | None:
    """What a grant covers after a position, `limit` and one more; None if it shows nothing now."""
    grant = await fetch_one(tx, grant_for_use(grant_id))
    macs = await services.field_encryption.row_macs()
    judgement = rules.may_list(grant_facts(macs, grant), caller=worker.party)
    if grant is None or not isinstance(judgement, Allowed):
        return None
    attempt = await attempt_under(services, tx, grant, worker, Action.LIST, judgement)
    before = None if after is None else after[1]
    rows = await fetch(tx, records.covered(grant_id, before=before, limit=limit + 1))
    check_documents(macs, rows)
    return _Used(grant, attempt, rows)


def _newest(used: Sequence[_Used]) -> list[Row[Any]]:
    """The papers of all of them, each once, newest first."""
    by_id = {row.id: row for one in used for row in one.rows}
    return [by_id[document_id] for document_id in sorted(by_id, reverse=True)]


async def _record(
    services: Services, tx: AsyncConnection, used: Sequence[_Used], shown: set[UUID]
) -> None:
    """One event a grant, with those of its papers that are shown. A crash before the commit leaves
    no event, and nothing was shown."""
    for one in used:
        documents = tuple(row.id for row in one.rows if row.id in shown)
        attempt = replace(one.attempt, documents=documents)
        await record_allowed(services, tx, one.grant.at, attempt)


async def _opened_papers(
    services: Services,
    person_id: UUID,
    rows: Sequence[Row[Any]],
    used: Sequence[_Used],
    grants: dict[UUID, GrantView],
) -> list[CoveredPaper]:
    if not rows:
        return []
    covers = [(one.grant, {row.id for row in one.rows}) for one in used]
    reader = await services.field_encryption.reader(person_id)
    papers = []
    for row in rows:
        under = [grant for grant, documents in covers if row.id in documents]
        views = tuple(grants[grant.id] for grant in under)
        papers.append(
            CoveredPaper(open_document(reader, row), views, any(one.may_read for one in under))
        )
    return papers
