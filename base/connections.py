"""Connections to PostgreSQL whose waits are bounded: a network that swallows everything, or a
server that is stopped, is noticed and not waited for."""

import asyncio
import select
from contextvars import ContextVar
from typing import Any, Self

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import URL
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

CONNECT_SECONDS = 6.0
"""Seconds for a connection, the resolution of names included."""
POOL_SECONDS = 4.0
"""Seconds that a caller waits for a connection of a pool."""
BUSY_SECONDS = 10.0
"""Seconds that a caller waits in the queue of the pipeline while others get their answers: then the
database works, and has much to do."""
STATEMENT_SECONDS = 8.0
"""Seconds that a request waits for the answer to one statement."""

statement_limit: ContextVar[float | None] = ContextVar("statement_limit", default=None)
"""Set for what answers a caller. A job may wait for as long as its statement takes."""

caller: ContextVar[bytes | None] = ContextVar("caller", default=None)
"""Whose request it is that is answered, by the session that it showed: one has a part of the
connections (`CallerTurns`)."""

_LIMITS = {
    "connect_timeout": "2",  # of each address of a name; libpq knows nothing shorter
    "keepalives_idle": "3",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",
}
"""libpq's own limits, where the address does not give others. They notice a cut network also where
nobody waits for a statement: `LISTEN`."""

_SERVER_LIMITS = (
    "-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=8000"
)
"""The same for PostgreSQL's end. Otherwise the locks of a process that a cut network took away, the
sequencer's among them, would be held until the server's own limits: hours."""


class BoundedConnection(psycopg.AsyncConnection[Any]):
    """psycopg's connection; each wait of a caller's ends after `statement_limit`."""

    @classmethod
    async def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect. Raises `psycopg.OperationalError`, after `CONNECT_SECONDS` at most."""
        kwargs["options"] = f"{kwargs.get('options', '')} {_SERVER_LIMITS}"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await super().connect(*args, **kwargs)
        except TimeoutError:
            raise psycopg.OperationalError("timeout: no connection") from None

    async def wait(
        self,
        gen: Any,
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109  (psycopg's own parameter)
    ) -> Any:
        """As psycopg's. A connection whose answer did not come in time is closed: what it says
        later belongs to nobody."""
        limit = statement_limit.get() if timeout is None else None
        if limit is None:
            return await super().wait(gen, interval, timeout)
        try:
            return await super().wait(gen, interval, limit)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("timeout: no answer to a statement") from None


def replace_lost(engine: AsyncEngine) -> None:
    """Let the engine's pool notice, before it gives a connection out, that the server has ended it
    meanwhile. Nothing is sent: an idle connection that has something to read is over."""

    @event.listens_for(engine.sync_engine, "checkout")
    def check(connection: Any, *_: object) -> None:
        poll = select.poll()
        poll.register(connection.driver_connection.pgconn.socket, select.POLLIN)
        if poll.poll(0):
            raise InvalidatePoolError


def limits(url: URL) -> dict[str, str]:
    """libpq's limits that the address does not set itself."""
    return {name: value for name, value in _LIMITS.items() if name not in url.query}


def conninfo(url: URL) -> str:
    """The address in libpq's `key=value` form. A secret: never print it.

    Not as a URL: SQLAlchemy leaves spaces in a password as they are, and writes `+` for those of a
    path, neither of which libpq reads so.
    """
    _, parts = PGDialect_psycopg().create_connect_args(url)  # type: ignore[no-untyped-call]
    return make_conninfo(**(limits(url) | parts))
