"""How a person and a worker meet over HTTP, in steps of a story."""

from typing import Any

import httpx

from tests.fixtures import SomePerson, SomeWorker

Side = SomePerson | SomeWorker


async def open_meeting(client: httpx.AsyncClient, side: Side) -> dict[str, Any]:
    """One side gets a code; returns the meeting, with it."""
    answer = await client.post("/v1/meetings", headers=side.headers)
    assert answer.status_code == 201, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


async def type_code(client: httpx.AsyncClient, side: Side, code: str) -> httpx.Response:
    """The other side types a code, right or wrong."""
    return await client.post("/v1/meetings/answer", headers=side.headers, json={"code": code})


async def say(
    client: httpx.AsyncClient, side: Side, meeting: str, *, agree: bool = True
) -> httpx.Response:
    """One side says yes, or no."""
    path = f"/v1/meetings/{meeting}/confirm"
    return await client.post(path, headers=side.headers, json={"agree": agree})


async def see(client: httpx.AsyncClient, side: Side, meeting: str) -> dict[str, Any]:
    """The meeting, as one side sees it."""
    answer = await client.get(f"/v1/meetings/{meeting}", headers=side.headers)
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def answered(client: httpx.AsyncClient, opener: Side, other: Side) -> str:
    """The other side typed the code; returns the meeting's id."""
    opened = await open_meeting(client, opener)
    answer = await type_code(client, other, opened["code"])
    assert answer.status_code == 200, answer.text
    return str(opened["id"])


async def met(client: httpx.AsyncClient, opener: Side, other: Side) -> str:
    """Both said yes; returns the meeting's id."""
    meeting = await answered(client, opener, other)
    for side in (opener, other):
        answer = await say(client, side, meeting)
        assert answer.status_code == 200, answer.text
    return meeting
