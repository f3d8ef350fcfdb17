"""What only a demonstration shows."""

from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from web.demo.accounts import WORKER_EMAIL
from web.pages.demonstration import demo_account


async def test_a_demonstration_says_who_to_enter_it_as(client: httpx.AsyncClient) -> None:
    client.cookies.set("unefois-language", "fr")
    assert "06\u00a000\u00a000\u00a000\u00a001" in (await client.get("/")).text
    assert WORKER_EMAIL in (await client.get("/pro")).text


@pytest.mark.parametrize(("mode", "messenger"), [("production", "inbox"), ("demo", "smtp")])
def test_nothing_else_does(mode: str, messenger: str) -> None:
    settings = SimpleNamespace(mode=mode, messenger=messenger)
    page = cast("Any", SimpleNamespace(services=SimpleNamespace(settings=settings)))
    assert demo_account(page, "person") == demo_account(page, "worker") == ""
