"""A vault that is opened again: when, by whom, and what becomes of it and of the one that waited."""

from datetime import timedelta

import pytest

from auth import pin_hashes
from base.database import Database
from tests.auth.means_steps import bearer, enter
from tests.fixtures import MakeWorker, SomeWorker
from tests.recoveries import (
    PIN,
    agent,
    begun,
    second,
    some_paper,
    with_anchor,
)
from tests.steps import deposit, is_problem, log_of
from tests.vault.decoding import corpus
from vault.recovery.recovery_rules import WAIT
from vault.services import Services


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def agents(
    services: Services, as_owner: Database, make_worker: MakeWorker
) -> tuple[SomeWorker, SomeWorker]:
    first = await agent(services, as_owner, make_worker, "Camille Moreau")
    other = await agent(
        services, as_owner, make_worker, "Nadia Benali", organisation=first.organisation_id
    )
    return first, other


async def test_open(services, client, make_person, agents, moved_clock):
    paper = some_paper()
    lost = await make_person()
    await with_anchor(services, lost, paper)
    await deposit(client, lost, corpus.pdf(1))
    told = await begun(client, agents[0], paper)
    assert (await second(client, agents[1], told["code"], paper)).status_code == 202
    card = told["card"]["code"]
    waiting = bearer(await enter(client, card, PIN))
    body = {"pin": "739164", "again": "739164", "proof": {"pin": PIN, "card": card}}
    answer = await client.get("/v1/me/recovery", headers=waiting)
    print(answer.text)
    is_problem(
        await client.post("/v1/me/recovery/open", headers=waiting, json=body),
        409,
        "recovery_not_yet",
    )
    print((await client.get("/v1/me/recoveries", headers=lost.headers)).text)
    moved_clock(WAIT + timedelta(minutes=1))
    waiting = bearer(await enter(client, card, PIN))
    print((await client.get("/v1/me/recovery", headers=waiting)).text)
    answer = await client.post("/v1/me/recovery/open", headers=waiting, json=body)
    print(answer.text)
    assert answer.status_code == 201
    h = bearer(answer)
    print((await client.get("/v1/documents", headers=h)).text)
    for one in await log_of(client, h):
        print(one["action"], one["sentence"], one.get("details"))
    print((await client.get("/v1/me/recovery/receipt", headers=h)).text)
    assert 0
