"""A representation put back, prolonged, taken away, or brought from nowhere, is named."""

from datetime import timedelta

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.attacks.written_database.history import _at_work
from tests.auth.means_steps import proved
from tests.fixtures import MakePerson, MakeWorker
from tests.recoveries import agent
from tests.representations import (
    digits_for_desk,
    judgement,
    read_judgement,
    represented,
)
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import found
from vault.maintenance.erasure import erase
from vault.services import Services


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def test_one_put_back_prolonged_or_taken_away(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    thief: Thief,
) -> None:
    reader = await _at_work(
        services, client, await agent(services, as_owner, make_worker, "Camille")
    )
    amina, jeanne = await make_person(), await make_person()
    id_ = await represented(client, amina, jeanne, reader)
    assert await found(services) == set()
    first = thief.take("representation", id_)
    with thief.changing("representation"):
        thief.remove("representation", id_)
        assert await found(services) == {f"missing representation {id_}"}
        thief.put("representation", *first)
    shorter = judgement(days=timedelta(days=20).days)
    code = await digits_for_desk(client, jeanne, id_)
    assert (await read_judgement(client, reader, code, shorter)).is_success
    assert await found(services) == set()
    last = thief.take("representation", id_)
    with thief.changing("representation"):
        thief.remove("representation", id_)
        thief.put("representation", *first)
        assert await found(services) == {f"older representation {id_}"}
        thief.remove("representation", id_)
        thief.put("representation", *last)
    assert (await proved(client, amina, "DELETE", f"/v1/me/representative/{id_}")).is_success
    assert await found(services) == set()
    with thief.changing("representation"):
        thief.remove("representation", id_)
        thief.put("representation", *last)
        assert await found(services) == {f"back representation {id_}"}
        moved = [{**row, "id": str(jeanne.id)} for row in last]
        thief.put("representation", *moved)
        assert f"not_in_log representation {jeanne.id}" in await found(services)


async def test_nothing_is_named_of_vaults_that_are_gone(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    reader = await _at_work(
        services, client, await agent(services, as_owner, make_worker, "Camille")
    )
    amina, jeanne, zoe = [await make_person() for _ in range(3)]
    await represented(client, amina, jeanne, reader)
    await represented(client, zoe, jeanne, reader)
    assert await erase(services, amina.subject)
    assert await found(services) == set()
    assert await erase(services, jeanne.subject)
    assert await found(services) == set()
