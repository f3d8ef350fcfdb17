"""A token whose holder is not looked up yet: a use case asks who it is in its own transaction, in
the round of what it judges, so that who is calling and what they may do are of one instant."""

from dataclasses import dataclass, field

from auth import sessions
from auth.records.sessions import LIVE
from auth.services import CoreServices
from auth.subjects import Recipient
from base.errors import ErrorKind, ServiceError
from base.pipeline import Bound, PipelineTransaction, Rows


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A session's token, as the database knows it. Nothing is believed of it."""

    token_hash: bytes = field(repr=False)


Bearer = Recipient | SessionToken
"""Who calls a use case that authenticates by itself, or whom its caller already knows."""


async def authenticate(
    services: CoreServices, tx: PipelineTransaction, bearer: Bearer, question: Bound
) -> tuple[Recipient, Rows]:
    """Who is asking, as the database knows them now, and the rows of the question, in one round.

    Raises `unauthenticated`, or `wrong_caller` for a person: a grant's recipient is neither.
    """
    if not isinstance(bearer, SessionToken):
        return bearer, (await tx.ask(question))[0]
    found, rows = await tx.ask(LIVE(token_hash=bearer.token_hash), question)
    if not found:
        raise unauthenticated()
    if found[0].subject_kind == "person":
        raise wrong_caller()
    return await sessions.worker_of_row(services, found[0]), rows


def unauthenticated() -> ServiceError:
    """There is no good token. Why is not said."""
    return ServiceError(ErrorKind.UNAUTHENTICATED, "unauthenticated")


def wrong_caller() -> ServiceError:
    """Signed in, as someone whom this address is not for."""
    return ServiceError(ErrorKind.REFUSED, "wrong_caller")
