"""How somebody enters on a worker's device by a yes on their own phone, in steps of a story."""

from dataclasses import replace
from typing import Any

import httpx

from tests.fixtures import SomePerson, SomeWorker

INVITATIONS = "/v1/assisted-sessions/invitations"
Side = SomePerson | SomeWorker


async def invite(client: httpx.AsyncClient, worker: SomeWorker) -> dict[str, Any]:
    """The worker gets a code; returns the invitation, with it."""
    answer = await client.post(INVITATIONS, headers=worker.headers)
    assert answer.status_code == 201, answer.text
    opened: dict[str, Any] = answer.json()
    return opened


async def look(client: httpx.AsyncClient, side: Side, code: str) -> httpx.Response:
    """Somebody types a code, right or wrong."""
    path = f"{INVITATIONS}/answer"
    return await client.post(path, headers=side.headers, json={"code": code})


async def say(
    client: httpx.AsyncClient, side: Side, invitation: str, *, agree: bool = True, **more: Any
) -> httpx.Response:
    """Yes, or no; `more`: a proof."""
    path = f"{INVITATIONS}/{invitation}/confirm"
    return await client.post(path, headers=side.headers, json={"agree": agree, **more})


async def see(client: httpx.AsyncClient, side: Side, invitation: str) -> dict[str, Any]:
    """The invitation, as one side sees it."""
    answer = await client.get(f"{INVITATIONS}/{invitation}", headers=side.headers)
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def looked_at(client: httpx.AsyncClient, worker: SomeWorker, person: SomePerson) -> str:
    """The person typed the code; returns the invitation's id."""
    opened = await invite(client, worker)
    answer = await look(client, person, opened["code"])
    assert answer.status_code == 200, answer.text
    return str(opened["id"])


async def confirmed(client: httpx.AsyncClient, worker: SomeWorker, person: SomePerson) -> str:
    """The person, who has no PIN, said yes; returns the invitation's id."""
    invitation = await looked_at(client, worker, person)
    answer = await say(client, person, invitation)
    assert answer.status_code == 200, answer.text
    return invitation


async def try_enter(
    client: httpx.AsyncClient, worker: SomeWorker, invitation: str
) -> httpx.Response:
    """The worker's device asks for the session."""
    return await client.post(f"{INVITATIONS}/{invitation}/enter", headers=worker.headers)


async def enter_by_phone(
    client: httpx.AsyncClient, worker: SomeWorker, person: SomePerson
) -> SomePerson:
    """The person, in their own vault on the worker's device."""
    answer = await try_enter(client, worker, await confirmed(client, worker, person))
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return replace(person, token=answer.json()["token"])
