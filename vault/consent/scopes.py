"""The scope of requests and grants; what is granted is never wider than requested. Pure."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from base.errors import Field, about, invalid
from vault import catalogue, durations
from vault.rules import GrantAction, Reason, Refused

MAX_SCOPE_ITEMS = 50
MAX_PURPOSE_LENGTH = 500
_SCOPE: tuple[Field, ...] = (("scope",),)


@dataclass(frozen=True, slots=True)
class Scope:
    """Document types, single documents and actions: without duplicates, in the given order."""

    document_types: tuple[str, ...]
    document_ids: tuple[UUID, ...]
    actions: tuple[GrantAction, ...]

    @property
    def empty(self) -> bool:
        """Whether it allows nothing: no action, or no document to act on (a deposit needs none)."""
        if not self.actions:
            return True
        nothing_named = not self.document_types and not self.document_ids
        return nothing_named and not self.only_adds

    @property
    def only_adds(self) -> bool:
        """Whether it allows to add documents, and shows none."""
        return set(self.actions) == {GrantAction.DEPOSIT}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person changes when they approve. None: as requested."""

    document_types: tuple[str, ...] | None = None
    document_ids: tuple[UUID, ...] | None = None
    actions: tuple[GrantAction, ...] | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Which of the named documents are the person's, and which have a requested type."""

    theirs: frozenset[UUID]
    of_requested_types: frozenset[UUID]


def scope_of(types: Iterable[str], ids: Iterable[UUID], actions: Iterable[str]) -> Scope:
    """A scope from checked values, without duplicates."""
    return Scope(
        tuple(dict.fromkeys(types)),
        tuple(dict.fromkeys(ids)),
        tuple(GrantAction(action) for action in dict.fromkeys(actions)),
    )


def check(scope: Scope) -> None:
    """Whether a new request or grant may have this scope.

    Raises `ServiceError` INVALID: `unknown_document_type`, `document_type_retired` or
    `scope_empty`. What was asked or given before a type was retired is not judged by this.
    """
    unknown = type_fields(scope.document_types, lambda code: catalogue.by_code(code) is None)
    if unknown:
        raise invalid("unknown_document_type", fields=unknown)
    retired = type_fields(scope.document_types, catalogue.is_retired)
    if retired:
        instead = dict.fromkeys(
            new for code in scope.document_types for new in catalogue.successors(code)
        )
        raise invalid("document_type_retired", fields=retired, replaced_by=", ".join(instead))
    if scope.empty:
        raise invalid("scope_empty", fields=[("scope",)])


def check_purpose(code: str, legal_basis: str) -> None:
    """Raise `ServiceError` INVALID: `unknown_purpose`, `unknown_legal_basis`."""
    if catalogue.purpose_by_code(code) is None:
        raise invalid("unknown_purpose", fields=[("purpose", "code")])
    if catalogue.legal_basis_by_code(legal_basis) is None:
        raise invalid("unknown_legal_basis", fields=[("legal_basis",)])


def check_storing(may_store: bool, store_for: str | None) -> None:
    """Raise `ServiceError` INVALID: a bad duration, or `store_not_asked` unless `may_store`."""
    if store_for is None:
        return
    with about("store_for"):
        durations.parse(store_for)
        if not may_store:
            raise invalid("store_not_asked")


def narrow_scope(requested: Scope, choice: Choice, holdings: Holdings) -> Scope | Refused:
    """The scope granted from the scope requested, or why it is refused.

    A choice that names types or documents means only those; one that names neither keeps both as
    requested. Requested document ids that are not the person's are dropped, because the requester
    may have written any id; if the person named them, the choice is refused.
    """
    named = choice.document_types is not None or choice.document_ids is not None
    types = (choice.document_types or ()) if named else requested.document_types
    actions = requested.actions if choice.actions is None else choice.actions
    if not set(types) <= set(requested.document_types) or not set(actions) <= set(
        requested.actions
    ):
        return Refused(Reason.WIDENED, _SCOPE)
    if requested.document_types and not types:
        # A deposit for no type is one for every type: more than was asked.
        actions = tuple(action for action in actions if action is not GrantAction.DEPOSIT)
    if named:
        ids = choice.document_ids or ()
        refusal = _check_picked(ids, set(requested.document_ids), holdings)
        if refusal is not None:
            return refusal
    else:
        ids = tuple(
            document_id for document_id in requested.document_ids if document_id in holdings.theirs
        )
    return check_grantable(Scope(types, ids, actions))


def check_grantable(scope: Scope) -> Scope | Refused:
    """The scope, if a grant may have it: not empty, and no sensitive type shown as a whole. One
    that only adds papers shows none, of whatever type."""
    sensitive = type_fields(scope.document_types, catalogue.is_sensitive)
    if sensitive and not scope.only_adds:
        return Refused(Reason.SENSITIVE_BY_TYPE, sensitive)
    return Refused(Reason.NOTHING_GRANTED, _SCOPE) if scope.empty else scope


def narrow_duration(at: datetime, requested: str, chosen: str | None) -> str | Refused:
    """The duration granted: the one chosen; refused if it ends after the one requested."""
    if chosen is None:
        return requested
    with about("duration"):
        end = durations.end_of(at, chosen)
    if end > durations.end_of(at, requested):
        return Refused(Reason.WIDENED, (("duration",),))
    return chosen


def narrow_storing(requested: bool, chosen: bool | None) -> bool | Refused:
    """Whether the recipient may keep a copy: refused if chosen but not requested."""
    if chosen and not requested:
        return Refused(Reason.WIDENED, (("may_store",),))
    return requested if chosen is None else chosen


def _check_picked(
    ids: Sequence[UUID], requested_ids: Set[UUID], holdings: Holdings
) -> Refused | None:
    unknown = id_fields(ids, holdings.theirs)
    if unknown:
        return Refused(Reason.UNKNOWN_DOCUMENT, unknown)
    wider = id_fields(ids, requested_ids | holdings.of_requested_types)
    return Refused(Reason.WIDENED, wider) if wider else None


def type_fields(types: Sequence[str], wrong: Callable[[str], bool]) -> tuple[Field, ...]:
    """The fields of those types of a scope that are wrong."""
    return tuple(("scope", "document_types", at) for at, code in enumerate(types) if wrong(code))


def id_fields(ids: Sequence[UUID], right: Set[UUID]) -> tuple[Field, ...]:
    """The fields of those documents of a scope that are not among the right ones."""
    return tuple(("scope", "document_ids", at) for at, one in enumerate(ids) if one not in right)
