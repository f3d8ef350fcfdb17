"""A session on a worker's own device, the worker beside: short, and not for everything.

The token says so, and of which of the worker's sessions: both are hashed with it, so that no row
that is changed makes of it another session, or takes the worker's name out of it
(docs/adr/0059-assisted-sessions.md).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from uuid import UUID

from audit.events import Action, Event, Outcome
from auth.services import CoreServices
from auth.subjects import Person
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id

LIFE = timedelta(minutes=15)
"""Whatever is done in it: nothing makes it longer."""
ASSISTED = "assisted"
"""Why an act is refused in it: stored in the log."""
REPRESENTED = "represented"
"""Why an act is refused to a representative: stored in the log."""
_ID_LENGTH = 22


def is_assisted(token: str) -> bool:
    """Whether a token is of a session beside a worker."""
    return token.partition("_")[0].endswith("a")


def ending_of(session_id: UUID) -> str:
    """How the token ends of a session that was opened from that session of a worker, or of a
    representative."""
    return urlsafe_b64encode(session_id.bytes).decode().rstrip("=")


def opener_of(token: str) -> UUID:
    """The session that it was opened from, of a token that the database knows."""
    return UUID(bytes=urlsafe_b64decode(f"{token[-_ID_LENGTH:]}=="))


async def check_alone(services: CoreServices, person: Person, action: Action) -> None:
    """Raise `ServiceError` REFUSED `not_when_assisted`, recorded, where a worker is beside: what a
    person does without anyone who could lead their hand. `not_when_represented` where somebody
    acts in their place."""
    await check_self(services, person, action)
    if person.beside is not None:
        await _refuse(services, person, action, ASSISTED)
        raise ServiceError(ErrorKind.REFUSED, "not_when_assisted")


async def check_self(services: CoreServices, person: Person, action: Action) -> None:
    """Raise `ServiceError` REFUSED `not_when_represented`, recorded: what nobody does in a person's
    place, though they may do it with a worker beside them."""
    if person.represented_by is not None:
        await _refuse(services, person, action, REPRESENTED)
        raise ServiceError(ErrorKind.REFUSED, "not_when_represented")


async def _refuse(services: CoreServices, person: Person, action: Action, reason: str) -> None:
    async with services.database.transaction() as tx:
        at = await instant(tx)
        event = Event(new_id(), at, action, Outcome.REFUSED, person.actor(), person.id, reason)
        await services.audit_log.record(tx, event)
