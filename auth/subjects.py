"""Who is calling: a person, a worker or a client. Use cases are given a subject."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from audit.events import Actor, ActorKind
from auth.levels import Level
from base.time_zones import PARIS


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a grant or of a request, as their rows name it: `person`, `worker` or `client`,
    and an id."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Representative:
    """Whoever represents a person under tutelle. `id`: of the representation; `name`: as a worker
    read it on the judgement; `person_id` and `session_id`: their own vault, and their session
    there; `calls`: what they call the person."""

    id: UUID
    person_id: UUID
    session_id: UUID
    name: str = field(repr=False)
    calls: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """The owner of a vault. `means`: how the session was entered. `beside`: the worker on whose
    device, in an assisted session; every line of it names them (`auth/assistance.py`). `shared`:
    others use the device of this session. `represented_by`: who acts in the person's place, under
    their own name (`auth/representations.py`)."""

    id: UUID
    language: str = "fr"
    session_id: UUID | None = None
    session_ends_at: datetime | None = None
    means: Level = Level.PHONE_CODE
    beside: "Worker | None" = None
    shared: bool = False
    represented_by: Representative | None = None

    def actor(self) -> Actor:
        """As the log shows them: "you", and who was beside; or whoever represents them."""
        by = self.represented_by
        if by is not None:
            return Actor(ActorKind.REPRESENTATIVE, by.id, by.name)
        beside = None if self.beside is None else self.beside.actor()
        return Actor(ActorKind.OWNER, self.id, beside=beside)

    @property
    def party(self) -> Party:
        """As rows name them."""
        return Party("person", self.id)


@dataclass(frozen=True, slots=True)
class Worker:
    """A professional, who acts under their own name, never for the whole organisation."""

    id: UUID
    organisation_id: UUID
    name: str = field(repr=False)
    job: str = field(repr=False)
    organisation: str = field(repr=False)
    contact: str = field(repr=False)
    session_id: UUID | None = None
    zone: ZoneInfo = PARIS
    session_ends_at: datetime | None = None
    email: str = field(default="", repr=False)

    def actor(self) -> Actor:
        """As the log shows them: name, job, organisation, how to reach them."""
        return _recipient_actor(ActorKind.WORKER, self)

    @property
    def party(self) -> Party:
        """As rows name them."""
        return Party("worker", self.id)


@dataclass(frozen=True, slots=True)
class Client:
    """An administration's system, which calls with an access token."""

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
        """As the log shows it: its name, its organisation, its contact."""
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


def snapshot(recipient: Recipient) -> dict[str, str]:
    """Who a recipient is on the day of the grant: what the receipt still says in ten years."""
    return {
        "name": recipient.name,
        "job": recipient.job,
        "organisation": recipient.organisation,
        "contact": recipient.contact,
    }
