"""A compromised worker: each job is something that a child must not be able to do."""

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vault.decoding.media import Limits

_libc = ctypes.CDLL(None, use_errno=True)
_held: list[bytearray] = []


def prepare() -> None:
    _held.clear()


def run(
    order: dict[str, Any], inputs: list[bytes], limits: Limits
) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    misdeeds: dict[str, Callable[[], object]] = {
        "spin": _spin,
        "sleep": _sleep,
        "allocate": _allocate,
        "allocate_below_python": _allocate_below_python,
        "crash": lambda: ctypes.string_at(8),
    }
    if order["job"] in misdeeds:
        misdeeds[order["job"]]()
    if order["job"] == "attempt":
        return {"outcome": _attempt(order["what"])}, ()
    if order["job"] == "lie":
        return order["answer"], (b"not what was said", b"")
    return {"echo": [len(data) for data in inputs]}, (b"".join(inputs)[:100],)


def _spin() -> None:
    while True:
        pass


def _sleep() -> None:
    """Waits forever without using the processor."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def _allocate() -> None:
    while True:
        _held.append(bytearray(16 * 1024 * 1024))


def _allocate_below_python() -> None:
    while _libc.malloc(ctypes.c_size_t(1 << 24)):
        pass
    _libc.abort()


def _attempt(what: str) -> str:
    attempts: dict[str, Any] = {
        "read a file": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "write a file": lambda: os.open("/dev/shm/taken", os.O_WRONLY | os.O_CREAT),
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "start a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606  (refused)
        "fork": os.fork,
        "signal the parent": lambda: os.kill(os.getppid(), 0),
        "become root": lambda: os.setuid(0),
        "read the environment": Path("/proc/self/environ").read_bytes,
        "make a memory file": lambda: os.memfd_create("x"),
        "raise its limits": _raise_limits,
        "look at a process": _ptrace,
        "remove a file": Path("/dev/shm/nothing").unlink,
    }
    try:
        return f"done: {attempts[what]()}"
    except OSError as refused:
        return os.strerror(refused.errno or 0)


def _raise_limits() -> None:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    except ValueError as refused:
        raise PermissionError(1, str(refused)) from None


def _ptrace() -> None:
    if _libc.ptrace(16, os.getppid(), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")
