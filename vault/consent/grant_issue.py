"""Makes grants: given by the person without a request, or issued when they approve one."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import closings, profiles
from auth.living_vaults import hold_living_vault
from auth.oauth.jws import is_name
from auth.person_contact import contact_to_tell
from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Party, Person, Recipient, snapshot
from base.clock import rfc3339
from base.contact import normal_email
from base.db_time import instant
from base.errors import about
from base.ids import new_id
from base.key_names import EMAIL, GRANT
from vault import catalogue, decisions, durations, idempotency, rate_limit
from vault.catalogue import GRANT_BASIS
from vault.consent import assisted_grants, consent_evidence
from vault.consent.consent_acts import ConsentAct, said_of
from vault.consent.consent_evidence import Change, CheckedAct, Receiver
from vault.consent.grants import GrantView, revoke_within, view_of
from vault.consent.mandate_papers import asleep_from
from vault.consent.meeting_use import mark_used, meeting_to_use
from vault.consent.records import grants as records
from vault.consent.scopes import (
    Scope,
    check,
    check_grantable,
    check_purpose,
    check_storing,
    id_fields,
)
from vault.consent.terms import Terms
from vault.consent.type_tags import type_tag
from vault.decisions import AccessAttempt, Denial
from vault.rules import GrantAction, Reason, Refused, state_of
from vault.tables import GRANT_ROW


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRef:
    """To whom a person gives a grant: exactly one of the four. `meeting`: the worker whom they
    stand before, once."""

    worker_id: UUID | None = None
    worker_email: str | None = field(default=None, repr=False)
    client_id: str | None = None
    meeting: UUID | None = None

    def values(self) -> list[str | None]:
        """For an idempotency key: what it was before meetings, where there is none."""
        to = [str(self.worker_id), self.worker_email, self.client_id]
        return to if self.meeting is None else [*to, str(self.meeting)]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDraft:
    """A grant that a person gives without a request: for a duration, or until the end of a day
    where they are, exactly one of the two. `replaces`: grants of theirs that end by it."""

    recipient: RecipientRef
    scope: Scope
    purpose_code: str
    purpose: str = field(repr=False)
    duration: str | None = None
    until: date | None = None
    may_store: bool = False
    store_for: str | None = None
    covers_future: bool = False
    replaces: tuple[UUID, ...] = ()

    def values(self) -> dict[str, Any]:
        """All its values, JSON-serialisable: the body for an idempotency key."""
        until = {} if self.until is None else {"until": self.until.isoformat()}
        ended = {"replaces": [str(one) for one in self.replaces]} if self.replaces else {}
        return (
            until
            | ended
            | {
                "to": self.recipient.values(),
                "types": self.scope.document_types,
                "ids": [str(document_id) for document_id in self.scope.document_ids],
                "actions": self.scope.actions,
                "why": [self.purpose_code, self.purpose],
                "how_long": [self.duration, self.may_store, self.store_for, self.covers_future],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """A grant to be made. `recipient_snapshot`: their `snapshot`, as the person saw it.
    `mandate`: the signed paper by which it is; then it ends when its person was not seen, unless
    they let it go on."""

    person_id: UUID
    recipient: Party
    organisation_id: UUID
    recipient_snapshot: dict[str, str] = field(repr=False)
    terms: Terms
    covers_future: bool
    given_at: datetime
    act: CheckedAct
    request_id: UUID | None = None
    mandate: UUID | None = None


async def give(
    services: CoreServices,
    person: Person,
    draft: GrantDraft,
    *,
    idempotency_key: str | None = None,
    act: ConsentAct | None = None,
) -> GrantView:
    """Give a grant without a request.

    Raises `ServiceError`: `unknown_document_type`, `unknown_purpose`, `scope_empty`,
    `sensitive_by_type`, `unknown_document`, `unknown_recipient`, `not_found`,
    `meeting_not_agreed`, `meeting_over`, `duration_invalid`,
    `duration_too_long`, `day_over`, `too_many_requests`, those of `consent_evidence.check_act`, of
    `assisted_grants.judge`, and of `idempotency.claim`.
    """
    check(draft.scope)
    check_purpose(draft.purpose_code, GRANT_BASIS)
    check_storing(draft.may_store, draft.store_for)
    with about("recipient", "worker_email"):
        email = draft.recipient.worker_email and normal_email(draft.recipient.worker_email)
    attempt = AccessAttempt(
        action=Action.GIVE,
        actor=person.actor(),
        person=person.id,
        purpose_code=draft.purpose_code,
        purpose=draft.purpose,
    )
    # 1. Rate-limited before the recipient is looked up: the answer reveals who works here.
    wait = await rate_limit.take_attempt(
        services, person.id, "give", services.settings.requests_per_hour
    )
    if wait is not None:
        raise await decisions.record_refusal(services, attempt, Reason.PACED, retry_after=wait)
    # 2. Judge, insert and record in one commit. A crash before it leaves no grant.
    return await decisions.decide(
        services,
        lambda tx: _give(services, tx, person, draft, email, attempt, (idempotency_key, act)),
    )


async def _give(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    draft: GrantDraft,
    email: str | None,
    attempt: AccessAttempt,
    how: tuple[str | None, ConsentAct | None],
) -> GrantView | Denial:
    """`how`: the idempotency key, and the act."""
    key, act = how
    # Whoever restores a paper meanwhile sees this grant, or is done before it is given.
    await hold_living_vault(tx, person.id)
    claimed = await idempotency.claim(
        services, tx, caller_id=person.id, route="grants", key=key,
        body=draft.values() | said_of(act),
    )  # fmt: skip
    if claimed is not None and claimed.result_id is not None:
        return await view_of(services, tx, claimed.result_id)
    scope = await _grantable(services, tx, draft)
    if isinstance(scope, Refused):
        return Denial(attempt, scope.reason, fields=scope.fields)
    held = await records.held_documents(tx, person.id, scope.document_ids)
    if unknown := id_fields(scope.document_ids, {row.id for row in held}):
        return Denial(attempt, Reason.UNKNOWN_DOCUMENT, fields=unknown)
    terms = _terms(draft, scope, await _duration(services, tx, person, draft))
    recipient = await _recipient(services, tx, person, draft.recipient, email, terms)
    if isinstance(recipient, Refused):
        return Denial(attempt, recipient.reason, fields=recipient.fields)
    grant = NewGrant(
        person_id=person.id,
        recipient=recipient.party,
        organisation_id=recipient.organisation_id,
        recipient_snapshot=snapshot(recipient),
        terms=terms,
        covers_future=draft.covers_future,
        given_at=await instant(tx),
        act=await consent_evidence.check_act(services, tx, person, act, _receiver(recipient)),
    )
    view = await issue(services, tx, grant, attempt)
    if (refused := await _end_replaced(services, tx, person, draft, act)) is not None:
        return refused
    await idempotency.save(tx, claimed, view.id)
    return view


async def _grantable(services: CoreServices, tx: AsyncConnection, draft: GrantDraft) -> Any:
    closed = await closings.is_over(services, tx)
    return Refused(Reason.CLOSED) if closed else check_grantable(draft.scope)


def _receiver(recipient: Recipient) -> Receiver:
    return Receiver(recipient.organisation_id, recipient.name)


async def _end_replaced(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    draft: GrantDraft,
    act: ConsentAct | None,
) -> Denial | None:
    """End what a grant takes the place of, in its transaction: none without the other; in the order
    of `grants.living_ids`."""
    for former in sorted(draft.replaces):
        ended = await revoke_within(services, tx, person, former, act)
        if isinstance(ended, Denial):
            return ended
    return None


async def _duration(
    services: CoreServices, tx: AsyncConnection, person: Person, draft: GrantDraft
) -> str:
    """The one given, or the one that ends on the day given. Raises `day_over`."""
    if draft.until is None:
        return draft.duration or ""
    zone = (await contact_to_tell(services, tx, person.id)).zone
    with about("until"):
        return durations.until_day(await instant(tx), draft.until, zone)


def _terms(draft: GrantDraft, scope: Scope, duration: str) -> Terms:
    return Terms(
        scope=scope,
        purpose_code=draft.purpose_code,
        purpose=draft.purpose,
        legal_basis=GRANT_BASIS,
        duration=duration,
        may_store=draft.may_store,
        store_for=draft.store_for,
        contact={},
    )


async def issue(
    services: CoreServices, tx: AsyncConnection, new: NewGrant, attempt: AccessAttempt
) -> GrantView:
    """Make a grant and record it, in the caller's transaction. The caller MUST have checked scope
    and documents. Raises `ServiceError` `duration_too_long` (twelve months), `duration_invalid`.
    """
    scope = new.terms.scope
    view = _view(new, new_id())
    writer = await services.field_encryption.writer(new.person_id, tx)
    macs = await services.field_encryption.row_macs()
    tags = [await type_tag(services, new.person_id, code) for code in scope.document_types]
    await records.add_grant(
        tx,
        macs.add(
            GRANT_ROW,
            {
                "id": view.id,
                "person_id": new.person_id,
                "request_id": new.request_id,
                "recipient_kind": new.recipient.kind,
                "recipient_id": new.recipient.id,
                "organisation_id": new.organisation_id,
                "may_attest": GrantAction.ATTEST in scope.actions,
                "may_read": GrantAction.READ in scope.actions,
                "may_deposit": GrantAction.DEPOSIT in scope.actions,
                "covers_future": new.covers_future,
                "catalogue_edition": catalogue.EDITION,
                "type_tags": sorted(tags),
                "document_ids": sorted(scope.document_ids),
                "given_at": new.given_at,
                "ends_at": view.ends_at,
                "sealed": writer.seal(GRANT, view.id, _sealed(new, view)),
            },
        ),
        step=_step(new),
    )
    await _add_evidence(services, tx, new, view)
    attempt = replace(attempt, grant=view.id, documents=scope.document_ids)
    await decisions.record_allowed(services, tx, new.given_at, attempt)
    return view


def _step(new: NewGrant) -> str:
    return "given" if new.request_id is None else "approved"


def _told(new: NewGrant) -> dict[str, Any]:
    return {**new.terms.values(), "recipient": new.recipient_snapshot}


def _sealed(new: NewGrant, view: GrantView) -> dict[str, Any]:
    by_paper = {} if new.mandate is None else {"mandate": str(new.mandate)}
    return _told(new) | {"evidence": str(view.evidence_id)} | by_paper


async def _add_evidence(
    services: CoreServices, tx: AsyncConnection, new: NewGrant, view: GrantView
) -> None:
    assert view.evidence_id is not None  # noqa: S101  (`_view` made it)
    ends = {"ends_at": rfc3339(view.ends_at), "covers_future": new.covers_future}
    change = Change(view.evidence_id, view.id, new.person_id, _step(new), new.given_at)
    await consent_evidence.add(services, tx, new.act, change, _told(new) | ends)


def _view(new: NewGrant, grant_id: UUID) -> GrantView:
    with about("duration"):
        ends_at = durations.grant_end(new.given_at, new.terms.duration)
    if new.mandate is not None:
        ends_at = min(ends_at, asleep_from(new.given_at))
    return GrantView(
        id=grant_id,
        request_id=new.request_id,
        state=state_of(None, ends_at, new.given_at),
        recipient_kind=new.recipient.kind,
        recipient_id=new.recipient.id,
        recipient=new.recipient_snapshot,
        covers_future=new.covers_future,
        given_at=new.given_at,
        ends_at=ends_at,
        revoked_at=None,
        ended_by=None,
        as_of=new.given_at,
        terms=new.terms,
        evidence_id=new_id(),
        mandate_id=new.mandate,
    )


async def _recipient(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    ref: RecipientRef,
    email: str | None,
    terms: Terms,
) -> Recipient | Refused:
    """An active worker or client, whom the person may give this; of a meeting, its worker: it is
    used by that."""
    met = None
    if ref.meeting is not None:
        usable = await meeting_to_use(services, tx, person, ref.meeting)
        if isinstance(usable, Refused):
            return usable
        met, ref = usable, RecipientRef(worker_id=usable.worker_id)
    found = await _named(services, tx, ref, email)
    if found is None:
        return Refused(Reason.UNKNOWN_RECIPIENT, (("recipient",),))
    refused = await assisted_grants.judge(services, tx, person, found.party, terms)
    if refused is not None:
        return refused
    if met is not None:
        await mark_used(services, tx, met)
    return found


async def _named(
    services: CoreServices, tx: AsyncConnection, ref: RecipientRef, email: str | None
) -> Recipient | None:
    """An active worker or client, or None."""
    macs = await services.field_encryption.row_macs()
    if ref.client_id is not None:
        # What cannot be an identifier matches nobody: PostgreSQL rejects a NUL in any text.
        row = await recipients.client(tx, macs, ref.client_id) if is_name(ref.client_id) else None
        return None if row is None else await profiles.client(services, row)
    if ref.worker_id is not None:
        row = await recipients.worker(tx, macs, ref.worker_id)
    else:
        row = await recipients.worker_by_email(
            tx, macs, await services.field_encryption.tag(EMAIL, email or "")
        )
    if row is None:
        return None
    return await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )
