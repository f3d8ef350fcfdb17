"""The browsers of journeys: a small screen or a large one, with script or without, in French or in
Arabic, with a finger or with the keyboard alone."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
)
from sqlalchemy import text

from tests.fixtures import Served
from vault.documents.previews import draw_preview
from vault.services import Services
from web.pages.families import family_of

SMALL: ViewportSize = {"width": 360, "height": 640}
LARGE: ViewportSize = {"width": 1366, "height": 768}


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody uses the pages."""

    size: ViewportSize
    script: bool = False
    language: str = "fr"
    keyboard: bool = False


WAYS = {
    "small": Way(SMALL),
    "large-script": Way(LARGE, script=True),
    "small-script-ar": Way(SMALL, script=True, language="ar"),
    "large-ar": Way(LARGE, language="ar"),
    "keyboard": Way(LARGE, keyboard=True),
    "small-script-keyboard": Way(SMALL, script=True, keyboard=True),
}
"""Each pair of size, script and language is one of them; and the keyboard alone, both ways."""
every_way = pytest.mark.parametrize("open_phone", WAYS.values(), ids=WAYS, indirect=True)

OpenPhone = Callable[[], Awaitable["Phone"]]

# Run by the test: the page itself may run no script. Measures every element that holds text of its
# own.
_SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  .filter(e => e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
_SMALLEST_TARGET = """() => Math.min(...[...document.querySelectorAll(
  'button, a.button, nav a, .bar a, .foot a, .back a, select, summary, .tick, '
  + 'input:not([type=hidden], .unseen, [type=checkbox], [type=radio])')]
  .filter(e => e.getClientRects().length).map(e => e.getBoundingClientRect().height))"""
_UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter(e => !e.labels.length).map(e => e.name)"""


_FOCUSED = "e => e === document.activeElement"
_GROUP_FOCUSED = (
    "e => document.activeElement.name === e.name && document.activeElement.form === e.form"
)
_ISOLATES = str.maketrans("", "", "\u2066\u2067\u2068\u2069")


class Phone:
    """Somebody's browser. Every page that it opens passes the common checks."""

    def __init__(self, context: BrowserContext, page: Page, base_url: str, way: Way) -> None:
        self.context = context
        self.page = page
        self.way = way
        self._base_url = base_url

    async def go(self, address: str) -> None:
        await self.page.goto(self._base_url + address)
        await self.check()

    async def press(self, selector: str) -> None:
        """Press what leads to another page."""
        target = self.page.locator(selector).first
        async with self.page.expect_navigation():
            await self._press(target)
        await self.page.wait_for_load_state()
        await self.check()

    async def _press(self, target: Locator) -> None:
        if self.way.keyboard:
            await self._reach(target)
            await self.page.keyboard.press("Enter")
        else:
            await target.click()

    async def unfold(self, part: Locator) -> None:
        """Open a part of the page that is folded, unless it is open."""
        if await part.get_attribute("open") is not None:
            return
        await self._press(part.locator("summary").first)

    async def fill(self, selector: str, words: str) -> None:
        """Write into a field, in the place of what is there."""
        if not self.way.keyboard:
            await self.page.fill(selector, words)
            return
        await self._reach(self.page.locator(selector).first)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(words)

    async def tick(self, box: str | Locator) -> None:
        """Tick a box, or choose one of several."""
        target = (self.page.locator(box) if isinstance(box, str) else box).first
        if not self.way.keyboard:
            await target.check()
        elif await target.get_attribute("type") == "radio":
            await self._reach(target, _GROUP_FOCUSED)
            await self.page.keyboard.press("Space")
            for _step in range(30):
                if await target.is_checked():
                    return
                await self.page.keyboard.press("ArrowDown")
        else:
            await self._reach(target)
            await self.page.keyboard.press("Space")
        assert await target.is_checked()

    async def choose(self, selector: str, value: str) -> None:
        """Choose in a list."""
        target = self.page.locator(selector).first
        if not self.way.keyboard:
            await target.select_option(value)
            return
        await self._reach(target)
        for _step in range(60):
            if await target.input_value() == value:
                return
            await self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no key chooses {value} on {self.page.url}")

    async def _reach(self, target: Locator, reached: str = _FOCUSED) -> None:
        for _step in range(200):
            if await target.evaluate(reached):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"no key leads to {target} on {self.page.url}")

    async def says(self, words: str) -> bool:
        """Whether the page says so in French: beside another language, where that is its own."""
        said = " ".join((await self.page.inner_text("body")).split())
        return words in said.translate(_ISOLATES)

    async def sign_in(self, path: str, field: str, address: str) -> None:
        """Sign in with the code that the demo shows on the page; the language, the first time. The
        phone is its holder's own."""
        await self.go(path)
        if "/language" in self.page.url:
            # Not French: with French under it, which `says` reads.
            under = "" if self.way.language == "fr" else "[href$='with=fr']"
            await self.press(f"a[hreflang={self.way.language}]{under}")
        await self.fill(field, address)
        if await self.page.locator("input[name=device]").count():
            await self.tick("input[name=device][value=own]")
        await self.press("main button.main")
        # Long where somebody else typed wrong ones at that place.
        told = await self.page.inner_text("aside.demo")
        code = re.search(r"\d{6}|\d{4}\s\d{4}\s\d{2,4}", told)
        assert code
        await self.fill("#code", code[0])
        await self.press("main form:has(#code) button.main")

    async def check(self) -> None:
        """Check for no horizontal scroll, no small text, no small target, no unnamed field."""
        page = self.page
        where = page.url
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.way.size["width"], f"{where} is {width} wide"
        assert await page.evaluate(_SMALLEST_TEXT) >= 16, where
        assert await page.evaluate(_SMALLEST_TARGET) >= 44, where
        assert await page.evaluate(_UNNAMED) == [], where
        assert await page.locator("h1").count() >= 1, where
        if "/language" not in where:
            assert await page.get_attribute("html", "lang") in (self.way.language, "en")


@pytest.fixture
async def open_phone(
    request: pytest.FixtureRequest, browser: Browser, served: Served
) -> AsyncIterator[OpenPhone]:
    """Opens browsers, a small phone's without script where no other way is asked for."""
    contexts = []
    way: Way = getattr(request, "param", WAYS["small"])

    async def open_() -> Phone:
        context = await browser.new_context(
            viewport=way.size,
            java_script_enabled=way.script,
            locale=way.language,
            accept_downloads=True,
        )
        contexts.append(context)
        return Phone(context, await context.new_page(), served.base_url, way)

    yield open_
    for context in contexts:
        await context.close()


def photo_with_a_place(path: Path, colour: str) -> bytes:
    """A phone's picture of a paper, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 8.0)}
    out = BytesIO()
    Image.new("RGB", (600, 400), colour).save(out, "JPEG", exif=exif)
    path.write_bytes(out.getvalue())
    return out.getvalue()


async def draw_previews(services: Services) -> None:
    """Draw the previews of the last depositor's documents; others may be on another store."""
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text(
                "SELECT person_id, id FROM unefois.document_version WHERE person_id ="
                " (SELECT person_id FROM unefois.document_version ORDER BY id DESC LIMIT 1)"
            )
        )
        rows = found.all()
    for row in rows:
        await draw_preview(services, row.person_id, row.id)


async def add_a_photo(phone: Phone, type_: str, photo: Path) -> None:
    """Page by page: the picture, its family, its type, no date, a last look."""
    await phone.go("/documents/add")
    await phone.page.set_input_files("#photo", str(photo))
    assert await phone.says("La photo est prête")
    await phone.press("button.send")
    await phone.press(f"a[href$='?family={family_of(type_)}']")
    await phone.press(f"button[value={type_}]")
    await phone.press("button.send")
    assert await phone.says("Vérifier et garder")
    # Once, above « Garder », with what can be done with it.
    assert await pictures_shown(phone) == 1
    await phone.press("button.send")
    assert await phone.says("C’est fait")


async def pictures_shown(phone: Phone) -> int:
    """The number of document previews that the page really shows."""
    shown = "e => e.complete && e.naturalWidth > 0"
    return sum([await one.evaluate(shown) for one in await phone.page.locator("img").all()])
