"""What a machine gives its processes, made so that it can be taken away: disk, network, clock.

Needs root, as in continuous integration, and apt's `iproute2`, `gcc` and `libc6-dev`.
"""

import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
_FULL = "full-of-nothing"


def lacking() -> str:
    """What this machine lacks for these tests; empty when nothing."""
    if os.geteuid() != 0:
        return "disks and networks are taken away by root only"
    programs = [name for name in ("ip", "mount", "cc") if shutil.which(name) is None]
    return f"no {', '.join(programs)} here: as root, make packages" if programs else ""


@dataclass(frozen=True)
class Disk:
    """A small disk in memory."""

    folder: Path

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / _FULL).open("wb", buffering=0) as file, suppress(OSError):
            for block in (b"\0" * (1 << 20), b"\0" * 4096):
                with suppress(OSError):
                    while True:
                        file.write(block)

    def free(self) -> None:
        """Give the space back."""
        (self.folder / _FULL).unlink()


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """A disk mounted at `folder`, which is made, for the length of the block."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tmpfs", str(folder))
    try:
        yield Disk(folder)
    finally:
        _run("umount", "-l", str(folder))


_NOBODY = "02:00:00:00:00:01"


@dataclass(frozen=True)
class OtherMachine:
    """A network namespace with two cables to ours: one for callers, one to the database.

    `inside` is what a command starts with to run there. `network` has both ends of the second.
    """

    inside: tuple[str, ...]
    callers_host: str
    database_host: str
    network: str
    _its_host: str
    _cable: str

    def cut(self) -> None:
        """Lose every packet between it and the database, both ways, and tell nobody: each end sends
        to a card that does not exist."""
        for target, device, where in self._ends():
            _run("ip", *where, "neigh", "replace", target, "lladdr", _NOBODY,
                 "nud", "permanent", "dev", device)  # fmt: skip

    def mend(self) -> None:
        """Carry them again."""
        for target, device, where in self._ends():
            _run("ip", *where, "neigh", "del", target, "dev", device)

    def _ends(self) -> list[tuple[str, str, tuple[str, ...]]]:
        space = self.inside[-1]
        return [
            (self._its_host, self._cable, ()),
            (self.database_host, f"{self._cable}n", ("-n", space)),
        ]


@contextmanager
def other_machine() -> Iterator[OtherMachine]:
    """One for the length of the block: its cables end with it."""
    name = secrets.token_hex(3)
    net = f"10.{100 + secrets.randbelow(100)}.{secrets.randbelow(256)}"
    space, front, back = f"uf-{name}", f"uff{name}", f"ufb{name}"
    _run("ip", "netns", "add", space)
    try:
        for cable, here, there in ((front, 1, 2), (back, 5, 6)):
            _lay(cable, f"{net}.{here}/30", f"{net}.{there}/30", space)
        _run("ip", "-n", space, "link", "set", "lo", "up")
        inside = ("ip", "netns", "exec", space)
        yield OtherMachine(inside, f"{net}.2", f"{net}.5", f"{net}.4/30", f"{net}.6", back)
    finally:
        _run("ip", "link", "del", front)
        _run("ip", "link", "del", back)
        _run("ip", "netns", "del", space)


def _lay(cable: str, here: str, there: str, space: str) -> None:
    """A cable with these addresses at its ends, of which the other is in `space`."""
    _run("ip", "link", "add", cable, "type", "veth", "peer", "name", f"{cable}n", "netns", space)
    for where, device, address in (((), cable, here), (("-n", space), f"{cable}n", there)):
        _run("ip", *where, "addr", "add", address, "dev", device)
        _run("ip", *where, "link", "set", device, "up")


@dataclass(frozen=True)
class Clock:
    """The wall clock of the processes that are started with `environment`."""

    environment: dict[str, str]
    _file: Path

    def move(self, seconds: int) -> None:
        """Set it so many seconds from the real time, at once."""
        with self._file.open("r+b", buffering=0) as file:
            file.write(struct.pack("q", seconds))


def movable_clock(folder: Path, name: str) -> Clock:
    """A clock whose files are in `folder`, which every account may read."""
    library, file = folder / f"{name}.so", folder / name
    source = str(_HERE / "moved_clock.c")
    _run("cc", "-O2", "-shared", "-fPIC", "-o", str(library), source, "-ldl")
    file.write_bytes(struct.pack("q", 0))
    for one in (library, file):
        one.chmod(0o644)
    return Clock({"LD_PRELOAD": str(library), "MOVED_CLOCK": str(file)}, file)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)
