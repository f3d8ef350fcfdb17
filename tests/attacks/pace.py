"""A real server with the default pace of failures, behind a proxy that says where callers are."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import delete

from auth.records.rate_buckets import RateBucket
from base import clock
from base.embedded.server import Addresses
from vault.services import Services
from web.app import create_app
from web.process.server import listen, run_server, server_for

AT_ONCE, A_MINUTE = 60, 30
STRUCTURE = "198.51.100.7"
REFUSED = {"grant_type": "client_credentials"}
"""For the token endpoint: no assertion at all, which the log records."""


@dataclass
class Strict:
    """A real server with the default pace, behind a proxy that says where callers are."""

    services: Services
    app: FastAPI
    url: str
    clock: "Clock"
    client: httpx.AsyncClient = field(repr=False)

    async def refused(self, address: str = STRUCTURE) -> int:
        """One refusal of a stranger, which the log records; the status."""
        return (await self.token(address)).status_code

    async def token(self, address: str) -> httpx.Response:
        return await self.send("POST", "/oauth/token", address, data=REFUSED)

    async def send(self, method: str, path: str, address: str, **more: Any) -> httpx.Response:
        headers = {"X-Forwarded-For": address, **more.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **more)

    async def burn(self, address: str = STRUCTURE) -> None:
        """Spend all that a network has."""
        statuses = [await self.refused(address) for _ in range(AT_ONCE + 1)]
        assert statuses == [401] * AT_ONCE + [429]


class Clock:
    """The clocks of the process and of the database, which stand still until they are moved."""

    def __init__(self, owner_url: str) -> None:
        self._now = time.monotonic()
        self._address = owner_url.replace("+psycopg", "")
        self._instant = datetime.now(UTC)
        self.move(0)

    def __call__(self) -> float:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += seconds
        self._instant += timedelta(seconds=seconds)
        self._read_by_the_database(f"timestamptz '{self._instant.isoformat()}'")

    def run(self) -> None:
        """Let the database's clock run again."""
        self._read_by_the_database("statement_timestamp()")

    def _read_by_the_database(self, now: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(
                "CREATE OR REPLACE FUNCTION unefois.now() RETURNS timestamptz"  # type: ignore[arg-type]  # composed of a time
                f" LANGUAGE sql STABLE PARALLEL SAFE AS $$SELECT {now}$$"
            )


@pytest.fixture
def frozen(postgres: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """Both clocks, standing still. Ids keep to the real time, and so to the order in which they are
    made."""
    standing = Clock(postgres.owner_url)
    monkeypatch.setattr(clock, "monotonic", standing)
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC))
    yield standing
    standing.run()


async def forget_rates(services: Services) -> None:
    """Full buckets: other tests call from the same addresses."""
    async with services.database.transaction() as tx:
        await tx.execute(delete(RateBucket))


@asynccontextmanager
async def serving(services: Services, frozen: Clock, **settings: int) -> AsyncIterator[Strict]:
    """A real server on these services, with the default pace of failures."""
    pace = {"failures_at_once": AT_ONCE, "failures_per_minute": A_MINUTE, **settings}
    services = replace(services, settings=services.settings.model_copy(update=pace))
    app = create_app(services)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener:
        async with (
            run_server(server_for(app, proxies=services.settings.proxies), listener),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
        ):
            yield Strict(services, app, url, frozen, client)


@pytest.fixture
async def strict(services: Services, frozen: Clock) -> AsyncIterator[Strict]:
    await forget_rates(services)
    async with serving(services, frozen) as server:
        yield server
