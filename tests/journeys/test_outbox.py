"""What could not be sent waits on one's own device, sealed, and goes when one leaves (Chromium)."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.fixtures import MakePerson, Served, SomePerson
from tests.journeys.test_resuming import MIB, cut_after_three, noted
from tests.journeys.test_script import Open, open_page, until
from tests.journeys.test_sending import a_paper, keep, on_a_shared_device
from tests.uploads import padded_pdf

__all__ = ["open_page"]

pytestmark = pytest.mark.browser
# Every store of every database: [name, key, value as text, bytes of it as text].
STORED = """(async () => {
  const found = [];
  const asked = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result); request.onerror = reject;
  });
  const text = (bytes) => Array.from(new Uint8Array(bytes), (b) => String.fromCharCode(b)).join('');
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const rows = await asked(database.transaction(store).objectStore(store).getAll());
      for (const row of rows) {
        const bytes = Object.values(row).filter((v) => v instanceof ArrayBuffer).map(text).join('');
        const key = row.key
          ? await crypto.subtle.exportKey('raw', row.key).then(() => 'out', (e) => e.name) : '';
        found.push([store, JSON.stringify(row), bytes, key]);
      }
    }
    database.close();
  }
  return found;
})()"""
OLDER = """new Promise((resolve) => {
  const opening = indexedDB.open('unefois-outbox');
  opening.onsuccess = () => {
    const change = opening.result.transaction('papers', 'readwrite');
    change.objectStore('papers').openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      cursor.update({ ...cursor.value, at: cursor.value.at - 25 * 3600 * 1000 });
      cursor.continue();
    };
    change.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""


async def stored(page: Page) -> list[Any]:
    found: list[Any] = await page.evaluate(STORED)
    return found


async def failed_to_send(open_page: Open, person: SomePerson, photo: Path) -> Page:
    """The page that adds a payslip, after a try without network."""
    page = await open_page("/documents/add?type=payslip", person)
    await until(page, "navigator.serviceWorker.controller !== null")
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("#photo", photo)
    await page.context.set_offline(True)
    await page.click("form:has(#photo) button.send")
    return page


async def test_it_waits_sealed_and_is_sent_later_from_any_page(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    photo = a_paper(tmp_path / "salaire.jpg")
    page = await failed_to_send(open_page, await make_person(), photo)
    panel = page.locator("#waiting")
    await expect(panel.locator("h2")).to_have_text("Pas encore envoyé")
    await expect(panel.locator(".count")).to_have_text("1")
    assert await page.evaluate("document.querySelector('#photo').files.length") == 0
    await expect(page.locator("form .problem")).to_have_count(0)
    await sealed(page, photo.read_bytes())
    await page.context.set_offline(False)
    await page.goto(f"{served.base_url}/requests")
    await expect(panel.locator(".count")).to_have_text("1")
    tap = "document.querySelector('#waiting button.main').click()"
    await page.evaluate(f"{tap}; {tap}")
    await page.wait_for_url("**/documents/add/*/details")
    assert await stored(page) == []
    await keep(page)
    paper = await page.context.request.get(page.url.split("?")[0] + "/content")
    assert await paper.body() == photo.read_bytes()
    await page.goto(f"{served.base_url}/documents/add")
    assert await page.locator("a.waiting").count() == 0
    assert await panel.count() == 0


async def sealed(page: Page, photo: bytes) -> None:
    """A paper with a key that no script takes out; nothing of the paper is in clear."""
    found = await stored(page)
    assert [(store, key) for store, _, _, key in found] == [("papers", "InvalidAccessError")]
    everything = "".join(row + content for _, row, content, _ in found)
    assert len(everything) > len(photo)
    who = await page.get_attribute("body", "data-who")
    middle = photo[len(photo) // 2 :][:64].decode("latin-1")
    for clear in ("salaire", "payslip", "image/jpeg", "JFIF", "/documents", who, middle):
        assert clear not in everything


async def test_on_a_shared_device_nothing_is_kept(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    """And what waited there, when it was one's own, is gone."""
    person, photo = await make_person(), a_paper(tmp_path / "a.jpg")
    shared = await on_a_shared_device(served.services, person)
    page = await open_page("/documents/add?type=payslip", shared)
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("#photo", photo)
    await page.context.set_offline(True)
    await page.click("form:has(#photo) button.send")
    await expect(page.locator("form .problem")).to_contain_text("Tout reste sur cette page")
    assert await page.evaluate("indexedDB.databases()") == []
    page = await failed_to_send(open_page, person, photo)
    await expect(page.locator("#waiting")).to_be_visible()
    await page.context.set_offline(False)
    cookie = {"name": "unefois-person", "value": shared.token, "url": served.base_url}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    later = await page.context.new_page()
    await later.goto(f"{served.base_url}/documents")
    await gone(later)


async def gone(page: Page) -> None:
    """Neither a paper nor the key is left."""
    for _ in range(100):
        found = await stored(page)
        if not found:
            return
        await asyncio.sleep(0.05)
    raise AssertionError([store for store, *_ in found])


@pytest.mark.parametrize(
    "how",
    ["sign out", "everywhere", "hide", "another account", "a day", "a day, elsewhere", "erase"],
)
async def test_it_goes_when_one_leaves_with_another_account_and_after_a_day(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path, how: str
) -> None:
    page = await failed_to_send(open_page, await make_person(), a_paper(tmp_path / "a.jpg"))
    await expect(page.locator("#waiting")).to_be_visible()
    await page.context.set_offline(False)
    assert len(await stored(page)) == 1
    if how == "sign out":
        await page.click("header form[action='/sign-out'] button")
        await page.wait_for_url("**/?done=bye*")
    elif how == "everywhere":
        await page.click("footer a[href='/me']")
        await page.click("main form[action='/sign-out'] button")
        await page.wait_for_url("**/?done=bye_everywhere")
    elif how == "hide":
        await page.click("form[action='/quick-exit'] button")
        await page.wait_for_url(served.services.settings.quick_exit_url)
        page = await page.context.new_page()
        await page.goto(f"{served.base_url}/language")
    elif how == "another account":
        cookie = {"name": "unefois-person", "value": (await make_person()).token}
        await page.context.add_cookies([cookie | {"url": served.base_url}])  # type: ignore[list-item]  # a cookie's shape
        await page.goto(f"{served.base_url}/documents")
        await expect(page.locator("#waiting")).to_have_count(0)
    elif how == "erase":
        await page.click("#waiting button:not(.main)")
        await expect(page.locator("#waiting")).to_have_count(0)
    else:
        await page.evaluate(OLDER)
        await page.goto(served.base_url + ("/documents" if how == "a day" else "/language"))
    await gone(page)


@pytest.mark.parametrize("how", ["/sign-out", "/quick-exit"])
async def test_who_left_in_one_tab_keeps_nothing_in_another(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path, how: str
) -> None:
    """What waits goes from both; a photo that is sent later, without network, stays in its page."""
    photo = a_paper(tmp_path / "a.jpg")
    page = await failed_to_send(open_page, await make_person(), photo)
    await expect(page.locator("#waiting")).to_be_visible()
    await page.context.set_offline(False)
    other = await page.context.new_page()
    await other.goto(f"{served.base_url}/documents")
    await expect(other.locator("#waiting")).to_be_visible()
    await other.click(f"header form[action='{how}'] button")
    await expect(page.locator("#waiting")).to_have_count(0)
    await gone(page)
    await page.context.set_offline(True)
    await page.set_input_files("#photo", photo)
    await page.click("form:has(#photo) button.send")
    await expect(page.locator("form .problem")).to_contain_text("Tout reste sur cette page")
    assert await stored(page) == []


async def test_what_had_arrived_of_a_large_file_is_not_sent_again(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    """Not even from another page, once the first one is closed."""
    data = padded_pdf(5_000_000)
    (tmp_path / "a.pdf").write_bytes(data)
    person = await make_person()
    page = await open_page("/documents/add?type=payslip", person)
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("#files", tmp_path / "a.pdf")
    await cut_after_three(page)
    await page.click("form:has(#files) button.send")
    await expect(page.locator("#waiting")).to_be_visible()
    await page.context.set_offline(False)
    later = await page.context.new_page()
    await page.close()
    await later.goto(f"{served.base_url}/documents")
    pieces = noted(later)
    await later.click("#waiting button.main")
    await later.wait_for_url(re.compile("/documents/add/.*/details"), timeout=20_000)
    assert pieces[0][0] == 3 * MIB
    assert sum(size for _, size in pieces) == len(data) - 3 * MIB
    await gone(later)


@pytest.mark.parametrize(("address", "status"), [("**/documents/add?*", 502), ("**/session", 200)])
async def test_what_a_proxy_or_a_portal_stopped_waits_too(
    open_page: Open, make_person: MakePerson, tmp_path: Path, address: str, status: int
) -> None:
    page = await open_page("/documents/add", await make_person())
    await page.wait_for_load_state("networkidle")

    async def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            await route.fallback()
        else:
            await route.fulfill(status=status, content_type="text/html", body="<h1>nginx</h1>")

    await page.route(address, answer)
    await page.set_input_files("#photo", a_paper(tmp_path / "a.jpg"))
    await page.click("form:has(#photo) button.send")
    await expect(page.locator("#waiting .count")).to_have_text("1")
    await page.click("#waiting button.main")
    await expect(page.locator("#waiting .problem")).to_be_visible()
    await expect(page.locator("#waiting .count")).to_have_text("1")
    await page.unroute(address)
    await page.click("#waiting button.main")
    await page.wait_for_url("**/documents/add/*/type")
