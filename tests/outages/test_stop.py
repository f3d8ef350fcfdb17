"""A process told to stop while people download: it ends in eight seconds, and what was cut is in
the log as interrupted."""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus
from vault.services import Services
from web.process.lifecycle import Listeners, _serve
from web.process.server import GRACE_SECONDS, listen
from web.process.signals import Signals

SIZE = 8 * 1024 * 1024
GRACE = 8.0
SLACK = 1.5


class _Stop:
    """Signals of a process, one of which a test sends."""

    def __init__(self) -> None:
        self.send: Callable[[int], object]

    def on_signal(self, handler: Callable[[int], None]) -> None:
        self.send = handler


@pytest.fixture
def large() -> bytes:
    return corpus.pdf_of(secrets.token_bytes(SIZE))


class Reader:
    """A client of one download, that reads when it is told to."""

    def __init__(self, url: str, path: str, headers: dict[str, str]) -> None:
        self._address = urlsplit(url)
        lines = [f"GET {path} HTTP/1.1", f"Host: {self._address.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self.length = 0

    async def begin(self) -> None:
        """Ask, and read the head and a first piece."""
        where = (self._address.hostname, self._address.port)
        self._reader, self._writer = await asyncio.open_connection(*where, limit=4096)
        self._writer.write(self._request)
        assert b" 200 " in await self._reader.readuntil(b"\r\n")
        self.length = len(await self._reader.read(1000))

    async def until_the_end(self) -> float:
        """Stall until the connection is cut; returns the seconds that this took."""
        began = time.monotonic()
        transport = self._writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]  # of sockets
        while not transport.is_closing() and time.monotonic() - began < GRACE + 10:
            await asyncio.sleep(0.05)
            # A peer that resets is noticed by writing; one byte more disturbs no answer.
            self._writer.write(b"\r\n")
        return time.monotonic() - began


async def test_a_stalled_download_ends_in_eight_seconds_as_interrupted(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    large: bytes,
) -> None:
    """Those of a grant, and a person's own; the process ends in order after them."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, large)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    settings = served.services.settings.model_copy(update={"sequencer_in_process": False})
    stop = _Stop()
    took: list[float] = []
    with listen("127.0.0.1", 0) as listener, listen("127.0.0.1", 0) as management:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        under = f"/v1/grants/{grant}/documents/{document['id']}/content"
        readers = [
            Reader(url, under, worker.headers),
            Reader(url, f"/v1/documents/{document['id']}/content", person.headers),
        ]
        waiting: list[asyncio.Task[float]] = []

        async def download(_: Services) -> None:
            for reader in readers:
                await reader.begin()
            waiting.extend(asyncio.create_task(reader.until_the_end()) for reader in readers)
            stop.send(1)

        async with asyncio.timeout(GRACE + 12):
            listeners = Listeners(listener, management)
            await _serve(settings, listeners, cast(Signals, stop), None, download)
        took = await asyncio.gather(*waiting)
    assert GRACE_SECONDS == GRACE
    assert max(took) < GRACE + SLACK
    reads = [entry for entry in await log_of(client, person) if entry["action"] == "document.read"]
    ends = [entry["confirmed"] for entry in reads]
    assert ends == ["interrupted", "interrupted"]
