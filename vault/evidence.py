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
from auth.desk import Desk
from auth.subjects import Recipient, kind_of
from base.errors import Failure, Kind
from storage.fields import Sealer
from vault import catalogue, judging
from vault.grants import act_on, type_tag
from vault.judging import Act, Declined
from vault.papers import is_verified
from vault.records import grants as records
from vault.rules import Reason, Refused, may_attest
from vault.terms import Terms


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


async def evidence(desk: Desk, recipient: Recipient, grant_id: UUID, code: str) -> Evidence:
    """What a grant lets its recipient know of one type; it needs `attest`, or `read`.

    Raises `Failure`: `unknown_document_type` (any caller may know the catalogue), `not_found`,
    `grant_revoked`, `grant_expired`, `action_not_granted`, `outside_scope`, `token_scope_missing`.
    """
    if catalogue.by_code(code) is None:
        raise Failure(Kind.INVALID, "unknown_document_type")
    await judging.check_token(desk, recipient, "evidence", Action.ATTEST)
    # 1. Judged and recorded in one commit, before anything about a document is opened.
    async with desk.database.transaction() as tx:
        judged = await _judge(desk, tx, recipient, grant_id, code)
    if isinstance(judged, Declined):
        raise await judging.decline(desk, judged)
    # 2. Answered, out of the rows that were judged.
    sealer = await desk.fields.of(judged.person_id)
    return _answer(code, judged, sealer)


async def _judge(
    desk: Desk, tx: AsyncConnection, recipient: Recipient, grant_id: UUID, code: str
) -> _Judged | Declined:
    grant = await records.judged(tx, grant_id)
    act = replace(act_on(grant, recipient, Action.ATTEST), details={"document_type": code})
    if grant is None:
        return Declined(act, Reason.NOT_FOUND)
    tag = await type_tag(desk, grant.person_id, code)
    rows = await records.covered_of_type(tx, grant, tag)
    named = await records.names_type(tx, grant_id, tag)
    judged = may_attest(
        records.facts(grant),
        type_covered=named or any(row.picked for row in rows),
        recipient_kind=kind_of(recipient),
        recipient_id=recipient.id,
        now=grant.at,
    )
    if isinstance(judged, Refused):
        return Declined(act, judged.reason)
    act = await _with_purpose(desk, tx, grant, act)
    documents = tuple(row.id for row in rows)
    await judging.allow(desk, tx, grant.at, replace(act, documents=documents))
    return _Judged(grant.at, grant.person_id, rows)


async def _with_purpose(desk: Desk, tx: AsyncConnection, grant: Row[Any], act: Act) -> Act:
    sealer = await desk.fields.of(grant.person_id, tx)
    terms = Terms.read(sealer.open("grant", grant.id, grant.sealed))
    return replace(act, purpose_code=terms.purpose_code, purpose=terms.purpose)


def _answer(code: str, judged: _Judged, sealer: Sealer) -> Evidence:
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
