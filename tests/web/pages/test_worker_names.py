"""A worker's pages call nobody by a date, lead nowhere that is not theirs, and say what was done in
the second person."""

import re

import httpx

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker, last_code
from tests.steps import ask, deposit, given_paper, granted, revoke
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import a_photo, browser_of
from tests.web.pages.test_worker_pages import adding, form_of, known_of, words
from web.pages import forms


async def added(served: Served, worker: SomeWorker, grant: str) -> httpx.Response:
    """One paper is added by the form of a grant."""
    token = await forms.token_for(served.services, worker.token)
    parts: list[tuple[str, str | bytes]]
    parts = [("form", token), ("once", "one-form"), ("type_1", "lease"), ("a.jpg", a_photo())]
    body, headers = form_of(parts)
    async with browser_of(served, worker) as browser:
        return await browser.post(f"/pro/grants/{grant}/add", content=body, headers=headers)


async def given_unasked(client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker) -> None:
    """A grant of a person whose number the worker never wrote."""
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    given = {
        "recipient": {"worker_email": worker.email},
        "scope": {"document_ids": [paper["id"]], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Pour le logement"},
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", headers=person.headers, json=given)
    assert answer.status_code == 201, answer.text


async def test_what_a_worker_added_is_told_and_no_link_leads_to_it(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await adding(client, person, worker, "lease")
    page = await added(served, worker, grant)
    told = words(page)
    assert "C’est fait" in told
    assert "C’est avec ses papiers. Vous ne le voyez pas ici" in told
    assert page.text.split("<main")[1].count('class="button') == 1
    assert "Revenir à ses papiers" in told
    assert 'type="file"' not in page.text
    async with browser_of(served, worker) as browser:
        done = await browser.get("/pro/doings")
        at = f"/pro/grants/{grant}/add"
        begun = await browser.get(at)
        stated = [*yes_of(begun.text, f"{at}/dates"), ("type_1", "lease")]
        before = words(await send(browser, f"{at}/check", stated))
    assert "Vous avez ajouté un papier." in words(done)
    assert "C’est avec ses papiers. Vous ne le voyez pas ici" in words(done)
    assert "Voir ce papier" not in done.text
    for shown in (words(begun), before):
        assert "Vous ne les verrez pas ici, sauf si la personne les montre." in shown
    assert before.index("d’une même case") < before.index("Papier 1")


async def test_a_paper_that_a_worker_opened_is_found_again_while_its_grant_is_live(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    paper = await given_paper(client, make_person, make_worker, corpus.pdf(1))
    grant, mark = f"/pro/grants/{paper.grant}", f"paper-{paper.document['id']}"
    theirs = f"/pro/people/{await known_of(client, paper.worker)}"
    async with browser_of(served, paper.worker) as browser:
        await browser.get(f"/pro{paper.under}")
        live = await browser.get("/pro/doings")
        there = await browser.get(grant)
        found = await browser.get(theirs)
        await revoke(client, paper.person, paper.grant)
        ended = await browser.get("/pro/doings")
        dead = await browser.get(grant)
    assert f'href="{theirs}"' in live.text
    for page in (there, found):
        assert f'id="{mark}"' in page.text
    assert dead.status_code != 200
    assert f'href="{grant}' not in ended.text
    assert "Vous avez vu la liste des papiers." in words(ended)


async def test_who_came_in_on_an_unknown_device_is_asked_about_and_no_other(
    served: Served, make_worker: MakeWorker
) -> None:
    ask = "Ce n’est pas vous ?"
    for agent, asked in (
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0)", 0),
        ("Mozilla/5.0 (PlayStation)", 1),
    ):
        worker = await make_worker()
        at = httpx.AsyncClient(
            base_url=served.base_url, trust_env=False, headers={"User-Agent": agent}
        )
        async with at:
            page = (await at.get("/pro")).text
            token = dict(re.findall(r'name="(form)" value="([^"]+)"', page.split("<main")[1]))
            begun = await at.post("/pro/sign-in", data={**token, "email": worker.email})
            where = begun.headers["location"]
            code = await last_code(served.services, worker.email)
            entered = await at.post(where, data={**token, "code": code})
            assert entered.status_code == 303
            done = await at.get("/pro/doings")
        assert "Vous avez ouvert votre page avec un code" in words(done)
        assert words(done).count(ask) == asked
        assert ('href="/pro/sessions">Fermez' in done.text) is bool(asked)


async def test_a_worker_does_not_read_their_own_name_and_work_in_what_they_did(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip", actions=["attest"])
    async with browser_of(served, worker) as browser:
        await browser.get(f"/pro/grants/{grant}/evidence?type=payslip")
        await browser.get(f"/pro/grants/{grant}/evidence?type=passport")
        page = await browser.get("/pro/doings")
    told = words(page)
    assert "Vous avez demandé si un papier existe, sans le voir." in told
    assert "Vous avez essayé une action" in told
    assert "Camille Moreau" not in told
    assert re.search(r'ne sont pas ici\s:\s*<a href="/pro/requests">', page.text)


async def test_a_person_without_a_name_is_called_so_and_a_name_is_one_button_away(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await given_unasked(client, person, worker)
    known = await known_of(client, worker)
    async with browser_of(served, worker) as browser:
        pages = [await browser.get(f"/pro/people{end}") for end in ("", f"/{known}")]
    for page in pages:
        assert re.search(r"Personne sans nom \(n° [0-9A-F]{4}\), accès du .* à ", words(page))
        assert "Ce nom n’est visible que pour vous." in words(page)
        button = rf'(?:a class="button[^"]*" href| action)="/pro/people/{known}/label">'
        assert re.search(button, page.text)
        assert person.phone[3:] not in re.sub(r"\D", "", words(page))


async def test_two_people_without_a_name_are_never_called_the_same(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    for person in (await make_person(), await make_person()):
        await given_unasked(client, person, worker)
    called = re.compile(r"Personne sans nom \(n° [0-9A-F]{4}\), accès du [^<]*")
    async with browser_of(served, worker) as browser:
        for page in ("/pro/people", "/pro/doings"):
            found = called.findall((await browser.get(page)).text.replace("\xa0", " "))
            assert len(found) == len(set(found)) == 2, page


async def test_a_paper_is_added_from_the_top_of_the_page_where_a_grant_allows_it(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip")
    address = f"/pro/people/{await known_of(client, worker)}"
    async with browser_of(served, worker) as browser:
        without = await browser.get(address)
        grant = await adding(client, person, worker, "lease")
        page = await browser.get(address)
    assert "Ajouter un papier" not in without.text
    top = page.text[: page.text.index("<h2")]
    assert f'href="/pro/grants/{grant}/add"' in top
    assert "Je n’ai plus besoin de cet accès" in page.text


async def test_a_request_says_what_can_be_done_with_it_and_what_for(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    async with browser_of(served, worker) as browser:
        lists = [await browser.get(address) for address in ("/pro/requests", "/pro/people")]
        one = await browser.get(f"/pro/requests/{request}")
        token = await forms.token_for(served.services, worker.token)
        await browser.post(f"/pro/requests/{request}/withdraw", data={"form": token})
        withdrawn = words(await browser.get("/pro/requests"))
    for page in lists:
        assert '<span class="go">Voir ou retirer</span>' in page.text
    assert re.search(r"Pour faire quoi</h3>\s*<ul><li>Voir les papiers", one.text)
    assert '<span class="flag waits">' in one.text
    assert re.search(r"Demande retirée .* envoyée le", withdrawn)
    assert "Voir ou retirer" not in withdrawn
