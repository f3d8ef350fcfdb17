"""The terms of a consent: the same words asked and given, and how a person narrows them. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from vault.consent.scopes import Choice, Holdings, Scope, narrow, scope_of, shorter, storing
from vault.rules import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked, or given: of a request and of a grant, the better part of the sealed row.

    `contact`: whom to call about it, by the name of each line; empty when nobody asked.
    """

    scope: Scope
    purpose_code: str
    purpose: str = field(repr=False)
    legal_basis: str
    duration: str
    may_store: bool
    store_for: str | None
    contact: dict[str, str] = field(repr=False)

    def values(self) -> dict[str, Any]:
        """As sealed, JSON-able. Fields are only ever added."""
        return {
            "document_types": list(self.scope.document_types),
            "document_ids": [str(each) for each in self.scope.document_ids],
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
        """Out of an opened row, which may hold more."""
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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What a person says yes to. None: as it was asked; nothing may be wider."""

    choice: Choice = field(default_factory=Choice)
    duration: str | None = None
    may_store: bool | None = None
    covers_future: bool = False

    def values(self) -> dict[str, Any]:
        """All of it, JSON-able: what an idempotency key stands for."""
        ids = self.choice.document_ids
        return {
            "types": self.choice.document_types,
            "ids": None if ids is None else [str(each) for each in ids],
            "actions": self.choice.actions,
            "how_long": [self.duration, self.may_store, self.covers_future],
        }


def agreed(asked: Terms, approval: Approval, holdings: Holdings, at: datetime) -> Terms | Refused:
    """The terms granted, or the first way in which they would be wider than those asked.

    Raises `ServiceError` `duration_invalid`.
    """
    scope = narrow(asked.scope, approval.choice, holdings)
    if isinstance(scope, Refused):
        return scope
    duration = shorter(at, asked.duration, approval.duration)
    if isinstance(duration, Refused):
        return duration
    may_store = storing(asked.may_store, approval.may_store)
    if isinstance(may_store, Refused):
        return may_store
    return replace(
        asked,
        scope=scope,
        duration=duration,
        may_store=may_store,
        store_for=asked.store_for if may_store else None,
    )
