"""A person's answers to consent requests: approve, perhaps narrower; refuse; "this is not me"."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import closings
from auth.living_vaults import hold_living_vault
from auth.person_contact import contact_to_tell
from auth.services import CoreServices
from auth.subjects import Party, Person
from base.key_names import CONSENT_REQUEST
from vault import decisions, idempotency
from vault.consent import assisted_grants, consent_evidence
from vault.consent.consent_acts import ConsentAct, said_of
from vault.consent.consent_evidence import CheckedAct, Receiver
from vault.consent.grant_issue import NewGrant, issue
from vault.consent.grants import GrantView, view_of
from vault.consent.records import grants as grant_records
from vault.consent.records import requests as request_records
from vault.consent.request_views import attempt_on
from vault.consent.scopes import Holdings, Scope
from vault.consent.terms import Approval, Terms, narrow_terms
from vault.consent.type_tags import tags_of_type
from vault.decisions import AccessAttempt, Denial
from vault.rules import Reason, Refused, RequestFacts, may_answer


async def approve(
    services: CoreServices,
    person: Person,
    request_id: UUID,
    approval: Approval,
    *,
    idempotency_key: str | None = None,
    act: ConsentAct | None = None,
) -> GrantView:
    """Approve, perhaps for less than requested: makes the grant, to the requester only.

    Raises `ServiceError`: `not_found`, `request_answered`, `request_lapsed`, `scope_widened`,
    `unknown_document`, `sensitive_by_type`, `nothing_granted`, `duration_invalid`,
    `duration_too_long`, `day_over`, those of `consent_evidence.check_act`, of
    `assisted_grants.judge` and of `idempotency.claim`.
    """
    return await decisions.decide(
        services,
        lambda tx: _approve(services, tx, person, request_id, approval, (idempotency_key, act)),
    )


async def _approve(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    request_id: UUID,
    approval: Approval,
    how: tuple[str | None, ConsentAct | None],
) -> GrantView | Denial:
    """`how`: the idempotency key, and the act."""
    key, act = how
    await hold_living_vault(tx, person.id)  # as for a grant unasked, and before the request's row
    claimed = await idempotency.claim(
        services, tx, caller_id=person.id, route=f"approve/{request_id}", key=key,
        body=approval.values() | said_of(act),
    )  # fmt: skip
    if claimed is not None and claimed.result_id is not None:
        return await view_of(services, tx, claimed.result_id)
    view = await approve_within(services, tx, person, request_id, approval, act)
    if not isinstance(view, Denial):
        await idempotency.save(tx, claimed, view.id)
    return view


async def approve_within(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    request_id: UUID,
    approval: Approval,
    act: ConsentAct | None,
    *,
    mandate: UUID | None = None,
) -> GrantView | Denial:
    """Approve, in the caller's transaction, who holds the vault, and MUST undo it all where a
    refusal comes back. `mandate`: the signed paper by which it is, until its person is seen again.
    """
    # 1. Lock the row: of two concurrent answers, one waits and then sees the other.
    answerable = await _answerable(tx, person, request_id, Action.APPROVE)
    if isinstance(answerable, Denial):
        return answerable
    row, attempt = answerable
    if await closings.is_over(services, tx):
        return Denial(attempt, Reason.CLOSED)
    reader = await services.field_encryption.reader(person.id, tx)
    values = reader.open(CONSENT_REQUEST, row.id, row.sealed)
    requested = Terms.read(values)
    attempt = replace(attempt, purpose_code=requested.purpose_code, purpose=requested.purpose)
    if mandate is not None:
        attempt = replace(attempt, details={"mandate": str(mandate)})
    # 2. Never wider than what was requested.
    terms = await _narrowed(services, tx, person, requested, approval, row.at)
    if isinstance(terms, Refused):
        return Denial(attempt, terms.reason, fields=terms.fields)
    requester = Party(row.requester_kind, row.requester_id)
    refused = await assisted_grants.judge(services, tx, person, requester, terms)
    if refused is not None:
        return Denial(attempt, refused.reason, fields=refused.fields)
    # 3. Grant, answer, evidence and event in one commit. A crash before it leaves the request
    #    waiting.
    macs = await services.field_encryption.row_macs()
    await request_records.answer_request(tx, macs, row, "approved", row.at)
    to = Receiver(row.organisation_id, values["requester"]["name"])
    checked = await consent_evidence.check_act(services, tx, person, act, to)
    grant = _grant(row, person, values["requester"], terms, approval, checked)
    return await issue(services, tx, replace(grant, mandate=mandate), attempt)


async def _narrowed(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    requested: Terms,
    approval: Approval,
    at: datetime,
) -> Terms | Refused:
    """The terms of an approval; a day that was chosen ends where the person is."""
    if approval.until is not None:
        approval = approval.dated(at, (await contact_to_tell(services, tx, person.id)).zone)
    holdings = await _holdings(services, tx, person.id, requested.scope, approval)
    return narrow_terms(requested, approval, holdings, at)


def _grant(
    row: Row[Any],
    person: Person,
    requester: dict[str, str],
    terms: Terms,
    approval: Approval,
    act: CheckedAct,
) -> NewGrant:
    return NewGrant(
        person_id=person.id,
        recipient=Party(row.requester_kind, row.requester_id),
        organisation_id=row.organisation_id,
        recipient_snapshot=requester,
        terms=terms,
        covers_future=approval.covers_future,
        given_at=row.at,
        act=act,
        request_id=row.id,
    )


async def refuse(
    services: CoreServices, person: Person, request_id: UUID, reason: Literal["no", "not_me"] = "no"
) -> None:
    """Refuse, or answer "this is not me": the sender can see neither.

    Raises `ServiceError`: `not_found`, `request_answered`, `request_lapsed`.
    """
    await decisions.decide(
        services, lambda tx: refuse_within(services, tx, person, request_id, reason)
    )


async def refuse_within(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    request_id: UUID,
    reason: Literal["no", "not_me"] = "no",
) -> Denial | None:
    """`refuse`, in the caller's transaction."""
    action = Action.REFUSE if reason == "no" else Action.NOT_ME
    answerable = await _answerable(tx, person, request_id, action)
    if isinstance(answerable, Denial):
        return answerable
    row, attempt = answerable
    answer = "refused" if reason == "no" else "not_me"
    macs = await services.field_encryption.row_macs()
    await request_records.answer_request(tx, macs, row, answer, row.at)
    await decisions.record_allowed(services, tx, row.at, attempt)
    return None


async def _answerable(
    tx: AsyncConnection, person: Person, request_id: UUID, action: Action
) -> tuple[Row[Any], AccessAttempt] | Denial:
    row = await request_records.request_to_answer(tx, request_id)
    attempt = attempt_on(row, person, action)
    if row is None:
        return Denial(attempt, Reason.NOT_FOUND)
    judgement = may_answer(
        RequestFacts(row.person_id, row.answer, row.lapses_at), person_id=person.id, now=row.at
    )
    return Denial(attempt, judgement.reason) if isinstance(judgement, Refused) else (row, attempt)


async def _holdings(
    services: CoreServices,
    tx: AsyncConnection,
    person_id: UUID,
    requested: Scope,
    approval: Approval,
) -> Holdings:
    """What the vault holds of the documents that the person named, or else of those requested."""
    picked = approval.choice.document_ids
    tags = {
        tag
        for code in requested.document_types
        for tag in await tags_of_type(services, person_id, code)
    }
    held = await grant_records.held_documents(
        tx, person_id, requested.document_ids if picked is None else picked
    )
    return Holdings(
        theirs=frozenset(row.id for row in held),
        of_requested_types=frozenset(row.id for row in held if row.type_tag in tags),
    )
