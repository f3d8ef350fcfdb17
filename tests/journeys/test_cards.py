"""A vault of a card alone, opened with it on a shared computer: by the QR's address, and without
script by the code; then another card is made there."""

import re
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from auth import administration
from tests.fixtures import MakeWorker, Served
from tests.web.api.test_printed_cards import code_on

pytestmark = pytest.mark.browser
PIN = "482693"
_TYPED = "() => [...document.querySelectorAll('input.code')].map(e => e.value).filter(Boolean)"


@dataclass(frozen=True)
class Card:
    """What is printed on it."""

    code: str
    secret: str


@pytest.fixture
async def card(served: Served, client: httpx.AsyncClient, make_worker: MakeWorker) -> Card:
    """Of a vault that was opened at a desk, without a phone."""
    worker = await make_worker()
    await administration.let_open_vaults(served.services, worker.organisation_id, allowed=True)
    body = {"pin": PIN, "again": PIN}
    opened = await client.post("/v1/desk/vaults", headers=worker.headers, json=body)
    assert opened.status_code == 201, opened.text
    return Card(opened.json()["code"], opened.json()["secret"])


async def computer(browser: Browser, *, script: bool) -> tuple[BrowserContext, Page]:
    context = await browser.new_context(
        viewport={"width": 360, "height": 640}, locale="fr-FR", java_script_enabled=script
    )
    return context, await context.new_page()


async def history_of(page: Page) -> list[str]:
    """Every address that the Back button knows."""
    session = await page.context.new_cdp_session(page)
    kept = await session.send("Page.getNavigationHistory")
    return [entry["url"] for entry in kept["entries"]]


async def test_the_qr_opens_it_and_its_secret_is_in_no_history(
    browser: Browser, served: Served, card: Card
) -> None:
    context, page = await computer(browser, script=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{served.base_url}/#{card.secret}")
    await page.wait_for_url("**/language?back=/card/*")
    await page.click("a[hreflang=fr]")
    await page.wait_for_url(re.compile(r"/card/[0-9a-f-]+$"))
    assert await page.get_attribute("#code", "type") == "password"
    await page.fill("#code", PIN)
    await page.click("main button.main")
    await page.wait_for_url("**/documents")
    assert await page.get_attribute("body", "data-device") == "shared"
    # Neither the history nor what was asked of a server has it.
    kept = await history_of(page)
    assert len(kept) > 1
    assert [one for one in [*kept, *asked] if card.secret in one.partition("#")[0]] == []
    assert [one for one in kept if card.secret in one] == []
    # The same card again, in the same window, where papers are open: another PIN is asked.
    await page.evaluate("secret => { location.hash = secret }", card.secret)
    await page.wait_for_url(re.compile(r"/card/[0-9a-f-]+$"))
    assert [one for one in await history_of(page) if card.secret in one] == []
    await page.goto(f"{served.base_url}/documents")
    await page.click("header form[action='/sign-out'] button")
    await page.wait_for_url("**/?done=bye")
    for _ in range(4):
        assert await page.evaluate(
            "[...document.querySelectorAll('input.code')].every(e => !e.value)"
        )
        await page.go_back()
        assert card.secret not in page.url
        assert "Mes papiers" not in await page.inner_text("body")
    # A code is seen whole, as it is printed.
    await page.goto(f"{served.base_url}/card")
    await page.fill("#card", "MWMW-0000-WWWW-4Q4Q-8888")
    assert await page.evaluate("card.scrollWidth <= card.clientWidth")
    await context.close()


async def test_without_script_the_code_is_typed_and_another_card_is_made(
    browser: Browser, served: Served, card: Card, tmp_path: Path
) -> None:
    context, page = await computer(browser, script=False)
    await page.goto(f"{served.base_url}/#{card.secret}")
    await page.click("a[hreflang=fr]")
    assert "Vous avez scanné une carte" in await page.inner_text("main")
    await page.click("main a[href='/card']")
    await page.fill("#card", card.code.lower()[:-1] + ("0" if card.code[-1] != "0" else "1"))
    await page.click("main button.main")
    await expect(page.locator(".problem")).to_contain_text("groupe par groupe")
    await page.fill("#card", card.code.replace("-", " "))
    await page.click("main button.main")
    await page.fill("#code", PIN)
    await page.click("main button.main")
    await page.wait_for_url("**/documents")
    await page.click("footer a[href='/me']")
    await page.click("main a[href='/me/means']")
    await expect(page.locator("main")).to_contain_text("C’est votre seule façon d’entrer")
    await page.click("main a[href='/me/cards/new']")
    await page.fill("#card", card.code)
    for field in ("#proof", "#pin", "#again"):
        await page.fill(field, PIN)
    await page.click("main button.main")
    await expect(page.locator("h1")).to_contain_text("Votre carte est prête")
    async with page.expect_download() as download:
        await page.click("a[download]")
    await (await download.value).save_as(tmp_path / "card.pdf")
    code = code_on((tmp_path / "card.pdf").read_bytes())
    assert code in await page.inner_text("main")
    await page.click("main a[href='/me/means']")
    ours = page.locator("section.card", has_text=f"finit par {code[-2:]}")
    await ours.locator("button.danger").click()
    await expect(page.locator(".done")).to_contain_text("Cette carte n’ouvre plus rien")
    assert not re.search(re.escape(code), await page.content()), "it was shown once"
    await context.close()
