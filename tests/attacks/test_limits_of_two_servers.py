"""The limits of real processes: two of `unefois serve` over one database."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from base.settings import Settings
from tests.attacks.pace import A_MINUTE, AT_ONCE, REFUSED
from tests.journeys.old_home import LIMIT, ROOT, command, until
from vault.services import Services

ADDRESS = "198.51.100.77"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(settings: Settings, port: int) -> dict[str, str]:
    """The settings of one process, as an operator gives them."""
    assert settings.database_url is not None
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "UNEFOIS_MODE": "demo",
        "UNEFOIS_HOME": str(settings.home),
        "UNEFOIS_PORT": str(port),
        "UNEFOIS_MESSENGER": "inbox",
        "UNEFOIS_DATABASE_POOL": "4",
        "UNEFOIS_TRUSTED_PROXIES": "127.0.0.1",
        "UNEFOIS_JOBS_IN_PROCESS": "no",
        "UNEFOIS_SEQUENCER_IN_PROCESS": "no",
        "UNEFOIS_FAILURES_AT_ONCE": str(AT_ONCE),
        "UNEFOIS_FAILURES_PER_MINUTE": str(A_MINUTE),
    }


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/v1/document-types", trust_env=False).status_code == 200
    return False


@pytest.fixture
def servers(services: Services) -> Iterator[list[str]]:
    """The addresses of two processes."""
    urls, running = [], []
    for _ in range(2):
        port = free_port()
        running.append(
            subprocess.Popen(
                [*command(), "serve"],
                cwd=ROOT,
                env=environment(services.settings, port),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        urls.append(f"http://127.0.0.1:{port}")
    try:
        for url in urls:
            until(lambda url=url: answers(url), "it does not answer")  # type: ignore[misc]  # bound now
        yield urls
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait(LIMIT)


def test_two_processes_allow_what_one_does(servers: list[str]) -> None:
    """By turns, as a balancer sends them. Each allowed all of it."""
    headers = {"X-Forwarded-For": ADDRESS}
    with httpx.Client(trust_env=False, timeout=60) as client:
        statuses = []
        began = time.monotonic()
        for turn in range(3 * AT_ONCE):
            url = f"{servers[turn % 2]}/oauth/token"
            statuses.append(client.post(url, data=REFUSED, headers=headers))
        took = time.monotonic() - began
    refused = [answer.status_code for answer in statuses].count(401)
    assert {answer.status_code for answer in statuses} == {401, 429}
    assert AT_ONCE <= refused <= AT_ONCE + 1 + took * A_MINUTE / 60
