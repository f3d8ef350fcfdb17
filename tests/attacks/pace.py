"""A real server with the default pace of failures, behind a proxy that says where callers are."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from base import clock
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
    """The process's clock, which stands still until it is moved."""

    def __init__(self) -> None:
        self._now = time.monotonic()

    def __call__(self) -> float:
        return self._now

    def move(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
async def strict(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Strict]:
    frozen = Clock()
    monkeypatch.setattr(clock, "monotonic", frozen)
    settings = services.settings.model_copy(
        update={"failures_at_once": AT_ONCE, "failures_per_minute": A_MINUTE}
    )
    services = replace(services, settings=settings)
    app = create_app(services)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with listener:
        async with (
            run_server(server_for(app, proxies=services.settings.proxies), listener),
            httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
        ):
            yield Strict(services, app, url, frozen, client)
