"""What is asked for, what is given, and that the second is never wider than the first. Pure."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from base.errors import ErrorKind, ServiceError
from vault import catalogue, durations
from vault.rules import GrantAction, Reason, Refused

MOST = 50
LONGEST_PURPOSE = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """Document types, single documents and actions: without repetition, in the order given."""

    document_types: tuple[str, ...]
    document_ids: tuple[UUID, ...]
    actions: tuple[GrantAction, ...]

    @property
    def empty(self) -> bool:
        """Whether it allows nothing: no action, or nothing to do it to (a deposit needs none)."""
        if not self.actions:
            return True
        nothing_named = not self.document_types and not self.document_ids
        return nothing_named and set(self.actions) != {GrantAction.DEPOSIT}


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person changes when they approve. None: as it was asked."""

    document_types: tuple[str, ...] | None = None
    document_ids: tuple[UUID, ...] | None = None
    actions: tuple[GrantAction, ...] | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the person's vault says of the documents named: theirs, and of a type asked for."""

    theirs: frozenset[UUID]
    of_asked_types: frozenset[UUID]


def scope_of(types: Iterable[str], ids: Iterable[UUID], actions: Iterable[str]) -> Scope:
    """A scope out of checked words, repetitions dropped."""
    return Scope(
        tuple(dict.fromkeys(types)),
        tuple(dict.fromkeys(ids)),
        tuple(GrantAction(action) for action in dict.fromkeys(actions)),
    )


def check(scope: Scope) -> None:
    """Raise `ServiceError` INVALID: `unknown_document_type`, or `scope_empty`."""
    if any(catalogue.by_code(code) is None for code in scope.document_types):
        raise ServiceError(ErrorKind.INVALID, "unknown_document_type")
    if scope.empty:
        raise ServiceError(ErrorKind.INVALID, "scope_empty")


def check_purpose(code: str, legal_basis: str) -> None:
    """Raise `ServiceError` INVALID: `unknown_purpose`, `unknown_legal_basis`."""
    if catalogue.purpose_by_code(code) is None:
        raise ServiceError(ErrorKind.INVALID, "unknown_purpose")
    if catalogue.legal_basis_by_code(legal_basis) is None:
        raise ServiceError(ErrorKind.INVALID, "unknown_legal_basis")


def check_storing(may_store: bool, store_for: str | None) -> None:
    """Raise `ServiceError` INVALID: a bad duration, or `store_not_asked` without leave to store."""
    if store_for is None:
        return
    durations.parse(store_for)
    if not may_store:
        raise ServiceError(ErrorKind.INVALID, "store_not_asked")


def narrow(asked: Scope, choice: Choice, holdings: Holdings) -> Scope | Refused:
    """The scope granted out of the scope asked, or why not.

    A choice that names types, or documents, means those alone; one that names neither keeps both
    as asked. Documents asked by id that are not the person's are dropped unless the person named
    them: the asker may have written anything.
    """
    named = choice.document_types is not None or choice.document_ids is not None
    types = (choice.document_types or ()) if named else asked.document_types
    actions = asked.actions if choice.actions is None else choice.actions
    if not set(types) <= set(asked.document_types) or not set(actions) <= set(asked.actions):
        return Refused(Reason.WIDENED)
    if named:
        ids = choice.document_ids or ()
        wrong = _picked_wrongly(ids, set(asked.document_ids), holdings)
        if wrong is not None:
            return wrong
    else:
        ids = tuple(each for each in asked.document_ids if each in holdings.theirs)
    return given(Scope(types, ids, actions))


def given(scope: Scope) -> Scope | Refused:
    """What every grant keeps to: something in it, and no sensitive type as a whole."""
    if any(catalogue.is_sensitive(code) for code in scope.document_types):
        return Refused(Reason.SENSITIVE_BY_TYPE)
    return Refused(Reason.NOTHING_GRANTED) if scope.empty else scope


def shorter(at: datetime, asked: str, chosen: str | None) -> str | Refused:
    """The duration granted: the one chosen, unless it ends after the one asked."""
    if chosen is None:
        return asked
    if durations.end_of(at, chosen) > durations.end_of(at, asked):
        return Refused(Reason.WIDENED)
    return chosen


def storing(asked: bool, chosen: bool | None) -> bool | Refused:
    """Whether the recipient may keep a copy: never more than was asked."""
    if chosen and not asked:
        return Refused(Reason.WIDENED)
    return asked if chosen is None else chosen


def _picked_wrongly(
    ids: Iterable[UUID], asked_ids: Set[UUID], holdings: Holdings
) -> Refused | None:
    if not holdings.theirs >= set(ids):
        return Refused(Reason.UNKNOWN_DOCUMENT)
    if not asked_ids | holdings.of_asked_types >= set(ids):
        return Refused(Reason.WIDENED)
    return None
