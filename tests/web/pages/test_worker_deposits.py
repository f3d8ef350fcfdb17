"""A worker adds papers for a person: of which sort, the date that matters of each, all of it read
again, and only then the files. Without script."""

import re
from datetime import date
from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import HIDDEN, Pairs, send, yes_of
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_forms import linked, tied
from tests.web.pages.test_worker_pages import adding, form_of, known_of, words
from vault.documents import own_documents

BAD = b"MZ" + b"\0" * 500
Day = dict[str, str]


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker()


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def at(client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker) -> str:
    """The address of adding papers of any sort for somebody called Marie."""
    grant = await adding(client, person, worker)
    shown = await known_of(client, worker)
    body = {"label": "Marie"}
    await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=body)
    return f"/pro/grants/{grant}/add"


async def step(
    browser: httpx.AsyncClient, page: httpx.Response, address: str, **typed: str
) -> httpx.Response:
    """The next page, by the form of the one before."""
    return await send(browser, address, [*yes_of(page.text, address), *typed.items()])


async def dates(browser: httpx.AsyncClient, at: str, *types: str) -> httpx.Response:
    """The page that asks for the date of each."""
    chosen = {f"type_{row}": code for row, code in enumerate(types, 1)}
    return await step(browser, await browser.get(at), f"{at}/dates", **chosen)


async def add(
    browser: httpx.AsyncClient, page: httpx.Response, at: str, *files: bytes
) -> httpx.Response:
    """What the last page's form sends, each file after what is said of its paper."""
    parts: list[tuple[str, str | bytes]] = []
    left = [*files]
    for name, value in yes_of(page.text, at):
        if name.startswith("type_") and len(name) == 6 and parts[-1][0].startswith("date_"):
            parts.append(_file(left))
        parts.append((name, value))
    body, headers = form_of([*parts, _file(left)])
    return await browser.post(at, content=body, headers=headers)


def _file(left: list[bytes]) -> tuple[str, bytes]:
    content = left.pop(0)
    return ("a.pdf" if content else "", content)


def day(name: str, *parts: str) -> Day:
    return dict(zip((f"{name}_day", f"{name}_month", f"{name}_year"), parts, strict=True))


async def held(served: Served, person: SomePerson) -> dict[str, Any]:
    """The papers of somebody, by their sort: the date that matters of each."""
    listed = await own_documents.list_own(served.services, person.subject, cursor=None, limit=10)
    said = [one.metadata for one in listed.items]
    return {one.type: one.expires_on or one.issued_on or one.income_year for one in said}


async def test_the_date_is_asked_and_all_of_it_is_read_again_before_a_file_is_chosen(
    served: Served, person: SomePerson, worker: SomeWorker, at: str
) -> None:
    async with browser_of(served, worker) as browser:
        assert 'type="file"' not in (await browser.get(at)).text
        asked = await dates(browser, at, "passport", "payslip", "income_tax_notice", "")
        assert 'type="file"' not in asked.text
        for field in ("expires_on_1", "issued_on_2", "income_year_3"):
            assert f'id="{field}"' in asked.text, "the one date that matters of its sort"
        assert "nous prenons le dernier jour du mois" in words(asked)
        typed = day("expires_on_1", "", "4", "2031") | {"income_year_3": "2025"}
        checked = await step(browser, asked, f"{at}/check", **typed)
        assert checked.status_code == 200
        seen = words(checked)
        assert "Relisez avant d’ajouter" in seen
        for said in ("À qui Marie", "Passeport", "30 avril 2031", "Pas écrit", "2025"):
            assert said in seen, said
        assert checked.text.count('type="file"') == 3
        # The dates can be corrected, and are there again.
        again = await step(browser, checked, f"{at}/dates")
        assert 'id="expires_on_1_day" name="expires_on_1_day" inputmode="numeric"' in again.text
        assert re.search(r'id="expires_on_1_day"[^>]*value="30"', again.text)
        assert re.search(r'id="income_year_3"[^>]*value="2025"', again.text)
        papers = [corpus.pdf(pages) for pages in (1, 2, 3)]
        done = await add(browser, checked, at, *papers)
        assert words(done).count("C’est ajouté.") == 3
        twice = await add(browser, checked, at, *papers)
        assert words(twice).count("C’est ajouté.") == 3
    expected = {"passport": date(2031, 4, 30), "payslip": None, "income_tax_notice": 2025}
    assert await held(served, person) == expected
    listed = await own_documents.list_own(served.services, person.subject, cursor=None, limit=10)
    assert len(listed.items) == 3, "sent twice, each is added once"


async def test_a_page_that_is_used_for_another_file_says_so(
    served: Served, person: SomePerson, worker: SomeWorker, at: str
) -> None:
    """« Back » after adding leads to it: the second file is asked for again, and is then added."""
    async with browser_of(served, worker) as browser:
        asked = await dates(browser, at, "payslip")
        checked = await step(browser, asked, f"{at}/check")
        await add(browser, checked, at, corpus.pdf(1))
        again = await add(browser, checked, at, corpus.pdf(2))
        assert "Un autre papier a été ajouté avec cette page. Celui-ci n’est pas ajouté." in words(
            again
        )
        assert "clé" not in words(again).casefold()
        assert "C’est ajouté." in words(await add(browser, again, at, corpus.pdf(2)))


async def test_every_date_that_is_wrong_is_said_at_its_field_and_the_others_stay(
    served: Served, worker: SomeWorker, at: str
) -> None:
    async with browser_of(served, worker) as browser:
        asked = await dates(browser, at, "passport", "payslip", "income_tax_notice")
        typed = day("expires_on_1", "31", "2", "2031") | day("issued_on_2", "3", "4", "2026")
        refused = await step(browser, asked, f"{at}/check", **typed, income_year_3="25")
        missing = await step(browser, asked, f"{at}/check", **day("issued_on_2", "3", "", "2026"))
    assert refused.status_code == 422
    assert linked(refused.text) == ["expires_on_1", "income_year_3"]
    assert tied(refused.text, "income_year_3")
    group = refused.text.split('id="expires_on_1" aria-describedby="expires_on_1-wrong"')[1]
    assert 'id="expires_on_1-wrong"' in group.split("</fieldset>")[0]
    assert group.split("</fieldset>")[0].count('aria-invalid="true"') == 3
    for field, value in (("expires_on_1_day", "31"), ("issued_on_2_month", "4")):
        assert re.search(rf'id="{field}"[^>]*value="{value}"', refused.text), field
    assert re.search(r'id="income_year_3"[^>]*value="25"', refused.text)
    assert "type_2" in dict(HIDDEN.findall(refused.text))
    assert "Il manque le mois" in words(missing)
    assert linked(missing.text) == ["issued_on_2"]


async def test_a_sort_without_a_date_goes_to_what_is_read_again(
    served: Served, person: SomePerson, worker: SomeWorker, at: str
) -> None:
    async with browser_of(served, worker) as browser:
        checked = await dates(browser, at, "", "other")
        assert "Relisez avant d’ajouter" in words(checked)
        assert f'action="{at}/dates"' not in checked.text, "there is no date to correct"
        await add(browser, checked, at, corpus.pdf(1))
    assert [*await held(served, person)] == ["other"]


async def test_nothing_chosen_is_said_at_the_first_field(
    served: Served, client: httpx.AsyncClient, worker: SomeWorker, make_person: MakePerson
) -> None:
    """And what is not permitted is as nothing, whoever sends it."""
    grant = await adding(client, await make_person(), worker, "payslip", "lease")
    at = f"/pro/grants/{grant}/add"
    async with browser_of(served, worker) as browser:
        for chosen in ("", "passport", "x" * 500):
            page = await dates(browser, at, chosen)
            assert page.status_code == 422
            assert linked(page.text) == ["type_1"]
            assert tied(page.text, "type_1")
            assert "Elle a seulement ce que la personne permet" in words(page)
            assert "Un autre papier" not in words(page).split("Erreur")[0]
        token = yes_of((await browser.get(at)).text, f"{at}/dates")
        page = await send(browser, f"{at}/check", [*token, ("type_1", "passport")])
        assert linked(page.text) == ["type_1"]


async def test_a_file_that_is_refused_or_missing_asks_for_that_file_alone(
    served: Served, person: SomePerson, worker: SomeWorker, at: str
) -> None:
    """Its sort and its date stay; what was good is added."""
    async with browser_of(served, worker) as browser:
        asked = await dates(browser, at, "payslip", "passport", "lease")
        typed = day("expires_on_2", "3", "4", "2031")
        checked = await step(browser, asked, f"{at}/check", **typed)
        none = await add(browser, checked, at, b"", b"", b"")
        assert none.status_code == 422
        assert linked(none.text) == ["photo"]
        assert tied(none.text, "photo")
        assert none.text.count('type="file"') == 3
        assert "3 avril 2031" in words(none)
        some = await add(browser, none, at, corpus.pdf(1), BAD, b"")
        told = some.text[some.text.index('role="status"') : some.text.index("</section>")]
        assert re.findall(r'href="#([^"]+)"', told) == ["photo", "file_2"]
        for field in ("photo", "file_2"):
            assert tied(some.text, field), field
        assert some.text.count('type="file"') == 2
        assert "3 avril 2031" in words(some)
        done = await add(browser, some, at, corpus.pdf(2), corpus.pdf(3))
        assert words(done).count("C’est ajouté.") == 2
    kept = await held(served, person)
    assert {*kept} == {"payslip", "passport", "lease"}
    assert kept["passport"] == date(2031, 4, 3)


async def test_what_cannot_be_read_of_a_form_that_was_changed_adds_nothing(
    served: Served, person: SomePerson, worker: SomeWorker, at: str
) -> None:
    async with browser_of(served, worker) as browser:
        asked = await dates(browser, at, "passport")
        checked = await step(browser, asked, f"{at}/check")
        fields: Pairs = yes_of(checked.text, at)
        parts = [(name, "31/02/2031" if name == "date_1" else value) for name, value in fields]
        body, headers = form_of([*parts, ("a.pdf", corpus.pdf(1))])
        page = await browser.post(at, content=body, headers=headers)
        assert "Nous n’avons pas compris cette date" in words(page)
    assert await held(served, person) == {}


async def test_a_step_by_its_address_begins_again_and_a_reading_grant_has_none(
    served: Served, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, at: str
) -> None:
    reading = f"/pro/grants/{await granted(client, person, worker.headers, 'payslip')}/add"
    async with browser_of(served, worker) as browser:
        assert (await browser.get(f"{at}/dates")).headers["location"] == at
        token = yes_of((await browser.get(at)).text, f"{at}/dates")
        for end in ("dates", "check"):
            sent = await send(browser, f"{reading}/{end}", [*token, ("type_1", "payslip")])
            assert sent.headers["location"] == reading
            bare = await send(browser, f"{at}/{end}", [("type_1", "payslip")])
            assert bare.status_code == 403


async def test_a_grant_of_a_colleague_answers_as_nothing(
    served: Served, worker: SomeWorker, make_worker: MakeWorker, at: str
) -> None:
    colleague = await make_worker(worker.organisation_id)
    async with browser_of(served, colleague) as browser:
        page = (await browser.get("/pro/people")).text
        token = re.findall(r'name="(form)" value="([^"]+)"', page)[:1]
        for end in ("dates", "check"):
            sent = await send(browser, f"{at}/{end}", [*token, ("type_1", "payslip")])
            assert sent.status_code == 404
