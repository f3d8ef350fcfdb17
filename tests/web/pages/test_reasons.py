"""Why papers are asked for or given: in the same words for both, wherever it is said."""

import re

import httpx

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_giving import summary_of_gift
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_forms import ASKED, asked
from tests.web.pages.test_worker_pages import known_of
from tests.web.printouts.examples import FRENCH, terms
from web.printouts.phrases import Phrases

WHY = "Trouver un logement : « Demande de logement social »"


def said(page: httpx.Response) -> str:
    text = re.sub(r"[\xa0\u202f]", " ", re.sub(r"[\u2066-\u2069]", "", page.text))
    return re.sub(r"<[^>]+>", "", text)


async def test_of_a_request(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    waits = await ask(client, worker.headers, person.phone, "payslip")
    known = await known_of(client, worker)
    async with browser_of(served, worker) as at:
        form = (await at.get("/pro/requests/new")).text
        assert '<option value="housing">Trouver un logement</option>' in form
        assert "La personne lira ces mots." in form
        typed = {**ASKED, "phone": person.phone, "purpose": "Demande de logement social"}
        assert WHY in said(await asked(served, worker, at, **typed))
        for address in (
            "/pro/people", f"/pro/people/{known}", f"/pro/grants/{grant}", "/pro/requests",
            f"/pro/grants/{grant}/give-back", f"/pro/requests/{waits}",
            f"/pro/requests/{waits}/withdraw", "/pro/doings",
        ):  # fmt: skip
            assert WHY in said(await at.get(address)), address
    async with browser_of(served, person) as phone:
        for address in (
            "/requests", f"/requests/{waits}/why", "/grants", f"/grants/{grant}/stop",
            "/access-log",
        ):  # fmt: skip
            assert WHY in said(await phone.get(address)), address


async def test_of_what_is_given_unasked(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The name alone, in the words that were chosen: nobody wrote any."""
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    async with browser_of(served, person) as phone:
        to: Pairs = [("document", paper["id"]), ("email", worker.email)]
        page = await summary_of_gift(served, phone, person, to)
        assert "Trouver un logement" in page.text
        done = await send(phone, "/grants/new", yes_of(page.text, "/grants/new"))
        assert done.status_code == 303
        known = await known_of(client, worker)
        async with browser_of(served, worker) as at:
            read = said(await at.get(f"/pro/people/{known}"))
        for words in (read, said(await phone.get("/grants")), said(await phone.get("/access-log"))):
            assert "Trouver un logement" in words
            assert "Demande de logement" not in words


def test_on_paper() -> None:
    for owner in (True, False):
        section = Phrases("fr", FRENCH.zone, owner=owner).why(terms())
        assert section.paragraphs == ("Trouver un logement",)
        assert [one.replace("\xa0", " ") for one in section.words] == [WHY.split(" : ")[1]]
        named = Phrases("fr", FRENCH.zone, owner=owner).why(terms(purpose="Demande de logement"))
        assert (named.paragraphs, named.words) == (("Trouver un logement",), ())
