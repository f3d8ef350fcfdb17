"""Lines of libraries: filled, on one line, and without what a library put into them."""

import asyncio
import io
import json
import logging
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from base import clock
from base.settings import Settings
from web.process import log_output

SECRET = "+33612345678"
PLACEHOLDERS = ("%s", "%d", "%r", "%i", "%f", "%(")
WORDS = st.sampled_from(
    ["Cancel %s task(s)", "%d of %d", "100%%", "%(count)d of %(name)s", "%r", "%-5s|%.3f", "%*d",
     "plain", "50 % of %s", "%s %s %s", "%", "é %x"]
)  # fmt: skip
VALUES = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.none(), st.booleans(), st.just(SECRET),
    st.just(OSError(SECRET)), st.just(SECRET.encode()), st.just([SECRET]),
)  # fmt: skip


def record(name: str, msg: object, *args: Any) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "file.py", 1, msg, args, None)


@given(msg=WORDS, args=st.lists(VALUES, max_size=4))
def test_nothing_is_left_unfilled_and_nothing_personal_is_filled_in(
    msg: str, args: list[object]
) -> None:
    """However many arguments there are, and of whatever kind."""
    shown = log_output.event_of(record("some.library", msg, *args))
    assert SECRET not in shown
    if args:
        assert not [each for each in PLACEHOLDERS if each in shown], shown


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (record("uvicorn.error", "Cancel %s running task(s), timeout", 3),
         "Cancel 3 running task(s), timeout"),
        (record("alembic.runtime.migration", "Running %s %s -> %s", "upgrade", "0001", "0002"),
         "Running upgrade 0001 -> 0002"),
        (record("vault.decoding.sandbox", "children lack a protection: %s", "seccomp"),
         "children lack a protection: seccomp"),
        (record("psycopg.pool", "error connecting in %r: %s", "pool-1", OSError(SECRET)),
         "error connecting in [str]: [OSError]"),
        (record("urllib3", "%(n)d of %(url)s", {"n": 2, "url": SECRET}), "2 of [str]"),
        (record("asyncio", f"Task exception was never retrieved\nfuture: <Task {SECRET}>"),
         "Task exception was never retrieved"),
        (record("any", OSError(SECRET)), "[OSError]"),
        (record("any", "95% done"), "95% done"),
    ],
)  # fmt: skip
def test_what_each_library_writes(made: logging.LogRecord, shown: str) -> None:
    assert log_output.event_of(made) == shown


@pytest.fixture
def lines() -> io.StringIO:
    """What the process writes, as an operator reads it."""
    out = io.StringIO()
    log_output.configure(Settings(mode="demo"), out)
    return out


def test_the_failure_of_a_part_is_not_said_again_by_a_library(lines: io.StringIO) -> None:
    """Its state said it once; an error of any other kind is said each time."""
    for error in (psycopg.OperationalError("connection refused"), ZeroDivisionError(SECRET)):
        logging.getLogger("procrastinate.worker").error("a side task failed", exc_info=error)
    (line,) = map(json.loads, lines.getvalue().splitlines())
    assert (line["event"], line["error"]) == ("a side task failed", "ZeroDivisionError")
    assert SECRET not in lines.getvalue()


def test_every_line_is_dated_by_the_processs_clock(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours as those of libraries: that of the database, once it was read."""
    noon = datetime(2031, 5, 17, 12, tzinfo=UTC)
    read_at = clock.monotonic()
    monkeypatch.setattr(clock._DatabaseClock, "ahead", noon.timestamp() - read_at)
    structlog.get_logger().warning("ours")
    logging.getLogger("some.library").warning("theirs")
    dates = [json.loads(line)["at"][:16] for line in lines.getvalue().splitlines()]
    assert dates == ["2031-05-17T12:00"] * 2


def test_what_a_stop_cuts_is_no_error(lines: io.StringIO) -> None:
    """One line for each of hundreds of downloads would hide what failed."""
    logging.getLogger("uvicorn.error").error("Exception", exc_info=asyncio.CancelledError())
    assert not lines.getvalue()
