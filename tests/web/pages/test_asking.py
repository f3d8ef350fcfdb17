"""The form in which a worker asks: its order, what it begins with, what is said before it goes."""

import re

from tests.fixtures import MakeWorker, Served
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_worker_forms import asked

NUMBER = "06 12 34 56 78"


async def test_a_request_is_asked_in_the_order_in_which_one_thinks_and_for_the_least(
    served: Served, make_worker: MakeWorker
) -> None:
    worker = await make_worker()
    every = ["attest", "read", "deposit"]
    async with browser_of(served, worker) as browser:
        page = (await browser.get("/pro/requests/new")).text
        least = await asked(served, worker, browser, phone=NUMBER, action="attest")
        more = await asked(served, worker, browser, phone=NUMBER, action=every)
    form = page[page.index('action="/pro/requests/new"') :]
    names = dict.fromkeys(re.findall(r'<(?:input|select|textarea)[^>]* name="([a-z_]+)"', form))
    wanted = ["phone", "purpose_code", "purpose", "type", "action", "duration", "may_store"]
    assert [name for name in names if name in wanted] == wanted
    assert re.findall(r'name="action" value="(\w+)"( checked)?', form) == [
        ("attest", " checked"), ("read", ""), ("deposit", "")
    ]  # fmt: skip
    # To see is to know: whoever ticks more leaves nobody a choice between two words for one thing.
    knows, sees = "savoir si vous avez ces papiers", "voir ces papiers"
    assert knows in least.text
    assert sees not in least.text
    assert knows not in more.text
    assert sees in more.text
    assert "ajouter des papiers pour vous" in more.text
