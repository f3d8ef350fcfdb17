"""After a yes: to whom it was said, what it shows, and what it does not; no paper keeps it back."""

import re
from uuid import UUID

import httpx
import pytest

from tests.assisted import card_of
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.mandates import prepare
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, say_yes, send, yes_of
from tests.web.pages.test_assisted_sessions import enter
from tests.web.pages.test_entering import browser
from tests.web.pages.test_pages import browser_of
from vault.consent.answers import refuse

DONE = "/grants?done=approved"


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker(name="Camille Moreau")


def said(page: httpx.Response) -> str:
    text = re.sub(r"[\xa0\u202f]", " ", re.sub(r"[\u2066-\u2069]", "", page.text))
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


async def test_it_says_to_whom_and_what_it_does_not_show(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    pay = await deposit(client, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
    await deposit(client, person, corpus.pdf(2), type_="payslip", title="Paie de juin")
    await deposit(client, person, corpus.pdf(3), type_="rent_receipt", title="Loyer de mai")
    await deposit(client, person, corpus.pdf(4), type_="lease", title="Mon bail")
    asked = await ask(client, worker.headers, person.phone, "payslip", "rent_receipt")
    async with browser_of(served, person) as phone:
        await say_yes(phone, asked, ("document", pay["id"]))
        words = said(await phone.get(DONE))
    told = words.split("Vous avez dit oui à Camille Moreau.")[1]
    assert re.match(r" Camille Moreau peut voir : Paie de mai, jusqu’au [^.]*\.", told)
    withheld = told.split("Vous n’avez pas montré : ")[1].split(".")[0]
    assert set(withheld.split(", ")) == {"Paie de juin", "Loyer de mai"}
    assert "Vous avez dit oui. Vous pouvez" not in words
    assert words.count(" Nouveau ") == 1


@pytest.mark.parametrize(
    ("actions", "ticks", "told"),
    [
        (["deposit"], [("type", "payslip")], "Camille Moreau peut ajouter des papiers, jusqu’au"),
        (["attest"], [], "Camille Moreau peut savoir que vous avez : Paie de mai, jusqu’au"),
        (["read"], [], "Camille Moreau peut voir : Paie de mai, jusqu’au"),
    ],
)
async def test_each_kind_of_yes_names_who_it_is_for(
    served: Served,
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    actions: list[str],
    ticks: Pairs,
    told: str,
) -> None:
    pay = await deposit(client, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
    asked = await ask(client, worker.headers, person.phone, "payslip", actions=actions)
    async with browser_of(served, person) as phone:
        await say_yes(phone, asked, *(ticks or [("document", pay["id"])]))
        words = said(await phone.get(DONE))
    assert f"Vous avez dit oui à Camille Moreau. {told}" in words
    assert "pas montré" not in words


async def test_a_paper_that_is_not_there_keeps_nothing_back(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """It is said that it is not there, and the answer goes on."""
    asked = await ask(client, worker.headers, person.phone, "rent_receipt")
    missing = ("type", "rent_receipt")
    async with browser_of(served, person) as phone:
        page = await phone.get(f"/requests/{asked}/papers")
        assert "Dire que je n’ai pas ce papier" in said(page)
        page = await phone.get(f"/requests/{asked}/until", params=[missing])
        assert "Rien n’est coché" not in said(page)
        assert 'name="duration"' in page.text
        await say_yes(phone, asked, missing)
        words = said(await phone.get(DONE))
    assert "Vous avez dit oui à Camille Moreau. Aucun papier n’est montré" in words


async def test_where_there_is_nothing_to_tick_it_says_what_to_do(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """A sensitive paper is given one by one: that it is not there cannot be."""
    asked = await ask(client, worker.headers, person.phone, "mdph_notification")
    async with browser_of(served, person) as phone:
        words = said(await phone.get(f"/requests/{asked}/papers"))
        assert "Ajoutez-le, ou répondez plus tard, ou dites non." in words
        assert "Cochez seulement ce que vous voulez" not in words
        both = ("mdph_notification", "resident_card")
        two = await ask(client, worker.headers, person.phone, *both)
        assert "Ajoutez-les, ou répondez" in said(await phone.get(f"/requests/{two}/papers"))
        await deposit(client, person, corpus.pdf(1), type_="mdph_notification")
        assert "Cochez seulement" in said(await phone.get(f"/requests/{asked}/papers"))


async def test_what_they_see_by_another_yes_is_not_said_to_be_withheld(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    may, june, july = [
        await deposit(client, person, corpus.pdf(n), type_="payslip", title=f"Paie {n}")
        for n in (1, 2, 3)
    ]
    await granted(client, person, worker.headers, document_ids=[june["id"]])
    asked = await ask(client, worker.headers, person.phone, "payslip")
    async with browser_of(served, person) as phone:
        await say_yes(phone, asked, ("document", may["id"]))
        words = said(await phone.get(DONE))
    assert words.split("Vous n’avez pas montré : ")[1].split(".")[0] == july["title"]


async def test_beside_a_worker_what_is_not_shown_is_not_told(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    pay = await deposit(client, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
    await deposit(client, person, corpus.pdf(2), type_="payslip", title="Paie de juin")
    asked = await ask(client, worker.headers, person.phone, "payslip")
    card = await card_of(client, served.services, person)
    async with browser(served, worker=worker.token, language="fr") as at:
        await enter(at, card)
        await say_yes(at, asked, ("document", pay["id"]))
        words = said(await at.get(DONE))
    assert "Vous avez dit oui à Camille Moreau." in words
    assert "Paie de juin" not in words


async def test_nor_are_the_sorts_that_they_asked_for_too(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """The worker would read which of them the person holds, and kept from them."""
    pay = await deposit(client, person, corpus.pdf(1), type_="payslip")
    await deposit(client, person, corpus.pdf(2), type_="rent_receipt")
    asked = await ask(client, worker.headers, person.phone, "payslip", "rent_receipt")
    card = await card_of(client, served.services, person)
    pages = ("/requests", f"/requests/{asked}")
    async with browser(served, worker=worker.token, language="fr") as at:
        await enter(at, card)
        await say_yes(at, asked, ("document", pay["id"]))
        for address in pages:
            words = said(await at.get(address))
            assert "Camille Moreau" in words
            assert "avait aussi demandé" not in words, address
    async with browser_of(served, person) as phone:
        for address in pages:
            assert "avait aussi demandé" in said(await phone.get(address)), address


@pytest.mark.parametrize(("answer", "told"), [("refuse", "dit non"), ("not-me", "pas moi")])
async def test_nor_is_a_refusal_whenever_it_was_said(
    served: Served,
    client: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    make_worker: MakeWorker,
    answer: str,
    told: str,
) -> None:
    """Said on one's own phone before, or on that screen: neither its list, its page and its sheet,
    nor the log say it there. What was refused to others is not theirs: it is listed."""
    other = await make_worker(name="Sacha Petit")
    first, second = [await ask(client, worker.headers, person.phone, "lease") for _ in range(2)]
    third = await ask(client, other.headers, person.phone, "payslip")
    card = await card_of(client, served.services, person)
    async with browser_of(served, person) as phone:
        for asked in (first, third):
            page = f"/requests/{asked}"
            fields = yes_of((await phone.get(page)).text, f"{page}/{answer}")
            assert (await send(phone, f"{page}/{answer}", fields)).is_redirect
        assert told in said(await phone.get("/requests")).lower()
    async with browser(served, worker=worker.token, language="fr") as at:
        await enter(at, card)
        page = f"/requests/{second}"
        fields = yes_of((await at.get(page)).text, f"{page}/{answer}")
        for again in range(2):
            done = await send(at, f"{page}/{answer}", fields)
            assert done.headers["location"] == "/requests?done=noted", again
        words = said(await at.get("/requests?done=noted"))
        assert "C’est noté." in words
        assert "Sacha Petit" in words
        assert "Camille Moreau (" not in words
        for asked in (first, second):
            for address in (f"/requests/{asked}", f"/requests/{asked}/sheet.pdf"):
                assert (await at.get(address)).status_code == 404, address
        log = said(await at.get("/access-log")).lower()
        assert "vos « non » ne sont pas montrés ici" in log
        assert "camille moreau" in log
        assert not re.search("vous avez (dit non|répondu) à", log)
    async with browser_of(served, person) as phone:
        assert said(await phone.get("/requests")).count("Camille Moreau (") == 2
        assert (await phone.get(f"/requests/{first}")).status_code == 200
        log = said(await phone.get("/access-log"))
        assert "ne sont pas montrés" not in log
        assert re.search("Vous avez (dit non|répondu) à Camille Moreau", log)


async def test_what_is_left_of_a_mandate_keeps_its_number_on_the_paper(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """The first was refused at home: beside its worker, what was ticked as 2 is not called 1."""
    card = await card_of(client, served.services, person)
    prepared = await prepare(client, worker, person)
    first, second, third = prepared["request_ids"]
    numbered = r'name="ticked_([0-9a-f-]+)"[^/]*<strong>Autorisation\s(\d)<'
    async with browser_of(served, person) as phone:
        page = (await phone.get(f"/mandates/{prepared['id']}")).text
    assert re.findall(numbered, page) == [(first, "1"), (second, "2"), (third, "3")]
    await refuse(served.services, person.subject, UUID(first))
    async with browser(served, worker=worker.token, language="fr") as at:
        await enter(at, card)
        page = (await at.get(f"/mandates/{prepared['id']}")).text
    assert re.findall(numbered, page) == [(second, "2"), (third, "3")]
