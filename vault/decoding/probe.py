"""Run inside a child at start-up: tries what a child must not be able to do, and tells."""

import os
import socket
import stat
from collections.abc import Callable

from vault.decoding.confine import Protection


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
    if _only_expected_files(output):
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


def _only_expected_files(output: int) -> bool:
    """The output, one socket to answer on, and devices of memory (null, and chance for ciphers)."""
    ours, sockets = os.fstat(output), 0
    for descriptor in range(1024):
        try:
            found = os.fstat(descriptor)
        except OSError:
            continue
        if stat.S_ISSOCK(found.st_mode):
            sockets += 1
        elif stat.S_ISCHR(found.st_mode):
            if os.major(found.st_rdev) != 1:
                return False
        elif not os.path.samestat(found, ours):
            return False
    return sockets == 1


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
