"""Which errors are outages: callers are answered 503 for these, and 500 for any other."""

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import exc

from base.errors import ErrorKind, ServiceError
from base.outages import is_reported, outage_code, unavailable

HIDDEN = 'connection to server at "10.0.0.7", port 5432 failed: '
TEXTS = {
    "Connection refused": "refused",
    "timeout expired": "timeout",
    "FATAL:  the database system is starting up": "57P03",
    "FATAL:  the database system is in recovery mode": "57P03",
    "FATAL:  sorry, too many clients already": "53300",
    'FATAL:  password authentication failed for user "someone"': "28P01",
    "session is read-only": "25006",
    "failed to resolve host 'db.example': Name or service not known": "unresolved",
    "server closed the connection unexpectedly": "lost",
}
STATES = {
    errors.ConnectionFailure: "database_unavailable",
    errors.AdminShutdown: "database_unavailable",
    errors.CrashShutdown: "database_unavailable",
    errors.CannotConnectNow: "database_unavailable",
    errors.TooManyConnections: "database_unavailable",
    errors.DiskFull: "database_unavailable",
    errors.ReadOnlySqlTransaction: "database_unavailable",
    errors.SerializationFailure: "database_busy",
    errors.DeadlockDetected: "database_busy",
    errors.LockNotAvailable: "database_busy",
    errors.QueryCanceled: "database_busy",
    errors.UndefinedColumn: None,
    errors.InsufficientPrivilege: None,
    errors.UniqueViolation: None,
    errors.SyntaxError: None,
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_connection_that_fails_has_a_code_and_no_address(text: str) -> None:
    assert outage_code(psycopg.OperationalError(HIDDEN + text)) == TEXTS[text]


@pytest.mark.parametrize("state", STATES)
def test_what_each_state_is_answered(state: type[psycopg.Error]) -> None:
    """As the driver raises it, and as SQLAlchemy and a library wrap it."""
    error = state("…")
    wrapped = exc.DBAPIError("SELECT 1", None, error)
    library = RuntimeError()
    library.__cause__ = wrapped
    for raised in (error, wrapped, library):
        failure = unavailable(raised)
        assert (failure.code if failure else None) == STATES[state]
        if failure is not None:
            assert (failure.kind, failure.retry_after) == (ErrorKind.UNAVAILABLE, 5)


def test_an_error_of_another_kind_is_no_outage() -> None:
    for error in (ValueError(), OSError(), KeyError("x"), psycopg.DataError("x")):
        assert unavailable(error) is None
        assert not is_reported(error)
    assert outage_code(exc.TimeoutError()) == "pool"


def test_a_failure_that_no_part_tells_is_still_said() -> None:
    """Content that is broken is the store's word, and its state knows nothing of it."""
    broken = ServiceError(ErrorKind.UNAVAILABLE, "content_broken")
    assert unavailable(broken) is broken
    assert not is_reported(broken)
