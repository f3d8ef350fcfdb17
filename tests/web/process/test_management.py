"""The management listener: where it is, and that each kind of process has one."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from structlog.testing import capture_logs

from base import part_state
from tests.fixtures import Served
from web.http.metrics import Metrics
from web.process import management
from web.process.management import listen_for_management, run_management
from web.process.server import listen, url_of


def test_the_usual_port_when_another_process_has_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(management, "USUAL_PORT", port)
        with capture_logs() as lines, listen_for_management(served.services.settings) as free:
            assert free.getsockname()[1] not in {0, port}
        assert [line["event"] for line in lines] == ["management_port_taken"]
        chosen = served.services.settings.model_copy(update={"management_port": port})
        with pytest.raises(OSError, match="UNEFOIS_MANAGEMENT_PORT"):
            listen_for_management(chosen)
    with listen_for_management(served.services.settings) as usual:
        assert usual.getsockname() == ("127.0.0.1", port)


def test_two_processes_that_start_at_the_same_moment_have_a_port_each(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one begins before the services of the first are open."""
    with listen("127.0.0.1", 0) as free:
        monkeypatch.setattr(management, "USUAL_PORT", free.getsockname()[1])
    settings = served.services.settings
    with listen_for_management(settings) as one, listen_for_management(settings) as other:
        for listener in (one, other):
            listener.listen()
        assert one.getsockname() != other.getsockname()


@asynccontextmanager
async def managed(served: Served) -> AsyncIterator[tuple[str, socket.socket]]:
    with listen("127.0.0.1", 0) as listener:
        async with run_management(served.services, Metrics(), listener):
            yield url_of(listener), listener


async def test_a_process_that_only_works_says_how_it_is(served: Served) -> None:
    """As `unefois work` has it: without any application for people."""
    async with managed(served) as (url, _), httpx.AsyncClient(trust_env=False) as operator:
        assert (await operator.get(f"{url}/readyz")).json()["ready"] is True
        assert 'unefois_ready{part="database"} 1.0' in (await operator.get(f"{url}/metrics")).text


async def test_a_part_without_which_the_service_goes_on_is_measured_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without SMS nobody enters, and readiness alone stays 200."""
    parts = served.services.parts
    async with managed(served) as (url, _), httpx.AsyncClient(trust_env=False) as operator:
        assert 'unefois_failing{part="sms"} 0.0' in (await operator.get(f"{url}/metrics")).text
        parts.sms.failed("sms gateway: 503")
        try:
            measures = (await operator.get(f"{url}/metrics")).text
        finally:
            monkeypatch.setattr(part_state, "QUIET_SECONDS", 0.0)
            parts.sms.answered()
        assert 'unefois_failing{part="sms"} 1.0' in measures
        assert 'unefois_failing{part="email"} 0.0' in measures


async def test_one_who_holds_it_does_not_hold_the_process(served: Served) -> None:
    """An idle connection to it does not delay a stop."""
    async with asyncio.timeout(20):
        async with managed(served) as (_, listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
        writer.close()
