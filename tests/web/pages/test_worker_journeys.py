"""A worker asks by phone, takes it back, corrects it, finds who answered, adds a paper for them:
nothing is typed twice, and each page leads back to where one came from."""

import re
from html import unescape

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomeWorker
from tests.steps import approve, ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_document_list import looked_for
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_forms import ASKED, asked
from tests.web.pages.test_worker_names import given_unasked
from tests.web.pages.test_worker_pages import adding, known_of, words
from vault.consent.people import KnownPerson
from web.i18n.typography import national
from web.pages import forms


async def withdrawn(
    served: Served, browser: httpx.AsyncClient, worker: SomeWorker, request: str
) -> httpx.Response:
    """The page to which the confirmation leads."""
    token = await forms.token_for(served.services, worker.token)
    answer = await browser.post(f"/pro/requests/{request}/withdraw", data={"form": token})
    return await browser.get(answer.headers["location"])


def chosen(page: str) -> list[tuple[str, str]]:
    """The boxes that are ticked and the options that are chosen, in the order of the page."""
    return re.findall(r'(?:name="(\w+)" )?value="([^"]*)"(?: checked| selected)', page)


async def test_what_was_taken_back_is_corrected_and_sent_again_without_typing_it_again(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    fields = {"actions": ["attest", "deposit"], "duration": "P2M", "may_store": True}
    why = {"code": "benefits", "text": "Pour l’aide « énergie » & autre."}
    request = await ask(client, worker.headers, person.phone, "lease", purpose=why, **fields)
    async with browser_of(served, worker) as browser:
        page = await withdrawn(served, browser, worker, request)
        (address,) = re.findall(r'href="([^"]+)"[^>]*>(?:<svg.*?</svg>)?Corriger et ren', page.text)
        form = (await browser.get(address)).text
        again = (await browser.get(f"/pro/requests/{request}")).text
    assert "La demande est retirée" in words(page)
    assert address == f"/pro/requests/new?again={request}"
    assert address in again
    ticked = {("type", "lease"), ("action", "attest"), ("action", "deposit")}
    ticked |= {("", "benefits"), ("", "P2M"), ("may_store", "yes"), ("legal_basis", "consent")}
    assert set(chosen(form)) == ticked
    assert re.search(r"<textarea[^>]*>([^<]*)<", form)[1] == "Pour l’aide « énergie » &amp; autre."  # type: ignore[index]
    assert f'value="{national(person.phone)}"' in unescape(form).replace("\xa0", " ")
    assert 'value="Assistante sociale"' in form


async def test_a_number_that_two_people_had_is_called_by_the_name_of_neither(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip")
    request = await ask(client, worker.headers, person.phone, "lease")
    address, theirs = f"/pro/requests/new?again={request}", await known_of(client, worker)
    field = 'name="person" value="{}"'
    async with browser_of(served, worker) as browser:
        await withdrawn(served, browser, worker, request)
        assert field.format(theirs) in (await browser.get(address)).text
        await granted(client, await make_person(), worker.headers, "payslip")
        assert field.format(theirs) in (await browser.get(address)).text
        monkeypatch.setattr(KnownPerson, "phones", (person.phone,))
        assert field.format("") in (await browser.get(address)).text


async def test_another_workers_request_fills_no_form(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    colleague = await make_worker(worker.organisation_id)
    request = await ask(client, worker.headers, person.phone, "lease")
    async with browser_of(served, colleague) as browser:
        answer = await browser.get(f"/pro/requests/new?again={request}")
    assert answer.status_code == 404
    assert national(person.phone) not in words(answer)


async def test_a_request_that_waits_or_was_approved_is_not_corrected(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "lease")
    async with browser_of(served, worker) as browser:
        for _state in ("waiting", "approved"):
            assert "?again=" not in (await browser.get(f"/pro/requests/{request}")).text
            if _state == "waiting":
                await approve(client, person, request)


async def test_what_may_be_added_stands_beside_the_button_and_another_paper_is_one_step_away(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip")
    address = f"/pro/people/{await known_of(client, worker)}"
    async with browser_of(served, worker) as browser:
        without = await browser.get(address)
        grant = await adding(client, person, worker, "lease")
        one = await browser.get(address)
        (onward,) = re.findall(r'href="(/pro/requests/new[^"]*action=deposit)"', one.text)
        form = await browser.get(unescape(onward))
        await adding(client, person, worker)
        every = await browser.get(address)
    top = words(one)[: words(one).index("Ses papiers")]
    assert "Vous pouvez ajouter seulement : Bail" in top
    assert one.text.count(f'href="/pro/grants/{grant}/add"') == 1
    assert "Demander à pouvoir ajouter un autre papier" in top
    assert "Demander à pouvoir ajouter des papiers" in words(without)
    assert "action=deposit" in without.text
    assert "/add" not in without.text
    assert "<h1>Demander à pouvoir ajouter des papiers</h1>" in form.text
    assert [one for one in chosen(form.text) if one[0] == "action"] == [("action", "deposit")]
    assert f'value="{national(person.phone)}"' in form.text
    assert "Vous pouvez ajouter toutes les sortes de papiers." in words(every)
    assert "action=deposit" not in every.text


async def test_a_request_that_was_sent_says_all_that_was_chosen_each_under_its_name(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "lease", duration="P45D")
    async with browser_of(served, worker) as browser:
        page = words(await browser.get(f"/pro/requests/{request}"))
        form = (await browser.get("/pro/requests/new")).text
        read = words(await asked(served, worker, browser, phone=person.phone))
    assert re.search(r"Envoyée le \d+ \w+ \d+ Réponse possible jusqu’au \d+ \w+ \d+ Ce que", page)
    for said in (
        "Pourquoi Trouver un logement : « Demande de logement social »",
        "Pendant combien de temps 45 jours, à partir du oui de la personne",
    ):
        assert said in page
    assert not re.search(r", jusqu’au", page)
    # The reason is called the same where it is chosen, before it goes and after.
    assert re.search(r'<option value="housing">Trouver un logement</option>', form)
    assert "Pourquoi Trouver un logement" in read


async def test_two_months_may_be_asked_for(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, worker) as browser:
        form = (await browser.get("/pro/requests/new")).text
        preview = words(await asked(served, worker, browser, phone=person.phone, duration="P2M"))
        token = await forms.token_for(served.services, worker.token)
        sent = ASKED | {"form": token, "phone": person.phone, "duration": "P2M"}
        assert (await browser.post("/pro/requests/send", data=sent)).status_code == 303
    codes = re.findall(r'<option value="(P\d+[DM])"', form)
    assert codes == ["P1D", "P7D", "P1M", "P2M", "P3M", "P6M", "P12M"]
    assert "Pendant combien de temps 2 mois" in preview
    (one,) = (await client.get("/v1/consent-requests", headers=person.headers)).json()["items"]
    assert one["duration"] == "P2M"


async def test_a_person_is_told_apart_before_a_paper_is_opened_and_found_by_each_number(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """By the numbers that I wrote and what I asked; or that they gave it unasked."""
    asked_of, unasked, worker = await make_person(), await make_person(), await make_worker()
    await given_unasked(client, unasked, worker)
    await granted(client, asked_of, worker.headers, "payslip")
    async with browser_of(served, worker) as browser:
        page = words(await browser.get("/pro/people"))
        found = words(await looked_for(served, browser, worker, national(asked_of.phone)))
    assert "sans demande de vous" in page
    assert "Vous avez demandé : Trouver un logement : « Demande de logement social »" in page
    assert "Vous avez demandé : Trouver un logement" in found
    assert "sans demande de vous" not in found


async def test_a_name_that_is_kept_leads_back_to_where_it_was_written(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """From the list, to the list: the papers are not opened by that."""
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip")
    shown = await known_of(client, worker)
    address = f"/pro/people/{shown}"
    async with browser_of(served, worker) as browser:
        from_person = (await browser.get(address)).text
        from_list = (await browser.get(f"{address}/label")).text
        there = []
        for page in (from_list, from_person):
            form = page[page.index(f'action="{address}/label"') :].partition("</form>")[0]
            hidden = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
            answer = await browser.post(f"{address}/label", data=hidden | {"label": "Marie"})
            there.append(answer.headers["location"])
            # As it was when the other form was opened.
            none = {"label": None}
            await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=none)
        changed = (await browser.get(f"{address}/label?back=person")).text
    assert there == ["/pro/people?done=labelled", f"{address}?done=labelled"]
    assert 'name="back" value="person"' in changed
    assert f'href="{address}"' in changed


async def test_a_paper_leads_back_to_where_one_came_from(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(2), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    theirs = f"/pro/people/{await known_of(client, worker)}"
    mark = f"#paper-{paper['id']}"
    async with browser_of(served, worker) as browser:
        for start, end in ((theirs, theirs), (f"/pro/grants/{grant}", f"/pro/grants/{grant}")):
            page = (await browser.get(start)).text
            assert f'id="{mark[1:]}"' in page
            viewer = next(
                one for one in re.findall(r'href="([^"]+)"', page) if f"{paper['id']}" in one
            )
            shown = (await browser.get(viewer)).text
            (back,) = re.findall(r'<p class="back"><a href="([^"]+)"', shown)
            assert back == end + mark
            # Leafing through it keeps that.
            assert ('name="back" value="person"' in shown) is (end == theirs)
            form = page[page.index(f'action="/pro/grants/{grant}/evidence"') :]
            assert ('name="back" value="person"' in form.partition("</form>")[0]) is (end == theirs)
            asked_from = "&back=person" if end == theirs else "&back=https://evil.example"
            answer = await browser.get(f"/pro/grants/{grant}/evidence?type=payslip{asked_from}")
            assert f'<p class="back"><a href="{end}"' in answer.text
            assert "evil" not in answer.text.partition("<main")[2].partition("</main>")[0]
    assert "Savoir si le papier existe" in page


async def test_a_new_request_to_the_same_person_stands_on_their_page_and_differs_in_the_list(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await granted(client, person, worker.headers, "payslip")
    why = {"code": "benefits", "text": "Pour l’aide."}
    first = await ask(client, worker.headers, person.phone, "lease", purpose=why)
    await ask(client, worker.headers, person.phone, "lease")
    async with browser_of(served, worker) as browser:
        theirs = words(await browser.get(f"/pro/people/{await known_of(client, worker)}"))
        await withdrawn(served, browser, worker, first)
        listed = (await browser.get("/pro/requests")).text
    top = theirs[: theirs.index("Ses papiers")]
    assert top.count("En attente de réponse") == 2
    assert "réponse possible jusqu’au" in top
    waiting, taken_back, given = re.findall(r"<li>.*?</li>", listed.split("<main")[1], re.DOTALL)
    for line, mark, reason in (
        (waiting, "waits", "Trouver un logement"),
        (taken_back, "over", "Demander une aide"),
        (given, "good", "Trouver un logement"),
    ):
        assert f'class="flag {mark}"' in line
        assert reason in line
        assert "envoyée le" in line.replace("\xa0", " ")


async def test_a_list_that_was_seen_several_times_in_a_row_is_one_line(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Nothing is left out: the others are folded in it. Another person's are apart."""
    worker = await make_worker()
    for person in (await make_person(), await make_person()):
        await deposit(client, person, corpus.pdf(1), type_="payslip")
        grant = await granted(client, person, worker.headers, "payslip")
        async with browser_of(served, worker) as browser:
            for _time in range(3):
                await browser.get(f"/pro/people/{await known_of(client, worker)}")
            seen = (await browser.get("/pro/doings")).text
    lines = seen.split('class="card line')[1:]
    assert len(lines) == 2
    seen_again = await client.get("/v1/access-log", headers=worker.headers)
    told = [one for one in seen_again.json()["items"] if one["action"] == "document.list"]
    for line in lines:
        # The newest, and those that are folded below it.
        assert line.count("Vous avez vu la liste") == len(told) // 2
    assert grant
    assert "Voir ses papiers" not in seen


async def test_a_sentence_that_is_missing_is_told_by_the_page_and_not_by_the_browser(
    served: Served, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    async with browser_of(served, worker) as browser:
        page = (await browser.get("/pro/requests/new")).text
    assert '<form method="post" action="/pro/requests/new" novalidate>' in page
