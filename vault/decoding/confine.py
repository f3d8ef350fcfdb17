"""What a decoding process gives up before it touches a stranger's file. Linux only, no imports
beyond the standard library, each step by one system call."""

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
"""User ids that own nothing, the first that the machine (or its container) knows is taken."""


class Protection(StrEnum):
    """What was *observed* to hold inside a child, by trying the opposite."""

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


def die_with(parent: int) -> None:
    """The kernel kills this process when `parent` ends; a change of user id forgets it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def yield_to_others() -> None:
    """Lower priority than the service, and the first to go when memory runs out."""
    os.nice(5)
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def leave_network() -> bool:
    """An empty network of its own: as root, or through a user namespace where allowed."""
    flags = _CLONE_NEWNET | _CLONE_NEWIPC
    if os.geteuid() != 0:
        flags |= _CLONE_NEWUSER
    try:
        _call("unshare", flags)
    except OSError:
        return False
    return True


def drop_privileges() -> None:
    """Nobody's user id when root, no capability, no way to gain any again."""
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
        except OSError:  # a container may map few ids; the observed protections tell
            continue
        return


_CLONE_THREAD = 0x00010000
_THREADS = 64


def bound(memory_bytes: int, cpu_seconds: int) -> None:
    """Last step before the file. Descriptors already open stay usable; no other can be had.

    A file size of 0 refuses `write` to any file, the memory-backed result included: that one was
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
        # Counted over the user id, threads too (libde265 needs one): under the service's own id
        # the count would be the service's, and only the filter below stands.
        limits.append((resource.RLIMIT_NPROC, _THREADS))
    for what, most in limits:
        resource.setrlimit(what, (most, most))


# --- seccomp (Linux Documentation/userspace-api/seccomp_filter.rst) ---

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""Machine: its audit number, and its column below."""

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
    """Every call outside the list above answers EPERM, for good; threads may start, processes not.

    `False` on machines whose numbers are not known here.
    """
    known = _ARCHITECTURES.get(platform.machine())
    if known is None:
        return False
    architecture, column = known
    steps = [(_LOAD, 0, 0, 4), (_JUMP_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL)]
    steps.append((_LOAD, 0, 0, 0))
    for numbers in _ALLOWED.values():
        steps += [(_JUMP_IF_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _ALLOW)]
    # The C library falls back to clone, whose flags can be read here, when clone3 is unknown.
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


def single_threaded() -> bool:
    """Whether forking is safe here."""
    gc.collect()
    gc.freeze()
    return len(list(Path("/proc/self/task").iterdir())) == 1
