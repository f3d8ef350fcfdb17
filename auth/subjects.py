"""Who is calling: a person, a worker, a client. A subject is what a use case is given."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from audit.events import Actor, ActorKind


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a grant or of a request, as their rows name it: `person`, `worker` or `client`,
    and an id."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in their own vault."""

    id: UUID
    language: str = "fr"
    session_id: UUID | None = None

    def actor(self) -> Actor:
        """As the log shows them: "you"."""
        return Actor(ActorKind.OWNER, self.id)

    @property
    def party(self) -> Party:
        """As rows name them."""
        return Party("person", self.id)


@dataclass(frozen=True, slots=True)
class Worker:
    """A professional, for themself and never for their organisation."""

    id: UUID
    organisation_id: UUID
    name: str = field(repr=False)
    job: str = field(repr=False)
    organisation: str = field(repr=False)
    contact: str = field(repr=False)
    session_id: UUID | None = None

    def actor(self) -> Actor:
        """As the log shows them: name, job, organisation, how to reach them."""
        return _recipient_actor(ActorKind.WORKER, self)

    @property
    def party(self) -> Party:
        """As rows name them."""
        return Party("worker", self.id)


@dataclass(frozen=True, slots=True)
class Client:
    """An administration's system, called with an access token."""

    id: UUID
    organisation_id: UUID
    name: str = field(repr=False)
    job: str = field(repr=False)
    organisation: str = field(repr=False)
    contact: str = field(repr=False)
    client_id: str = ""
    scope: frozenset[str] = frozenset()
    expires_at: datetime | None = None

    def actor(self) -> Actor:
        """As the log shows it: its name, its organisation, whom to call."""
        return _recipient_actor(ActorKind.CLIENT, self)

    @property
    def party(self) -> Party:
        """As rows name it."""
        return Party("client", self.id)


Recipient = Worker | Client


def _recipient_actor(kind: ActorKind, subject: Recipient) -> Actor:
    return Actor(
        kind,
        subject.id,
        subject.name,
        subject.job,
        subject.organisation,
        subject.organisation_id,
        subject.contact,
    )
