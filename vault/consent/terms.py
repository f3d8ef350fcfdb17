"""The terms of a consent, the same for requests and grants; how a person narrows them. Pure."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import Any
from uuid import UUID

from base.errors import about
from vault import durations
from vault.consent.scopes import (
    Choice,
    Holdings,
    Scope,
    narrow_duration,
    narrow_scope,
    narrow_storing,
    scope_of,
)
from vault.rules import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms requested or granted: most of the sealed row of a request and of a grant.

    `contact`: whom to call about it, by the name of each field; empty without a request.
    `shown_in`: the languages in which the person read what they approved, where a page showed it.
    """

    scope: Scope
    purpose_code: str
    purpose: str = field(repr=False)
    legal_basis: str
    duration: str
    may_store: bool
    store_for: str | None
    contact: dict[str, str] = field(repr=False)
    shown_in: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """The values that are sealed, JSON-serialisable. Fields are only ever added."""
        shown = {"shown_in": list(self.shown_in)} if self.shown_in else {}
        return shown | {
            "document_types": list(self.scope.document_types),
            "document_ids": [str(document_id) for document_id in self.scope.document_ids],
            "actions": [action.value for action in self.scope.actions],
            "purpose_code": self.purpose_code,
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "duration": self.duration,
            "may_store": self.may_store,
            "store_for": self.store_for,
            "contact": self.contact,
        }

    @classmethod
    def read(cls, values: dict[str, Any]) -> "Terms":
        """From the values of an opened row, which may hold more."""
        return cls(
            scope=scope_of(
                values["document_types"], map(UUID, values["document_ids"]), values["actions"]
            ),
            purpose_code=values["purpose_code"],
            purpose=values["purpose"],
            legal_basis=values["legal_basis"],
            duration=values["duration"],
            may_store=values["may_store"],
            store_for=values["store_for"],
            contact=values["contact"],
            shown_in=tuple(values.get("shown_in", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person approves. None: as requested; nothing may be wider. `until`, instead of a
    duration: to the end of that day, where the person is. `shown_in`: in which languages they read
    it; it changes nothing of what is granted."""

    choice: Choice = field(default_factory=Choice)
    duration: str | None = None
    until: date | None = None
    may_store: bool | None = None
    covers_future: bool = False
    shown_in: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """All that it grants, JSON-serialisable: the body for an idempotency key."""
        ids = self.choice.document_ids
        until = {} if self.until is None else {"until": self.until.isoformat()}
        return until | {
            "types": self.choice.document_types,
            "ids": None if ids is None else [str(document_id) for document_id in ids],
            "actions": self.choice.actions,
            "how_long": [self.duration, self.may_store, self.covers_future],
        }

    def dated(self, at: datetime, zone: tzinfo) -> "Approval":
        """The same, with the duration that ends on the day chosen. Raises `day_over`."""
        if self.until is None:
            return self
        with about("until"):
            return replace(self, duration=durations.until_day(at, self.until, zone), until=None)


def narrow_terms(
    requested: Terms, approval: Approval, holdings: Holdings, at: datetime
) -> Terms | Refused:
    """The terms granted, or the first reason why they would be wider than those requested. Of an
    approval whose day was made a duration (`dated`).

    Raises `ServiceError` `duration_invalid`.
    """
    scope = narrow_scope(requested.scope, approval.choice, holdings)
    if isinstance(scope, Refused):
        return scope
    duration = narrow_duration(at, requested.duration, approval.duration)
    if isinstance(duration, Refused):
        return duration
    may_store = narrow_storing(requested.may_store, approval.may_store)
    if isinstance(may_store, Refused):
        return may_store
    return replace(
        requested,
        scope=scope,
        duration=duration,
        may_store=may_store,
        store_for=requested.store_for if may_store else None,
        shown_in=approval.shown_in,
    )
