"""What people who trust each other do, over HTTP."""

from datetime import timedelta
from typing import Any

import httpx

from tests.auth.means_steps import choose_pin, pin_of, proof_of, proved
from tests.fixtures import SomePerson

WEEK = timedelta(days=7)
WORDS = {"label": "Ma sœur Awa", "own_name": "Amina"}


async def with_pin(client: httpx.AsyncClient, person: SomePerson) -> str:
    """A PIN is what proves that they are there: no code is sent each time."""
    pin = await pin_of(person.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    return pin


async def name_trusted(client: httpx.AsyncClient, person: SomePerson) -> dict[str, Any]:
    """The digits that a person shows."""
    named = await proved(client, person, "POST", "/v1/me/trusted", WORDS)
    assert named.status_code == 201, named.text
    found: dict[str, Any] = named.json()
    return found


async def type_trusted(client: httpx.AsyncClient, other: SomePerson, code: str) -> httpx.Response:
    """The digits, typed in the other vault."""
    body = {"code": code}
    return await client.post("/v1/trusted/answer", headers=other.headers, json=body)


async def answered_naming(
    client: httpx.AsyncClient, person: SomePerson, other: SomePerson
) -> dict[str, Any]:
    """Named and typed: what the other one is asked."""
    named = await name_trusted(client, person)
    answer = await type_trusted(client, other, named["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def accept_trust(client: httpx.AsyncClient, other: SomePerson, naming: str) -> httpx.Response:
    """The other one's yes."""
    return await client.post(f"/v1/trusted/{naming}/accept", headers=other.headers)


async def trusted(client: httpx.AsyncClient, person: SomePerson, other: SomePerson) -> str:
    """Named, typed and accepted; the id of the naming."""
    naming: str = (await answered_naming(client, person, other))["id"]
    accepted = await accept_trust(client, other, naming)
    assert accepted.status_code == 200, accepted.text
    return naming


async def vouch_for(client: httpx.AsyncClient, other: SomePerson, naming: str) -> httpx.Response:
    """The digits for the desk."""
    body = {"proof": await proof_of(client, other)}
    path = f"/v1/trusted/{naming}/vouch"
    return await client.post(path, headers=other.headers, json=body)


async def mine(client: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    """Whom a person trusts, or named."""
    answer = await client.get("/v1/me/trusted", headers=person.headers)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def for_me(client: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    """Who trusts a person, or asks to."""
    answer = await client.get("/v1/trusted", headers=person.headers)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found
