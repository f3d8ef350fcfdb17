"""A paper of a sort that is had once, where there is one already: its owner says what becomes of
the former one."""

import httpx
import pytest

from tests.fixtures import MakePerson, Served, SomePerson
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, say, send
from tests.web.pages.test_older_papers import held, plain
from tests.web.pages.test_pages import a_photo, add, as_a_browser_sends, browser_of
from vault.documents import own_documents
from web.pages import forms

ASKED = "Remplacer l’ancien ?"
DATE = {"expires_on_day": "1", "expires_on_month": "2", "expires_on_year": "2044"}


async def to_check(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, **fields: str
) -> str:
    """A passport up to the page of checking: the address of its draft."""
    sent = await send(served, person, browser, "/documents/add?type=passport", a_photo("brown"))
    draft = draft_of(sent)
    await say(served, person, browser, f"{draft}/details", **DATE | fields)
    return draft


async def count(served: Served, person: SomePerson) -> int:
    listed = await own_documents.list_own(served.services, person.subject, cursor=None, limit=10)
    return len(listed.items)


@pytest.mark.parametrize("answer", ["yes", "no"])
async def test_what_becomes_of_the_former_one_is_said(
    served: Served, make_person: MakePerson, answer: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await held(served, person, browser)
        draft = await to_check(served, person, browser)
        page = plain(await browser.get(f"{draft}/check"))
        assert ASKED in page
        assert "Non, garder les deux" in page
        assert " checked" not in page
        unsaid = await say(served, person, browser, f"{draft}/check")
        assert unsaid.status_code == 422
        assert "Vous n’avez pas choisi ce que devient l’ancien papier." in plain(unsaid)
        assert await count(served, person) == 1
        said = await say(served, person, browser, f"{draft}/check", replace=answer)
        led = said.headers["location"]
        if answer == "yes":
            assert led.startswith(f"{address}/version?draft=")
            assert 'value="2044"' in plain(await browser.get(led)), "what was said stays"
            token = await forms.token_for(served.services, person.token)
            body, headers = as_a_browser_sends({"form": token, **DATE}, b"")
            body = body.replace(b'"photo.jpg"', b'""')
            done = await browser.post(led, content=body, headers=headers)
            assert done.headers["location"] == f"{address}?done=version"
            assert (await browser.get(f"{address}/content")).content == a_photo("brown")
        else:
            assert led.endswith("?done=added")
    assert await count(served, person) == (1 if answer == "yes" else 2)


async def test_what_was_said_of_it_stays_where_something_else_is_still_to_say(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        await held(served, person, browser)
        files = (a_photo("brown"), corpus.pdf(1))
        sent = await send(served, person, browser, "/documents/add?type=passport", *files)
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details", **DATE)
        asked = plain(await say(served, person, browser, f"{draft}/check", replace="no"))
    assert "Est-ce le même papier" in asked
    assert 'name="replace" value="no" checked' in asked


async def test_nothing_is_asked_of_another_holder_nor_of_papers_one_has_many_of(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        await held(served, person, browser)
        await add(served, person, browser, a_photo("green"), type="payslip")
        draft = await to_check(served, person, browser, title="Malik")
        assert ASKED not in plain(await browser.get(f"{draft}/check"))
        sent = await send(served, person, browser, "/documents/add?type=payslip", a_photo("red"))
        draft = draft_of(sent)
        await say(served, person, browser, f"{draft}/details")
        assert ASKED not in plain(await browser.get(f"{draft}/check"))
        kept = await say(served, person, browser, f"{draft}/check")
        assert kept.headers["location"].endswith("?done=added")
