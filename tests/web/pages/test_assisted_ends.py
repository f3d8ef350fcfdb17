"""When an assisted session is over: whose choices the browser goes on with, and what is said to be
seen."""

from datetime import timedelta

import httpx
import pytest

from tests.assisted import Card
from tests.fixtures import MakeWorker, MoveClock, Served, SomePerson, SomeWorker, last_code
from tests.steps import ask
from tests.web.pages.test_assisted_sessions import (
    at,
    card,
    enter,
    person,
    quick_pins,
    token_in,
    worker,
)
from tests.web.pages.test_entering import hidden

__all__ = ["at", "card", "person", "quick_pins", "worker"]


async def test_it_is_put_back_for_no_other_worker(
    at: httpx.AsyncClient, card: Card, moved_clock: MoveClock
) -> None:
    """The person's session ended by itself, and the worker goes: what is put back is theirs."""
    at.cookies.set("unefois-language", "es", domain="127.0.0.1")
    await enter(at, card)
    await at.get("/language/uk")
    moved_clock(timedelta(minutes=16))
    page = (await at.get("/pro/people")).text
    left = await at.post("/pro/sign-out", data=token_in(page))
    assert left.headers["location"].startswith("/pro?done=bye")
    assert at.cookies.get("unefois-language") == "es"
    assert not at.cookies.get("unefois-aside")


async def test_of_a_worker_who_did_not_leave_nothing_is_put_back_for_the_next(
    served: Served, at: httpx.AsyncClient, make_worker: MakeWorker
) -> None:
    at.cookies.set("unefois-aside", "es..", domain="127.0.0.1")
    at.cookies.delete("unefois-worker")
    other = await make_worker()
    page = (await at.get("/pro")).text
    begun = (await at.post("/pro/sign-in", data={**hidden(page), "email": other.email})).headers
    data = hidden((await at.get(begun["location"])).text)
    code = await last_code(served.services, other.email)
    entered = await at.post(begun["location"], data={**data, "code": code})
    assert entered.headers["location"] == "/pro/people"
    assert not at.cookies.get("unefois-aside")
    assert at.cookies.get("unefois-language") == "fr"


@pytest.mark.parametrize("action", ["deposit", "attest"])
async def test_who_may_see_nothing_is_not_said_to_see(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    card: Card,
    action: str,
) -> None:
    types = [] if action == "deposit" else ["payslip"]
    asked = await ask(client, worker.headers, person.phone, *types, actions=[action])
    await enter(at, card)
    inside = {"Authorization": f"Bearer {at.cookies['unefois-person']}"}
    path = f"/v1/consent-requests/{asked}/approve"
    assert (await client.post(path, headers=inside, json={})).is_success
    left = await at.post("/sign-out", data=token_in((await at.get("/documents")).text))
    assert left.headers["location"] == "/?done=bye_beside"
