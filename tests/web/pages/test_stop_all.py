"""Who sees, each person once; everything stopped at once; and an end says who ended it."""

from uuid import UUID

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import granted, log_of
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import browser_of
from vault.consent.records.grants import revoke_grant


async def test_each_person_is_there_once_with_all_that_they_may(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    async with browser_of(served, person) as browser:
        grants = [
            await granted(browser, person, worker.headers, type_)
            for type_ in ("payslip", "rent_receipt")
        ]
        grants.append(await granted(browser, person, colleague.headers, "passport"))
        page = (await browser.get("/grants")).text
    cards = page.split('<section class="card">')[1:]
    assert len(cards) == 2
    assert all(f"/grants/{one}/stop" in cards[1] for one in grants[:2])
    assert f"/grants/{grants[2]}/stop" in cards[0]
    assert page.count('class="someone"') == 2


async def test_who_sees_nothing_more_is_said_by_name_and_only_if_it_is_true(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    async with browser_of(served, person) as browser:
        first, second = [
            await granted(browser, person, worker.headers, type_)
            for type_ in ("payslip", "rent_receipt")
        ]
        kept = await granted(browser, person, colleague.headers, "passport")
        assert "Tout arrêter, pour 2 personnes" in (await browser.get("/grants")).text
        page = (await browser.get(f"/grants/{first}/stop")).text.replace("\xa0", " ")
        assert "C’était prévu jusqu’au" in page
        assert page.count(" : rien ne change.") == 1
        said = []
        for grant in (first, second):
            address = f"/grants/{grant}/stop"
            done = await send(browser, address, yes_of((await browser.get(address)).text, address))
            page = (await browser.get(done.headers["location"])).text
            said.append(page.split('class="done panel"')[1].split("</div>")[0])
        assert "Camille Moreau a encore un accord" in said[0]
        assert "Camille Moreau ne peut plus rien voir" in said[1]
        # An address does not say of one that goes on that it is stopped.
        for of in (kept, "nonsense", person.id):
            for done in ("stopped", "stopped_one", "stopped_all"):
                page = (await browser.get(f"/grants?done={done}&of={of}")).text
                assert 'class="done panel"' not in page, (done, of)


async def test_everything_stops_at_once_and_each_end_is_recorded(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, other = await make_person(), await make_person()
    workers = [await make_worker() for _ in range(2)]
    async with browser_of(served, person) as browser:
        ids = {
            await granted(browser, person, worker.headers, type_)
            for worker in workers
            for type_ in ("payslip", "rent_receipt")
        }
        kept = await granted(browser, other, workers[0].headers, "payslip")
        page = (await browser.get("/grants/stop-all")).text
        assert page.count("<h3>") == 2
        assert "Cette copie ne peut pas être reprise" in page
        done = await send(browser, "/grants/stop-all", yes_of(page, "/grants/stop-all"))
        assert "Tout est arrêté" in (await browser.get(done.headers["location"])).text
        live = (await browser.get("/v1/grants?state=live", headers=person.headers)).json()
        assert live["items"] == []
        log = await log_of(browser, person)
        ended = [one["grant"] for one in log if one["action"] == "grant.revoke"]
        assert sorted(ended) == sorted(ids)
        theirs = (await browser.get("/v1/grants?state=live", headers=other.headers)).json()
        assert [one["id"] for one in theirs["items"]] == [kept]
        # A second time there is nothing to stop.
        assert "/grants/stop-all" not in (await browser.get("/grants")).text
        again = await browser.get("/grants/stop-all")
        assert "<form method" not in again.text.split("<main")[1].split("</main>")[0]


async def test_an_ended_grant_says_who_ended_it_and_asks_nothing(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        for by, words in (
            ("owner", "Vous l’avez arrêté le"),
            ("worker", "Accès rendu par cette personne"),
            ("service", "il ne montrait plus aucun papier"),
        ):
            grant = await granted(browser, person, worker.headers, "payslip")
            if by == "worker":
                await browser.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
            else:
                async with served.services.database.transaction() as tx:
                    await revoke_grant(tx, UUID(grant), by=by)
            page = (await browser.get(f"/grants/{grant}/stop")).text.split("<main")[1]
            assert words in page
            assert f'action="/grants/{grant}/stop"' not in page
            assert words in (await browser.get("/grants")).text
