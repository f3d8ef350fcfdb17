"""Who sees, each person once; everything stopped at once; and an end says who ended it."""

import re
from typing import Any
from uuid import UUID

import pytest

from base.errors import ErrorKind, ServiceError
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import browser_of
from vault.consent import grants
from vault.consent.records.grants import revoke_grant
from web.pages import forms
from web.pages import grants as grants_pages


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
            for told in ("stopped", "stopped_one", "stopped_all"):
                page = (await browser.get(f"/grants?done={told}&of={of}")).text
                assert 'class="done panel"' not in page, (told, of)


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


async def test_all_that_one_person_sees_stops_at_once_and_the_others_go_on(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    async with browser_of(served, person) as browser:
        stopped = [
            await granted(browser, person, worker.headers, type_)
            for type_ in ("payslip", "rent_receipt", "passport")
        ]
        kept = await granted(browser, person, colleague.headers, "payslip")
        page = (await browser.get("/grants")).text
        [address] = set(re.findall(r"/grants/stop-all\?recipient=[0-9a-f-]+", page))
        assert (
            page.split(address)[1]
            .split("</a>")[0]
            .endswith("Ne plus rien montrer à Camille Moreau")
        )
        asked = (await browser.get(address)).text.replace("\xa0", " ")
        assert "Ne plus rien montrer à Camille Moreau ?" in asked
        confirmed = asked.split('class="confirm"')[1].split("</div>")[0]
        for words in ("fiche de paie", "quittance de loyer", "passeport"):
            assert words in confirmed.lower(), words
        assert asked.count(" : rien ne change.") == 1
        fields = yes_of(asked, "/grants/stop-all")
        done = await send(browser, "/grants/stop-all", fields)
        said = (await browser.get(done.headers["location"])).text
        assert "Camille Moreau ne peut plus rien voir" in said.split('class="done panel"')[1]
        live = (await browser.get("/v1/grants?state=live", headers=person.headers)).json()["items"]
        assert [one["id"] for one in live] == [kept]
        # A second tap, and the address of nobody, stop nothing more.
        nobody = [(n, str(person.id) if n == "recipient" else v) for n, v in fields]
        nonsense = [(n, "nonsense" if n == "recipient" else v) for n, v in fields]
        for again in (fields, nobody, nonsense):
            answer = await send(browser, "/grants/stop-all", again)
            assert answer.headers["location"] == "/grants"
        for of in (str(worker.subject.id), str(person.id), "nonsense"):
            answer = await browser.get("/grants/stop-all", params={"recipient": of})
            assert answer.headers["location"] == "/grants"
        log = await log_of(browser, person)
        ended = [one["grant"] for one in log if one["action"] == "grant.revoke"]
        assert sorted(ended) == sorted(stopped)


async def test_all_of_one_person_stops_or_nothing_does(
    served: Served,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        for type_ in ("payslip", "rent_receipt"):
            await granted(browser, person, worker.headers, type_)
        revoke, done = grants.revoke_within, []

        async def second_fails(*args: object, **more: object) -> object:
            done.append(1)
            if len(done) > 1:
                raise ServiceError(ErrorKind.NOT_FOUND, "not_found")
            return await revoke(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(grants, "revoke_within", second_fails)
        with pytest.raises(ServiceError):
            await grants.revoke_all_to(served.services, person.subject, worker.subject.id)
        monkeypatch.undo()
        live = (await browser.get("/v1/grants?state=live", headers=person.headers)).json()["items"]
        assert len(live) == 2
        assert (
            len(await grants.revoke_all_to(served.services, person.subject, worker.subject.id)) == 2
        )


async def test_what_ended_says_which_papers_and_of_whom_something_goes_on(
    served: Served,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(
            browser, person, corpus.pdf(1), type_="payslip", issued_on="2026-03-04"
        )
        for scope in (("rent_receipt",), (), (), (), ()):
            only: dict[str, Any] = {} if scope else {"document_ids": [paper["id"]]}
            grant = await granted(browser, person, worker.headers, *scope, **only)
            await browser.post(f"/v1/grants/{grant}/revoke", headers=person.headers)
        page = (await browser.get("/grants")).text.split("Avant</h2>")[1].replace("\xa0", " ")
        lines = page.split('<li class="card">')[1:]
        assert "quittance de loyer" in lines[-1]
        assert all("fiche de paie) – Papier du 4 mars 2026" in one for one in lines[:-1])
        assert all("Donné le" in one for one in lines)
        assert page.count("un autre accord, qui continue") == 0
        # Three at once; the older ones are folded.
        assert page.split("<details>")[0].count('<li class="card">') == 3
        await granted(browser, person, worker.headers, "passport")
        await browser.delete(f"/v1/documents/{paper['id']}", headers=person.headers)
        page = (await browser.get("/grants")).text.split("Avant</h2>")[1]
        assert page.count("un autre accord, qui continue") == 5
        assert page.count("1 papier supprimé depuis") == 4
        # What goes on is on the first page alone.
        monkeypatch.setattr(grants_pages, "LIMIT", 3)
        [older] = re.findall(r'href="(\?cursor=[^"]+)"', (await browser.get("/grants")).text)
        page = (await browser.get(f"/grants{older}")).text
        assert page.count('<li class="card">') == 2
        assert "plus haut" not in page


async def test_what_ended_and_showed_nothing_says_what_it_let_do(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        for types in ((), ("payslip",)):
            grant = await granted(browser, person, worker.headers, *types, actions=["deposit"])
            await browser.post(f"/v1/grants/{grant}/revoke", headers=person.headers)
        page = (await browser.get("/grants")).text.split("Avant</h2>")[1].replace("\xa0", " ")
    named, every = re.findall(r"<strong>([^<]+)</strong>", page)
    assert every == "ajouter des papiers pour vous"
    assert named.startswith(f"{every} : ")
    assert "fiche de paie" in named


async def test_two_papers_of_one_kind_are_told_apart(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        papers = [
            await deposit(browser, person, corpus.pdf(n + 1), type_="payslip", issued_on=day)
            for n, day in enumerate(("2026-03-04", "2026-04-04"))
        ]
        said = [("purpose_code", "housing"), ("duration", "P7D"), ("email", worker.email)]
        said += [("document", one["id"]) for one in papers]
        said.append(("form", await forms.token_for(served.services, person.token)))
        page = (await send(browser, "/grants/new/check", said)).text
        done = await send(browser, "/grants/new", yes_of(page, "/grants/new"))
        after = (await browser.get(done.headers["location"])).text
        grant = done.headers["location"].split("of=")[1]
        stop = (await browser.get(f"/grants/{grant}/stop")).text
        panel, cards = (
            after.split('class="done panel"')[1].split("</section>", 1)[0].split("<h2>", 1)
        )
        for shown in (page, panel, cards, stop):
            text = shown.replace("\xa0", " ")
            assert text.count("apier du 4 mars 2026") == 1
            assert text.count("apier du 4 avril 2026") == 1
