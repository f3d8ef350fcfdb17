"""What waits on a device, while something else happens: another tab, another paper (Chromium)."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect

from tests.fixtures import MakePerson, Served
from tests.journeys.test_outbox import failed_to_send, gone, stored
from tests.journeys.test_resuming import PIECES
from tests.journeys.test_script import Open, open_page, until
from tests.journeys.test_sending import a_paper

__all__ = ["open_page"]

pytestmark = pytest.mark.browser
# A paper is sealed once the test says so.
SLOW = """const { encrypt } = SubtleCrypto.prototype;
SubtleCrypto.prototype.encrypt = async function (how, key, bytes) {
  if (bytes.byteLength > 100) await new Promise((seal) => { window.seal = seal; });
  return encrypt.call(this, how, key, bytes);
};"""


async def photo_without_network(page: Page, photo: Path) -> None:
    """Chosen on the page of a camera, and not sent."""
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("#photo", photo)
    await page.context.set_offline(True)
    await page.click("button.send >> nth=0")


async def test_a_page_that_is_opened_while_a_photo_is_sealed_takes_nothing_from_it(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    page = await open_page("/documents/add?type=payslip", await make_person(), init=SLOW)
    await until(page, "navigator.serviceWorker.controller !== null")
    await photo_without_network(page, a_paper(tmp_path / "a.jpg"))
    await until(page, "Boolean(window.seal)")
    await page.context.set_offline(False)
    other = await page.context.new_page()
    await other.goto(f"{served.base_url}/documents")
    await other.wait_for_load_state("networkidle")
    await page.evaluate("seal()")
    for one in (page, other):
        await expect(one.locator("#waiting .count")).to_have_text("1")
        await other.reload()
    await other.click("#waiting button.main")
    await other.wait_for_url("**/documents/add/*/details")
    await gone(other)


async def test_what_is_being_sent_when_one_leaves_is_not_kept_again(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    page = await failed_to_send(open_page, await make_person(), a_paper(tmp_path / "a.jpg"))
    await expect(page.locator("#waiting")).to_be_visible()
    await page.context.set_offline(False)
    other = await page.context.new_page()
    await other.goto(f"{served.base_url}/documents")

    async def leave(route: Route) -> None:
        await other.click("header form[action='/sign-out'] button")
        await other.wait_for_url("**/?done=bye*")
        await route.fallback()

    await page.route(PIECES, leave)
    await page.click("#waiting button.main")
    await expect(page.locator("#ended")).to_be_visible()
    assert await stored(page) == []


async def test_one_that_is_refused_does_not_hold_back_the_next(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    bad = tmp_path / "b.jpg"
    bad.write_bytes(b"no picture" * 500)
    page = await failed_to_send(open_page, await make_person(), bad)
    await expect(page.locator("#waiting .count")).to_have_text("1")
    await page.set_input_files("#photo", a_paper(tmp_path / "a.jpg"))
    await page.click("form:has(#photo) button.send")
    await expect(page.locator("#waiting .count")).to_have_text("2")
    await page.context.set_offline(False)
    await page.click("#waiting button.main")
    await expect(page.locator("#waiting .problem")).to_be_visible()
    await expect(page.locator("#waiting .count")).to_have_text("1")
    assert len(await stored(page)) == 1
    await page.goto(f"{served.base_url}/documents/add")
    await expect(page.locator("a.waiting")).to_have_count(1)


async def test_a_photo_whose_paper_is_dropped_meanwhile_begins_another(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    page = await open_page("/documents/add", await make_person())
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("#photo", a_paper(tmp_path / "a.jpg"))
    await page.click("button.send >> nth=0")
    await page.wait_for_url("**/type")
    draft = page.url.removesuffix("/type")
    await page.goto(f"{draft}/check")
    await page.click("a:has-text('Reprendre')")
    await page.wait_for_url(re.compile("/pictures/"))
    await photo_without_network(page, a_paper(tmp_path / "b.jpg", light=0.8))
    await expect(page.locator("#waiting")).to_be_visible()
    await page.context.set_offline(False)
    await page.goto(f"{draft}/discard")
    await page.click("main form button:has-text('Oui, effacer')")
    await page.wait_for_url("**/documents?done=discarded")
    await page.click("#waiting button.main")
    await page.wait_for_url("**/documents/add/*/type")
    assert draft not in page.url
    await gone(page)
