"""Homes of embedded PostgreSQLs, and the processes that serve them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from base.embedded.server import Addresses, EmbeddedPostgres
from base.processes import works_in

ROOT = Path(__file__).resolve().parents[3]


AS_ROOT = os.geteuid() == 0


SUPERVISOR = """
import sys
from pathlib import Path
from typing import Any
from base.embedded.server import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
postgres.start()
print("ready", flush=True)
sys.stdin.read()
postgres.stop()
"""


KILLED_AFTER = """
import os, signal, sys
from pathlib import Path
from typing import Any
from base.embedded.server import EmbeddedPostgres
whole = getattr(EmbeddedPostgres, sys.argv[2])
def cut(*arguments):
    whole(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(EmbeddedPostgres, sys.argv[2], cut)
EmbeddedPostgres(Path(sys.argv[1])).start()
"""


def pids(home: Path) -> list[int]:
    """The postgres processes of this home."""
    everyone = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in everyone if works_in(pid, home / "postgres", "postgres")]


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short path: pytest's own may be too long for a socket, and are private.

    In memory where there is room: tests make dozens of databases and keep none.
    """
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 512 * 1024 * 1024
    folder = Path(tempfile.mkdtemp(prefix="unefois-", dir=memory if roomy else None)) / "home"
    yield folder
    for pid in pids(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not pids(folder))
    shutil.rmtree(folder.parent)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Addresses]:
    embedded = EmbeddedPostgres(home)
    try:
        yield embedded.start()
    finally:
        embedded.stop()


def remember(addresses: Addresses) -> None:
    with connect(addresses.owner_url) as owner:
        owner.execute("CREATE TABLE kept (word text)")
        owner.execute("INSERT INTO kept VALUES ('still here')")


def recalls(addresses: Addresses) -> bool:
    with connect(addresses.owner_url) as owner:
        return owner.execute("SELECT word FROM kept").fetchall() == [("still here",)]


def child(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@contextlib.contextmanager
def supervisor(home: Path) -> Iterator[subprocess.Popen[str]]:
    with child(SUPERVISOR, str(home)) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])
