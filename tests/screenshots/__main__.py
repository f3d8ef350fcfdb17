"""`python -m tests.screenshots [FOLDER]`: a demo, a browser, a picture of every page."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.screenshots.pages import PAGES, address_of, name_of
from web.i18n.languages import offered

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--no-first-run"]
SMALL: ViewportSize = {"width": 360, "height": 640}
LARGE: ViewportSize = {"width": 1366, "height": 768}
SEEN = [("fr", SMALL), ("fr", LARGE), ("falc", SMALL), ("ar", SMALL), ("es", SMALL), ("uk", SMALL)]
# « Cacher » stays in view; on a picture of a whole page it would stand in its middle.
_IN_THE_BAR = """() => document.querySelectorAll('.hide')
  .forEach(e => { e.style.cssText = 'position: static; padding: 0; border: 0'; })"""
_LINKS = """() => [...document.querySelectorAll('a[href], form[method=get]')].map(e =>
  e.getAttribute('href') || e.getAttribute('action')
  + '?' + [...e.querySelectorAll('select, label:first-of-type > [type=checkbox]')]
    .map(s => s.name + '=' + s.value).join('&'))"""


@contextmanager
def demo() -> Iterator[dict[str, Any]]:
    """A seeded demo of its own; its tokens and addresses."""
    home = Path(tempfile.mkdtemp(prefix="uf-shots-"))
    told = home / "demo.json"
    command = [sys.executable, "-m", "web.cli", "demo", "--home", str(home / "home")]
    command += ["--port", "0", "--json", str(told)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not told.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        yield json.loads(told.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def photograph(browser: Browser, told: dict[str, Any], folder: Path) -> list[str]:
    """Every page in every language that is offered, at its sizes; those that were not found."""
    missing = []
    for language, size in SEEN:
        if language not in offered():
            continue
        for reader, pages in PAGES.items():
            cookies = {"language": language}
            if reader != "visitor":
                cookies[reader] = told[reader]["token"]
            context = browser.new_context(viewport=size, java_script_enabled=False)
            context.add_cookies(
                [
                    {"name": f"unefois-{name}", "value": value, "url": told["base_url"]}
                    for name, value in cookies.items()
                ]
            )
            if reader == "person":
                _begin_a_paper(context.new_page(), told["base_url"])
            into = folder / f"{language}-{size['width']}"
            missing += _each(context.new_page(), told["base_url"], pages, into)
            context.close()
    return missing


def _begin_a_paper(page: Page, base_url: str) -> None:
    """One that waits for its last look, unless there is one: two sides of a card."""
    page.goto(f"{base_url}/documents/add?type=national_identity_card")
    if page.locator("a.waiting").count():
        return
    sides = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": side} for n, side in _sides()]
    page.set_input_files("#photo", sides)  # type: ignore[arg-type]  # as its documentation has it
    page.click("button.main.send")
    page.click("button.main.send")


def _sides() -> list[tuple[int, bytes]]:
    sides = []
    for number, colour in enumerate(("#cfe3f5", "#f5efcf")):
        out = BytesIO()
        Image.new("RGB", (860, 540), colour).save(out, "PNG")
        sides.append((number, out.getvalue()))
    return sides


def _each(page: Page, base_url: str, pages: tuple[str, ...], into: Path) -> list[str]:
    links: list[str] = []
    missing = []
    for template in pages:
        address = address_of(template, links)
        if address is None:
            missing.append(template)
            continue
        page.goto(base_url + address)
        links += page.evaluate(_LINKS)
        _picture(page, into / f"{name_of(template)}.png")
    if pages is PAGES["visitor"]:
        page.goto(f"{base_url}/nowhere")
        _picture(page, into / "not-found.png")
        page.goto(f"{base_url}/")
        page.fill("#phone", "06 99 98 00 01")
        page.click("button.main")
        _picture(page, into / "sign-in.png")
        page.fill("#code", "1")
        page.click("button.main")
        _picture(page, into / "sign-in-wrong.png")
    return missing


def _picture(page: Page, file: Path) -> None:
    page.evaluate(_IN_THE_BAR)
    page.screenshot(path=file, full_page=True)


def main() -> int:
    """Write them; 1 when a page was not found."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/screenshots")
    with demo() as told, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        missing = photograph(browser, told, folder)
        browser.close()
    sys.stdout.write(f"{len(list(folder.rglob('*.png')))} pictures in {folder}\n")
    sys.stdout.write("".join(f"not found: {page}\n" for page in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
