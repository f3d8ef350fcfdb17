"""What a worker says that a paper of unknown type is. Its owner says yes or no; until then nothing
changes, and a yes shows the paper to nobody more.

A suggestion stands in the sealed row of the document: one for each grant that reads it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.living_vaults import hold_living_vault
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Person, Worker
from base.db_time import instant
from base.errors import invalid
from base.ids import new_id
from base.key_names import DOCUMENT
from base.locks import hold_vault
from base.pipeline import fetch_one
from vault import catalogue, rules
from vault.consent.grant_use import attempt_under
from vault.consent.records import grants as grant_records
from vault.consent.type_tags import tags_of_type
from vault.decisions import AccessAttempt, Denial, record_allowed, record_denial, record_refusal
from vault.document_view import DocumentMetadata, DocumentView, TypeSuggestion, metadata_values
from vault.documents import own_documents, records
from vault.documents.deposit_commit import check_metadata, check_offered
from vault.documents.document_reader import open_document
from vault.documents.version_values import DATES
from vault.rules import Allowed, Reason
from vault.services import Services
from vault.tables import check_documents

MOST_OF_A_PAPER = 20
"""Suggestions that a document keeps. Of one that has as many, its owner is asked nothing more: what
comes then counts as refused already."""
_MOST_WAITING = 100
RATE = Rate(60, timedelta(minutes=1))
"""Suggestions of one worker, under all of their grants: each one writes into somebody's vault, and
in their log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """What is proposed: the type, whose paper it is, the dates that stand on it."""

    type: str
    title: str | None = None
    issued_on: date | None = None
    expires_on: date | None = None
    due_on: date | None = None
    income_year: int | None = None

    def values(self) -> dict[str, Any]:
        """By the names of `DocumentMetadata`, without those that are not given."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in said.items() if value is not None}


async def suggest(
    services: Services, worker: Worker, grant_id: UUID, document_id: UUID, suggested: Suggested
) -> None:
    """Propose the type of a paper that the worker may read. It takes the place of what was proposed
    before under the grant; what its owner refused already is not asked again, and answered alike.

    Raises `ServiceError`: `type_missing`, `unknown_document_type`, `document_type_retired`,
    `expires_before_issued`, `not_found`, `grant_revoked`, `grant_expired`, `action_not_granted`,
    `type_known`, `too_many_requests`.
    """
    check_metadata(DocumentMetadata(**suggested.values()))
    if suggested.type == catalogue.UNKNOWN_TYPE:
        raise invalid("type_missing", fields=[("type",)])
    check_offered(suggested.type)
    # Before anything is looked up, so that what is refused costs no more than what is not there.
    taken = await SharedBuckets(services, "suggestion", RATE).take(worker.id.bytes, 1)
    if not taken.granted:
        attempt = AccessAttempt(action=Action.TYPE_SUGGESTED, actor=worker.actor())
        wait = max(1, ceil(taken.wait))
        raise await record_refusal(services, attempt, Reason.PACED, retry_after=wait)
    async with services.database.transaction() as tx:
        owner_id, denial = await _judge(services, tx, worker, grant_id, document_id)
    if denial is None and owner_id is not None:
        async with services.database.transaction() as tx:
            await hold_vault(tx, owner_id)
            # Judged again under the vault's lock, which is held before the grant's, as in deposits.
            owner_id, denial = await _judge(
                services, tx, worker, grant_id, document_id, suggested=suggested
            )
    if denial is not None:
        raise await record_denial(services, denial)


async def list_waiting(
    services: Services, person: Person, *, before: UUID | None
) -> list[DocumentView]:
    """The person's papers of unknown type that wait for an answer, added before a document;
    recorded as the list is."""
    tags = await tags_of_type(services, person.id, catalogue.UNKNOWN_TYPE)
    async with services.database.transaction() as tx:
        rows = await records.documents(
            tx, person.id, before=before, limit=_MOST_WAITING, type_tags=tags
        )
        check_documents(await services.field_encryption.row_macs(), rows)
        if rows:
            await _record(services, tx, person, Action.LIST, *(row.id for row in rows))
    if not rows:
        return []
    reader = await services.field_encryption.reader(person.id)
    opened = [open_document(reader, row) for row in rows]
    return [document for document in opened if document.waiting_suggestions]


async def accept(
    services: Services, person: Person, document_id: UUID, suggestion_id: UUID
) -> DocumentView:
    """Give the paper the type and the dates that were proposed. It is shown where it was picked,
    as before, and enters no grant by type: its owner calls it sensitive until they say otherwise.
    Raises `not_found` once it was answered, or replaced by another."""
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        found = await _waiting(services, tx, person, document_id, suggestion_id)
        if found is not None:
            row, current, suggestion = found
            metadata = check_metadata(accepted(current.metadata, suggestion))
            return await own_documents.change(services, tx, person, row, current, metadata)
    raise await _gone(services, person, Action.CORRECT)


async def refuse(
    services: Services, person: Person, document_id: UUID, suggestion_id: UUID
) -> None:
    """Say no to a suggestion: nothing changes, and its author does not learn it. Raises
    `not_found`, as `accept`."""
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        found = await _waiting(services, tx, person, document_id, suggestion_id)
        if found is not None:
            row, current, suggestion = found
            kept = [one for one in current.suggestions if one.id != suggestion_id]
            kept.insert(0, replace(suggestion, refused=True))
            revision = await _write(services, tx, row, current, kept)
            await _record(
                services, tx, person, Action.SUGGESTION_REFUSED, document_id, revision=revision
            )
    if found is None:
        raise await _gone(services, person, Action.SUGGESTION_REFUSED)


def accepted(metadata: DocumentMetadata, suggestion: TypeSuggestion) -> DocumentMetadata:
    """A paper as it becomes. Its own name stays; a grant by type does not reach it."""
    said = {
        name: getattr(suggestion, name) for name in DATES if getattr(suggestion, name) is not None
    }
    title = metadata.title or suggestion.title
    return replace(metadata, type=suggestion.type, title=title, sensitive=True, **said)


async def _judge(
    services: Services,
    tx: AsyncConnection,
    worker: Worker,
    grant_id: UUID,
    document_id: UUID,
    *,
    suggested: Suggested | None = None,
) -> tuple[UUID | None, Denial | None]:
    """Whose paper it is, if it may be; or why not. With `suggested`, it is kept and recorded."""
    row = await fetch_one(tx, records.document_under_grant(grant_id, document_id))
    macs = await services.field_encryption.row_macs()
    document = records.document_facts(macs, row)
    theirs = document is not None and document.same_person
    judgement = rules.may_suggest(
        grant_records.grant_facts(macs, row),
        document,
        type_unknown=theirs and await _is_unknown(services, row),
        caller=worker.party,
    )
    attempt = await attempt_under(services, tx, row, worker, Action.TYPE_SUGGESTED, judgement)
    if theirs:
        attempt = replace(attempt, documents=(document_id,))
    if row is None or not isinstance(judgement, Allowed):
        return None, Denial(attempt, rules.reason_of(judgement))
    if suggested is not None:
        revision = await _keep(services, tx, worker, row, suggested)
        attempt.details.update(document_type=suggested.type, revision=str(revision))
        await record_allowed(services, tx, row.at, attempt)
    return row.person_id, None


async def _is_unknown(services: Services, row: Any) -> bool:
    """By its tag: nothing is opened to judge."""
    tags = await tags_of_type(services, row.document_person_id, catalogue.UNKNOWN_TYPE)
    return row.document_type_tag in tags


async def _keep(
    services: Services, tx: AsyncConnection, worker: Worker, granted: Any, suggested: Suggested
) -> UUID:
    """Put a suggestion into the document's row; the revision that holds afterwards."""
    row = await records.document(tx, granted.person_id, granted.document_id)
    assert row is not None  # noqa: S101  (judged in this transaction, under the vault's lock)
    check_documents(await services.field_encryption.row_macs(), [row])
    current = open_document(await services.field_encryption.reader(row.person_id, tx), row)
    new = _new(worker, granted, current, suggested)
    # What could not be said yes to is not asked.
    check_metadata(accepted(current.metadata, new))
    # Written in any case: that a no stands there already shows in no time that it takes.
    return await _write(services, tx, row, current, with_new(current, new))


def with_new(current: DocumentView, new: TypeSuggestion) -> list[TypeSuggestion]:
    """The suggestions of a paper once another is made; the same where it waits already.

    Under its grant it takes the place of what waits, and is the first, which its author is shown,
    whether its owner is asked or refused it already: its author sees no difference.
    """
    # What was said of another content has ended.
    standing = [one for one in current.suggestions if one.version_id == new.version_id]
    ours = [one for one in standing if one.grant_id == new.grant_id]
    if any(_same(one, new) for one in ours if not one.refused):
        return standing
    again = {one.id for one in ours if not one.refused or _same(one, new)}
    others = [one for one in standing if one.id not in again]
    refused = any(one.id in again and one.refused for one in ours)
    new = replace(new, refused=refused or len(others) >= MOST_OF_A_PAPER)
    return sorted([new, *others], key=lambda one: one.refused)[:MOST_OF_A_PAPER]


def _new(
    worker: Worker, granted: Any, current: DocumentView, suggested: Suggested
) -> TypeSuggestion:
    actor = worker.actor()
    return TypeSuggestion(
        id=new_id(),
        grant_id=granted.id,
        version_id=current.version_id,
        by={"name": actor.name, "job": actor.job, "organisation": actor.organisation},
        suggested_at=granted.at,
        **suggested.values(),
    )


def _same(one: TypeSuggestion, new: TypeSuggestion) -> bool:
    """Whether it says the same again; of what was refused, the type alone counts."""
    if one.refused:
        return (one.type, one.version_id) == (new.type, new.version_id)
    return replace(one, id=new.id, suggested_at=new.suggested_at, by=new.by) == new


async def _write(
    services: Services,
    tx: AsyncConnection,
    row: Row[Any],
    current: DocumentView,
    suggestions: Sequence[TypeSuggestion],
) -> UUID:
    """Change nothing of the row but its suggestions, and its revision."""
    values = metadata_values(
        current.metadata, current.deposited_by, altered=current.altered, suggestions=suggestions
    )
    writer = await services.field_encryption.writer(row.person_id, tx)
    revision = new_id()
    await records.change_document(
        tx,
        await services.field_encryption.row_macs(),
        row,
        sealed=writer.seal(DOCUMENT, row.id, values),
        revision=revision,
    )
    return revision


async def _waiting(
    services: Services, tx: AsyncConnection, person: Person, document_id: UUID, suggestion_id: UUID
) -> tuple[Row[Any], DocumentView, TypeSuggestion] | None:
    """A suggestion that waits for the person's answer, with its document; None without one."""
    row = await records.document(tx, person.id, document_id)
    if row is None:
        return None
    check_documents(await services.field_encryption.row_macs(), [row])
    current = open_document(await services.field_encryption.reader(person.id, tx), row)
    if current.metadata.type != catalogue.UNKNOWN_TYPE:
        return None
    waiting = (one for one in current.waiting_suggestions if one.id == suggestion_id)
    suggestion = next(waiting, None)
    return None if suggestion is None else (row, current, suggestion)


async def _record(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    action: Action,
    *documents: UUID,
    revision: UUID | None = None,
) -> None:
    attempt = AccessAttempt(
        action=action,
        actor=person.actor(),
        person=person.id,
        documents=documents,
        details={} if revision is None else {"revision": str(revision)},
    )
    await record_allowed(services, tx, await instant(tx), attempt)


async def _gone(services: Services, person: Person, action: Action) -> Exception:
    attempt = AccessAttempt(action=action, actor=person.actor(), person=person.id)
    return await record_refusal(services, attempt, Reason.NOT_FOUND)
