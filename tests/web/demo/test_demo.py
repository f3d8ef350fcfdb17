"""The demo, as a real process: it answers, stops by each signal, and comes back after a kill."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest

from base.processes import works_in

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 90.0


def until(condition: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit, what
        time.sleep(0.05)


class Demo:
    """One demo home and the process that serves it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.file = folder / "demo.json"
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        arguments = ["--home", str(self.home), "--port", "0", "--json", str(self.file)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web.cli", "demo", *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        until(lambda: self.file.exists() or self.ended(), "the demo does not come up")
        assert not self.ended(), self.output.read_text()
        known: dict[str, Any] = json.loads(self.file.read_text())
        return known

    def ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def end(self, *signals: int) -> int:
        assert self.process is not None
        for number in signals:
            os.killpg(self.process.pid, number)
        status = self.process.wait(LIMIT)
        self.file.unlink(missing_ok=True)
        return status

    def databases(self) -> list[int]:
        """The PostgreSQL processes of this home."""
        everyone = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
        return [pid for pid in everyone if works_in(pid, self.home / "postgres", "postgres")]

    def clear(self) -> None:
        if self.process is not None and not self.ended():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(LIMIT)
        for pid in self.databases():
            with suppress(ProcessLookupError):  # ended meanwhile
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.databases(), "PostgreSQL does not end")


@pytest.fixture
def demo(home: Path) -> Iterator[Demo]:
    """In the folder of this test process, whose path is short."""
    folder = home.parent / f"demo-{token_hex(3)}"
    folder.mkdir()
    made = Demo(folder)
    yield made
    made.clear()


def get(known: dict[str, Any], who: str, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {known[who]['token']}"}
    return httpx.get(known["base_url"] + path, headers=headers, trust_env=False, timeout=30)


def open_at_the_desk(known: dict[str, Any]) -> httpx.Response:
    """What the worker of the demo does for a person without a phone."""
    headers = {"Authorization": f"Bearer {known['worker']['token']}"}
    body = {"pin": "482693", "again": "482693", "language": "fr"}
    address = f"{known['base_url']}/v1/desk/vaults"
    return httpx.post(address, json=body, headers=headers, trust_env=False, timeout=60)


def tells_its_devices_apart(known: dict[str, Any]) -> None:
    """The list of where the person of the demo is signed in."""
    cookies = {"unefois-person": known["person"]["token"], "unefois-language": "fr"}
    address = f"{known['base_url']}/sessions"
    devices = httpx.get(address, cookies=cookies, trust_env=False, timeout=30).text
    assert "Une application" in devices
    assert "Un téléphone Android" in devices
    assert "inconnu" not in devices


@pytest.mark.slow
def test_it_answers_stops_and_comes_back(demo: Demo) -> None:
    # 1. It starts, with the file and everything that it announces.
    known = demo.start()
    assert demo.file.stat().st_mode & 0o777 == 0o600
    assert all(
        isinstance(value, str)
        for who in known.values()
        if isinstance(who, dict)
        for value in who.values()
    )
    ready = httpx.get(known["management_url"] + "/readyz", trust_env=False, timeout=30)
    assert ready.json()["ready"] is True
    assert known["management_url"] in demo.output.read_text()
    documents = get(known, "person", "/v1/documents").json()["items"]
    assert len(documents) == 8
    waiting = get(known, "person", "/v1/consent-requests").json()["items"]
    assert [item["state"] for item in waiting] == ["waiting", "approved"]
    assert len(get(known, "worker", "/v1/grants").json()["items"]) == 1
    assert get(known, "colleague", "/v1/grants").json()["items"] == []
    tells_its_devices_apart(known)
    assert open_at_the_desk(known).status_code == 201
    # 2. Ctrl-C reaches every process of the terminal: all of them end, in order.
    assert demo.end(signal.SIGINT) == 0
    assert demo.databases() == []
    # 3. It starts again with the same people and new tokens; SIGTERM ends it too.
    again = demo.start()
    assert again["administration"]["kid"] == known["administration"]["kid"]
    assert again["person"]["token"] != known["person"]["token"]
    assert get(again, "person", "/v1/documents").json()["items"][0]["id"] in {
        item["id"] for item in documents
    }
    assert demo.end(signal.SIGTERM) == 0
    assert demo.databases() == []
    # 4. Killed, it leaves its database; the next start recovers and finds everything.
    demo.start()
    demo.end(signal.SIGKILL)
    last = demo.start()
    assert len(get(last, "person", "/v1/documents").json()["items"]) == 8
    # 5. A second signal drops the running requests, and still stops PostgreSQL.
    with httpx.stream("GET", last["base_url"] + "/v1/document-types", trust_env=False):
        assert demo.end(signal.SIGTERM, signal.SIGTERM) in (0, 130)
    assert demo.databases() == []


@pytest.mark.slow
def test_a_signal_while_it_starts_leaves_nothing(demo: Demo) -> None:
    arguments = ["--home", str(demo.home), "--port", "0"]
    demo.process = subprocess.Popen(
        [sys.executable, "-m", "web.cli", "demo", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until((demo.home / "locks").exists, "it does not start")
    assert demo.end(signal.SIGTERM) == 130
    assert demo.databases() == []


@pytest.mark.slow
def test_its_log_is_reconciled_and_every_event_opens(demo: Demo) -> None:
    demo.start()

    def reconcile() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "web.cli", "audit", "reconcile"],
            cwd=ROOT,
            env={"UNEFOIS_MODE": "demo", "UNEFOIS_HOME": str(demo.home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    result = reconcile()
    assert result.returncode == 0, result.stdout + result.stderr
    leaves = int(re.findall(r"(\d+) leaves, \d+ checkpoints: 0 faults", result.stdout)[0])
    opened, destroyed = re.findall(r"(\d+) events opened, (\d+) whose key", result.stdout)[0]
    assert int(opened) >= leaves > 0
    assert int(destroyed) == 0
    # A changed file of the store is named, in a sentence, on the standard error.
    tiles = [path for path in (demo.home / "blobs").rglob("tile-*") if path.is_file()]
    for tile in tiles:
        data = tile.read_bytes()
        tile.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    result = reconcile()
    assert tiles
    assert result.returncode == 1
    assert "in the store is not what was signed" in result.stderr
