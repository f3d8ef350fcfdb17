"""A real server that can be killed and started again at once, many times.

A parent imports everything, then forks one server for each order: `kill -9` ends the child, as a
crash would, and the next one starts in a fraction of a second on the same database and store.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Protocol, cast

from pydantic import SecretStr

from base.settings import Settings
from vault.services import Services

_SECRETS = ("database_url", "migrations_database_url", "s3_secret_key")


class Killable(Protocol):
    """The parent process, as a test sees it."""

    def start(self) -> tuple[int, str]:
        """Start a server that answers: its process id and its address."""

    def kill(self, pid: int) -> None:
        """End it as a power cut would, and wait until it is gone."""


class _Parent:
    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(self) -> tuple[int, str]:
        answer = self._answer("start")
        assert answer != "ended", "the server ended before it answered"
        pid, port = answer.split()
        return int(pid), f"http://127.0.0.1:{port}"

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert self._answer("wait") == "gone"

    def _answer(self, order: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(order, file=self._process.stdin, flush=True)
        return self._process.stdout.readline().strip()


@contextlib.contextmanager
def killable(settings: Settings) -> Iterator[Killable]:
    """A parent for the length of the block; its last child dies with it."""
    given = settings.model_dump(mode="json")
    for name in _SECRETS:
        secret: SecretStr | None = getattr(settings, name)
        given[name] = None if secret is None else secret.get_secret_value()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.killable"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    try:
        print(json.dumps(given), file=process.stdin, flush=True)
        yield _Parent(process)
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        if process.stdout is not None:
            process.stdout.close()


def _serve(settings: Settings, answers: int) -> None:
    """The child: runs what `unefois serve` runs, and reports its process id and port."""
    from web.process.lifecycle import Listeners, serve
    from web.process.server import listen
    from web.process.signals import Signals

    listener = listen("127.0.0.1", 0)

    async def report(_: Services) -> None:
        await asyncio.sleep(0)
        os.write(answers, f"{os.getpid()} {listener.getsockname()[1]}\n".encode())

    listeners = Listeners(listener, listen("127.0.0.1", 0))
    serve(settings, listeners, Signals(), when_ready=report)


def _main() -> None:
    import web.process.lifecycle  # noqa: F401  (imported before the forks, or each child would)

    # The server's own output must not reach the test, which reads our answers there.
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    settings = Settings(**cast("dict[str, Any]", json.loads(_line())))
    child = 0
    # Unbuffered by hand: a forked copy of a read-ahead buffer would be read twice.
    while order := _line():
        if order == "start":
            child = os.fork()
            if child == 0:
                os.close(0)
                os.open(os.devnull, os.O_RDONLY)
                try:
                    _serve(settings, answers)
                finally:
                    # Whoever waits for a server that never answered is told so.
                    os.write(answers, b"ended\n")
                    os._exit(0)
        else:
            os.waitpid(child, 0)
            child = 0
            os.write(answers, b"gone\n")
    if child:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _line() -> str:
    read = bytearray()
    while (byte := os.read(0, 1)) not in {b"", b"\n"}:
        read += byte
    return read.decode()


if __name__ == "__main__":
    _main()
