"""A worker says what a paper is; its owner reads it among what is to be done first."""

import re
from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import deposit, granted, log_of
from tests.web.pages.test_pages import a_photo, browser_of
from tests.web.pages.test_worker_pages import words
from web.pages import documents, forms

Scene = tuple[SomePerson, SomeWorker, dict[str, Any], str]


@pytest.fixture
async def scene(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> Scene:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, a_photo(), type_="other", name="a.jpg")
    grant = await granted(client, person, worker.headers, document_ids=[paper["id"]])
    return person, worker, paper, f"/pro/grants/{grant}/documents/{paper['id']}"


async def proposed(
    served: Served, browser: httpx.AsyncClient, worker: SomeWorker, paper: str, **said: str
) -> httpx.Response:
    token = await forms.token_for(served.services, worker.token)
    return await browser.post(f"{paper}/type", data={"form": token, **said})


async def test_one_thing_a_page_from_the_paper_to_the_owners_list(
    served: Served, client: httpx.AsyncClient, scene: Scene
) -> None:
    person, worker, paper, address = scene
    async with browser_of(served, worker) as browser:
        assert f'href="{address}/type"' in (await browser.get(address)).text
        before = len(await log_of(client, person))
        which = (await browser.get(f"{address}/type")).text
        assert 'value="other"' not in which
        when = (await browser.get(f"{address}/type?type=passport")).text
        assert "Passeport" in when
        assert 'name="expires_on_day"' in when
        # Neither page names the paper: they are no line.
        assert len(await log_of(client, person)) == before
        date = {"expires_on_day": "1", "expires_on_month": "2", "expires_on_year": "2031"}
        said = {"type": "passport", "title": "Malik", **date}
        answer = await proposed(served, browser, worker, address, **said)
        assert answer.headers["location"] == f"{address}?done=type_suggested"
        assert "Vous avez proposé : Passeport" in words(await browser.get(address))
    async with browser_of(served, person) as browser:
        page = await browser.get("/documents")
        first = words(page).split("À faire d’abord")[1].split("Oui, c’est ce papier")[0]
        for told in ("Camille Moreau", "pense savoir quel papier c’est", "passeport", "« Malik »"):
            assert told.lower() in first.lower()
        assert "1er février 2031" in first
        one = re.search(r'action="(/documents/[^"]+/type-suggestions/[^"]+)"', page.text)
        assert one is not None
        assert one[1] in (await browser.get(f"/documents/{paper['id']}")).text
        token = await forms.token_for(served.services, person.token)
        sent = {"form": token, "answer": "yes"}
        answers = [await browser.post(one[1], data=sent) for _pressed_twice in range(2)]
        assert [one.headers["location"] for one in answers] == [
            "/documents?done=type_accepted",
            "/documents",
        ]
        assert "type-suggestions" not in (await browser.get("/documents")).text
    now = (await client.get(f"/v1/documents/{paper['id']}", headers=person.headers)).json()
    assert (now["type"], now["title"], now["expires_on"]) == ("passport", "Malik", "2031-02-01")
    async with browser_of(served, worker) as browser:
        assert f'href="{address}/type"' not in (await browser.get(address)).text


async def test_a_no_changes_nothing_and_the_worker_reads_the_same(
    served: Served, client: httpx.AsyncClient, scene: Scene
) -> None:
    person, worker, paper, address = scene
    async with browser_of(served, worker) as browser:
        await proposed(served, browser, worker, address, type="payslip")
        before = words(await browser.get(address))
    (one,) = (await client.get(f"/v1/documents/{paper['id']}", headers=person.headers)).json()[
        "type_suggestions"
    ]
    async with browser_of(served, person) as browser:
        token = await forms.token_for(served.services, person.token)
        path = f"/documents/{paper['id']}/type-suggestions/{one['id']}"
        answer = await browser.post(path, data={"form": token, "answer": "no"})
        assert answer.headers["location"] == "/documents?done=type_refused"
        assert "type-suggestions" not in (await browser.get("/documents")).text
    async with browser_of(served, worker) as browser:
        assert words(await browser.get(address)) == before
    now = (await client.get(f"/v1/documents/{paper['id']}", headers=person.headers)).json()
    assert (now["type"], now["sensitive"]) == ("other", False)


async def test_a_date_that_cannot_be_read_is_said_at_its_field(
    served: Served, scene: Scene
) -> None:
    _, worker, _, address = scene
    date = {"expires_on_day": "45", "expires_on_month": "2", "expires_on_year": "2031"}
    async with browser_of(served, worker) as browser:
        page = await proposed(served, browser, worker, address, type="passport", **date)
        nothing = await proposed(served, browser, worker, address, type="")
    assert page.status_code == 422
    assert 'href="#expires_on"' in page.text
    assert 'value="45"' in page.text
    assert 'href="#type"' in nothing.text
    assert re.search(r'<select id="type"[^>]* aria-describedby="type-wrong"', nothing.text)


async def test_what_is_proposed_of_an_old_paper_is_there_too(
    served: Served, client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the first page of papers."""
    person, worker, paper, address = scene
    for colour in ("red", "blue"):
        await deposit(client, person, a_photo(colour), type_="payslip", name="a.jpg")
    async with browser_of(served, worker) as browser:
        await proposed(served, browser, worker, address, type="payslip")
    monkeypatch.setattr(documents, "LIMIT", 1)
    async with browser_of(served, person) as browser:
        page = (await browser.get("/documents")).text
    assert page.count("/type-suggestions/") == 1
    assert f"/documents/{paper['id']}/type-suggestions/" in page
