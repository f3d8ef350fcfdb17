"""A token whose holder is not looked up yet: a use case does that in its own transaction, in the
same round trip as what it decides on, so that identity and permission are read at one instant.

    results = await tx.fetch(*identity_queries(bearer), query)
    recipient = await authenticate(services, bearer, results)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from auth import sessions
from auth.records.sessions import live_session
from auth.services import CoreServices
from auth.subjects import Recipient
from base.errors import ErrorKind, ServiceError
from base.statements import Bound, Rows


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A session's token, as the database knows it. It is not verified yet; `known` is called with
    its holder's id once it is."""

    token_hash: bytes = field(repr=False)
    known: Callable[[UUID], None] = field(default=lambda _: None, repr=False, compare=False)


Bearer = Recipient | SessionToken
"""The caller of a use case that authenticates by itself: a token, or someone already identified."""


def identity_queries(bearer: Bearer) -> tuple[Bound, ...]:
    """The queries that identify the caller; none for a caller already identified."""
    if isinstance(bearer, SessionToken):
        return (live_session(bearer.token_hash),)
    return ()


async def authenticate(
    services: CoreServices, bearer: Bearer, results: Sequence[Rows]
) -> Recipient:
    """Who is calling, from the results of `identity_queries`, which come first in `results`.

    Raises `unauthenticated`, or `wrong_caller` for a person: a person is no recipient of a grant;
    `storage.row_macs.RowAltered`.
    """
    if not isinstance(bearer, SessionToken):
        return bearer
    if not results[0]:
        raise unauthenticated()
    session = results[0][0]
    await sessions.check_row(services, session)
    if session.session_subject_kind == "person":
        raise wrong_caller()
    worker = await sessions.worker_of_row(services, session)
    bearer.known(worker.id)
    return worker


def unauthenticated() -> ServiceError:
    """There is no valid token. The reason is not given."""
    return ServiceError(ErrorKind.UNAUTHENTICATED, "unauthenticated")


def wrong_caller() -> ServiceError:
    """Signed in, but this address is not for such a caller."""
    return ServiceError(ErrorKind.REFUSED, "wrong_caller")
