"""The vocabulary of the log, and the only encoding of an event as bytes. Pure.

Fields are only ever added, never renamed, removed or given another meaning: a receipt made today
must verify in ten years. A new field is left out of the encoding while it is empty.
"""

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from base.clock import rfc3339


class Action(StrEnum):
    """What was done or attempted, as `subject.verb`. A closed list: words are only added."""

    SIGN_IN_CODE = "sign_in.code"
    SIGN_IN = "sign_in.success"
    SIGN_IN_FAILED = "sign_in.failure"
    SIGN_OUT = "sign_in.end"
    MEANS_ADDED = "means.add"
    MEANS_REMOVED = "means.remove"
    MEANS_FREED = "means.free"
    MEANS_WAIT = "means.wait"
    MEANS_WAIT_ENDED = "means.wait_end"
    MEANS_STOPPED = "means.stop"
    PIN_SET = "pin.set"
    ANCHOR_ENROLLED = "anchor.enrol"
    ANCHOR_REMOVED = "anchor.remove"
    TRUSTED_NAMED = "trusted.name"
    TRUSTED_SEEN = "trusted.see"
    TRUSTED_ACCEPTED = "trusted.accept"
    TRUSTED_ENDED = "trusted.end"
    TRUSTED_VOUCHED = "trusted.vouch"
    REPRESENTATION_NAMED = "representation.name"
    REPRESENTATION_SEEN = "representation.see"
    REPRESENTATION_SHOWN = "representation.show"
    REPRESENTATION_BEGAN = "representation.begin"
    REPRESENTATION_ENTERED = "representation.enter"
    REPRESENTATION_ENDED = "representation.end"
    PROTECTION_NOTED = "protection.note"
    PROTECTION_ENDED = "protection.end"
    TOKEN_ISSUED = "token.issue"  # noqa: S105  (a name, not a secret)
    TOKEN_REFUSED = "token.refuse"  # noqa: S105  (a name, not a secret)
    VAULT_OPENED = "vault.open"
    VAULT_EXPORTED = "vault.export"
    EXPORT_ASKED = "vault.export_asked"
    VAULT_IMPORTED = "vault.import"
    VAULT_ERASED = "vault.erase"
    JOIN_ASKED = "vault.join_code"
    JOIN_SEEN = "vault.join_see"
    JOIN_WITHDRAWN = "vault.join_end"
    VAULT_JOINED = "vault.join"
    VAULT_LEFT = "vault.leave"
    RECOVERY_BEGUN = "recovery.begin"
    RECOVERY_SECOND = "recovery.second"
    RECOVERY_OPENED = "recovery.open"
    RECOVERY_MEANS = "recovery.means"
    RECOVERY_STOPPED = "recovery.stop"
    RECOVERY_CONFIRMED = "recovery.confirm"
    ERASE_CODE = "vault.erase_code"
    ERASE_ASKED = "vault.erase_asked"
    ERASE_CANCELLED = "vault.erase_cancelled"
    DEPOSIT = "document.deposit"
    NEW_VERSION = "document.version"
    CORRECT = "document.correct"
    TYPE_SUGGESTED = "document.suggest_type"
    SUGGESTION_REFUSED = "document.refuse_type"
    DELETE = "document.delete"
    RESTORE = "document.restore"
    PURGE = "document.purge"
    INFECTED = "document.infected"
    LIST = "document.list"
    READ = "document.read"
    PREVIEW = "document.preview"
    ATTEST = "document.attest"
    REQUEST = "consent.request"
    APPROVE = "consent.approve"
    REFUSE = "consent.refuse"
    NOT_ME = "consent.not_me"
    WITHDRAW = "consent.withdraw"
    GIVE = "grant.give"
    REVOKE = "grant.revoke"
    GIVE_BACK = "grant.give_back"
    GRANT_SEEN = "grant.see"
    NARROW = "grant.narrow"
    GO_ON = "grant.go_on"
    PERSON_SEEN = "person.see"
    MEETING_OPENED = "meeting.open"
    MEETING_ANSWERED = "meeting.answer"
    MEETING_AGREED = "meeting.agree"
    MEETING_ENDED = "meeting.end"
    LOG_READ = "log.read"
    REPORT = "log.report"
    REPORT_SEEN = "report.see"
    REPORT_ANSWERED = "report.answer"
    CLOSING_ANNOUNCED = "service.closing"
    CLOSING_CANCELLED = "service.closing_end"
    ORGANISATION_ADDED = "organisation.add"
    ORGANISATION_CHANGED = "organisation.change"
    WORKER_ADDED = "worker.add"
    CLIENT_ADDED = "client.add"
    WORKER_BARRED = "worker.bar"
    CLIENT_BARRED = "client.bar"
    KEYS_ROTATED = "keys.rotate"
    KEY_DESTROYED = "keys.destroy"
    ROWS_BOUND = "rows.bind"
    ROW_REFUSED = "rows.refuse"
    PACED = "network.pace"
    PADDING = "log.padding"


class Outcome(StrEnum):
    """How it ended."""

    ALLOWED = "allowed"
    REFUSED = "refused"


class ActorKind(StrEnum):
    """Who acted. `owner` is the person themself, shown as "you"; `representative` acts in their
    place, by a judge's decision: its `id` is of the representation."""

    OWNER = "owner"
    WORKER = "worker"
    CLIENT = "client"
    OPERATOR = "operator"
    SERVICE = "service"
    ANONYMOUS = "anonymous"
    REPRESENTATIVE = "representative"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted, as shown to the person: a name, a job, an organisation, how to reach them.

    `beside`: the worker on whose device, and beside whom, it was done (an assisted session).
    """

    kind: ActorKind
    id: UUID | None = None
    name: str = ""
    job: str = ""
    organisation: str = ""
    organisation_id: UUID | None = None
    contact: str = ""
    beside: "Actor | None" = None


@dataclass(frozen=True, slots=True)
class Event:
    """One act on a person's vault. `at` is the database's time when it was decided."""

    id: UUID
    at: datetime
    action: Action
    outcome: Outcome
    actor: Actor
    person: UUID | None = None
    reason: str = ""
    grant: UUID | None = None
    request: UUID | None = None
    documents: tuple[UUID, ...] = ()
    purpose_code: str = ""
    purpose: str = ""
    details: dict[str, str | int] = field(default_factory=dict)


def as_values(event: Event) -> dict[str, Any]:
    """The event as JSON values: empty fields left out."""
    values: dict[str, Any] = {
        "v": 1,
        "id": str(event.id),
        "at": rfc3339(event.at),
        "action": event.action.value,
        "outcome": event.outcome.value,
        "actor": _actor_values(event.actor),
        **_without_empty(
            person=_text(event.person),
            reason=event.reason,
            grant=_text(event.grant),
            request=_text(event.request),
            documents=[str(document) for document in event.documents],
            purpose_code=event.purpose_code,
            purpose=event.purpose,
            details=event.details,
        ),
    }
    return values


def canonical(values: dict[str, Any]) -> bytes:
    """The canonical encoding: RFC 8785 for the values used here (ASCII keys, strings, integers)."""
    return json.dumps(
        values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def commitment(k_event: bytes, encoded: bytes) -> bytes:
    """HMAC-SHA256(k_event, canonical event): reveals nothing without the sealed `k_event`."""
    return hmac.digest(k_event, encoded, sha256)


def _actor_values(actor: Actor) -> dict[str, Any]:
    return _without_empty(
        kind=actor.kind.value,
        id=_text(actor.id),
        name=actor.name,
        job=actor.job,
        organisation=actor.organisation,
        organisation_id=_text(actor.organisation_id),
        contact=actor.contact,
        beside=actor.beside and _actor_values(actor.beside),
    )


def _without_empty(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _text(value: UUID | None) -> str:
    return "" if value is None else str(value)
