"""How somebody enters their own vault on a worker's device, over HTTP, in steps of a story."""

from dataclasses import replace
from typing import Any

import httpx

from tests.auth.means_steps import add_card, pin_of, show_card
from tests.fixtures import SomePerson, SomeWorker
from vault.services import Services

Card = tuple[str, str]
"""A card's code, and its PIN."""


async def card_of(client: httpx.AsyncClient, services: Services, person: SomePerson) -> Card:
    """A card of the person's, made by themselves, alone."""
    pin = await pin_of(services, person)
    return (await add_card(client, person, pin))["code"], pin


async def try_beside(client: httpx.AsyncClient, worker: SomeWorker, card: Card) -> httpx.Response:
    """The card, then the PIN, on the worker's device."""
    begun = await show_card(client, card[0])
    body = {"sign_in": begun["id"], "secret": begun["secret"], "pin": card[1]}
    return await client.post("/v1/assisted-sessions", headers=worker.headers, json=body)


async def enter_beside(
    client: httpx.AsyncClient, worker: SomeWorker, person: SomePerson, card: Card
) -> SomePerson:
    """The person, in their own vault on the worker's device."""
    answer = await try_beside(client, worker, card)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return replace(person, token=answer.json()["token"])


async def end_beside(client: httpx.AsyncClient, worker: SomeWorker) -> None:
    """The worker ends it."""
    answer = await client.delete("/v1/assisted-sessions/current", headers=worker.headers)
    assert answer.status_code == 204, answer.text


async def status_of(client: httpx.AsyncClient, side: SomePerson | SomeWorker) -> int:
    """What a session answers to a plain question of its own."""
    path = "/v1/me" if isinstance(side, SomePerson) else "/v1/people"
    return (await client.get(path, headers=side.headers)).status_code


def gift(worker: SomeWorker, **changes: Any) -> dict[str, Any]:
    """A grant that a person gives to a worker, as clients write it."""
    return {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["payslip"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Demande de logement"},
        "duration": "P3M",
    } | changes
