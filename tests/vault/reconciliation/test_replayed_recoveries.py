"""A vault that was opened again is as the log tells it; a row of a recovery that says otherwise, or
is put back, is named."""

from typing import Any

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.auth.means_steps import add_card, enter, usable_pins, wrong
from tests.fixtures import MakePerson, MakeWorker, MoveClock
from tests.openings import LATER, open_former, waits, waits_for
from tests.recoveries import agent, recoveries
from tests.steps import deposit
from tests.vault.decoding import corpus
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import found
from vault.maintenance.erasure import erase
from vault.services import Services


@pytest.fixture
async def agents(services: Services, as_owner: Database, make_worker: MakeWorker) -> Any:
    names = ("Camille Moreau", "Nadia Benali")
    return tuple([await agent(services, as_owner, make_worker, name) for name in names])


async def test_a_vault_that_was_opened_again(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: Any,
    moved_clock: MoveClock,
    thief: Thief,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)
    lost = await make_person()
    pin, *_ = await usable_pins(services, lost)
    card = await add_card(client, lost, pin)
    assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    await deposit(client, lost, corpus.pdf(1))
    one = await waits_for(client, agents, lost)
    before = await found(services)  # the workers and anchors of these steps are in no log
    (row, *_) = await recoveries(services)
    fresh = thief.take("recovery", str(row.id))
    moved_clock(LATER)
    assert (await open_former(client, one)).status_code == 201
    assert (await enter(client, one.card, wrong(one.pin))).status_code == 401
    assert await found(services) == before
    with thief.changing("recovery"):
        opened = thief.take("recovery", str(row.id))
        thief.remove("recovery", str(row.id))
        assert await found(services) == before | {f"missing recovery {row.id}"}
        thief.put("recovery", *fresh)
        assert await found(services) == before | {f"older recovery {row.id}"}
        thief.remove("recovery", str(row.id))
        thief.put("recovery", *opened)
    assert await found(services) == before
    assert await erase(services, lost.subject)
    assert await found(services) <= before


async def test_one_that_was_stopped_and_lives_again(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: Any,
    thief: Thief,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)
    one = await waits(client, agents, make_person)
    (row, *_) = await recoveries(services)
    lived = thief.take("recovery", str(row.id))
    path = f"/v1/me/recoveries/{row.id}/stop"
    assert (await client.post(path, headers=one.lost.headers)).status_code == 204
    before = await found(services)
    with thief.changing("recovery"):
        stopped = thief.take("recovery", str(row.id))
        thief.remove("recovery", str(row.id))
        thief.put("recovery", *lived)
        assert await found(services) == before | {f"back recovery {row.id}"}
        thief.remove("recovery", str(row.id))
        thief.put("recovery", *stopped)
        assert await found(services) == before
    with thief.changing("recovery"):
        taken = thief.take("recovery", str(row.id))
        thief.remove("recovery", str(row.id))
        assert f"missing recovery {row.id}" in await found(services)
        moved = [{**one, "id": str(row.waiting_id)} for one in taken]
        thief.put("recovery", *moved)
        assert await found(services) >= {
            f"not_in_log recovery {row.waiting_id}", f"mac recovery {row.waiting_id}",
        }  # fmt: skip
