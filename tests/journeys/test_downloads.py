"""A paper that is opened by one tap is opened once, in Chromium with the service worker."""

import httpx
import pytest
from playwright.async_api import Browser

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.journeys.test_script import until
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus

pytestmark = pytest.mark.browser


async def test_one_tap_is_one_line(
    browser: Browser,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = await make_person(), await make_worker()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    grant = await granted(client, person, worker.headers, "payslip")
    context = await browser.new_context(viewport={"width": 360, "height": 640})
    cookie = {"name": "unefois-worker", "value": worker.token, "url": served.base_url}
    await context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    page = await context.new_page()
    await page.goto(f"{served.base_url}/pro/grants/{grant}/documents/{paper['id']}")
    await until(page, "navigator.serviceWorker.controller !== null")
    async with page.expect_download() as download:
        await page.get_by_text("Télécharger le papier (").click()
    await (await download.value).path()
    await context.close()
    told = await log_of(client, person)
    assert [entry["action"] for entry in told].count("document.read") == 1
