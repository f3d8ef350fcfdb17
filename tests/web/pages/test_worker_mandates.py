"""A mandate on its worker's pages: what is gathered, what is refused there, whom it is for."""

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.web.pages.answers import Pairs, send, yes_of
from tests.web.pages.test_mandates import asked, checked
from tests.web.pages.test_pages import browser_of


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
