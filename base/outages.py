"""Which errors of PostgreSQL mean that it does not answer, and not that a statement is wrong.

The only place that decides it: callers are answered 503 for the former, 500 for the latter.
"""

import psycopg
from sqlalchemy import exc

from base.errors import ErrorKind, ServiceError

RETRY_SECONDS = 5

_GONE_CLASSES = ("08", "28", "53", "57P", "58")
"""SQLSTATEs: connection, authorization, resources, operator's intervention, system error."""
_GONE = {"25006", "3D000"}
"""Read-only after a failover; no such database."""
_BUSY = {"40001", "40P01", "55P03", "57014"}
"""Serialization failure, deadlock, lock or statement timeout: the same request may do next time."""

_OF_PARTS = {"database_unavailable", "store_unavailable", "keys_unavailable"}

_WORDS = (
    ("refused", "refused"),
    ("No such file", "refused"),
    ("timeout", "timeout"),
    ("timed out", "timeout"),
    ("starting up", "57P03"),
    ("in recovery", "57P03"),
    ("shutting down", "57P03"),
    ("not accepting", "57P03"),
    ("read-only", "25006"),
    ("read-write", "25006"),
    ("too many", "53300"),
    ("connection slots", "53300"),
    ("authentication", "28P01"),
    ("no password", "28P01"),
    ("pg_hba", "28000"),
    ("does not exist", "3D000"),
    ("resolve", "unresolved"),
    ("certificate", "tls"),
    ("SSL", "tls"),
)
"""Of a connection that fails, libpq gives a text and no code. The text names hosts and roles: it is
never shown."""


def outage_code(error: BaseException) -> str | None:
    """A short code when PostgreSQL does not answer, None for any other error. Holds no address."""
    cause = _psycopg_error(error)
    if isinstance(error, exc.TimeoutError):
        return "pool"
    if cause is None:
        return None
    state = cause.sqlstate
    if state is None:
        return _of_text(str(cause)) if isinstance(cause, psycopg.OperationalError) else None
    return state if state in _GONE or state.startswith(_GONE_CLASSES) else None


def unavailable(error: BaseException) -> ServiceError | None:
    """What callers are answered for an error of PostgreSQL, or None when it is a fault of ours."""
    if isinstance(error, ServiceError):
        return error
    if outage_code(error) is not None:
        return ServiceError(
            ErrorKind.UNAVAILABLE, "database_unavailable", retry_after=RETRY_SECONDS
        )
    cause = _psycopg_error(error)
    if cause is not None and cause.sqlstate in _BUSY:
        return ServiceError(ErrorKind.UNAVAILABLE, "database_busy", retry_after=RETRY_SECONDS)
    return None


def is_reported(error: BaseException) -> bool:
    """Whether the state of a part (`base/part_state.py`) tells of this error already: a task that
    tries again and again says nothing more of it."""
    if isinstance(error, ServiceError):
        return error.code in _OF_PARTS
    return outage_code(error) is not None


def _psycopg_error(error: BaseException) -> psycopg.Error | None:
    """The driver's error: itself, or what SQLAlchemy or a library wrapped."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, psycopg.Error):
        seen = seen.orig if isinstance(seen, exc.DBAPIError) else seen.__cause__
    return seen


def _of_text(text: str) -> str:
    return next((code for word, code in _WORDS if word in text), "lost")
