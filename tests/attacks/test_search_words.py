"""Invariant 7 at a shared desk: whom or what one looked for stands in no address that a browser
keeps, and such an address opens no search for anybody else, nor in another session."""

from urllib.parse import unquote

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import deposit, granted
from tests.vault.decoding import corpus
from tests.web.pages.test_document_list import looked_for
from tests.web.pages.test_pages import browser_of
from web.pages import documents

WORDS = "Quertinmont"


@pytest.fixture
async def pair(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[SomePerson, SomeWorker]:
    """A person with a paper of that name, and a worker who calls them so."""
    monkeypatch.setattr(documents, "FEW", 0)
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip", title=f"Paie {WORDS}")
    await granted(client, person, worker.headers, "payslip")
    shown = (await client.get("/v1/people", headers=worker.headers)).json()["items"][0]["id"]
    body = {"label": f"Zoé {WORDS}"}
    await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=body)
    return person, worker


async def test_what_was_looked_for_stands_in_no_address(
    served: Served, pair: tuple[SomePerson, SomeWorker]
) -> None:
    for someone in pair:
        async with browser_of(served, someone) as browser:
            pages = [await looked_for(served, browser, someone, WORDS) for _ in range(2)]
            addresses = {unquote(str(page.request.url)) for page in pages}
            assert len(addresses) == 2  # nobody tells that the same was looked for again
            for page in pages:
                assert WORDS not in unquote(str(page.request.url))
                assert f'value="{WORDS}"' in page.text
                assert WORDS in page.text.replace(f'value="{WORDS}"', "")
                assert "?q=" not in page.text
                assert 'method="get"' not in page.text


async def test_an_address_of_the_history_opens_no_search_of_another_session(
    served: Served, pair: tuple[SomePerson, SomeWorker], make_worker: MakeWorker
) -> None:
    """Of a colleague at the same desk, of the person beside, one that was changed, and in clear."""
    person, worker = pair
    async with browser_of(served, worker) as browser:
        theirs = str((await looked_for(served, browser, worker, WORDS)).request.url)
    sealed = theirs.partition("found=")[2]
    colleague = await make_worker(worker.organisation_id)
    for someone, home in ((colleague, "/pro/people"), (person, "/documents")):
        async with browser_of(served, someone) as browser:
            page = await browser.get(f"{home}?found={sealed}")
            assert page.status_code == 200
            assert f'value="{WORDS}"' not in page.text
    async with browser_of(served, worker) as browser:
        for found in (sealed[:-4] + "AAAA", sealed[:40], "x", "é", "A" * 3000, WORDS):
            page = await browser.get("/pro/people", params={"found": found})
            assert page.status_code == 200
            assert "Personne ne correspond" not in page.text
