"""Run inside a child at start-up: tries what a child must not be able to do, and tells."""

import os
import socket
from collections.abc import Callable
from functools import partial

from vault.decoding.confine import Protection

_EXPECTED = 6
"""Standard three (on /dev/null), the result, the output and the mapping's own copy of it."""


def observed(output: int) -> list[Protection]:
    """The protections that hold here, each seen by an attempt that failed."""
    attempts: dict[Protection, Callable[[], object]] = {
        Protection.NO_OPENING: lambda: os.open("/dev/null", os.O_RDONLY),
        Protection.NO_WRITING: lambda: os.write(output, b"x"),
        Protection.NO_SOCKETS: socket.socket,
        Protection.NO_PROCESSES: _fork,
    }
    held = [what for what, attempt in attempts.items() if _fails(attempt)]
    if os.getuid() != 0 and os.geteuid() != 0:
        held.append(Protection.NO_ROOT)
    if not os.environ:
        held.append(Protection.NO_ENVIRONMENT)
    if sum(not _fails(partial(os.fstat, number)) for number in range(1024)) <= _EXPECTED:
        held.append(Protection.NO_INHERITED_FILES)
    if _refused_by_filter():
        held += [Protection.SYSTEM_CALL_FILTER, Protection.NO_PROGRAMS]
    return held


def _fails(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _refused_by_filter() -> bool:
    """Starting a program that does not exist is "not found" unless the call itself is refused."""
    try:
        os.execv("/nonexistent", ["nonexistent"])  # noqa: S606  (it must not start)
    except PermissionError:
        return True
    except OSError:
        return False
