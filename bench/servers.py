"""The two servers that are compared, each a process of its own (`bench.process`) with the same
settings."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import floor
from bench.fixture import Fixture, environment

_ONLY_OF_TESTS = ("rich", "pygments")
"""What httpx imports where it is installed. The service's own requirements do not have it: a
measure of its memory leaves it out."""

ROOT = Path(__file__).resolve().parent.parent
_START = (
    f"import runpy, sys; sys.modules.update(dict.fromkeys({_ONLY_OF_TESTS!r}));"
    " runpy.run_module('bench.process', run_name='__main__', alter_sys=True)"
)
_STOP_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    pid: int
    port: int

    def peak_memory(self) -> float:
        """Its peak memory, in MiB (`VmHWM`)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024


@contextmanager
def serving(which: str, fixture: Fixture) -> Iterator[Served]:
    """One of the two, for the length of the block; what it logs goes to a file beside the home."""
    log = fixture.home.parent / f"{which}.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, which],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=environment(fixture.settings),
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if which == "floor":
            process.stdin.write(json.dumps(floor.metadata(fixture)).encode() + b"\n")
            process.stdin.flush()
        port = process.stdout.readline()
        if not port:
            raise RuntimeError(log.read_text()[-4000:])
        yield Served(process.pid, int(port))
    finally:
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
