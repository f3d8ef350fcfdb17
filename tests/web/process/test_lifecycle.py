"""A serving process: what it still counts is in the log once it has stopped."""

from typing import cast

import httpx

from tests.fixtures import Served
from tests.steps import counted
from tests.stop_signal import StopSignal
from vault.services import Services
from web.process.lifecycle import Listeners, _serve
from web.process.server import listen, url_of
from web.process.signals import Signals


async def test_what_was_refused_is_recorded_when_it_stops(served: Served) -> None:
    settings = served.services.settings.model_copy(
        update={"failures_at_once": 1, "jobs_in_process": False, "sequencer_in_process": False}
    )
    stop = StopSignal()
    before = await counted(served.services, "access_event")
    with listen("127.0.0.1", 0) as public, listen("127.0.0.1", 0) as management:
        url = f"{url_of(public)}/oauth/token"

        async def refused(_: Services) -> None:
            # From an address of its own, at which nothing failed before.
            transport = httpx.AsyncHTTPTransport(local_address="127.7.7.7", trust_env=False)
            async with httpx.AsyncClient(transport=transport) as client:
                sent = {"grant_type": "client_credentials"}
                statuses = [(await client.post(url, data=sent)).status_code for _ in range(4)]
            assert statuses == [401, 429, 429, 429]
            assert await counted(served.services, "access_event") == before + 1
            stop.send(1)

        listeners = Listeners(public, management)
        await _serve(settings, listeners, cast(Signals, stop), None, refused)
    assert await counted(served.services, "access_event") == before + 2
