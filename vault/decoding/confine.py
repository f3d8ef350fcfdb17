"""Confinement of a decoding process, applied before it reads an untrusted file. Linux only, with
the standard library only."""

import ctypes
import gc
import os
import platform
import resource
import signal
import struct
from enum import StrEnum
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_UNUSED_IDS = (65_533, 65_534)
"""User ids that own nothing; the first one that the machine (or its container) maps is used."""


class Protection(StrEnum):
    """A protection *observed* inside a child, by trying what it forbids."""

    NO_ROOT = "no_root"
    NO_ENVIRONMENT = "no_environment"
    NO_INHERITED_FILES = "no_inherited_files"
    NO_OPENING = "no_opening"
    NO_WRITING = "no_writing"
    NO_SOCKETS = "no_sockets"
    NO_PROCESSES = "no_processes"
    NO_PROGRAMS = "no_programs"
    OWN_NETWORK = "own_network"
    SYSTEM_CALL_FILTER = "system_call_filter"


def _call(name: str, *arguments: object) -> None:
    """Raises `OSError` when the call fails."""
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _prctl(option: int, value: int) -> None:
    _call("prctl", option, ctypes.c_ulong(value), *(ctypes.c_ulong(0),) * 3)


def die_with_parent(parent: int) -> None:
    """Makes the kernel kill this process when `parent` ends; a change of user id cancels it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def lower_priority() -> None:
    """Lower priority than the service, and the first to be killed when memory runs out."""
    os.nice(5)
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def leave_network() -> bool:
    """Moves to an empty network namespace: as root, or in a user namespace where allowed."""
    flags = _CLONE_NEWNET | _CLONE_NEWIPC
    if os.geteuid() != 0:
        flags |= _CLONE_NEWUSER
    try:
        _call("unshare", flags)
    except OSError:
        return False
    return True


def drop_privileges() -> None:
    """An unused user id if root, no capability, no way to gain one again."""
    if os.geteuid() == 0:
        os.setgroups([])
        _become_nobody()
    header = struct.pack("=II", 0x20080522, 0)
    _call("capset", header, bytes(24))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _prctl(_PR_SET_DUMPABLE, 0)


def _become_nobody() -> None:
    for number in _UNUSED_IDS:
        try:
            os.setresgid(number, number, number)
            os.setresuid(number, number, number)
        except OSError:  # a container may map few ids; `protections` shows the result
            continue
        return


_CLONE_THREAD = 0x00010000
_MAX_THREADS = 64


def set_limits(memory_bytes: int, cpu_seconds: int) -> None:
    """Last step before the file is read. Open descriptors stay usable; no other can be opened.

    A file size of 0 refuses `write` to any file, including the memory-backed result: that file was
    sized by the parent and is filled through a mapping.
    """
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    space = pages * resource.getpagesize() + memory_bytes
    limits = [
        (resource.RLIMIT_AS, space),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ]
    if os.getuid() in _UNUSED_IDS:
        # Counts all threads of the user id (libde265 needs one). Under the service's own id it
        # would count the service's threads too: there only the filter below applies.
        limits.append((resource.RLIMIT_NPROC, _MAX_THREADS))
    for what, limit in limits:
        resource.setrlimit(what, (limit, limit))


# --- seccomp (Linux Documentation/userspace-api/seccomp_filter.rst) ---

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Per machine: its audit number, and its column in `_ALLOWED`."""

_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "close": (3, 57),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrusage": (98, 165),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "clock_gettime": (228, 113),
    "gettimeofday": (96, 169),
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_CLONE = (56, 220)
_CLONE3 = 435
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_JUMP_IF_SET = 0x45
_ALLOW, _KILL, _REFUSE, _UNKNOWN = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


def filter_system_calls() -> bool:
    """Every call outside the list above fails with EPERM, for good. Threads may start, but not
    processes. Returns `False` on machines whose numbers are not known here.
    """
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    architecture, column = known
    steps = [(_LOAD, 0, 0, 4), (_JUMP_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    steps.append((_LOAD, 0, 0, 0))
    for numbers in _ALLOWED.values():
        steps += [(_JUMP_IF_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ALLOW)]
    # With clone3 unknown, the C library falls back to clone, whose flags the filter can read.
    steps += [(_JUMP_IF_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _UNKNOWN)]
    steps += [(_JUMP_IF_EQUAL, 0, 3, _CLONE[column]), (_LOAD, 0, 0, 16)]
    steps += [(_JUMP_IF_SET, 0, 1, _CLONE_THREAD), (_RETURN, 0, 0, _ALLOW)]
    steps.append((_RETURN, 0, 0, _REFUSE))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    try:
        _call("prctl", _PR_SET_SECCOMP, ctypes.c_ulong(2), program, *(ctypes.c_ulong(0),) * 2)
    except OSError:
        return False
    return True


def ready_to_fork() -> bool:
    """Freezes the garbage collector; whether there is one thread, so that forking is safe."""
    gc.collect()
    gc.freeze()
    return len(list(Path("/proc/self/task").iterdir())) == 1
