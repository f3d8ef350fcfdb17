"""Logs as JSON lines on the standard error: ids and kinds, nothing personal, no values from
tracebacks. What libraries write through `logging` gets the same form."""

import io
import json
import logging
import re
import sys
from asyncio import CancelledError
from collections.abc import Mapping
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict

from base import clock
from base.outages import is_reported
from base.settings import Settings

_QUIET = ("httpx", "httpcore", "botocore", "urllib3", "pikepdf", "PIL", "procrastinate")
_SILENT = ("psycopg",)
"""Its warnings are of connections that fail, again and again: the state of the database says so."""

_OURS = {"base", "storage", "audit", "auth", "vault", "web", "migrations"}
_TRUSTED = ("uvicorn.error", "alembic.runtime.migration")
"""Libraries whose words are names of theirs: of signals, of migrations."""
_SPEC = re.compile(r"%(?:\((?P<name>\w+)\))?[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[a-zA-Z]|%%")
_LONGEST = 200
_ABSENT = object()


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Set up the logs of the process; it may be called again."""
    out = stream or cast("TextIO", _StandardError())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _dated,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_JsonLines())
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)


def _dated(_: object, __: str, line: EventDict) -> EventDict:
    """By the process's clock: lines of libraries and ours are in one order."""
    line["at"] = clock.rfc3339(clock.now())
    return line


class _StandardError(io.TextIOBase):
    """`sys.stderr`, looked up again at each write."""

    def write(self, text: str, /) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _JsonLines(logging.Formatter):
    """A record as one JSON line. Of an exception, its type only: its message may quote a value."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": event_of(record),
            "logger": record.name,
            "level": record.levelname.lower(),
            "at": clock.rfc3339(clock.now()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def event_of(record: logging.LogRecord) -> str:
    """The first line of a record's text, filled with what may be shown.

    A library writes what it likes into its arguments: addresses, rows, texts that a server sent. Of
    them only numbers are shown, and the words of our own files and of `_TRUSTED`; anything else is
    its type in brackets. What follows the first line is the `repr` of something.
    """
    if not isinstance(record.msg, str):
        return f"[{type(record.msg).__name__}]"
    trusted = record.name.partition(".")[0] in _OURS or record.name.startswith(_TRUSTED)
    text = record.msg.strip().partition("\n")[0]
    values = iter(record.args if isinstance(record.args, tuple) else ())

    def fill(spec: "re.Match[str]") -> str:
        if spec[0] == "%%":
            return "%"
        if spec["name"] is not None:
            named = record.args if isinstance(record.args, Mapping) else {}
            value = named.get(spec["name"], _ABSENT)
        else:
            value = next(values, _ABSENT)
        return _shown(value, trusted=trusted)

    return _SPEC.sub(fill, text)[:_LONGEST] if record.args else text[:_LONGEST]


def _shown(value: object, *, trusted: bool) -> str:
    if value is _ABSENT:
        return "[?]"
    if value is None or isinstance(value, bool | int | float) or (trusted and type(value) is str):
        return str(value)
    return f"[{type(value).__name__}]"


def _is_news(record: logging.LogRecord) -> bool:
    """False for the failure of a part, which its state has told once (`base/part_state.py`), and
    for what a stop has cut: each download that was stalled then."""
    error = record.exc_info[1] if record.exc_info else None
    return error is None or not (isinstance(error, CancelledError) or is_reported(error))
