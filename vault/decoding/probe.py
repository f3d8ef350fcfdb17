"""Runs inside a child at start-up: tries what a child must not be able to do, and reports."""

import os
import socket
import stat
from collections.abc import Callable

from vault.decoding.confine import Protection


def observed_protections(source: int, output: int) -> list[Protection]:
    """The protections of this process, each observed by an attempt that failed."""
    attempts: dict[Protection, Callable[[], object]] = {
        Protection.NO_OPENING: lambda: os.open("/dev/null", os.O_RDONLY),
        Protection.NO_WRITING: lambda: os.write(output, b"x"),
        Protection.NO_SOCKETS: socket.socket,
        Protection.NO_PROCESSES: _fork,
    }
    holding = [protection for protection, attempt in attempts.items() if _fails(attempt)]
    if os.getuid() != 0 and os.geteuid() != 0:
        holding.append(Protection.NO_ROOT)
    if not os.environ:
        holding.append(Protection.NO_ENVIRONMENT)
    if _only_expected_files({source, output}):
        holding.append(Protection.NO_INHERITED_FILES)
    if _refused_by_filter():
        holding += [Protection.SYSTEM_CALL_FILTER, Protection.NO_PROGRAMS]
    return holding


def _fails(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _only_expected_files(files: set[int]) -> bool:
    """Only its memory files, one socket for its job, and memory devices (null, random for
    ciphers)."""
    expected, sockets = {_identity(os.fstat(file)) for file in files}, 0
    for descriptor in range(1024):
        try:
            file_stat = os.fstat(descriptor)
        except OSError:
            continue
        if stat.S_ISSOCK(file_stat.st_mode):
            sockets += 1
        elif stat.S_ISCHR(file_stat.st_mode):
            if os.major(file_stat.st_rdev) != 1:
                return False
        elif _identity(file_stat) not in expected:
            return False
    return sockets == 1


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _refused_by_filter() -> bool:
    """Starting a program that does not exist fails as "not found" unless the call is refused."""
    try:
        os.execv("/nonexistent", ["nonexistent"])  # noqa: S606  (it must not start)
    except PermissionError:
        return True
    except OSError:
        return False
