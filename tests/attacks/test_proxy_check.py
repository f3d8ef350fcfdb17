"""A stranger at the path through which the service checks its proxy."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fixtures import Served
from web.http.proxy_check import HALF, HEADER, PATH

SECRET = "s" * 64


async def test_a_stranger_finds_no_such_path(
    served: Served, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the secret it answers as any unknown path, also while it is being asked."""
    check = served.app.state.proxy_check
    monkeypatch.setattr(check, "secret", SECRET.encode())
    for headers in ({}, {HEADER: ""}, {HEADER: SECRET[1:]}, {HEADER: "t" * 64}):
        for method in ("GET", "POST", "PUT", "HEAD", "OPTIONS"):
            known = await client.request(method, PATH, headers=headers, content=HALF)
            unknown = await client.request(method, PATH + "s", headers=headers, content=HALF)
            assert known.status_code == unknown.status_code
            assert known.status_code != 200 or method == "OPTIONS"
            assert _seen(known) == _seen(unknown)
    monkeypatch.setattr(check, "secret", None)
    answer = await client.post(PATH, headers={HEADER: SECRET})
    assert answer.status_code == 404


def _seen(answer: httpx.Response) -> tuple[dict[str, str], dict[str, str]]:
    """An answer without what differs in any two."""
    headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
    body = answer.json() if answer.content else {}
    return headers, {k: v for k, v in body.items() if k != "request_id"}


async def test_who_has_the_secret_cannot_send_more_than_two_halves(
    served: Served, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.app.state.proxy_check, "secret", SECRET.encode())

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield HALF

    answer = await client.post(PATH, headers={HEADER: SECRET}, content=pieces())
    assert answer.status_code == 413
