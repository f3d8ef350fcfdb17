"""Pages without their style sheet, in Chromium: what is said then is still true."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.fixtures import MakePerson, Served
from tests.journeys.phones import photo_with_a_place

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("style", [False, True], ids=["no style", "style"])
async def test_a_photo_is_not_said_to_be_ready_before_there_is_one(
    browser: Browser, served: Served, make_person: MakePerson, tmp_path: Path, style: bool
) -> None:
    context = await browser.new_context(java_script_enabled=False, locale="fr-FR")
    if not style:
        await context.route("**/*.css", lambda route: route.abort())
    token = (await make_person()).token
    await context.add_cookies([{"name": "unefois-person", "value": token, "url": served.base_url}])
    page = await context.new_page()
    await page.goto(f"{served.base_url}/documents/add?type=payslip")
    ready = page.locator(".ready >> nth=0")
    await expect(ready).to_have_text("✓ La photo est prête")
    await expect(ready).to_be_hidden()
    photo_with_a_place(tmp_path / "a.jpg", "#f5efcf")
    await page.set_input_files("#photo", tmp_path / "a.jpg")
    # Without style nothing is said: what is not there yet is worse than what is not said.
    await expect(ready).to_be_visible(visible=style)
    await context.close()
