"""A vault with cards, a PIN, a shared phone, a meeting and evidence: nothing of it is a fault while
it lives, and nothing of it is left once it is erased."""

import httpx
from sqlalchemy import text

from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    enter,
    enter_by_phone,
    means,
    proved,
    usable_pins,
    wrong,
)
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.mandates import authorisation, signed
from tests.meetings import met, open_meeting, say
from tests.vault.reconciliation.steps import found
from vault.maintenance.erasure import erase
from vault.services import Services

TABLES = ("card", "pin", "meeting", "mandate", "consent_evidence", "grant")


async def rows_of(services: Services, person: SomePerson) -> dict[str, int]:
    counts = {}
    async with services.database.transaction() as tx:
        for table in TABLES:
            query = f'SELECT count(*) FROM unefois."{table}" WHERE person_id = :id'  # noqa: S608
            counts[table] = (await tx.execute(text(query), {"id": person.id})).scalar_one()
    return counts


async def give_face_to_face(
    client: httpx.AsyncClient, worker: SomeWorker, headers: dict[str, str]
) -> str:
    """Whoever has this session meets a worker, and gives; the address of the grant."""
    opened = await open_meeting(client, worker)
    typed = {"code": opened["code"]}
    answer = await client.post("/v1/meetings/answer", headers=headers, json=typed)
    assert answer.status_code == 200, answer.text
    agreed = f"/v1/meetings/{opened['id']}/confirm"
    await client.post(agreed, headers=headers, json={"agree": True})
    assert (await say(client, worker, opened["id"])).json()["state"] == "agreed"
    body = {
        "recipient": {"meeting": opened["id"]},
        "scope": {"document_types": ["payslip"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    given = await client.post("/v1/grants", headers=headers, json=body)
    assert given.status_code == 201, given.text
    return f"/v1/grants/{given.json()['id']}"


async def test_all_that_a_vault_has_is_as_the_log_tells_it_and_goes_with_it(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    amina, bilal, worker = await make_person(), await make_person(), await make_worker()
    before = await found(services)  # the worker of this fixture is in no log
    hers, his, *_ = await usable_pins(services, amina, bilal)
    # 1. Her card, barred and freed; his vault on her phone, in the place of his.
    card = await add_card(client, amina, hers)
    for _ in range(5):
        assert (await enter(client, card["code"], wrong(hers))).status_code == 401
    freed = await proved(client, amina, "POST", f"/v1/me/means/{card['id']}/free")
    assert freed.status_code == 204
    by_card = bearer(await enter(client, card["code"], hers))
    assert (await add_phone(client, services, bilal, amina.phone, his)).status_code == 201
    for pin in (hers, his):
        assert (await enter_by_phone(client, services, amina.phone, pin)).status_code == 201
    # 2. In the session of her card she meets a worker, and gives, and ends.
    grant = await give_face_to_face(client, worker, by_card)
    assert (await client.post(f"{grant}/revoke", headers=amina.headers)).status_code == 200
    receipt = (await client.get(f"{grant}/receipt", headers=amina.headers)).json()
    assert [one["level"] for one in receipt["evidence"]] == ["card_pin", "phone_code"]
    # 3. She signs a mandate, and is seen again.
    there = {"meeting": await met(client, worker, amina)}
    mandate = await signed(client, worker, amina, authorisation("lease"), whom=there)
    seen = await client.post(f"/v1/mandates/{mandate['id']}/go-on", headers=by_card)
    assert seen.status_code == 200, seen.text
    # 4. All of it is as the log tells it; and she leaves the phone.
    assert await found(services) == before
    phone, _ = await means(client, amina.headers)
    gone = await proved(client, amina, "DELETE", f"/v1/me/means/{phone['id']}", headers=by_card)
    assert gone.status_code == 204
    assert await found(services) == before
    # 5. Erased, nothing of it is left, and he still enters.
    assert all((await rows_of(services, amina)).values())
    await erase(services, amina.subject)
    assert not any((await rows_of(services, amina)).values())
    assert (await enter(client, card["code"], hers)).status_code == 401
    assert (await enter_by_phone(client, services, amina.phone, his)).status_code == 201
    assert await found(services) == before
