"""A trusted person put back, taken away, or brought from nowhere, is named."""

import httpx

from tests.auth.means_steps import proved
from tests.fixtures import MakePerson
from tests.joins import joined
from tests.trusted import answered_naming, trusted
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import found
from vault.maintenance.erasure import erase
from vault.services import Services


async def test_one_put_back_taken_away_or_moved(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, thief: Thief
) -> None:
    amina, awa = await make_person(), await make_person()
    naming = await trusted(client, amina, awa)
    assert await found(services) == set()
    former = thief.take("trusted_person", naming)
    with thief.changing("trusted_person"):
        thief.remove("trusted_person", naming)
        assert await found(services) == {f"missing trusted_person {naming}"}
        thief.put("trusted_person", *former)
    assert (await proved(client, amina, "DELETE", f"/v1/me/trusted/{naming}")).is_success
    assert await found(services) == set()
    with thief.changing("trusted_person"):
        thief.remove("trusted_person", naming)
        thief.put("trusted_person", *former)
        assert await found(services) == {f"back trusted_person {naming}"}
        moved = [{**row, "id": str(awa.id)} for row in former]
        thief.put("trusted_person", *moved)
        assert await found(services) >= {
            f"not_in_log trusted_person {awa.id}", f"mac trusted_person {awa.id}",
        }  # fmt: skip


async def test_nothing_is_named_of_vaults_that_are_gone_or_joined(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa, ines, zoe = [await make_person() for _ in range(4)]
    await trusted(client, amina, awa)
    await trusted(client, zoe, amina)
    await answered_naming(client, amina, ines)
    await joined(client, zoe, ines)
    assert await found(services) == set()
    assert await erase(services, awa.subject)
    assert await found(services) == set()
    assert await erase(services, amina.subject)
    assert await found(services) == set()
