"""Decisions: each judgement, allowed or refused, is recorded before the caller gets an answer.

An allowed act is recorded in its own transaction. A refusal is recorded and committed alone, after
the act's transaction, and only then is the caller answered (invariants 1 and 2).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind, Event, Outcome
from auth.services import CoreServices
from auth.subjects import Client, Person, Recipient
from base.db_time import instant
from base.errors import Field, ServiceError
from base.ids import new_id
from base.pipeline import Transaction
from base.quota import Quota
from storage.row_macs import RowAltered
from vault.rules import Reason, failure_of

Decided = TypeVar("Decided")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessAttempt:
    """What was tried, by whom and on what: an event without its time and outcome.

    `person`: whose log the event goes to. None when the object does not exist: the event is then
    sealed under the service's key, so that both cases take the same time.
    """

    action: Action
    actor: Actor
    person: UUID | None = None
    grant: UUID | None = None
    request: UUID | None = None
    documents: tuple[UUID, ...] = ()
    purpose_code: str = ""
    purpose: str = field(default="", repr=False)
    details: dict[str, str | int] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Denial:
    """An act that a rule refused: what a use case's transaction returns instead of its result."""

    attempt: AccessAttempt
    reason: Reason
    retry_after: int | None = None
    fields: tuple[Field, ...] = ()
    quota: Quota | None = None


def shown_to(owner_id: UUID | None, subject: Person | Recipient) -> Actor:
    """The actor as the owner's log shows them: another person is anonymous.

    The owner may not learn who that other person is.
    """
    if isinstance(subject, Person) and subject.id != owner_id:
        return Actor(ActorKind.ANONYMOUS)
    return subject.actor()


async def record_allowed(
    services: CoreServices, tx: Transaction, at: datetime, attempt: AccessAttempt
) -> UUID:
    """Record an allowed act in its own transaction; returns the event's id.

    Nothing may be revealed before that transaction commits. A crash before the commit leaves
    neither the act nor its event.
    """
    return await services.audit_log.record(tx, _event(attempt, at, Outcome.ALLOWED, ""))


async def record_refused(
    services: CoreServices, tx: Transaction, at: datetime, attempt: AccessAttempt, reason: Reason
) -> UUID:
    """Record a refusal in its own transaction, together with what the attempt changed: a try that
    counts. The caller MUST commit it before answering."""
    return await services.audit_log.record(tx, _event(attempt, at, Outcome.REFUSED, reason.value))


async def record_refusal(
    services: CoreServices,
    attempt: AccessAttempt,
    reason: Reason,
    *,
    retry_after: int | None = None,
) -> ServiceError:
    """Record a refusal alone; returns the error to raise: `raise await record_refusal(…)`.

    Call it after the act's transaction. If recording fails, its own error is raised instead:
    nothing is answered that the log does not hold.
    """
    async with services.database.transaction() as tx:
        await record_refused(services, tx, await instant(tx), attempt, reason)
    failure = failure_of(reason)
    failure.retry_after = retry_after
    return failure


async def decide(
    services: CoreServices, act: Callable[[AsyncConnection], Awaitable[Decided | Denial]]
) -> Decided:
    """What an act comes to, in a transaction of its own; raises the error of a refusal, which is
    recorded after that transaction, and committed before anyone is told."""
    async with services.database.transaction() as tx:
        outcome = await act(tx)
    if isinstance(outcome, Denial):
        raise await record_denial(services, outcome)
    return outcome


async def record_denial(services: CoreServices, denial: Denial) -> ServiceError:
    """`record_refusal` for a `Denial` that a transaction returned."""
    wait = denial.retry_after if denial.quota is None else denial.quota.more_in
    failure = await record_refusal(services, denial.attempt, denial.reason, retry_after=wait)
    failure.fields, failure.quota = denial.fields, denial.quota
    return failure


async def record_altered_row(services: CoreServices, error: RowAltered) -> None:
    """Record that a row which the service did not write was refused: in the service's log, because
    nothing that such a row says is believed, not even whose it is."""
    async with services.database.transaction() as tx:
        event = Event(
            id=new_id(),
            at=await instant(tx),
            action=Action.ROW_REFUSED,
            outcome=Outcome.REFUSED,
            actor=Actor(ActorKind.SERVICE),
            reason="altered",
            details={"table": error.table},
        )
        await services.audit_log.record(tx, event)


async def check_token(
    services: CoreServices, subject: Person | Recipient, word: str, action: Action
) -> None:
    """Raise `token_scope_missing`, recorded, when a client's access token lacks the scope `word`.

    Checked before any look-up, because it depends on the token alone. People and workers have
    sessions, which have no scopes.
    """
    if isinstance(subject, Client) and word not in subject.scope:
        attempt = AccessAttempt(action=action, actor=subject.actor(), details={"scope": word})
        failure = await record_refusal(services, attempt, Reason.TOKEN_SCOPE)
        failure.values["scope"] = word
        raise failure


def _event(attempt: AccessAttempt, at: datetime, outcome: Outcome, reason: str) -> Event:
    return Event(
        id=new_id(),
        at=at,
        action=attempt.action,
        outcome=outcome,
        actor=attempt.actor,
        person=attempt.person,
        reason=reason,
        grant=attempt.grant,
        request=attempt.request,
        documents=attempt.documents,
        purpose_code=attempt.purpose_code,
        purpose=attempt.purpose,
        details=attempt.details,
    )
