"""The person's own documents: listed, seen, corrected, deleted, restored. Each is recorded."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.records.instants import instant
from auth.subjects import Person
from base.database import now
from base.errors import Failure, Kind, not_found
from base.ids import new_id
from vault.cursors import Page, cut, read
from vault.deposit import new_version as deposit_version
from vault.expiries import notice_at
from vault.house import House
from vault.judging import Act, allow, refuse
from vault.keeping import Depositor, checked
from vault.papers import DOCUMENT, Facts, Paper, facts_values, open_paper
from vault.receiving import Incoming
from vault.records import documents as records
from vault.rules import Reason


async def list_own(
    house: House, person: Person, *, cursor: str | None, limit: int, deleted: bool = False
) -> Page[Paper]:
    """The person's documents, newest first; the deleted ones still within reach when `deleted`."""
    after = read(cursor)
    async with house.database.transaction() as tx:
        rows = await records.documents(
            tx,
            person.id,
            before=None if after is None else after[1],
            limit=limit + 1,
            deleted=deleted,
        )
        shown = rows[:limit]
        await _allow(house, tx, person, Action.LIST, *(row.id for row in shown))
    sealer = await house.fields.of(person.id)
    papers = [open_paper(sealer, row) for row in shown]
    return Page(papers, cut(rows, limit, lambda row: (0, row.id)))


async def see_own(house: House, person: Person, document_id: UUID) -> Paper:
    """One document of the person's."""
    async with house.database.transaction() as tx:
        row = await records.document(tx, person.id, document_id)
        if row is not None:
            await _allow(house, tx, person, Action.LIST, document_id)
    if row is None:
        raise await _unknown(house, person, Action.LIST)
    return open_paper(await house.fields.of(person.id), row)


async def correct(
    house: House,
    person: Person,
    document_id: UUID,
    changes: dict[str, Any],
    *,
    if_match: UUID | None,
) -> Paper:
    """Change what is said of a document: type, title, dates, where the paper is."""
    async with house.database.transaction() as tx:
        await records.lock_vault(tx, person.id)
        row = await records.document(tx, person.id, document_id)
        if row is not None:
            _check_match(row, if_match)
            sealer = await house.fields.of(person.id, tx)
            before = open_paper(sealer, row)
            facts = checked(replace(before.facts, **changes))
            values: dict[str, Any] = {
                "sealed": sealer.seal(
                    DOCUMENT,
                    document_id,
                    facts_values(
                        facts,
                        before.deposited_by,
                        altered=before.altered or _said(facts) != _said(before.facts),
                    ),
                ),
                "revision": new_id(),
            }
            if (facts.type, facts.expires_on) != (before.facts.type, before.facts.expires_on):
                values["notice_at"] = notice_at(facts)
            if facts.type != before.facts.type:
                values["type_tag"] = await house.fields.tag(
                    "document-type", person.id.bytes, facts.type
                )
                values["typed_at"] = now()
            await records.change_document(tx, person.id, document_id, **values)
            await _allow(house, tx, person, Action.CORRECT, document_id)
            row = await records.document(tx, person.id, document_id)
            assert row is not None  # noqa: S101  (changed in this transaction)
            return open_paper(sealer, row)
    raise await _unknown(house, person, Action.CORRECT)


async def add_version(
    house: House,
    person: Person,
    document_id: UUID,
    incoming: Incoming,
    *,
    if_match: UUID | None,
) -> Paper:
    """Keep a newer content of a document; the older ones stay with it."""
    async with house.database.transaction() as tx:
        known = await records.document(tx, person.id, document_id)
    if known is None:
        raise await _unknown(house, person, Action.NEW_VERSION)

    def may_change(row: Row[Any] | None) -> None:
        if row is None:
            raise not_found()
        _check_match(row, if_match)

    return await deposit_version(
        house,
        person.id,
        Depositor(person.actor()),
        document_id,
        incoming,
        may_change=may_change,
    )


async def delete(
    house: House, person: Person, document_id: UUID, *, if_match: UUID | None = None
) -> None:
    """Put a document aside: nobody reads it any more; it can be restored for 30 days."""
    await _set_deleted(house, person, document_id, Action.DELETE, if_match)


async def restore(house: House, person: Person, document_id: UUID) -> Paper:
    """Take a deleted document back, within 30 days."""
    await _set_deleted(house, person, document_id, Action.RESTORE, None)
    return await see_own(house, person, document_id)


async def _set_deleted(
    house: House, person: Person, document_id: UUID, action: Action, if_match: UUID | None
) -> None:
    restoring = action is Action.RESTORE
    async with house.database.transaction() as tx:
        await records.lock_vault(tx, person.id)
        row = await records.document(tx, person.id, document_id, deleted=restoring)
        if row is not None:
            _check_match(row, if_match)
            await records.change_document(
                tx,
                person.id,
                document_id,
                deleted_at=None if restoring else now(),
                revision=new_id(),
            )
            await _allow(house, tx, person, action, document_id)
    if row is None:
        raise await _unknown(house, person, action)


def _said(facts: Facts) -> tuple[object, ...]:
    """What others are told of a paper without its content."""
    return facts.type, facts.issued_on, facts.expires_on


def _check_match(row: Row[Any], if_match: UUID | None) -> None:
    if if_match is not None and if_match != row.revision:
        raise Failure(Kind.PRECONDITION, "changed_meanwhile")


async def _allow(
    house: House, tx: AsyncConnection, person: Person, action: Action, *documents: UUID
) -> None:
    act = Act(action=action, actor=person.actor(), person=person.id, documents=documents)
    await allow(house, tx, await instant(tx), act)


async def _unknown(house: House, person: Person, action: Action) -> Failure:
    """Not theirs, or not there: recorded in their own log, and answered alike (invariant 7)."""
    act = Act(action=action, actor=person.actor(), person=person.id)
    return await refuse(house, act, Reason.NOT_FOUND)
