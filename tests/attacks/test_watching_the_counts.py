"""Counts of answers by route would reveal to a requester that a request was just refused."""

import re

import httpx
import pytest
from fastapi import FastAPI

from tests.fixtures import Served
from web.app import create_app

CALLERS = ["93.184.216.34", "2001:4860:4860::8888", "127.0.0.1", "10.0.0.9", "::1", "fd00::7", ""]
PAGES = {"accept": "text/html"}


async def asked(app: FastAPI, address: str, path: str) -> httpx.Response:
    """The answer to a browser that never came before."""
    way = httpx.ASGITransport(app, client=(address, 1234))
    async with httpx.AsyncClient(transport=way, base_url="http://unefois.example") as caller:
        return await caller.get(path, headers=PAGES)


@pytest.mark.parametrize("address", CALLERS)
@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/metrics/", "/METRICS"])
async def test_the_counts_are_not_where_people_are_served(
    served: Served, address: str, path: str
) -> None:
    """From no address, inside or outside: there they are an address like any other unknown one."""
    app = create_app(served.services)
    answer, nothing = [await asked(app, address, one) for one in (path, "/nothing")]
    assert answer.status_code == nothing.status_code == 404
    token = re.compile(r'name="form" value="[^"]+"')
    shown = token.sub("", answer.text).replace(path, "/nothing")
    assert shown == token.sub("", nothing.text)
    assert answer.headers.keys() == nothing.headers.keys()


async def test_they_are_on_the_management_listener_alone(
    served: Served, management: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    assert "unefois_http_answers" in (await management.get("/metrics")).text
    assert (await management.get("/readyz")).json()["ready"] is True
    for ends in (management, client):
        assert (await ends.get("/healthz")).json() == {"status": "ok"}
    for path in ("/v1/document-types", "/", "/v1/openapi.json", "/openapi.json", "/docs"):
        assert (await management.get(path)).status_code == 404, path
    assert served.management_url != served.base_url


async def test_no_description_names_them(client: httpx.AsyncClient) -> None:
    described = (await client.get("/v1/openapi.json")).json()["paths"]
    assert "/healthz" in described
    assert {"/metrics", "/readyz"} & described.keys() == set()
