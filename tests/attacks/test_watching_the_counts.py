"""Counts of answers by route would reveal to a requester that a request was just refused."""

import httpx
import pytest

from tests.fixtures import Served
from web.app import create_app

OUTSIDE = ["93.184.216.34", "8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "", "unix"]
INSIDE = ["127.0.0.1", "10.0.0.9", "172.18.0.4", "::1", "fd00::7"]


@pytest.mark.parametrize("address", OUTSIDE + INSIDE)
async def test_the_measures_are_for_a_private_network(served: Served, address: str) -> None:
    """The address is the one that the server trusts: behind a trusted proxy, the caller's."""
    way = httpx.ASGITransport(create_app(served.services), client=(address, 1234))
    async with httpx.AsyncClient(transport=way, base_url="http://unefois.example") as caller:
        answer = await caller.get("/metrics")
        nothing = await caller.get("/v1/nothing")
    if address in INSIDE:
        assert answer.status_code == 200
        assert "unefois_http_answers" in answer.text
    else:
        assert answer.status_code == nothing.status_code == 404
        assert answer.json()["code"] == "not_found"
        assert "unefois_http" not in answer.text
