"""A token whose holder is not looked up yet: a use case asks who it is in its own transaction, in
the round of what it judges, so that who is calling and what they may do are of one instant.

    found = await tx.fetch(*identity_questions(bearer), question)
    recipient = await identified(services, bearer, found)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from auth import sessions
from auth.records.sessions import live_session
from auth.services import CoreServices
from auth.subjects import Recipient
from base.errors import ErrorKind, ServiceError
from base.pipeline import Bound, Rows


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A session's token, as the database knows it. It is not verified yet."""

    token_hash: bytes = field(repr=False)


Bearer = Recipient | SessionToken
"""Who calls a use case that authenticates by itself, or whom its caller already knows."""


def identity_questions(bearer: Bearer) -> tuple[Bound, ...]:
    """What to ask the database to know who is calling: nothing of one already known."""
    if isinstance(bearer, SessionToken):
        return (live_session(bearer.token_hash),)
    return ()


async def identified(services: CoreServices, bearer: Bearer, found: Sequence[Rows]) -> Recipient:
    """Who is calling, by the answers to `identity_questions`, which come first in `found`.

    Raises `unauthenticated`, or `wrong_caller` for a person: a grant's recipient is neither.
    """
    if not isinstance(bearer, SessionToken):
        return bearer
    if not found[0]:
        raise unauthenticated()
    session = found[0][0]
    if session.subject_kind == "person":
        raise wrong_caller()
    return await sessions.worker_of_row(services, session)


def unauthenticated() -> ServiceError:
    """There is no good token. Why is not said."""
    return ServiceError(ErrorKind.UNAUTHENTICATED, "unauthenticated")


def wrong_caller() -> ServiceError:
    """Signed in, as someone whom this address is not for."""
    return ServiceError(ErrorKind.REFUSED, "wrong_caller")
