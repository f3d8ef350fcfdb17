"""A number that changed hands after seven months, over HTTP: who has it now and who had it are both
served, each in their own vault."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import pin_hashes
from auth.sessions import subject_of
from auth.subjects import Person
from base.database import Database
from tests.auth.means_steps import (
    add_phone,
    bearer,
    enter,
    enter_by_phone,
    know,
    means,
    type_code,
    usable_pins,
)
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.openings import LATER, open_former, waits_for
from tests.recoveries import PIN, agent, some_paper, with_anchor
from tests.steps import deposit
from tests.vault.decoding import corpus
from vault.services import Services

AWAY = timedelta(days=215)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def _papers(client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    answer = await client.get("/v1/documents", headers=headers)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def _comes_to_the_desk(
    services: Services, client: httpx.AsyncClient, worker: Any, phone: str
) -> SomePerson:
    """Somebody for whom a vault is opened, and who adds the number that they have."""
    body = {"pin": PIN, "again": PIN}
    made = await client.post("/v1/desk/vaults", headers=worker.headers, json=body)
    assert made.status_code == 201, made.text
    token = bearer(await enter(client, made.json()["code"], PIN))["Authorization"].split()[1]
    async with services.database.transaction() as tx:
        subject = await subject_of(services, tx, token)
    assert isinstance(subject, Person)
    person = SomePerson(subject.id, phone, token, subject, services)
    know(person, PIN, made.json()["code"])
    return person


async def test_who_has_it_now_and_who_had_it_are_both_served(
    services: Services,
    client: httpx.AsyncClient,
    as_owner: Database,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    # 1. Amina has a paper, an anchor, and a phone alone, which she loses. Seven months pass.
    amina, paper = await make_person(), some_paper()
    hers = (await deposit(client, amina, corpus.pdf(), type_="payslip"))["id"]
    await with_anchor(services, amina, paper)
    moved_clock(AWAY)
    first = await agent(services, as_owner, make_worker, "Camille Moreau")
    other = await agent(
        services, as_owner, make_worker, "Nadia Benali", organisation=first.organisation_id
    )
    # 2. Bilal has the number now: its code is a wrong one. At the desk he gets a vault for it.
    _, refused = await type_code(client, services, amina.phone)
    assert refused.status_code == 401
    bilal = await _comes_to_the_desk(services, client, first, amina.phone)
    his = (await usable_pins(services, bilal, amina))[-1]  # not the one that she will choose
    added = await add_phone(client, services, bilal, amina.phone, his)
    assert added.status_code == 201, added.text
    his_paper = (await deposit(client, bilal, corpus.pdf(2)))["id"]
    # 3. Amina comes back, with her identity paper and nothing else. Two workers read it.
    waiting = await waits_for(client, (first, other), amina, paper)
    assert await _papers(client, waiting.headers) == []
    # 4. Two days later she opens it: her paper is there, and the number is not hers any more.
    moved_clock(AWAY + LATER)
    headers = bearer(await open_former(client, waiting))
    assert await _papers(client, headers) == [hers]
    assert [one["kind"] for one in await means(client, headers)] == ["card"]
    # 5. Each enters by their own means, and finds their own.
    by_card = bearer(await enter(client, waiting.card, waiting.pin))
    assert await _papers(client, by_card) == [hers]
    by_phone = bearer(await enter_by_phone(client, services, amina.phone, his))
    assert await _papers(client, by_phone) == [his_paper]
    hers_there = await enter_by_phone(client, services, amina.phone, waiting.pin)
    assert hers_there.status_code == 401
