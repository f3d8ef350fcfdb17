"""Who may do what under a grant or with a request: plain functions on plain values. Pure.

Every rule answers `Allowed` or `Refused(reason)`; the use case records the answer, whichever it
is, before anything leaves. The instant is the database's, read with the rows.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from auth.subjects import Party
from base.errors import ErrorKind, ServiceError, not_found


class GrantAction(StrEnum):
    """What a grant may allow. `read` includes what `attest` says: the content says it too."""

    ATTEST = "attest"
    READ = "read"
    DEPOSIT = "deposit"


class Reason(StrEnum):
    """Why not. Closed, and kept in the log: additions only."""

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
    TOKEN_SCOPE = "token_scope"  # noqa: S105  (a name, not a secret)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """No, and why."""

    reason: Reason


Judgement = Allowed | Refused


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """What a grant's row says, read `FOR SHARE` together with `at`, the instant it is judged at."""

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


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a document's row says beside a grant.

    `same_person`: it is the vault that the grant was given on. `picked`: the person chose this
    very document. `type_in_scope`: its type's tag is among the grant's.
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
    """What a request's row says, read under its lock."""

    person_id: UUID | None
    answer: str | None
    lapses_at: datetime


def may_open(
    grant: GrantFacts | None,
    document: DocumentFacts | None,
    *,
    caller: Party,
    action: GrantAction,
) -> Judgement:
    """Whether the caller may do `action` (`read`, or `attest` for a metadata line) to a document.

    A grant that is not the caller's answers before its state does, so that nothing is learnt of it.
    """
    under = _under(grant, caller)
    if isinstance(under, Refused):
        return under
    if not _grants(under, action):
        return Refused(Reason.ACTION_NOT_GRANTED)
    if document is None:
        return Refused(Reason.NOT_FOUND)
    return _covered(under, document)


def may_list(grant: GrantFacts | None, *, caller: Party) -> Judgement:
    """Whether the caller may see which documents a grant covers: it needs `attest` or `read`."""
    under = _under(grant, caller)
    if isinstance(under, Refused):
        return under
    if not _grants(under, GrantAction.ATTEST):
        return Refused(Reason.ACTION_NOT_GRANTED)
    return Allowed()


def may_attest(grant: GrantFacts | None, *, type_covered: bool, caller: Party) -> Judgement:
    """Whether the caller may learn that a type is held, with its dates: `attest` or `read`.

    `type_covered`: the grant names the type, or a document of that type was picked into it.
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
    """Whether the caller may add a document: a grant that names types takes only those."""
    under = _under(grant, caller)
    if isinstance(under, Refused):
        return under
    if not _grants(under, GrantAction.DEPOSIT):
        return Refused(Reason.ACTION_NOT_GRANTED)
    if types_named and not type_in_scope:
        return Refused(Reason.TYPE_NOT_COVERED)
    return Allowed()


def may_answer(request: RequestFacts | None, *, person_id: UUID, now: datetime) -> Judgement:
    """Whether a person may approve or refuse a request: theirs, unanswered, not lapsed."""
    if request is None:
        return Refused(Reason.NOT_FOUND)
    if request.person_id != person_id:
        return Refused(Reason.NOT_ADDRESSEE)
    if request.answer is not None:
        return Refused(Reason.ANSWERED)
    if now >= request.lapses_at:
        return Refused(Reason.LAPSED)
    return Allowed()


def may_revoke(grant: GrantFacts | None, *, person_id: UUID) -> Judgement:
    """Whether a person may take a grant back: theirs, in any state."""
    if grant is None:
        return Refused(Reason.NOT_FOUND)
    if grant.person_id != person_id:
        return Refused(Reason.NOT_OWNER)
    return Allowed()


def may_see(grant: GrantFacts | None, *, caller: Party) -> Judgement:
    """Whether a caller may see a grant's terms: its two sides may, also once it is over."""
    if grant is None:
        return Refused(Reason.NOT_FOUND)
    if caller.kind == "person":
        return Allowed() if grant.person_id == caller.id else Refused(Reason.NOT_OWNER)
    return Allowed() if is_recipient(grant, caller) else Refused(Reason.NOT_RECIPIENT)


def is_recipient(grant: GrantFacts, caller: Party) -> bool:
    """Whether the caller is the one that the grant was given to, whatever its state. The line of
    an act under it says more to them, allowed or refused: its purpose."""
    return grant.recipient == caller


def state_of(
    revoked_at: datetime | None, ends_at: datetime, now: datetime
) -> Literal["live", "expired", "revoked"]:
    """`revoked`, `expired` or `live`."""
    if revoked_at is not None:
        return "revoked"
    return "expired" if now >= ends_at else "live"


def failure_of(reason: Reason) -> ServiceError:
    """What the caller is told. Whatever they may not know of answers `not_found`."""
    told = _TOLD.get(reason)
    return not_found() if told is None else ServiceError(*told)


_TOLD: dict[Reason, tuple[ErrorKind, str]] = {
    Reason.REVOKED: (ErrorKind.REFUSED, "grant_revoked"),
    Reason.EXPIRED: (ErrorKind.REFUSED, "grant_expired"),
    Reason.NOT_YET: (ErrorKind.REFUSED, "grant_not_yet"),
    Reason.ACTION_NOT_GRANTED: (ErrorKind.REFUSED, "action_not_granted"),
    Reason.TYPE_NOT_COVERED: (ErrorKind.REFUSED, "outside_scope"),
    Reason.INFECTED: (ErrorKind.REFUSED, "document_infected"),
    Reason.SENSITIVE_BY_TYPE: (ErrorKind.INVALID, "sensitive_by_type"),
    Reason.NOTHING_GRANTED: (ErrorKind.INVALID, "nothing_granted"),
    Reason.WIDENED: (ErrorKind.INVALID, "scope_widened"),
    Reason.UNKNOWN_DOCUMENT: (ErrorKind.INVALID, "unknown_document"),
    Reason.ANSWERED: (ErrorKind.CONFLICT, "request_answered"),
    Reason.LAPSED: (ErrorKind.CONFLICT, "request_lapsed"),
    Reason.PACED: (ErrorKind.TOO_MANY, "too_many_requests"),
    Reason.UNKNOWN_RECIPIENT: (ErrorKind.INVALID, "unknown_recipient"),
    Reason.TOKEN_SCOPE: (ErrorKind.REFUSED, "token_scope_missing"),
}


def _under(grant: GrantFacts | None, caller: Party) -> GrantFacts | Refused:
    """The grant, when it is the caller's and live at that instant."""
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
    return grant


def _grants(grant: GrantFacts, action: GrantAction) -> bool:
    if action is GrantAction.ATTEST:
        return grant.may_attest or grant.may_read
    return grant.may_read if action is GrantAction.READ else grant.may_deposit


def _covered(grant: GrantFacts, document: DocumentFacts) -> Judgement:
    if not document.same_person:
        return Refused(Reason.DOCUMENT_NOT_COVERED)
    if not document.picked:
        if not document.type_in_scope:
            return Refused(Reason.DOCUMENT_NOT_COVERED)
        # A document given its type later would slip in by relabelling: it is later too.
        later = max(document.created_at, document.typed_at) > grant.given_at
        if later and not grant.covers_future:
            return Refused(Reason.ADDED_LATER)
    if document.deleted:
        return Refused(Reason.DOCUMENT_DELETED)
    if document.scan == "infected":
        return Refused(Reason.INFECTED)
    return Allowed()
