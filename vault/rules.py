"""Who may do what under a grant or with a request: plain functions on plain values. Pure.

Every rule returns `Allowed` or `Refused(reason)`; the use case records either one before it
reveals anything. The current time is the database's, read together with the rows.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from auth.subjects import Party
from base.errors import ErrorKind, Field, ServiceError, not_found


class GrantAction(StrEnum):
    """What a grant may allow. `read` includes what `attest` says: the content says it too."""

    ATTEST = "attest"
    READ = "read"
    DEPOSIT = "deposit"


class Reason(StrEnum):
    """Why an act is refused. The values are stored in the log: only ever add to them."""

    NOT_FOUND = "not_found"
    NOT_RECIPIENT = "not_recipient"
    NOT_OWNER = "not_owner"
    NOT_ADDRESSEE = "not_addressee"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    ACTION_NOT_GRANTED = "action_not_granted"
    TYPE_NOT_COVERED = "type_not_covered"
    DOCUMENT_NOT_COVERED = "document_not_covered"
    ADDED_LATER = "added_later"
    DOCUMENT_DELETED = "document_deleted"
    INFECTED = "infected"
    SENSITIVE_BY_TYPE = "sensitive_by_type"
    NOTHING_GRANTED = "nothing_granted"
    WIDENED = "widened"
    UNKNOWN_DOCUMENT = "unknown_document"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    PACED = "paced"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    OUTDATED = "outdated"
    REPORT_ANSWERED = "report_answered"
    CODE_WRONG = "code_wrong"
    TOO_MANY_CODES = "too_many_codes"
    PHONE_TOO_NEW = "phone_too_new"
    TOKEN_SCOPE = "token_scope"  # noqa: S105  (a name, not a secret)
    OUTSIDE_TOKEN = "outside_token"  # noqa: S105  (a name, not a secret)
    GRANT_FULL = "grant_full"
    NO_ROOM = "no_room"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    TYPE_KNOWN = "type_known"
    MEETING_CODE = "meeting_code"
    MEETING_WAITS = "meeting_waits"
    MEETING_OVER = "meeting_over"
    NO_PHONE = "no_phone"
    ASSISTED = "assisted"
    ASSISTED_LONG = "assisted_long"
    ASSISTED_SENSITIVE = "assisted_sensitive"
    CARD_TOO_NEW = "card_too_new"
    SHARED_DEVICE = "shared_device"
    JOIN_CODE = "join_code"
    CLOSED = "closed"
    RECOVERY_CODE = "recovery_code"
    SAME_AGENT = "same_agent"
    TRUSTED_CODE = "trusted_code"
    REPRESENTATION_CODE = "representation_code"
    REPRESENTED = "represented"
    RECOVERED_LATELY = "recovered_lately"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The act is allowed."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The act is refused, and why; `fields`, of what was asked, where it is known."""

    reason: Reason
    fields: tuple[Field, ...] = ()


Judgement = Allowed | Refused


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant's row, read `FOR SHARE` together with `at`, the time of the judgement.

    `outdated`: since it was given, types became sensitive, and it was not narrowed yet.
    """

    at: datetime
    person_id: UUID
    recipient: Party
    given_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    may_attest: bool
    may_read: bool
    may_deposit: bool
    covers_future: bool
    outdated: bool


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """A document's row, compared with a grant.

    `same_person`: the document is in the vault that the grant is for. `picked`: the person chose
    this document itself. `type_in_scope`: its type's tag is among the grant's.
    """

    same_person: bool
    deleted: bool
    picked: bool
    type_in_scope: bool
    created_at: datetime
    typed_at: datetime
    scan: str


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """A request's row, read under its lock. `requester`: who sent it."""

    person_id: UUID | None
    answer: str | None
    lapses_at: datetime
    requester: Party | None = None


def may_open(
    grant: GrantFacts | None,
    document: DocumentFacts | None,
    *,
    caller: Party,
    action: GrantAction,
) -> Judgement:
    """Whether the caller may do `action` (`read`, or `attest` for its metadata) with a document.

    The recipient is checked before the grant's state, so that others learn nothing about it.
    """
    usable = _usable(grant, caller)
    if isinstance(usable, Refused):
        return usable
    if not _allows(usable, action):
        return Refused(Reason.ACTION_NOT_GRANTED)
    if document is None:
        return Refused(Reason.NOT_FOUND)
    return _covered(usable, document)


def may_suggest(
    grant: GrantFacts | None,
    document: DocumentFacts | None,
    *,
    type_unknown: bool,
    caller: Party,
) -> Judgement:
    """Whether the caller may say what a paper is: they may read it, and nobody said it before."""
    reading = may_open(grant, document, caller=caller, action=GrantAction.READ)
    if isinstance(reading, Allowed) and not type_unknown:
        return Refused(Reason.TYPE_KNOWN)
    return reading


def may_list(grant: GrantFacts | None, *, caller: Party) -> Judgement:
    """Whether the caller may see which documents a grant covers: it needs `attest` or `read`."""
    usable = _usable(grant, caller)
    if isinstance(usable, Refused):
        return usable
    if not _allows(usable, GrantAction.ATTEST):
        return Refused(Reason.ACTION_NOT_GRANTED)
    return Allowed()


def may_attest(grant: GrantFacts | None, *, type_covered: bool, caller: Party) -> Judgement:
    """Whether the caller may learn that a type is held, with its dates: `attest` or `read`.

    `type_covered`: the grant names the type, or one of its picked documents is of that type.
    """
    listing = may_list(grant, caller=caller)
    if isinstance(listing, Allowed) and not type_covered:
        return Refused(Reason.TYPE_NOT_COVERED)
    return listing


def may_deposit(
    grant: GrantFacts | None,
    *,
    types_named: bool,
    type_in_scope: bool,
    caller: Party,
) -> Judgement:
    """Whether the caller may add a document. A grant that names types accepts only those."""
    usable = _usable(grant, caller)
    if isinstance(usable, Refused):
        return usable
    if not _allows(usable, GrantAction.DEPOSIT):
        return Refused(Reason.ACTION_NOT_GRANTED)
    if types_named and not type_in_scope:
        return Refused(Reason.TYPE_NOT_COVERED)
    return Allowed()


def may_answer(request: RequestFacts | None, *, person_id: UUID, now: datetime) -> Judgement:
    """Whether a person may approve or refuse a request: it is theirs, unanswered, not lapsed."""
    if request is None:
        return Refused(Reason.NOT_FOUND)
    if request.person_id != person_id:
        return Refused(Reason.NOT_ADDRESSEE)
    if request.answer == "withdrawn":
        return Refused(Reason.WITHDRAWN)
    if request.answer is not None:
        return Refused(Reason.ANSWERED)
    if now >= request.lapses_at:
        return Refused(Reason.LAPSED)
    return Allowed()


def may_withdraw(request: RequestFacts | None, *, caller: Party) -> Judgement:
    """Whether a sender may withdraw a request: it is theirs, and was not approved, which they know.
    Nothing else of it matters: what was refused, lapsed or reached nobody is withdrawn alike."""
    if request is None:
        return Refused(Reason.NOT_FOUND)
    if request.requester != caller:
        return Refused(Reason.NOT_RECIPIENT)
    return Refused(Reason.APPROVED) if request.answer == "approved" else Allowed()


def may_revoke(grant: GrantFacts | None, *, person_id: UUID) -> Judgement:
    """Whether a person may revoke a grant: it is theirs; its state does not matter."""
    if grant is None:
        return Refused(Reason.NOT_FOUND)
    if grant.person_id != person_id:
        return Refused(Reason.NOT_OWNER)
    return Allowed()


def may_see(
    grant: GrantFacts | None, *, caller: Party, able: frozenset[GrantAction] | None = None
) -> Judgement:
    """Whether a caller may see a grant's terms: both sides may, even after it has ended. `able`:
    what the recipient's access token lets it do; None: everything."""
    if grant is None:
        return Refused(Reason.NOT_FOUND)
    if caller.kind == "person":
        return Allowed() if grant.person_id == caller.id else Refused(Reason.NOT_OWNER)
    if not is_recipient(grant, caller):
        return Refused(Reason.NOT_RECIPIENT)
    granted = {
        GrantAction.ATTEST: grant.may_attest,
        GrantAction.READ: grant.may_read,
        GrantAction.DEPOSIT: grant.may_deposit,
    }
    usable = able is None or any(granted[action] for action in able)
    return Allowed() if usable else Refused(Reason.OUTSIDE_TOKEN)


def is_recipient(grant: GrantFacts, caller: Party) -> bool:
    """Whether the grant was given to the caller, in any state. For them alone the event of an act
    under it, allowed or refused, includes its purpose."""
    return grant.recipient == caller


def state_of(
    revoked_at: datetime | None, ends_at: datetime, now: datetime
) -> Literal["live", "expired", "revoked"]:
    """`revoked`, `expired` or `live`."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if now >= ends_at else "live"


def reason_of(judgement: Judgement) -> Reason:
    """Why it is refused; a judgement that allows what is not there says `NOT_FOUND`."""
    return judgement.reason if isinstance(judgement, Refused) else Reason.NOT_FOUND


def failure_of(reason: Reason) -> ServiceError:
    """The caller's error. A reason that would reveal what they may not know gives `not_found`."""
    error = _ERRORS.get(reason)
    return not_found() if error is None else ServiceError(*error)


_ERRORS: dict[Reason, tuple[ErrorKind, str]] = {
    Reason.REVOKED: (ErrorKind.REFUSED, "grant_revoked"),
    Reason.EXPIRED: (ErrorKind.REFUSED, "grant_expired"),
    Reason.NOT_YET: (ErrorKind.REFUSED, "grant_not_yet"),
    Reason.OUTDATED: (ErrorKind.UNAVAILABLE, "grant_outdated"),
    Reason.ACTION_NOT_GRANTED: (ErrorKind.REFUSED, "action_not_granted"),
    Reason.TYPE_NOT_COVERED: (ErrorKind.REFUSED, "outside_scope"),
    Reason.INFECTED: (ErrorKind.REFUSED, "document_infected"),
    Reason.SENSITIVE_BY_TYPE: (ErrorKind.INVALID, "sensitive_by_type"),
    Reason.NOTHING_GRANTED: (ErrorKind.INVALID, "nothing_granted"),
    Reason.WIDENED: (ErrorKind.INVALID, "scope_widened"),
    Reason.UNKNOWN_DOCUMENT: (ErrorKind.INVALID, "unknown_document"),
    Reason.ANSWERED: (ErrorKind.CONFLICT, "request_answered"),
    Reason.LAPSED: (ErrorKind.CONFLICT, "request_lapsed"),
    Reason.APPROVED: (ErrorKind.CONFLICT, "request_approved"),
    Reason.WITHDRAWN: (ErrorKind.CONFLICT, "request_withdrawn"),
    Reason.TYPE_KNOWN: (ErrorKind.CONFLICT, "type_known"),
    Reason.MEETING_CODE: (ErrorKind.REFUSED, "meeting_code_wrong"),
    Reason.MEETING_WAITS: (ErrorKind.CONFLICT, "meeting_not_agreed"),
    Reason.MEETING_OVER: (ErrorKind.CONFLICT, "meeting_over"),
    Reason.JOIN_CODE: (ErrorKind.REFUSED, "join_code_wrong"),
    Reason.RECOVERY_CODE: (ErrorKind.REFUSED, "recovery_code_wrong"),
    Reason.SAME_AGENT: (ErrorKind.CONFLICT, "same_agent"),
    Reason.TRUSTED_CODE: (ErrorKind.REFUSED, "trusted_code_wrong"),
    Reason.REPRESENTATION_CODE: (ErrorKind.REFUSED, "representation_code_wrong"),
    Reason.REPRESENTED: (ErrorKind.REFUSED, "not_when_represented"),
    Reason.RECOVERED_LATELY: (ErrorKind.REFUSED, "recovered_lately"),
    Reason.PACED: (ErrorKind.TOO_MANY, "too_many_requests"),
    Reason.UNKNOWN_RECIPIENT: (ErrorKind.INVALID, "unknown_recipient"),
    Reason.REPORT_ANSWERED: (ErrorKind.CONFLICT, "report_answered"),
    Reason.CODE_WRONG: (ErrorKind.REFUSED, "erasure_code_wrong"),
    Reason.PHONE_TOO_NEW: (ErrorKind.CONFLICT, "phone_too_new"),
    Reason.CARD_TOO_NEW: (ErrorKind.CONFLICT, "card_too_new"),
    Reason.NO_PHONE: (ErrorKind.CONFLICT, "no_proof_code"),
    Reason.ASSISTED: (ErrorKind.REFUSED, "not_when_assisted"),
    Reason.SHARED_DEVICE: (ErrorKind.REFUSED, "not_on_shared_device"),
    Reason.ASSISTED_LONG: (ErrorKind.REFUSED, "assisted_too_long"),
    Reason.ASSISTED_SENSITIVE: (ErrorKind.REFUSED, "assisted_sensitive"),
    Reason.TOO_MANY_CODES: (ErrorKind.TOO_MANY, "too_many_erasure_codes"),
    Reason.TOKEN_SCOPE: (ErrorKind.REFUSED, "token_scope_missing"),
    Reason.GRANT_FULL: (ErrorKind.CONFLICT, "grant_full"),
    Reason.CLOSED: (ErrorKind.REFUSED, "service_closed"),
    Reason.NO_ROOM: (ErrorKind.CONFLICT, "vault_cannot_take_more"),
}


def _usable(grant: GrantFacts | None, caller: Party) -> GrantFacts | Refused:
    """The grant, if it is the caller's and is live at `grant.at`."""
    if grant is None:
        return Refused(Reason.NOT_FOUND)
    if not is_recipient(grant, caller):
        return Refused(Reason.NOT_RECIPIENT)
    if grant.revoked_at is not None:
        return Refused(Reason.REVOKED)
    if grant.at >= grant.ends_at:
        return Refused(Reason.EXPIRED)
    if grant.at < grant.given_at:
        return Refused(Reason.NOT_YET)
    if grant.outdated:
        return Refused(Reason.OUTDATED)
    return grant


def _allows(grant: GrantFacts, action: GrantAction) -> bool:
    if action is GrantAction.ATTEST:
        return grant.may_attest or grant.may_read
    return grant.may_read if action is GrantAction.READ else grant.may_deposit


def _covered(grant: GrantFacts, document: DocumentFacts) -> Judgement:
    if not document.same_person:
        return Refused(Reason.DOCUMENT_NOT_COVERED)
    if not document.picked:
        if not document.type_in_scope:
            return Refused(Reason.DOCUMENT_NOT_COVERED)
        # A document that got its type after the grant is later too: relabelling must not add it.
        later = max(document.created_at, document.typed_at) > grant.given_at
        if later and not grant.covers_future:
            return Refused(Reason.ADDED_LATER)
    if document.deleted:
        return Refused(Reason.DOCUMENT_DELETED)
    if document.scan == "infected":
        return Refused(Reason.INFECTED)
    return Allowed()
