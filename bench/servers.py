"""The two servers that are compared, each a process of its own with the same settings.

`python -m bench.servers ours|floor` serves on a free port, writes the port to its standard output,
and stops when its standard input ends.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from base import memory
from base.settings import Settings
from bench import floor
from bench.fixture import Fixture, environment
from storage.backends import blob_store
from web.app import create_app
from web.process import log_output
from web.process.sequencer import run_sequencer
from web.process.server import listen, run_server, server_for
from web.process.services import open_services

_ONLY_OF_TESTS = ("rich", "pygments")
"""What httpx imports where it is installed. The service's own requirements do not have it: a
measure of its memory leaves it out."""

ROOT = Path(__file__).resolve().parent.parent
_START = (
    f"import runpy, sys; sys.modules.update(dict.fromkeys({_ONLY_OF_TESTS!r}));"
    " runpy.run_module('bench.servers', run_name='__main__', alter_sys=True)"
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


async def _ours(settings: Settings) -> None:
    log_output.configure(settings)
    memory.limit_heap()
    async with open_services(settings) as services, AsyncExitStack() as opened:
        if settings.sequencer_in_process:
            await opened.enter_async_context(run_sequencer(services))
        await _serve(create_app(services))


async def _floor(settings: Settings) -> None:
    contents = json.loads(sys.stdin.buffer.readline())
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value().replace("+psycopg", "")
    store = blob_store(settings)
    async with floor.app(url, settings.database_pool, contents, store) as app:
        await _serve(app)


async def _serve(app: object) -> None:
    listener = listen("127.0.0.1", 0)
    async with run_server(server_for(app), listener):  # type: ignore[arg-type]  # FastAPI, both
        os.write(1, f"{listener.getsockname()[1]}\n".encode())
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    uvloop.run({"ours": _ours, "floor": _floor}[sys.argv[1]](Settings.model_validate({})))
