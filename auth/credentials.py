"""A token whose holder is not looked up yet: a use case asks who it is in its own transaction, in
the round of what it judges, so that who is calling and what they may do are of one instant."""

from dataclasses import dataclass, field

from auth import sessions
from auth.desk import Desk
from auth.records.sessions import LIVE
from auth.subjects import Recipient
from base.errors import Failure, Kind
from base.rounds import Bound, Round, Rows


@dataclass(frozen=True, slots=True)
class Credentials:
    """A session's token, as the database knows it. Nothing is believed of it."""

    token_hash: bytes = field(repr=False)


Asker = Recipient | Credentials
"""Who calls a use case that authenticates by itself, or whom its caller already knows."""


async def ask(desk: Desk, tx: Round, asker: Asker, question: Bound) -> tuple[Recipient, Rows]:
    """Who is asking, as the database knows them now, and the rows of the question, in one round.

    Raises `unauthenticated`, or `wrong_caller` for a person: a grant's recipient is neither.
    """
    if not isinstance(asker, Credentials):
        return asker, (await tx.ask(question))[0]
    found, rows = await tx.ask(LIVE(token_hash=asker.token_hash), question)
    if not found:
        raise unauthenticated()
    if found[0].subject_kind == "person":
        raise wrong_caller()
    return await sessions.worker_of_row(desk, found[0]), rows


def unauthenticated() -> Failure:
    """There is no good token. Why is not said."""
    return Failure(Kind.UNAUTHENTICATED, "unauthenticated")


def wrong_caller() -> Failure:
    """Signed in, as someone whom this address is not for."""
    return Failure(Kind.REFUSED, "wrong_caller")
