"""Meetings on the pages, without script: both ways, both screens, and what comes of them."""

import re
from dataclasses import replace

import httpx
import pytest

from auth import sessions
from auth.visitor import Visitor
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.meetings import answered, met, open_meeting, say
from tests.steps import deposit
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_pages import browser_of
from web.pages import forms

REFRESH = '<noscript><meta http-equiv="refresh" content="4"></noscript>'


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker(name="Camille Moreau")


async def shown_code(browser: httpx.AsyncClient, page: str, action: str) -> tuple[str, str]:
    """Press the button that shows a code; returns the meeting's address and its digits."""
    shown = (await browser.get(page)).text
    opened = await send(browser, action, token_of(shown) or yes_of(shown, action))
    address = opened.headers["location"]
    text = (await browser.get(address)).text
    found = re.search(r'class="digits" dir="ltr"><strong>(\d{3}) (\d{3})</strong>', text)
    assert found, text
    assert REFRESH in text
    assert "<svg" in text  # drawn, for a camera
    return address, found[1] + found[2]


def token_of(page: str) -> Pairs:
    """What the button of the code sends, where it is a button of another form."""
    found = re.findall(r'formmethod="post" name="form" value="([^"]+)"', page)
    return [("form", one) for one in found]


async def typed(browser: httpx.AsyncClient, page: str, code: str) -> httpx.Response:
    fields = [*yes_of((await browser.get(page)).text, page), ("code", code)]
    return await send(browser, page, fields)


async def press(browser: httpx.AsyncClient, address: str, agree: str) -> str:
    """Say yes or no on the page of a meeting; returns the page that follows."""
    fields = [*yes_of((await browser.get(address)).text, address), ("agree", agree)]
    answer = await send(browser, address, fields)
    assert answer.headers["location"] == address
    return (await browser.get(address)).text


async def text_of(browser: httpx.AsyncClient, address: str) -> str:
    return text_in((await browser.get(address)).text)


def text_in(page: str) -> str:
    """A page, with plain spaces."""
    return re.sub(r"[\xa0\u202f]", " ", page)


def word_in(text: str) -> str:
    found = re.search(r'lang="fr" dir="ltr">(\w+)</strong>', text)
    assert found, text
    return found[1]


async def test_both_screens_show_who_the_other_is_and_one_word(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        offered = await text_of(at_work, "/pro/requests/new")
        assert offered.index("Rencontre : la personne est devant moi") < offered.index("Par SMS")
        asked, code = await shown_code(at_work, "/pro/requests/new", "/pro/meetings")
        assert "J’ai un code à taper" in (await theirs.get("/requests")).text
        wrong = await typed(theirs, "/meetings/code", "12")
        assert wrong.status_code == 403
        assert "Ce code ne marche pas" in wrong.text
        own = (await typed(theirs, "/meetings/code", f"{code[:3]} {code[3:]}")).headers["location"]
        assert own == asked.removeprefix("/pro")
        seen, known = (await theirs.get(own)).text, (await at_work.get(asked)).text
        assert "Camille Moreau" in seen
        assert "Assistante sociale" in seen
        assert worker.subject.organisation in seen
        assert "la personne devant vous" in known
        assert word_in(seen) == word_in(known)
        assert REFRESH not in seen
        waits = await press(at_work, asked, "yes")
        assert "Il manque la réponse" in waits
        assert REFRESH in waits
        agreed = await press(theirs, own, "yes")
        assert "Vous avez dit oui tous les deux" in agreed


async def test_one_request_goes_through_a_meeting(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        meeting = await met(theirs, worker, person)
        form = (await at_work.get(f"/pro/requests/new?meeting={meeting}")).text
        assert 'name="phone"' not in form
        assert "la personne devant vous" in form
        fields: Pairs = [
            *yes_of(form, "/pro/requests/new"),
            ("type", "payslip"), ("action", "read"), ("purpose_code", "housing"),
            ("purpose", "Demande de logement"), ("duration", "P1M"),
            ("legal_basis", "consent"), ("contact_name", "Camille Moreau"),
        ]  # fmt: skip
        check = await send(at_work, "/pro/requests/new", fields)
        assert check.status_code == 200
        assert "la personne devant vous" in check.text
        assert "Le SMS" not in check.text
        sent = await send(at_work, "/pro/requests/send", yes_of(check.text, "/pro/requests/send"))
        assert sent.headers["location"] == "/pro/requests?done=asked_met", sent.text
        assert "Personne rencontrée le" in (await at_work.get("/pro/requests")).text
        assert "Camille Moreau" in (await theirs.get("/requests")).text
        assert "C’est fait" in (await theirs.get(f"/meetings/{meeting}")).text
        again = await send(at_work, "/pro/requests/send", yes_of(check.text, "/pro/requests/send"))
        assert again.headers["location"] == "/pro/requests?done=asked_met"
        other = await send(at_work, "/pro/requests/new", fields)
        late = [
            (name, "another" if name == "once" else value)
            for name, value in yes_of(other.text, "/pro/requests/send")
        ]
        refused = await send(at_work, "/pro/requests/send", late)
        assert refused.status_code == 409
        assert "Rencontre terminée" in refused.text
        # Taken back, it is sent again by phone, which is said before the form.
        listed = (await at_work.get("/pro/requests")).text
        [asked] = re.findall(r'href="(/pro/requests/[0-9a-f-]{36})"', listed)
        back = f"{asked}/withdraw"
        await send(at_work, back, yes_of((await at_work.get(back)).text, back))
        assert "votre rencontre est finie" in (await at_work.get(asked)).text


async def test_the_person_shows_the_code_and_gives(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        paper = await deposit(theirs, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        own, code = await shown_code(theirs, "/grants/new", "/meetings")
        assert "/pro/meetings/code" in (await at_work.get("/pro/requests/new")).text
        asked = (await typed(at_work, "/pro/meetings/code", code)).headers["location"]
        assert word_in((await theirs.get(own)).text) == word_in((await at_work.get(asked)).text)
        await press(theirs, own, "yes")
        await press(at_work, asked, "yes")
        meeting = own.rpartition("/")[2]
        chosen = f"meeting={meeting}&document={paper['id']}&purpose_code=housing"
        first = await text_of(theirs, f"/grants/new?meeting={meeting}")
        assert "Pour : " in first
        assert "Camille Moreau" in first
        assert "Étape 1 sur 4" in first
        until = (await theirs.get(f"/grants/new/until?{chosen}")).text
        who = await theirs.get(f"/grants/new/who?{chosen}&duration=P7D")
        assert who.headers["location"].startswith("/grants/new/until?")
        fields = [*yes_of(until, "/grants/new/check"), ("duration", "P7D")]
        page = await send(theirs, "/grants/new/check", fields)
        assert page.status_code == 200, page.text
        assert "Camille Moreau" in page.text
        assert worker.subject.organisation in page.text
        given = await send(theirs, "/grants/new", yes_of(page.text, "/grants/new"))
        assert given.headers["location"].startswith("/grants?done=given&of="), given.text
        assert "C’est fait" in (await at_work.get(asked)).text
        assert "Paie de mai" not in (await at_work.get("/pro/people")).text
        assert "accès donné le" in (await at_work.get("/pro/people")).text
        over = await theirs.get(f"/grants/new?{chosen}")
        assert over.status_code == 409
        assert "Rencontre terminée" in over.text


@pytest.mark.parametrize("agree", ["no", ""])
async def test_a_no_ends_it_for_both(
    served: Served, two: tuple[SomePerson, SomeWorker], agree: str
) -> None:
    """And so does a form without an answer: only a yes is one."""
    person, worker = two
    async with browser_of(served, person) as theirs, browser_of(served, worker) as at_work:
        meeting = await answered(theirs, worker, person)
        text = await press(theirs, f"/meetings/{meeting}", agree)
        assert "Cette rencontre est terminée" in text
        assert "Camille" not in text
        page = await at_work.get(f"/pro/meetings/{meeting}")
        assert "Cette rencontre est terminée" in page.text
        # A yes that comes late leads to the same page, and asking leads there too.
        token = await forms.token_for(served.services, worker.token)
        late = await send(at_work, f"/pro/meetings/{meeting}", [("form", token), ("agree", "yes")])
        assert late.headers["location"] == f"/pro/meetings/{meeting}"
        asking = await at_work.get(f"/pro/requests/new?meeting={meeting}")
        assert asking.headers["location"] == f"/pro/meetings/{meeting}"


async def test_a_meeting_of_others_is_no_page(
    served: Served,
    two: tuple[SomePerson, SomeWorker],
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = two
    stranger, colleague = await make_person(), await make_worker()
    async with browser_of(served, stranger) as browser:
        meeting = await met(browser, worker, person)
        assert (await browser.get(f"/meetings/{meeting}")).status_code == 404
        assert (await browser.get(f"/grants/new?meeting={meeting}")).status_code == 404
    async with browser_of(served, colleague) as browser:
        assert (await browser.get(f"/pro/meetings/{meeting}")).status_code == 404
        assert (await browser.get(f"/pro/requests/new?meeting={meeting}")).status_code == 404


async def test_once_both_said_yes_the_page_keeps_still(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    """There is something to tap; and looking again is use, which keeps a shared device open."""
    person, worker = two
    async with served.services.database.transaction() as tx:
        shared = await sessions.open_session(
            served.services,
            tx,
            kind="person",
            subject_id=person.id,
            visitor=Visitor(shared=True),
        )
    for who in (person, replace(person, token=shared.token)):
        async with browser_of(served, who) as theirs:
            waiting = await answered(theirs, worker, person)
            assert (await say(theirs, person, waiting)).status_code == 200
            assert REFRESH in (await theirs.get(f"/meetings/{waiting}")).text
            assert (await say(theirs, worker, waiting)).status_code == 200
            text = (await theirs.get(f"/meetings/{waiting}")).text
            assert REFRESH not in text
            assert "Vous avez dit oui tous les deux" in text


async def test_no_form_of_another_site_and_too_many_wrong_codes(
    served: Served, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = two
    async with browser_of(served, person) as theirs:
        opened = await open_meeting(theirs, worker)
        bare = await theirs.post("/meetings/code", data={"code": opened["code"]})
        assert bare.status_code == 403
        assert "Ce code ne marche pas" not in bare.text
        for _ in range(5):
            assert (await typed(theirs, "/meetings/code", "no")).status_code == 403
        last = await typed(theirs, "/meetings/code", opened["code"])
        assert last.status_code == 429
        assert last.headers["retry-after"]
        assert (await say(theirs, worker, opened["id"], agree=False)).status_code == 200
