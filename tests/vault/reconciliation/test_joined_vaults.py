"""Two vaults that became one are as the log tells it, and a row that says otherwise is named."""

import httpx
from sqlalchemy import text

from tests.auth.means_steps import (
    add_card,
    bearer,
    enter,
    means,
    proved,
    remove,
    usable_pins,
    wrong,
)
from tests.fixtures import MakePerson, MakeWorker
from tests.joins import joined
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.vault.reconciliation.conftest import Thief
from tests.vault.reconciliation.steps import found
from vault.maintenance.erasure import erase
from vault.services import Services


async def test_two_vaults_that_became_one(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    thief: Thief,
) -> None:
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    before = await found(services)  # the worker of this fixture is in no log
    pin, other, *_ = await usable_pins(services, ended, stays)
    card = await add_card(client, ended, pin)
    # Wrong PINs of before, a paper in the trash, one in both, an access, a request.
    assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    await deposit(client, ended, corpus.pdf(1), type_="payslip")
    gone = await deposit(client, ended, corpus.pdf(2))
    await client.delete(f"/v1/documents/{gone['id']}", headers=ended.headers)
    for person in (ended, stays):
        await deposit(client, person, corpus.pdf(3))
    await granted(client, ended, worker.headers, "payslip")
    await ask(client, worker.headers, ended.phone, "lease")
    join = await joined(client, ended, stays, other)
    opened = bearer(await enter(client, card["code"], other))
    assert await found(services) == before
    # A card that came is one of any: wrong PINs count, and it is ended.
    assert (await enter(client, card["code"], wrong(other))).status_code == 401
    (_, came) = await means(client, opened)
    assert (await remove(client, stays, came["id"])).status_code == 204
    (phone,) = await means(client, stays.headers)
    last = await proved(client, stays, "DELETE", f"/v1/me/means/{phone['id']}")
    assert last.status_code == 409
    assert await found(services) == before

    (row,) = thief.take("vault_join", join)
    thief.remove("vault_join", join)
    assert await found(services) == before | {f"missing vault_join of person {ended.id}"}
    thief.put("vault_join", row)
    assert await found(services) == before
    await erase(services, stays.subject)
    assert await found(services) <= before  # nobody's log names a sign-in any more
    async with services.database.transaction() as tx:
        query = text("SELECT count(*) FROM unefois.person WHERE id IN (:one, :two)")
        left = await tx.execute(query, {"one": ended.id, "two": stays.id})
        assert left.scalar_one() == 0


async def test_a_join_that_chooses_no_pin_leaves_the_wrong_ones_of_before(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, thief: Thief
) -> None:
    ended, stays = await make_person(), await make_person()
    pin, *_ = await usable_pins(services, stays)
    card = await add_card(client, stays, pin)
    (fresh,) = thief.take("card", card["id"])
    assert (await enter(client, card["code"], wrong(pin))).status_code == 401
    await joined(client, ended, stays)
    before = await found(services)
    (tried,) = thief.take("card", card["id"])
    thief.put("card", fresh)
    assert len(await found(services) - before) == 1
    thief.put("card", tried)
    assert await found(services) == before
