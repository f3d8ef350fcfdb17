"""A mandate on its worker's pages: what is gathered, what is refused there, whom it is for."""

import re
from html import unescape

import httpx
import pytest

from auth import pin_hashes
from tests.assisted import card_of, enter_beside
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.mandates import THREE, authorisation, prepare
from tests.meetings import met
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_mandates import asked, checked
from tests.web.pages.test_pages import browser_of

ALONE = "son oui sera refusé"


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker()


async def gathered_of(browser: httpx.AsyncClient, *each: Pairs) -> str:
    """The page of what was put on the paper, one after the other."""
    page = (await browser.get("/pro/requests/new")).text
    for fields in each:
        read_again = await checked(browser, page, fields)
        first = 'formaction="/pro/mandates/new"' in read_again
        kept = yes_of(read_again, "/pro/requests/send" if first else "/pro/mandates/new")
        gathered = (await send(browser, "/pro/mandates/new", kept)).text
        kept = yes_of(gathered, "/pro/mandates/send")
        page = (await send(browser, "/pro/requests/new", [*kept, ("change", "yes")])).text
    return gathered


def taking_off(page: str, number: int) -> tuple[str, str]:
    """The field of the button that takes an authorisation off the paper."""
    return "without", unescape(re.findall(r'name="without" value="([^"]+)"', page)[number - 1])


async def test_sensitive_papers_are_refused_where_they_are_gathered_and_taken_off(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        page = await gathered_of(
            browser, asked(person, "residence_permit", "Le titre"),
            asked(person, "payslip", "Le loyer"),
        )  # fmt: skip
        assert "Retirez les papiers délicats" in page
        kept = yes_of(page, "/pro/mandates/send")
        answer = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "fr")])
        assert answer.status_code == 422
        assert "Retirez les papiers délicats" in answer.text
        left = await send(browser, "/pro/mandates/new", [*kept, taking_off(page, 1)])
        assert left.status_code == 200
        assert "Retirez les papiers délicats" not in left.text
        assert "Le titre" not in left.text
        again = await send(browser, "/pro/mandates/new", [*kept, taking_off(page, 1)])
        assert again.text.count("Autorisation ") == left.text.count("Autorisation ") == 1
        kept = yes_of(left.text, "/pro/mandates/send")
        sent = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "fr")])
        assert sent.headers["location"].endswith("?done=prepared")
        waiting = (await browser.get("/v1/consent-requests", headers=person.headers)).json()
        assert [one["purpose"]["text"] for one in waiting["items"]] == ["Le loyer"]


async def test_what_is_gathered_says_for_whom_and_whether_a_copy_is_kept(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        kept_too: Pairs = [*asked(person, "payslip", "Le loyer"), ("may_store", "yes")]
        page = await gathered_of(browser, kept_too)
        said = re.search(r"Pour\s:(.+?)</p>", unescape(page))
        assert said
        assert re.sub(r"\D", "", said[1]) == person.phone.replace("+33", "0")
        assert "Garder une copie</h3>\n<p>Oui</p>" in page
        kept = yes_of(page, "/pro/mandates/send")
        form = (await send(browser, "/pro/requests/new", [*kept, ("change", "yes")])).text
        assert '<input type="hidden" name="phone"' in form
        assert 'type="tel"' not in form
        none = await send(browser, "/pro/mandates/new", [*kept, taking_off(page, 1)])
        assert none.status_code == 200
        assert "Préparer le mandat" not in none.text
        kept = yes_of(none.text, "/pro/mandates/send")
        form = (await send(browser, "/pro/requests/new", [*kept, ("change", "yes")])).text
        assert 'type="tel"' in form
        empty = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "fr")])
        assert empty.status_code == 422


async def test_a_mandate_for_whom_one_stands_before_names_them(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        meeting = await met(browser, worker, person)
        fields = [("meeting", meeting), *asked(person, "payslip", "Le loyer")[1:]]
        page = await gathered_of(browser, fields)
        assert "la personne devant vous" in page
        kept = yes_of(page, "/pro/mandates/send")
        form = (await send(browser, "/pro/requests/new", [*kept, ("change", "yes")])).text
        assert f'name="meeting" value="{meeting}"' in form
        assert 'name="phone"' not in form


async def test_what_is_gathered_is_not_dropped_by_a_request_that_is_sent(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        gathered = await gathered_of(browser, asked(person, "payslip", "Le loyer"))
        kept = yes_of(gathered, "/pro/mandates/send")
        page = (await send(browser, "/pro/requests/new", [*kept, ("change", "yes")])).text
        read_again = await checked(browser, page, asked(person, "lease", "Le bail"))
        assert "Ajouter au mandat" in read_again
        assert "/pro/requests/send" not in read_again
        kept = yes_of(read_again, "/pro/mandates/new")
        refused = await send(browser, "/pro/requests/send", kept)
        assert refused.status_code == 400
        waiting = await browser.get("/v1/consent-requests", headers=person.headers)
        assert waiting.json()["items"] == []
        assert "Autorisation 2" in (await send(browser, "/pro/mandates/new", kept)).text


async def test_what_lasts_more_than_three_months_is_told_to_need_its_person_alone(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        long = await gathered_of(browser, asked(person, "lease", "Le bail"))
        assert ALONE in long
        short = [pair for pair in asked(person, "payslip", "Le loyer") if pair[0] != "duration"]
        kept = yes_of(long, "/pro/mandates/send")
        sent = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "fr")])
        assert ALONE in (await browser.get(sent.headers["location"])).text
        page = await gathered_of(browser, [*short, ("duration", "P3M")])
        assert ALONE not in page
        kept = yes_of(page, "/pro/mandates/send")
        sent = await send(browser, "/pro/mandates/send", [*kept, ("mandate_language", "fr")])
        assert ALONE not in (await browser.get(sent.headers["location"])).text


async def test_beside_the_worker_what_is_too_long_is_told_before_the_scan_is_sent(
    served: Served,
    client: httpx.AsyncClient,
    two: tuple[SomePerson, SomeWorker],
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)
    person, worker = two
    long = await prepare(client, worker, person, authorisation("payslip", duration="P12M"))
    short = await prepare(client, worker, person, authorisation("lease", duration="P3M"))
    other = await prepare(client, await make_worker(), person, authorisation("payslip"))
    beside = await enter_beside(
        client, worker, person, await card_of(client, served.services, person)
    )
    told = "vous ne pouvez pas lui donner plus de 3 mois"
    async with browser_of(served, beside) as browser, browser_of(served, person) as alone:
        page = (await browser.get(f"/mandates/{long['id']}")).text
        assert told in page.partition('type="file"')[0]
        assert told not in (await browser.get(f"/mandates/{short['id']}")).text
        assert told not in (await browser.get(f"/mandates/{other['id']}")).text
        assert told not in (await alone.get(f"/mandates/{long['id']}")).text


async def test_another_authorisation_says_where_it_goes_and_begins_as_the_first_did(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, worker) as browser:
        assert 'href="/pro/requests/new?paper=yes"' in (await browser.get("/pro/requests/new")).text
        first = (await browser.get("/pro/requests/new?paper=yes")).text
        assert "<h1>Préparer un mandat</h1>" in first
        fields = [*asked(person, "payslip", "Le loyer"), ("paper", "yes")]
        read_again = await checked(browser, first, fields)
        assert "Relisez avant d’ajouter au mandat" in read_again
        kept = yes_of(read_again, "/pro/mandates/new")
        gathered = (await send(browser, "/pro/mandates/new", kept)).text
        back = [*yes_of(gathered, "/pro/mandates/send"), ("change", "yes")]
        second = (await send(browser, "/pro/requests/new", back)).text
        assert "<h1>Mandat à signer : autorisation 2</h1>" in second.replace("\xa0", " ")
        for page in (first, read_again, second):
            assert "SMS" not in page
        for page in (first, second):
            assert re.search(r'name="action" value="attest" checked', page)
            assert re.search(r'value="P1M" selected', page)


async def test_requests_of_one_mandate_are_one_thing_in_both_lists(
    served: Served, client: httpx.AsyncClient, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    mandate = await prepare(client, worker, person, *THREE)
    async with browser_of(served, worker) as browser:
        mine = (await browser.get("/pro/requests")).text.replace("\xa0", " ")
    assert "Mandat à signer sur papier, 3 autorisations" in mine
    assert mine.count(f'href="/pro/mandates/{mandate["id"]}"') == 1
    assert 'href="/pro/requests/0' not in mine
    async with browser_of(served, person) as browser:
        theirs = (await browser.get("/requests")).text.replace("\xa0", " ")
    assert theirs.count('class="waiting"') == 1
    assert "Un mandat à signer sur papier : 3 autorisations." in theirs
    # In the order of the paper, and each can be answered without it.
    links = re.findall(r'href="/requests/([0-9a-f-]{36})"', theirs)
    assert links == mandate["request_ids"]
