"""Narrows living grants when types become sensitive: of those types, only the papers that a grant
covers that day stay in it, one by one. Both sides are told.

A grant has the edition of the catalogue under which it was given, or narrowed. Under an earlier one
it opens nothing until this has run (`vault/rules.py: Reason.OUTDATED`). See docs/adr/0018.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth.services import CoreServices
from auth.subjects import Party
from base.database import notify
from base.db_time import instant
from base.key_names import GRANT
from storage.errors import KeyDestroyed
from storage.field_encryption import DecryptionError
from storage.row_macs import RowMacs
from vault import catalogue
from vault.consent import grant_upgrade_notices
from vault.consent.records import grants as records
from vault.consent.scopes import Scope
from vault.consent.terms import Terms
from vault.consent.type_tags import type_tag
from vault.decisions import AccessAttempt, record_allowed
from vault.revocations import CHANNEL
from vault.rules import GrantAction
from vault.tables import DOCUMENT_ROW, GRANT_ROW, JOINED_VERSION_ROW

_BATCH = 100
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Narrowed:
    """What is left of a grant: its terms, and the papers that joined it one by one."""

    terms: Terms
    joined: tuple[UUID, ...]
    left: tuple[str, ...]


async def narrow_grants(services: CoreServices) -> int:
    """Narrow the living grants of earlier editions; returns how many lost a type.

    A second run changes nothing. A grant whose row the service did not write is left as it is: it
    opens nothing.
    """
    narrowed = 0
    after: UUID | None = None
    told: set[Party] = set()
    while True:
        async with services.database.transaction() as tx:
            people = await records.people_with_outdated_grants(
                tx, catalogue.EDITION, after=after, limit=_BATCH
            )
        for person_id in people:
            narrowed += await _narrow_all_of(services, person_id, told)
        if len(people) < _BATCH:
            return narrowed
        after = people[-1]


async def _narrow_all_of(services: CoreServices, person_id: UUID, told: set[Party]) -> int:
    """Narrow a person's grants in one commit, with the events and the messages.

    A crash before it leaves all of them as they were. `told`: recipients who know it already; one
    more message after a crash is the worst that can happen.
    """
    sensitive = {
        await type_tag(services, person_id, entry.code)
        for entry in catalogue.document_types()
        if entry.sensitive
    }
    try:
        async with services.database.transaction() as tx:
            rows = await records.outdated_grants_of(tx, catalogue.EDITION, person_id)
            changed = [row for row in rows if await _narrow(services, tx, row, sensitive)]
            recipients = {Party(row.recipient_kind, row.recipient_id) for row in changed} - told
            if changed:
                await grant_upgrade_notices.tell_person(services, tx, person_id)
            for recipient in recipients:
                await grant_upgrade_notices.tell_recipient(services, tx, recipient)
    except (KeyDestroyed, DecryptionError) as error:
        # Erased meanwhile, or damaged: its grants open nothing, and the others' go on.
        _log.warning("person_not_narrowed", error=type(error).__name__)
        return 0
    told |= recipients
    return len(changed)


async def _narrow(
    services: CoreServices, tx: AsyncConnection, row: Row[Any], sensitive: Set[bytes]
) -> bool:
    """Narrow one locked grant; whether it lost a type."""
    macs = await services.field_encryption.row_macs()
    if not macs.holds(GRANT_ROW, row):
        _log.warning("grant_row_altered")
        return False
    leaving = [tag for tag in row.type_tags if tag in sensitive]
    if not leaving or not (row.may_attest or row.may_read):
        # Nothing sensitive, or papers are only added under it and none is shown.
        await records.change_grant(tx, macs, row, catalogue_edition=catalogue.EDITION)
        return False
    papers = await _covered(tx, macs, row, leaving)
    reader = await services.field_encryption.reader(row.person_id, tx)
    values = reader.open(GRANT, row.id, row.sealed)
    narrowed = _without(Terms.read(values), papers)
    if narrowed.terms.scope.empty:
        await records.revoke_grant(tx, row.id, by="service")
        await notify(tx, CHANNEL, str(row.id))
        await _record(services, tx, row, Action.REVOKE, narrowed)
        return True
    writer = await services.field_encryption.writer(row.person_id, tx)
    scope = narrowed.terms.scope
    await records.change_grant(
        tx,
        macs,
        row,
        type_tags=[tag for tag in row.type_tags if tag not in sensitive],
        document_ids=sorted(scope.document_ids),
        may_deposit=GrantAction.DEPOSIT in scope.actions,
        covers_future=row.covers_future and bool(scope.document_types),
        sealed=writer.seal(GRANT, row.id, {**values, **narrowed.terms.values()}),
        catalogue_edition=catalogue.EDITION,
    )
    await records.note_narrowing(tx, row.id, catalogue.EDITION)
    await _record(services, tx, row, Action.NARROW, narrowed)
    return True


async def _covered(
    tx: AsyncConnection, macs: RowMacs, row: Row[Any], tags: Sequence[bytes]
) -> tuple[UUID, ...]:
    """The papers with these tags that the grant covers now; those that the service wrote."""
    papers = await records.covered_of_type(tx, row.id, tags)
    return tuple(
        paper.id
        for paper in papers
        if macs.holds(DOCUMENT_ROW, paper) and macs.holds(JOINED_VERSION_ROW, paper)
    )


def _without(terms: Terms, papers: tuple[UUID, ...]) -> _Narrowed:
    """The terms without the types that are sensitive now, with these papers instead.

    Deposits stay limited to the types that stay: without any, nothing may be added. The grant would
    accept every type otherwise.
    """
    scope = terms.scope
    left = tuple(code for code in scope.document_types if catalogue.is_sensitive(code))
    kept = tuple(code for code in scope.document_types if code not in left)
    joined = tuple(paper for paper in papers if paper not in scope.document_ids)
    actions = tuple(action for action in scope.actions if kept or action is not GrantAction.DEPOSIT)
    narrowed = replace(terms, scope=Scope(kept, (*scope.document_ids, *joined), actions))
    return _Narrowed(narrowed, joined, left)


async def _record(
    services: CoreServices, tx: AsyncConnection, row: Row[Any], action: Action, narrowed: _Narrowed
) -> None:
    attempt = AccessAttempt(
        action=action,
        actor=Actor(ActorKind.SERVICE),
        person=row.person_id,
        grant=row.id,
        documents=narrowed.joined,
        purpose_code=narrowed.terms.purpose_code,
        purpose=narrowed.terms.purpose,
        details={"document_types": " ".join(narrowed.left), "edition": catalogue.EDITION},
    )
    await record_allowed(services, tx, await instant(tx), attempt)
