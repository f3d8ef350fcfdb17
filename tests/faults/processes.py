"""The processes of an installation, each `unefois serve` or `unefois work`, with its log."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LogLine = dict[str, Any]


@dataclass
class Process:
    """One process; `inside` is what its command starts with (a network namespace)."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    inside: tuple[str, ...] = ()
    _running: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, with the log continued."""
        with self.log.open("ab") as errors:
            self._running = subprocess.Popen(
                [*self.inside, sys.executable, "-m", "web.cli", *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=ROOT,
                env=dict(self.environment),
            )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._running is not None and self._running.poll() is None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def stop(self, seconds: float = 20) -> None:
        """Ask it to end, and wait."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def mark(self) -> int:
        """Where its log ends now."""
        return self.log.stat().st_size if self.log.exists() else 0

    def lines(self, since: int = 0) -> list[LogLine]:
        """The lines of its log after a mark; what is not JSON is a line with `text`."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(since)
            return [_parsed(line) for line in file.read().decode(errors="replace").splitlines()]


def _parsed(line: str) -> LogLine:
    try:
        value = json.loads(line)
    except ValueError:
        return {"text": line}
    return value if isinstance(value, dict) else {"text": line}


async def command(environment: Mapping[str, str], *arguments: str) -> str:
    """Run a command of the operator to its end; its output. Fails with what it said."""
    return await module(environment, "web.cli", *arguments)


async def module(environment: Mapping[str, str], *arguments: str) -> str:
    """`python -m` with these arguments, to its end; its output. Fails with what it said."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        env=dict(environment),
        timeout=120,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, f"{arguments}: {said[-2000:]}{done.stderr.decode()[-2000:]}"
    return said
