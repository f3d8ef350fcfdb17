"""Logs as JSON lines on the standard error: ids and kinds, nothing personal, no values from
tracebacks. What libraries write through `logging` gets the same form."""

import io
import json
import logging
import sys
from typing import TextIO, cast

import structlog

from base import clock
from base.settings import Settings

_QUIET = ("httpx", "httpcore", "botocore", "urllib3", "pikepdf", "PIL", "procrastinate")


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Set up the logs of the process; it may be called again."""
    out = stream or cast("TextIO", _StandardError())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


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
            "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
            "logger": record.name,
            "level": record.levelname.lower(),
            "at": clock.rfc3339(clock.now()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)
