"""A large file whose sending is cut goes on from where it stopped, in Chromium."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, Route, expect

from tests.fixtures import MakePerson, Served, SomePerson
from tests.journeys.test_script import Open, open_page
from tests.journeys.test_sending import keep, on_a_shared_device
from tests.servers.cutting import CuttingRelay, cutting_relay
from tests.uploads import padded_pdf

__all__ = ["open_page"]

pytestmark = pytest.mark.browser
SIZE = 5_000_000
MIB = 2**20
PIECES = re.compile(r"/uploads/[0-9a-f-]{36}$")


def noted(page: Page) -> list[tuple[int, int]]:
    """Where each piece that the page sends begins, and its bytes."""
    pieces: list[tuple[int, int]] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            offset = int(request.headers["upload-offset"])
            pieces.append((offset, len(request.post_data_buffer or b"")))

    page.on("request", note)
    return pieces


async def cut_after_three(page: Page) -> list[tuple[int, int]]:
    """No network any more once three pieces have arrived; what is noted of them."""
    pieces = noted(page)

    async def lose(route: Route) -> None:
        if len(pieces) > 3:
            await page.context.set_offline(True)
            await route.abort("connectionreset")
        else:
            await route.fallback()

    await page.route(PIECES, lose)
    return pieces


async def ready_at(open_page: Open, base_url: str, person: SomePerson, file: Path) -> Page:
    """The page that adds a payslip, with a file chosen."""
    page = await open_page("/language")
    cookie = {"name": "unefois-person", "value": person.token, "url": base_url}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    await page.goto(f"{base_url}/documents/add?type=payslip")
    await page.wait_for_load_state("networkidle")
    await page.set_input_files("#files", file)
    return page


async def test_a_cut_sending_goes_on_by_itself_with_the_rest_alone(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    """A relay cuts the connection in the middle of what is sent, twice."""
    data = padded_pdf(SIZE)
    (tmp_path / "a.pdf").write_bytes(data)
    relay = CuttingRelay(served.base_url, [2_500_000, 1_500_000])
    async with cutting_relay(relay):
        page = await ready_at(open_page, relay.url, await make_person(), tmp_path / "a.pdf")
        pieces = noted(page)
        await page.click("form:has(#files) button.send")
        await page.wait_for_url("**/documents/add/*/details", timeout=20_000)
        await keep(page)
        paper = await page.context.request.get(page.url.split("?")[0] + "/content")
        assert await paper.body() == data
    assert relay.made == 2
    starts = [start for start, _ in pieces]
    assert starts == sorted(starts), "nothing that had arrived was sent again"
    # Of each piece that was cut, what had arrived is not sent again either.
    assert any(start % MIB for start in starts)
    assert sum(size for _, size in pieces) < len(data) + 2 * MIB


async def test_a_second_sending_carries_only_the_rest(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    """The network goes away for long; one sends again from the same page."""
    data = padded_pdf(SIZE)
    (tmp_path / "a.pdf").write_bytes(data)
    person = await on_a_shared_device(served.services, await make_person())
    page = await ready_at(open_page, served.base_url, person, tmp_path / "a.pdf")
    pieces = await cut_after_three(page)
    await page.click("form:has(#files) button.send")
    problem = page.locator("form .problem")
    await expect(problem).to_contain_text("L’envoi reprend là où il s’est arrêté")
    await page.unroute(PIECES)
    await page.context.set_offline(False)
    before = len(pieces)
    await page.click("form:has(#files) button.send")
    await page.wait_for_url("**/documents/add/*/details", timeout=20_000)
    assert pieces[before][0] == 3 * MIB
    assert sum(size for _, size in pieces[before:]) == len(data) - 3 * MIB
    await keep(page)
    paper = await page.context.request.get(page.url.split("?")[0] + "/content")
    assert await paper.body() == data


async def test_an_answer_that_was_lost_makes_no_second_paper(
    open_page: Open, served: Served, make_person: MakePerson, tmp_path: Path
) -> None:
    (tmp_path / "a.pdf").write_bytes(padded_pdf(2 * MIB))
    person = await on_a_shared_device(served.services, await make_person())
    page = await ready_at(open_page, served.base_url, person, tmp_path / "a.pdf")

    async def lose(route: Route) -> None:
        if route.request.method == "POST":
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.fallback()

    form = re.compile(r"/documents/add(\?|$)")
    await page.route(form, lose)
    await page.click("form:has(#files) button.send")
    await expect(page.locator("form .problem")).to_be_visible()
    await page.unroute(form)
    await page.click("form:has(#files) button.send")
    await page.wait_for_url("**/documents/add/*/details")
    await page.goto(f"{served.base_url}/documents/add")
    assert await page.locator("a.waiting").count() == 1
