"""Evidence without a file: whether a document of a type is held, its date, how long it is valid.

The answer comes from sealed fields alone; no content is opened here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth.services import CoreServices
from auth.subjects import Recipient
from base.errors import invalid
from base.key_names import DOCUMENT
from base.pipeline import fetch_one
from storage.field_encryption import FieldReader
from vault import catalogue, decisions
from vault.consent.grant_use import attempt_under
from vault.consent.records import grants as records
from vault.consent.type_tags import tags_of_type
from vault.decisions import Denial
from vault.document_view import is_verified
from vault.rules import Refused, may_attest, reason_of
from vault.tables import check_documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The minimal answer at one instant; of several documents, that of the one last issued."""

    type: str
    held: bool
    issued_on: date | None
    valid_until: date | None
    verified: bool
    deposited_on: date | None
    as_of: datetime
    documents: int


@dataclass(frozen=True, slots=True)
class _Answerable:
    """A query that was allowed and recorded: the rows that answer it."""

    at: datetime
    person_id: UUID
    rows: Sequence[Row[Any]]


async def evidence(
    services: CoreServices, recipient: Recipient, grant_id: UUID, code: str
) -> Evidence:
    """What a grant lets its recipient know about one type; needs `attest` or `read`.

    Raises `ServiceError`: `unknown_document_type` (any caller may know the catalogue), `not_found`,
    `grant_revoked`, `grant_expired`, `action_not_granted`, `outside_scope`, `token_scope_missing`.
    """
    if catalogue.by_code(code) is None:
        raise invalid("unknown_document_type", fields=[("type",)])
    await decisions.check_token(services, recipient, "evidence", Action.ATTEST)
    # 1. Judge and record in one commit, before anything about a document is opened.
    async with services.database.transaction() as tx:
        outcome = await _judge(services, tx, recipient, grant_id, code)
    if isinstance(outcome, Denial):
        raise await decisions.record_denial(services, outcome)
    # 2. Answer from the rows that were judged.
    reader = await services.field_encryption.reader(outcome.person_id)
    return _answer(code, outcome, reader)


async def _judge(
    services: CoreServices, tx: AsyncConnection, recipient: Recipient, grant_id: UUID, code: str
) -> _Answerable | Denial:
    macs = await services.field_encryption.row_macs()
    grant = await fetch_one(tx, records.grant_for_use(grant_id))
    facts = records.grant_facts(macs, grant)
    rows: Sequence[Row[Any]] = ()
    covered = False
    if grant is not None:
        tags = await tags_of_type(services, grant.person_id, code)
        rows = await records.covered_of_type(tx, grant_id, tags)
        check_documents(macs, rows)
        covered = tags[0] in grant.type_tags or any(row.picked for row in rows)
    judgement = may_attest(facts, type_covered=covered, caller=recipient.party)
    attempt = await attempt_under(services, tx, grant, recipient, Action.ATTEST, judgement)
    attempt = replace(attempt, details={"document_type": code})
    if grant is None or isinstance(judgement, Refused):
        return Denial(attempt, reason_of(judgement))
    documents = tuple(row.id for row in rows)
    await decisions.record_allowed(services, tx, grant.at, replace(attempt, documents=documents))
    return _Answerable(grant.at, grant.person_id, rows)


def _answer(code: str, answerable: _Answerable, reader: FieldReader) -> Evidence:
    documents = [(row, reader.open(DOCUMENT, row.id, row.sealed)) for row in answerable.rows]
    if not documents:
        return Evidence(
            type=code, held=False, issued_on=None, valid_until=None, verified=False,
            deposited_on=None, as_of=answerable.at, documents=0,
        )  # fmt: skip
    row, values = max(
        documents, key=lambda pair: (pair[1].get("issued_on") or "", pair[0].created_at)
    )
    return Evidence(
        type=code,
        held=True,
        issued_on=_date(values.get("issued_on")),
        valid_until=_date(values.get("expires_on")),
        verified=is_verified(
            values["deposited_by"], row.v_number, altered=values.get("altered", False)
        ),
        deposited_on=row.created_at.date(),
        as_of=answerable.at,
        documents=len(documents),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
