"""The list of papers: what to do first, families, and a search where there are many."""

import re
from datetime import timedelta

import httpx
import pytest

from base import clock
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import a_photo, browser_of
from vault.document_view import DocumentMetadata
from web.pages import documents, forms, paper_search


def colour(number: int) -> str:
    return f"#{number * 7 + 1:02x}{number * 5 + 2:02x}{number * 3 + 3:02x}"


async def looked_for(
    served: Served, browser: httpx.AsyncClient, someone: SomePerson | SomeWorker, words: str
) -> httpx.Response:
    """The page to which a search leads."""
    address = "/documents/search" if isinstance(someone, SomePerson) else "/pro/people/search"
    token = await forms.token_for(served.services, someone.token)
    sent = await browser.post(address, data={"form": token, "q": words})
    assert sent.status_code == 303
    return await browser.get(sent.headers["location"])


async def test_what_ends_soon_and_what_is_asked_come_first_six_at_most(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    soon = (clock.now() + timedelta(days=10)).date().isoformat()
    for number in range(7):
        photo = a_photo(colour(number))
        await deposit(client, person, photo, type_="passport", expires_on=soon)
    await deposit(client, person, a_photo("white"), type_="payslip")
    await ask(client, worker.headers, person.phone, "payslip")
    async with browser_of(served, person) as browser:
        page = (await browser.get("/documents")).text
    first = page[page.index("À faire d’abord") : page.index("Qui je suis")]
    assert first.count('href="/requests/') == 1
    assert first.count("Bientôt fini") == 5
    assert page.index("/documents/add") < page.index("À faire d’abord")
    assert 'name="q"' not in page
    families = re.findall(r"<h2><svg.*?</svg> ([^<]*)</h2>", page)
    assert families == ["À faire d’abord", "Qui je suis", "Mon travail et mon argent"]


async def test_what_a_worker_added_is_marked_for_two_weeks(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, a_photo("white"), type_="lease", title="Mon bail")
    grant = await granted(client, person, worker.headers, "payslip", actions=["deposit"])
    added = await client.post(
        f"/v1/grants/{grant}/documents",
        headers=worker.headers,
        data={"type": "payslip", "issued_on": "2026-05-31"},
        files={"file": ("a.jpg", a_photo("red"))},
    )
    assert added.status_code == 201, added.text
    async with browser_of(served, person) as browser:
        page = (await browser.get("/documents")).text.replace("\xa0", " ")
        mine, theirs = [
            one for one in page.split("<li><a ")[1:] if "Mon bail" in one or "fiche" in one.lower()
        ]
        if "Mon bail" in theirs:
            mine, theirs = theirs, mine
        assert re.search("Nouveau : ajouté par .?Camille Moreau.? le ", theirs)
        assert "Papier du 31 mai 2026" in theirs
        assert "Nouveau" not in mine
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=13, hours=23))
        assert "Nouveau" in (await browser.get("/documents")).text
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=14))
        later = (await browser.get("/documents")).text.replace("\xa0", " ")
    assert "Nouveau" not in later
    assert "par Camille Moreau" in later


async def test_what_ends_soon_comes_first_however_old_it_is(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "LIMIT", 1)
    person = await make_person()
    soon = (clock.now() + timedelta(days=10)).date().isoformat()
    await deposit(client, person, a_photo(colour(1)), type_="passport", expires_on=soon)
    for number in (2, 3):
        await deposit(client, person, a_photo(colour(number)), type_="payslip")
    async with browser_of(served, person) as browser:
        page = (await browser.get("/documents")).text
    assert "Bientôt fini" in page[page.index("À faire d’abord") :]


async def test_beyond_twenty_papers_there_is_a_search_over_all_of_them(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "FEW", 2)
    person = await make_person()
    for number, code in enumerate(("payslip", "payslip", "national_identity_card")):
        title = {"title": "Carte d’Éloïse"} if number == 2 else {}
        await deposit(client, person, a_photo(colour(number)), type_=code, **title)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/documents")).text
        assert 'name="q"' in page
        assert "Mon travail et mon argent (2)" in page
        found = (await looked_for(served, browser, person, "ELOISE carte")).text
        assert "Carte d’Éloïse" in found
        assert found.count('href="/documents/0') == 1
        none = (await looked_for(served, browser, person, "<b>bail")).text
    assert "Aucun papier ne porte ces mots" in none
    assert 'value="&lt;b&gt;bail"' in none


@pytest.mark.parametrize(
    ("words", "language", "found"),
    [
        ("bulletin", "fr", True),
        ("SALAIRE paie", "fr", True),
        ("payslip", "en", True),
        ("payslip", "fr", False),
        ("bail", "fr", False),
        ("ma fiche", "fr", True),
    ],
)
def test_a_paper_is_found_by_its_title_and_the_names_of_its_type(
    words: str, language: str, found: bool
) -> None:
    metadata = DocumentMetadata(type="payslip", title="Ma première")
    assert paper_search.matches(metadata, words, language) is found


async def test_a_paper_deleted_by_mistake_is_back_with_one_press(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip", title="Paie de mai")
        token = {"form": await forms.token_for(served.services, person.token)}
        asked = (await browser.get(f"/documents/{paper['id']}/delete")).text
        gone = await browser.post(f"/documents/{paper['id']}/delete", data=token)
        page = (await browser.get(gone.headers["location"])).text
        address = f"/documents/{paper['id']}/restore"
        assert f'action="{address}"' in page
        assert "Le récupérer : Paie de mai" in page.replace("\xa0", " ")
        deleted = (await browser.get("/documents/deleted")).text
        assert "Vous pouvez le récupérer jusqu’au" in deleted
        for one in (asked, deleted):  # whoever reads no French knows it by its sort
            assert "Paie de mai</strong><br>Papier qui dit combien je gagne" in one
        back = await send(browser, address, yes_of(page, address))
        assert back.headers["location"] == f"/documents/{paper['id']}?done=restored"
        again = (await browser.get(gone.headers["location"])).text
    assert "Le récupérer" not in again, "it is there"
