"""On a worker's device, in Chromium: a person opens their own papers with their card, the time that
is left is seen to go, and no page of the worker's is one « Back » away."""

import re

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.assisted import card_of
from tests.fixtures import MakePerson, MakeWorker, Served, SomeWorker
from tests.steps import deposit
from tests.vault.decoding import corpus

pytestmark = pytest.mark.browser

_COME_BACK = "document.dispatchEvent(new Event('visibilitychange'))"
_LEFT = re.compile(r"14:\d\d|15:00")
_OVER = re.compile("/session/over$")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_beside_somebody(
    browser: Browser,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    script: bool,
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    code, pin = await card_of(client, served.services, person)
    context = await _browser_of(browser, served, worker, script=script)
    other, page = await context.new_page(), await context.new_page()
    for tab in (other, page):
        await tab.goto(f"{served.base_url}/pro/people")
    await page.click("text=Entrer avec la personne")
    await _enter(page, code, pin)
    await _sees_what_is_left(page, script=script)
    for _ in range(2):  # to the form, and to the worker's people
        await page.go_back()
        assert "Mes personnes" not in await page.inner_text("body")
        assert pin not in await page.content()
    if script:
        await other.evaluate(_COME_BACK)
        await expect(other.locator("h1")).to_be_hidden()
    await page.goto(f"{served.base_url}/pro/people")
    await expect(page.locator("h1")).to_contain_text("Votre espace est fermé pour l’instant")
    await page.click("text=Revenir aux papiers de la personne")
    await page.click("#end button")
    await page.wait_for_url("**/?done=bye_beside*")
    await page.goto(f"{served.base_url}/pro/people")
    await expect(page.locator("h1")).to_contain_text("Mes personnes")
    if script:
        await other.evaluate(_COME_BACK)
        await expect(other.locator("h1")).to_be_visible()


async def test_ending_it_closes_the_persons_other_windows(
    browser: Browser,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """By the worker, whose own pages were locked: nothing of the person's stays on the screen."""
    person, worker = await make_person(), await make_worker()
    code, pin = await card_of(client, served.services, person)
    context = await _browser_of(browser, served, worker, script=True)
    theirs, page = await context.new_page(), await context.new_page()
    await page.goto(f"{served.base_url}/pro/beside")
    await _enter(page, code, pin)
    await theirs.goto(f"{served.base_url}/documents")
    await theirs.wait_for_load_state("networkidle")
    await expect(theirs.locator("h1")).to_contain_text("Mes papiers")
    await page.goto(f"{served.base_url}/pro/people")
    await page.click("text=Terminer, et rouvrir mon espace")
    await page.wait_for_url("**/pro/people?done=beside_ended")
    await expect(theirs).to_have_url(_OVER)
    assert "Mes papiers" not in await theirs.inner_text("body")


async def _browser_of(
    browser: Browser, served: Served, worker: SomeWorker, *, script: bool
) -> BrowserContext:
    context = await browser.new_context(
        viewport={"width": 360, "height": 640}, locale="fr-FR", java_script_enabled=script
    )
    for name, value in (("worker", worker.token), ("language", "fr")):
        cookie = {"name": f"unefois-{name}", "value": value, "url": served.base_url}
        await context.add_cookies([cookie])  # type: ignore[list-item]
    return context


async def _enter(page: Page, code: str, pin: str) -> None:
    await page.fill("#card", code.lower())
    await page.fill("#code", pin)
    await page.click("main button.main")
    await page.wait_for_url("**/documents")


async def _sees_what_is_left(page: Page, *, script: bool) -> None:
    bar = page.locator(".beside")
    await expect(bar).to_contain_text("Camille Moreau est à côté de vous")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    left = page.locator("#left")
    if script:
        await expect(left).to_have_text(_LEFT)
        before = await left.inner_text()
        await expect(left).not_to_have_text(before, timeout=3000)
    else:
        await expect(left).to_have_text("15")
