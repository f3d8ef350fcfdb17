"""A person enters in Chromium, on a shared device or on their own, with and without script: what is
left of it, and how it ends."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from auth import shared_devices
from tests.fixtures import MoveClock, Served, last_code, new_phone

pytestmark = pytest.mark.browser

Open = Callable[[bool], Awaitable[Page]]
BOTH = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
_STORED = """async () => ({
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  caches: (await caches.keys()).length,
  databases: (await indexedDB.databases()).length,
  local: localStorage.length,
})"""
_TYPED = """() => [...document.querySelectorAll(
  'input:not([type=hidden], [type=radio], [type=checkbox])')].map(e => e.value).filter(Boolean)"""
_OVER = re.compile("/session/over$")
_AWAY = "Object.defineProperty(document, 'hidden', { get: () => window.away })"
_LEADS_TO = "(form, address) => { form.dataset.to = address; }"
NOTHING = {"workers": 0, "caches": 0, "databases": 0, "local": 0}


@pytest.fixture
async def open_page(browser: Browser, served: Served) -> AsyncIterator[Open]:
    contexts: list[BrowserContext] = []

    async def open_(script: bool) -> Page:
        context = await browser.new_context(
            viewport={"width": 360, "height": 640}, locale="fr-FR", java_script_enabled=script
        )
        contexts.append(context)
        page = await context.new_page()
        await page.goto(f"{served.base_url}/")
        return page

    yield open_
    for context in contexts:
        await context.close()


async def enter(served: Served, page: Page, phone: str, device: str) -> None:
    """From the first arrival to one's papers, as a person does it."""
    if "/language" in page.url:
        await page.click("a[hreflang=fr]")
    await page.fill("#phone", phone)
    assert await page.locator("input[name=device]:checked").count() == 0, "nothing is ticked"
    if device:
        await page.check(f"input[name=device][value={device}]")
    await page.click("main button.main")
    await page.fill("#code", await last_code(served.services, phone))
    await page.click("main form:has(#code) button.main")
    await page.wait_for_url("**/documents")


async def cookies_of(page: Page) -> dict[str, Any]:
    return {str(one.get("name")): one for one in await page.context.cookies()}


@BOTH
async def test_the_language_is_asked_at_the_first_arrival_alone(
    open_page: Open, served: Served, script: bool
) -> None:
    """Each in its own script."""
    page = await open_page(script)
    assert page.url.split("?")[0].endswith("/language")
    shown = await page.locator("ul.choices >> nth=0").inner_text()
    for name in ("Français", "English", "Español", "العربية", "Українська"):
        assert name in shown
    assert await page.get_attribute("a[hreflang=ar]", "lang") == "ar"
    assert await page.get_attribute("a[hreflang=ar]", "dir") == "rtl"
    await page.click("a[hreflang=en]")
    await page.goto(f"{served.base_url}/")
    assert "/language" not in page.url
    assert await page.get_attribute("html", "lang") == "en"


@BOTH
@pytest.mark.parametrize("device", ["shared", ""])
async def test_a_shared_device_keeps_nothing_after_going_out(
    open_page: Open, served: Served, script: bool, device: str
) -> None:
    page = await open_page(script)
    await enter(served, page, new_phone(), device)
    assert {one["expires"] for one in (await cookies_of(page)).values()} == {-1}, (
        "each ends with the window"
    )
    assert await page.get_attribute("body", "data-device") == "shared"
    await page.goto(f"{served.base_url}/grants")
    await page.wait_for_load_state("networkidle")
    if script:
        assert await page.evaluate(_STORED) == NOTHING
    await page.click("header form[action='/sign-out'] button")
    await page.wait_for_url("**/?done=bye")
    assert {*await cookies_of(page)} <= {"unefois-visit", "unefois-left"}, "of nobody"
    for _ in range(4):  # to where the code was typed, and the phone
        assert await page.evaluate(_TYPED) == []
        await page.go_back()
        assert "Qui voit" not in await page.inner_text("body")
    if script:
        await page.goto(f"{served.base_url}/")
        assert await page.evaluate(_STORED) == NOTHING
        assert "/language" in page.url, "the next one chooses theirs"


@BOTH
async def test_closing_the_window_is_going_out(
    browser: Browser, open_page: Open, served: Served, script: bool
) -> None:
    """What a browser keeps when its window closes: whatever has a date."""
    page = await open_page(script)
    await enter(served, page, new_phone(), "shared")
    state = await page.context.storage_state()
    kept = [one for one in state["cookies"] if one["expires"] != -1]
    assert kept == []
    assert state["origins"] == []
    again = await browser.new_context(storage_state={"cookies": kept, "origins": []})
    after = await again.new_page()
    await after.goto(f"{served.base_url}/documents")
    assert "/?done=signed_out" in after.url
    await again.close()


@BOTH
async def test_an_own_device_stays_open_when_the_window_closes(
    browser: Browser, open_page: Open, served: Served, script: bool
) -> None:
    page = await open_page(script)
    await enter(served, page, new_phone(), "own")
    state = await page.context.storage_state()
    kept = [one for one in state["cookies"] if one["expires"] != -1]
    again = await browser.new_context(storage_state={"cookies": kept, "origins": []})
    after = await again.new_page()
    await after.goto(f"{served.base_url}/documents")
    assert after.url.endswith("/documents")
    await again.close()


@BOTH
async def test_a_shared_device_is_over_after_fifteen_minutes(
    open_page: Open, served: Served, moved_clock: MoveClock, script: bool
) -> None:
    page = await open_page(script)
    await enter(served, page, new_phone(), "shared")
    moved_clock(timedelta(minutes=16))
    await page.goto(f"{served.base_url}/grants")
    assert "/?done=signed_out" in page.url
    assert {*await cookies_of(page)} <= {"unefois-visit", "unefois-left"}


async def test_a_page_that_nobody_touches_goes_after_it_was_told(
    open_page: Open, served: Served, moved_clock: MoveClock
) -> None:
    """By the clocks of the page and of the database, which the test moves: that of the service does
    not move with them, and no answer of it comes."""
    page = await open_page(True)
    await page.route("**/session?used=no", lambda route: route.abort())
    await page.clock.install()
    await enter(served, page, new_phone(), "shared")
    await page.wait_for_load_state("networkidle")
    await page.clock.fast_forward(9 * 60_000)
    assert not await page.is_visible("#ending")
    await page.clock.fast_forward(90_000)
    await expect(page.locator("#ending")).to_be_visible()
    moved_clock(timedelta(minutes=16))
    await page.clock.fast_forward(5 * 60_000)
    await expect(page).to_have_url(_OVER)
    assert "Entrez pour continuer" in await page.inner_text("main")
    await page.go_back()
    await page.wait_for_load_state()
    assert await page.inner_text("h1") != "Mes papiers"


@pytest.mark.parametrize("how", ["sign-out", "quick-exit"])
async def test_who_leaves_a_shared_device_leaves_no_other_tab_of_theirs(
    open_page: Open, served: Served, how: str
) -> None:
    """Whoever sits down next finds neither the papers nor, where they were hidden, this site."""
    page = await open_page(True)
    await enter(served, page, new_phone(), "shared")
    other = await page.context.new_page()
    await other.goto(f"{served.base_url}/documents")
    await other.wait_for_load_state("networkidle")
    elsewhere = f"{served.base_url}/problems"
    for one in (page, other):
        await one.eval_on_selector("form[action='/quick-exit']", _LEADS_TO, elsewhere)
    await page.click(f"header form[action='/{how}'] button")
    await expect(other).to_have_url(_OVER if how == "sign-out" else elsewhere)
    # The page of problems that stands for another site has these words in its list.
    out = how == "sign-out"
    seen = await (other.inner_text("body") if out else other.title())
    assert "Mes papiers" not in seen
    await page.wait_for_url("**/?done=bye" if how == "sign-out" else elsewhere)
    await other.go_back()
    await other.wait_for_load_state()
    # The page of problems that stands for another site has these words in its list.
    out = how == "sign-out"
    seen = await (other.inner_text("body") if out else other.title())
    assert "Mes papiers" not in seen
    if how == "sign-out":
        await page.fill("#phone", new_phone())
        await page.click("main button.main")
        await page.wait_for_url("**/sign-in/*")


@pytest.mark.parametrize("how", ["comes to it", "sees it all the time"])
async def test_a_session_that_was_ended_elsewhere_is_seen_by_who_looks_at_its_page(
    open_page: Open, served: Served, how: str
) -> None:
    """From another device, say: the page goes long before its own end, which its own questions do
    not put off; unseen, it asks nothing."""
    phone = new_phone()
    library, own = await open_page(True), await open_page(True)
    await library.clock.install()
    await enter(served, library, phone, "shared")
    asked: list[str] = []
    library.on("request", lambda one: asked.append(one.url.removeprefix(served.base_url)))
    await library.wait_for_load_state("networkidle")
    await enter(served, own, phone, "own")
    await own.goto(f"{served.base_url}/sessions")
    await own.click(".card button")
    await expect(own.locator(".done")).to_contain_text("C’est fermé sur un ordinateur")
    if how == "comes to it":
        await library.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    else:
        await library.evaluate(_AWAY)
        await library.evaluate("window.away = true")
        await library.clock.run_for(60_000)
        assert "/session?used=no" not in asked
        await library.evaluate("window.away = false")
        await library.clock.run_for(26_000)
        assert "/session?used=no" in asked
    await expect(library).to_have_url(_OVER)
    assert "Mes papiers" not in await library.inner_text("body")


async def test_what_one_types_is_use(
    open_page: Open, served: Served, moved_clock: MoveClock
) -> None:
    page = await open_page(True)
    await page.route("**/session?used=no", lambda route: route.abort())
    await page.clock.install()
    await enter(served, page, new_phone(), "shared")
    await page.goto(f"{served.base_url}/grants/new/who")
    await page.wait_for_load_state("networkidle")
    moved_clock(timedelta(minutes=11))
    await page.clock.fast_forward(11 * 60_000)
    await expect(page.locator("#ending")).to_be_visible()
    async with page.expect_response("**/session"):
        await page.keyboard.press("Tab")
    await expect(page.locator("#ending")).to_be_hidden()
    moved_clock(timedelta(minutes=20))
    await page.goto(f"{served.base_url}/documents")
    assert page.url.endswith("/documents")


async def test_without_script_a_page_that_nobody_touches_goes_too(
    open_page: Open, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_devices, "IDLE", timedelta(seconds=3))
    page = await open_page(False)
    await enter(served, page, new_phone(), "shared")
    await expect(page).to_have_url(_OVER, timeout=20_000)
    assert "Entrez pour continuer" in await page.inner_text("main")


async def test_where_no_module_runs_a_page_that_nobody_touches_goes_too(
    open_page: Open, served: Served
) -> None:
    """A browser of before 2020 has scripts, and reads ours no more."""
    page = await open_page(True)
    await page.route("**/script/page.js", lambda route: route.abort())
    await page.clock.install()
    await enter(served, page, new_phone(), "shared")
    await page.clock.fast_forward(14 * 60_000)
    assert page.url.endswith("/documents")
    await page.clock.fast_forward(2 * 60_000)
    await expect(page).to_have_url(_OVER)


@BOTH
async def test_a_code_that_does_not_come_is_asked_for_again(
    open_page: Open, served: Served, moved_clock: MoveClock, script: bool
) -> None:
    page = await open_page(script)
    await page.clock.install()
    await page.click("a[hreflang=fr]")
    phone = new_phone()
    await page.fill("#phone", phone)
    await page.check("input[name=device][value=own]")
    await page.click("main button.main")
    shown = re.sub(r"\D", "", await page.inner_text(".sent-to"))
    assert shown == f"0{phone[3:]}"
    assert phone[3:] not in page.url
    again = page.locator("form[action$='/again'] button")
    if script:
        await expect(again).to_be_disabled()
        await page.clock.fast_forward(20_000)
        assert 35 <= int(await page.inner_text("[data-wait] strong")) <= 41
        await page.clock.fast_forward(45_000)
        await expect(again).to_be_enabled()
    await again.click()
    await expect(page.locator(".problem")).to_contain_text("Attendez encore")
    moved_clock(timedelta(seconds=61))
    await page.clock.fast_forward(61_000)
    await again.click()
    await expect(page.locator(".done")).to_contain_text("Un nouveau code est parti")
    # A long code is seen whole, as it is written in the message.
    await page.fill("#code", "0000 0000 0000")
    if script:
        assert await page.evaluate("code.scrollWidth <= code.clientWidth")
    await page.fill("#code", await last_code(served.services, phone))
    await page.click("main form:has(#code) button.main")
    await page.wait_for_url("**/documents")
    assert await page.get_attribute("body", "data-device") == "own"


@BOTH
async def test_another_device_is_ended_from_my_page(
    open_page: Open, served: Served, script: bool
) -> None:
    phone = new_phone()
    library, own = await open_page(script), await open_page(script)
    await enter(served, library, phone, "shared")
    await enter(served, own, phone, "own")
    await own.click("footer a[href='/me']")
    assert "Vos papiers sont ouverts aussi sur 1 autre appareil" in await own.inner_text("main")
    await own.click("main a[href='/sessions']")
    assert "appareil partagé" in await own.inner_text(".card >> nth=1")
    await own.click(".card button")
    await expect(own.locator(".done")).to_contain_text("C’est fermé sur un ordinateur")
    await library.goto(f"{served.base_url}/grants")
    assert "/?done=signed_out" in library.url
    await own.goto(f"{served.base_url}/grants")
    assert own.url.endswith("/grants")


@BOTH
async def test_an_erasure_is_begun_and_cancelled(
    open_page: Open, served: Served, script: bool
) -> None:
    phone = new_phone()
    page = await open_page(script)
    await enter(served, page, phone, "own")
    await page.click("footer a[href='/me']")
    await page.click("main a[href='/erasure']")
    await page.click("main form[action='/erasure/code'] button")
    await page.fill("#code", await last_code(served.services, phone))
    await page.click("main form:has(#code) button")
    await expect(page.locator(".done")).to_contain_text("7 jours pour changer d’avis")
    await page.goto(f"{served.base_url}/me")
    await page.click("main a.waiting")
    await page.click("main form[action='/erasure/cancel'] button")
    await expect(page.locator(".done")).to_contain_text("Rien ne sera effacé")
    await page.goto(f"{served.base_url}/me")
    assert await page.locator("main a.waiting").count() == 0
