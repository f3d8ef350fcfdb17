"""An event of the log as the replay reads it: its words and ids. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.events import ActorKind


@dataclass(frozen=True, slots=True)
class LoggedAct:
    """One event, opened: what was done or refused, by which kind of actor, on what, and what it
    says of the state after."""

    id: UUID
    at: datetime
    action: str
    allowed: bool
    reason: str
    actor_kind: str
    person: UUID | None
    grant: UUID | None
    request: UUID | None
    documents: tuple[UUID, ...]
    details: dict[str, str | int] = field(repr=False)

    @classmethod
    def of(cls, at: datetime, values: dict[str, Any]) -> "LoggedAct":
        """From an event's canonical values (docs/formats/event.md), and the time of its row."""
        return cls(
            id=UUID(values["id"]),
            at=at,
            action=values["action"],
            allowed=values["outcome"] == "allowed",
            reason=values.get("reason", ""),
            actor_kind=_acts_for(values["actor"]["kind"]),
            person=_id(values.get("person")),
            grant=_id(values.get("grant")),
            request=_id(values.get("request")),
            documents=tuple(UUID(one) for one in values.get("documents", ())),
            details=values.get("details", {}),
        )

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where it stands among the others: by time, then by id."""
        return self.at, self.id

    def word(self, name: str) -> str | None:
        """A word of its details; None in events from before it was recorded."""
        value = self.details.get(name)
        return None if value is None else str(value)

    def words(self, name: str) -> list[str]:
        """Several words of its details, written in one text."""
        return str(self.details.get(name, "")).replace(",", " ").split()

    def named(self, name: str) -> UUID | None:
        """An id of its details."""
        return _id(self.word(name))

    def all_named(self, name: str) -> Iterator[UUID]:
        """Several ids of its details."""
        return map(UUID, self.words(name))


def _acts_for(kind: str) -> str:
    """Whoever represents a person does what the rows say that the person did."""
    return ActorKind.OWNER.value if kind == ActorKind.REPRESENTATIVE.value else kind


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
