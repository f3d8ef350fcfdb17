"""A person reads that a request was withdrawn, and who ended an access."""

import httpx

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, granted, revoke
from tests.web.pages.test_pages import browser_of


async def test_a_request_that_was_withdrawn_asks_nothing(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    path = f"/v1/consent-requests/{request}/withdraw"
    assert (await client.post(path, headers=worker.headers)).status_code == 200
    async with browser_of(served, person) as browser:
        listed = (await browser.get("/requests")).text
        page = (await browser.get(f"/requests/{request}")).text
        assert "Demande retirée" in listed
        assert "Personne ne vous demande rien" in listed
        assert "Demande retirée" in page
        assert "/approve" not in page


async def test_an_access_that_was_given_back_is_not_one_that_the_person_stopped(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    given_back = "Accès rendu par cette personne ou ce service le"
    async with browser_of(served, person) as browser:
        await revoke(client, person, await granted(client, person, worker.headers, "payslip"))
        page = (await browser.get("/grants")).text
        assert ("Vous l’avez arrêté le" in page, given_back in page) == (True, False)
        grant = await granted(client, person, worker.headers, "payslip")
        await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
        page = (await browser.get("/grants")).text
        assert ("Vous l’avez arrêté le" in page, given_back in page) == (True, True)
