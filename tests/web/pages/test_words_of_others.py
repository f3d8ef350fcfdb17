"""What somebody else wrote, on a page in another language: whose words they are, in which language,
and which way they run."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import browser_of

PURPOSE = {"code": "housing", "text": "Pour votre dossier de logement"}
WRITTEN = {"ar": "كتبه {} بالفرنسية", "uk": "написано французькою: {}"}


def in_language(served: Served, who: SomePerson | SomeWorker, code: str) -> httpx.AsyncClient:
    browser = browser_of(served, who)
    browser.cookies.set("unefois-language", code)
    browser.cookies.set("unefois-second", "none")
    return browser


def main_of(answer: httpx.Response) -> str:
    return answer.text.split("<main")[1].split("</main>")[0]


def bare(page: str) -> str:
    """The words of a page, without what keeps directions apart."""
    return re.sub(r"<[^>]+>|[\u2068\u2069]", "", page)


@pytest.mark.parametrize("code", ["ar", "uk", "fr", "falc"])
async def test_words_that_nobody_translates_say_who_wrote_them_in_which_language(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    code: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    await granted(client, person, worker.headers, "rent_receipt", purpose=PURPOSE)
    request = await ask(client, worker.headers, person.phone, "payslip", purpose=PURPOSE)
    check = f"/check?document={paper['id']}&duration=asked"
    pages = ["/requests", "/grants", *(f"/requests/{request}{end}" for end in ("/why", check))]
    async with in_language(served, person, code) as browser:
        for address in pages:
            page = main_of(await browser.get(address))
            found = re.findall(r'<bdi lang="fr">([^<]+)</bdi>', page)
            assert found, address
            assert all(PURPOSE["text"] in one for one in found)
            said = WRITTEN.get(code, "écrit en français par {}").format("Camille Moreau")
            assert (said in bare(page)) is (code in WRITTEN), address


async def test_words_in_other_letters_and_ones_own_are_not_said_to_be_french(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    in_arabic = {"code": "housing", "text": "من أجل ملف السكن"}
    await ask(client, worker.headers, person.phone, "payslip", purpose=in_arabic)
    given = {
        "recipient": {"worker_email": worker.email},
        "scope": {"document_ids": [paper["id"]], "actions": ["read"]},
        "purpose": PURPOSE,
        "duration": "P1M",
    }
    answer = await client.post("/v1/grants", headers=person.headers, json=given)
    assert answer.status_code == 201, answer.text
    async with in_language(served, person, "ar") as browser:
        for address, words in (("/requests", in_arabic["text"]), ("/grants", PURPOSE["text"])):
            page = main_of(await browser.get(address))
            assert words in page
            assert 'lang="fr"' not in page
            assert "بالفرنسية" not in page


async def test_a_name_in_a_sentence_of_a_request_keeps_its_own_direction(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    request = await ask(client, worker.headers, person.phone, "payslip")
    check = f"/check?document={paper['id']}&duration=asked"
    async with in_language(served, person, "ar") as browser:
        for end in ("", "/why", "/until", check):
            asked = f"{end}?document={paper['id']}" if end == "/until" else end
            page = main_of(await browser.get(f"/requests/{request}{asked}"))
            # In the words of the page: French has no need of it.
            page = re.sub(r'<bdi class="second".*?</bdi></bdi>', "", page, flags=re.DOTALL)
            page = re.sub(r'<span class="unseen">.*?</span>', "", page, flags=re.DOTALL)
            names = re.findall(r".?Camille Moreau.?", page)
            assert names
            assert set(names) == {"\u2068Camille Moreau\u2069"}, end


async def test_a_workers_own_number_is_read_from_its_first_digit(
    served: Served, make_worker: MakeWorker
) -> None:
    """Without an isolate, Arabic pages show « 01 00 00 20 03 »."""
    async with in_language(served, await make_worker(), "ar") as browser:
        page = main_of(await browser.get("/pro/account"))
    assert "\u206803\xa020\xa000\xa000\xa001\u2069" in page


async def test_a_message_that_is_shown_runs_its_own_way(client: httpx.AsyncClient) -> None:
    page = (await client.get("/styles")).text
    shown = page.split('class="demo"')[1]
    assert '<p dir="auto">' in shown
    assert "<q>" not in shown.split("</aside>")[0], "it has quotes of its own"
