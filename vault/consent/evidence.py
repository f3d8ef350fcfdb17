"""An administration's question: is such a paper held, of what date, valid until when? No file.

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
from auth.subjects import Recipient, kind_of
from base.errors import ErrorKind, ServiceError
from storage.field_encryption import FieldSealer
from vault import catalogue, decisions
from vault.consent import records
from vault.consent.grants import attempt_on, type_tag
from vault.consent.terms import Terms
from vault.decisions import AccessAttempt, Denial
from vault.document_view import is_verified
from vault.rules import Reason, Refused, may_attest


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The minimal answer, as of one instant; of several papers, the one last issued speaks."""

    type: str
    held: bool
    issued_on: date | None
    valid_until: date | None
    verified: bool
    deposited_on: date | None
    as_of: datetime
    documents: int


@dataclass(frozen=True, slots=True)
class _Judged:
    at: datetime
    person_id: UUID
    rows: Sequence[Row[Any]]


async def evidence(
    services: CoreServices, recipient: Recipient, grant_id: UUID, code: str
) -> Evidence:
    """What a grant lets its recipient know of one type; it needs `attest`, or `read`.

    Raises `ServiceError`: `unknown_document_type` (any caller may know the catalogue), `not_found`,
    `grant_revoked`, `grant_expired`, `action_not_granted`, `outside_scope`, `token_scope_missing`.
    """
    if catalogue.by_code(code) is None:
        raise ServiceError(ErrorKind.INVALID, "unknown_document_type")
    await decisions.check_token(services, recipient, "evidence", Action.ATTEST)
    # 1. Judged and recorded in one commit, before anything about a document is opened.
    async with services.database.transaction() as tx:
        judged = await _judge(services, tx, recipient, grant_id, code)
    if isinstance(judged, Denial):
        raise await decisions.record_denial(services, judged)
    # 2. Answered, out of the rows that were judged.
    sealer = await services.field_encryption.of(judged.person_id)
    return _answer(code, judged, sealer)


async def _judge(
    services: CoreServices, tx: AsyncConnection, recipient: Recipient, grant_id: UUID, code: str
) -> _Judged | Denial:
    grant = await records.grant_for_use(tx, grant_id)
    attempt = replace(attempt_on(grant, recipient, Action.ATTEST), details={"document_type": code})
    if grant is None:
        return Denial(attempt, Reason.NOT_FOUND)
    tag = await type_tag(services, grant.person_id, code)
    rows = await records.covered_of_type(tx, grant, tag)
    named = await records.names_type(tx, grant_id, tag)
    judged = may_attest(
        records.grant_facts(grant),
        type_covered=named or any(row.picked for row in rows),
        recipient_kind=kind_of(recipient),
        recipient_id=recipient.id,
        now=grant.at,
    )
    if isinstance(judged, Refused):
        return Denial(attempt, judged.reason)
    attempt = await _with_purpose(services, tx, grant, attempt)
    documents = tuple(row.id for row in rows)
    await decisions.record_allowed(services, tx, grant.at, replace(attempt, documents=documents))
    return _Judged(grant.at, grant.person_id, rows)


async def _with_purpose(
    services: CoreServices, tx: AsyncConnection, grant: Row[Any], attempt: AccessAttempt
) -> AccessAttempt:
    sealer = await services.field_encryption.of(grant.person_id, tx)
    terms = Terms.read(sealer.open("grant", grant.id, grant.sealed))
    return replace(attempt, purpose_code=terms.purpose_code, purpose=terms.purpose)


def _answer(code: str, judged: _Judged, sealer: FieldSealer) -> Evidence:
    papers = [(row, sealer.open("document", row.id, row.sealed)) for row in judged.rows]
    if not papers:
        return Evidence(
            type=code, held=False, issued_on=None, valid_until=None, verified=False,
            deposited_on=None, as_of=judged.at, documents=0,
        )  # fmt: skip
    row, paper = max(papers, key=lambda each: (each[1].get("issued_on") or "", each[0].created_at))
    return Evidence(
        type=code,
        held=True,
        issued_on=_date(paper.get("issued_on")),
        valid_until=_date(paper.get("expires_on")),
        verified=is_verified(
            paper["deposited_by"], row.number, altered=paper.get("altered", False)
        ),
        deposited_on=row.created_at.date(),
        as_of=judged.at,
        documents=len(papers),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
