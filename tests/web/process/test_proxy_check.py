"""The question that a process asks itself at start through its public address: real proxies."""

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import httpx
import pytest

from tests.fixtures import Served
from tests.servers.proxies import missing_proxy, proxy
from tests.steps import until
from tests.stop_signal import StopSignal
from vault.services import Services
from web.app import create_app
from web.http.proxy_check import ProxyCheck
from web.process import log_output, proxy_check
from web.process.lifecycle import Listeners, _serve
from web.process.proxy_check import ANSWERS, REQUESTS, RUNBOOK, check_proxy
from web.process.server import listen, run_server, server_for, url_of
from web.process.signals import Signals

FOUND = {
    "nginx": [],
    "caddy": [],
    "stock nginx": [REQUESTS],
    "deaf nginx": [REQUESTS, ANSWERS],
}
VERDICTS = {REQUESTS, ANSWERS, "proxy_passes_bodies_on", "proxy_not_checked"}


@pytest.fixture
def log(served: Served) -> io.StringIO:
    """What the process logs."""
    stream = io.StringIO()
    log_output.configure(served.services.settings, stream)
    return stream


def verdicts(log: io.StringIO) -> list[tuple[str, str, str | None]]:
    """The lines about the proxy: event, level, what to do."""
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [
        (line["event"], line["level"], line.get("what_to_do"))
        for line in lines
        if line["event"] in VERDICTS
    ]


@contextmanager
def running(name: str, port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The public address of a proxy whose certificate this process believes."""
    if missing_proxy(name):
        pytest.skip(f"no {name} here: apt install nginx-light caddy")
    with proxy(name, f"127.0.0.1:{port}") as started:
        monkeypatch.setenv("SSL_CERT_FILE", str(started.certificate))
        yield started.base_url


@pytest.mark.parametrize("name", FOUND)
async def test_a_proxy_that_buffers_is_said_once_at_start_and_in_readiness(
    served: Served, log: io.StringIO, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    given = served.services.settings
    stop, expected = StopSignal(), FOUND[name]
    with listen("127.0.0.1", 0) as listener, listen("127.0.0.1", 0) as management:
        port = listener.getsockname()[1]
        with running(name, port, monkeypatch) as public_url:
            settings = given.model_copy(
                update={
                    "public_url": public_url,
                    "jobs_in_process": False,
                    "sequencer_in_process": False,
                }
            )

            async def answered(_: Services) -> None:
                await until(lambda: verdicts(log), seconds=20)
                async with httpx.AsyncClient(trust_env=False) as client:
                    ready = await client.get(f"{url_of(management)}/readyz")
                assert set(expected) <= set(ready.json()["degraded"])
                assert {REQUESTS, ANSWERS} & set(ready.json()["degraded"]) == set(expected)
                stop.send(1)

            listeners = Listeners(listener, management)
            await _serve(settings, listeners, cast(Signals, stop), None, answered)
    assert verdicts(log) == [(code, "warning", RUNBOOK) for code in expected] or (
        not expected and verdicts(log) == [("proxy_passes_bodies_on", "info", None)]
    )


async def test_another_process_of_the_installation_may_answer(
    served: Served, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create_app(served.services)
    tag = await served.services.field_encryption.tag("proxy-check", "")
    other.state.proxy_check.secret = tag.hex().encode()
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        async with run_server(server_for(other), listener):
            with running("nginx", port, monkeypatch) as public_url:
                settings = served.services.settings.model_copy(update={"public_url": public_url})
                asking = replace(served.services, settings=settings)
                async with check_proxy(asking, ProxyCheck()):
                    await until(lambda: verdicts(log), seconds=20)
    assert [event for event, *_ in verdicts(log)] == ["proxy_passes_bodies_on"]


async def test_an_address_that_does_not_answer_is_said_once_and_stops_nothing(
    served: Served, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody there, and a certificate that nobody vouches for."""
    monkeypatch.setattr(proxy_check, "_BEFORE_EACH_TRY", (0.0, 0.01, 0.01))
    with listen("127.0.0.1", 0) as closed:
        nobody = f"https://127.0.0.1:{closed.getsockname()[1]}"
        with running("nginx", 1, monkeypatch) as unknown:
            monkeypatch.delenv("SSL_CERT_FILE")
            for public_url in (nobody, unknown):
                log.truncate(log.seek(0))
                settings = served.services.settings.model_copy(update={"public_url": public_url})
                check = ProxyCheck()
                async with check_proxy(replace(served.services, settings=settings), check):
                    await until(lambda: verdicts(log))
                assert verdicts(log) == [("proxy_not_checked", "info", RUNBOOK)]
                assert check.found == []


async def test_without_a_proxy_nothing_is_asked(served: Served, log: io.StringIO) -> None:
    check = ProxyCheck()
    async with check_proxy(served.services, check):
        assert check.secret is None
    assert verdicts(log) == []


async def test_an_answer_that_is_not_ours_is_no_verdict(served: Served) -> None:
    """A page of the proxy itself, for example."""
    with pytest.raises(proxy_check.NotAnswered, match="404"):
        await proxy_check.buffered_by(served.base_url, b"0" * 64)

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n000000 hi!")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(welcome, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(proxy_check.NotAnswered, match="another answer"):
            await proxy_check.buffered_by(url, b"0" * 64)
