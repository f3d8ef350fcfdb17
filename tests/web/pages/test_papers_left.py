"""What a request asked for and is not shown yet: said for a while, and given by another yes."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import approve, ask, deposit
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_requests import grants_of
from web.i18n.typography import on_one_line, typed_hours
from web.pages import papers_left
from web.pages.answer_steps import counted_in, way_back

_ADD = "Ajouter ce papier et le montrer"
_LINK = re.compile(r'href="(/documents/add\?[^"]+|/grants/new\?[^"]+)"')


@pytest.mark.parametrize("duration", ["P1D", "P1M", "P12M"])
async def test_what_was_asked_too_is_added_and_given_on_the_terms_of_the_answer(
    served: Served, make_person: MakePerson, make_worker: MakeWorker, duration: str
) -> None:
    """For no longer than it; twelve months, which is the most, too."""
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        types = ("payslip", "rent_receipt")
        request = await ask(browser, worker.headers, person.phone, *types, duration=duration)
        chosen = {"document_types": [], "document_ids": [paper["id"]]}
        given = await approve(browser, person, request, scope=chosen)
        listed = (await browser.get("/requests")).text
        [asked] = re.findall(r"Papiers demandés : ([^<]+)<", listed.replace("\xa0", " "))
        assert "fiche de paie" in asked
        assert "quittance de loyer" in asked
        for address in ("/requests", f"/requests/{request}"):
            page = (await browser.get(address)).text
            assert "Camille Moreau avait aussi demandé" in page, address
            assert page.count(_ADD) == 1, address
        [link] = [unescape(one) for one in _LINK.findall(page)]
        begun = await browser.get(link)
        then = str(begun.url.params["then"])
        assert way_back(then) == then
        # As the page that keeps a paper leads on, once it is there.
        added = await deposit(browser, person, corpus.pdf(2), type_="rent_receipt")
        check = (await browser.get(f"{then}&document={added['id']}&done=added")).text
        assert "Vous allez montrer 1 papier à Camille Moreau" in check
        assert len(await grants_of(browser, person)) == 1, "nothing is given without a yes"
        await send(browser, "/grants/new", yes_of(check, "/grants/new"))
        live = await grants_of(browser, person)
        [new] = [one for one in live if one["id"] != given["id"]]
        assert new["scope"]["document_ids"] == [added["id"]]
        assert new["purpose"]["code"] == "housing"
        assert new["recipient"]["id"] == str(worker.subject.id)
        ends, longest = (datetime.fromisoformat(one["ends_at"]) for one in (new, given))
        assert timedelta(0) <= longest - ends < timedelta(days=1)
        for address in ("/requests", f"/requests/{request}"):
            assert "avait aussi demandé" not in (await browser.get(address)).text, address


async def test_nothing_is_said_of_what_was_stopped_or_is_long_ago(
    served: Served,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        papers = [
            await deposit(browser, person, corpus.pdf(n + 1), type_=type_)
            for n, type_ in enumerate(("payslip", "rent_receipt"))
        ]
        request = await ask(browser, worker.headers, person.phone, "payslip", "rent_receipt")
        chosen = {"document_types": [], "document_ids": [papers[0]["id"]]}
        given = await approve(browser, person, request, scope=chosen)
        page = (await browser.get("/requests")).text
        # There is one already, which was not ticked: it is chosen by hand, nothing is added.
        assert _ADD not in page
        [link] = [unescape(one) for one in _LINK.findall(page)]
        steps = await browser.get(link)
        assert 'name="document"' in steps.text
        assert " checked" not in steps.text
        later = datetime.now(UTC) + timedelta(days=31)
        with monkeypatch.context() as clocks:
            clocks.setattr(papers_left, "clock", SimpleNamespace(now=lambda: later))
            assert "avait aussi demandé" not in (await browser.get("/requests")).text
        await browser.post(f"/v1/grants/{given['id']}/revoke", headers=person.headers)
        assert "avait aussi demandé" not in (await browser.get("/requests")).text


def test_a_way_back_to_a_grant_says_nothing_else() -> None:
    worker, paper = str(uuid4()), uuid4()
    said = f"purpose_code=housing&worker={worker}&duration=day&day=2026-12-31"
    back = f"/grants/new/check?{said}"
    assert way_back(back) == back
    assert way_back(f"{back}&stop={worker}&meeting={worker}&document={worker}") == back
    for other in ("/grants/new/check", f"/grants/stop-all?{said}", f"//x/grants/new/check?{said}"):
        assert way_back(other) == ""
    kept = SimpleNamespace(id=paper, metadata=SimpleNamespace(sensitive=False, type="payslip"))
    assert counted_in(back, kept, "added") == f"{back}&document={paper}&done=added"  # type: ignore[arg-type]
    kept.metadata.sensitive = True
    assert counted_in(back, kept, "added") == f"/grants/new?{said}&done=added"  # type: ignore[arg-type]


async def test_a_paper_that_was_just_added_says_who_waits_for_it(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        request = await ask(browser, worker.headers, person.phone, "payslip")
        asked = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        other = await deposit(browser, person, corpus.pdf(2), type_="rent_receipt")
        page = (await browser.get(f"/documents/{asked['id']}?done=added")).text
        assert "Camille Moreau demande ce papier" in page
        assert f'href="/requests/{request}"' in page
        for address in (f"/documents/{other['id']}?done=added", f"/documents/{asked['id']}"):
            assert "demande ce papier" not in (await browser.get(address)).text, address


async def test_another_paper_is_added_beside_one_and_the_sorts_of_later_are_named(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    async with browser_of(served, person) as browser:
        first, second = [
            await deposit(browser, person, corpus.pdf(n), type_="payslip") for n in (1, 2)
        ]
        request = await ask(browser, worker.headers, person.phone, "payslip", "rent_receipt")
        page = (await browser.get(f"/requests/{request}/papers")).text
        assert page.count("Ajouter un autre papier<") == 1
        assert page.count("Ajouter ce papier maintenant<") == 1
        # What Enter presses goes on.
        form = page.split('<form method="get"')[1]
        assert re.findall(r"<button[^>]*>", form)[0] == "<button hidden>"
        assert "peut déjà voir ou faire continue" not in page
        both = [("document", first["id"]), ("document", second["id"])]
        until = await browser.get(f"/requests/{request}/until", params=both)
        named = until.text.split('name="later"')[1].split("</label>")[0]
        assert "fiche de paie" in named
        assert "loyer" not in named
        # One of the two is given alone: no sort is, and none is offered.
        until = await browser.get(f"/requests/{request}/until", params=both[:1])
        assert 'name="later"' not in until.text
        await approve(browser, person, request)
        again = await ask(browser, worker.headers, person.phone, "payslip")
        page = (await browser.get(f"/requests/{again}")).text
        assert "Ce que Camille Moreau peut déjà voir ou faire continue" in page.replace("\xa0", " ")


def test_two_hours_stand_on_one_line() -> None:
    for sign in "-–/":
        assert typed_hours(f"du lundi au vendredi, 9 h {sign} 17 h", "fr").endswith(
            f" 9\xa0h\xa0{sign}\xa017\xa0h"
        )
    # A browser breaks after a hyphen, even before a space that does not break.
    assert on_one_line("9\xa0h\xa0-\xa017\xa0h") == "9\xa0h\xa0-\u2060\xa017\xa0h"
