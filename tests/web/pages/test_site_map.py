"""Every page that can be reached directly is in the map of the site, under its own title."""

import re

import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.screenshots.pages import PAGES as SHOWN
from tests.web.pages.test_pages import browser_of
from web.pages.site_map import PAGES

# Steps of something that was begun elsewhere, and the map itself.
_STEPS = {
    "/grants/stop-all",
    "/me/joins/code",
    "/me/trusted/new",
    "/me/representative/new",
    "/represented/code",
    "/represented/new",
    "/trusted/code",
    "/pages",
    "/pro/pages",
    "/pro/desk/vault",
    "/pro/desk/stop/sure",
    "/pro/desk/stop/code",
    "/pro/desk/recovery/language",
    "/pro/desk/recovery/second",
    "/pro/desk/recovery/cancel",
}


@pytest.mark.parametrize("kind", ["person", "worker"])
async def test_each_page_of_the_map_is_there(
    served: Served, make_person: MakePerson, make_worker: MakeWorker, kind: str
) -> None:
    someone = await (make_person() if kind == "person" else make_worker())
    prefix = "" if kind == "person" else "/pro"
    async with browser_of(served, someone) as browser:
        home = (await browser.get(PAGES[kind][0][0])).text
        assert f'href="{prefix}/pages"' in home[home.index("<footer") :]
        shown = (await browser.get(f"{prefix}/pages")).text
        main = shown[shown.index("<main") : shown.index("</main>")]
        found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', main)
        assert [address for address, _ in found] == [address for address, _ in PAGES[kind]]
        for address, title in found:
            page = await browser.get(address, follow_redirects=True)
            assert page.status_code == 200, address
            assert f"<title>{title} – " in page.text.replace("\xa0", " "), address


@pytest.mark.parametrize("kind", ["person", "worker"])
def test_no_page_is_missing(kind: str) -> None:
    direct = {page for page in SHOWN[kind] if "{" not in page} - _STEPS
    assert direct <= {address for address, _ in PAGES[kind]}
