"""The first page: what it weighs as it is sent, and how soon it is usable on a slow network."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from bench.rows import Row, bounded
from web.pages import assets

CHROMIUM = "/usr/bin/chromium"
_QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-sync", "--no-first-run"]
KIB = 1024
MOST_BYTES = 25 * KIB
MOST_OF_SCRIPT = 8 * KIB
MOST_SECONDS = 2.0
SLOW_3G = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 500_000 / 8,
    "uploadThroughput": 500_000 / 8,
}
"""As Chromium's debugger emulates it: ms added to each request, bytes a second."""
APART = (
    "card.js", "closing.js", "countdown.js", "lighter.js", "meeting.js", "outbox.js", "pieces.js",
    "shared.js",
)  # fmt: skip
"""Files of their own, for those who need them: once a card is scanned, beside a worker, on a slow
link, where two people meet, on one's own device, once a large file is sent, on a device that others
use. The first page is weighed with them."""
_AT_ONCE = ("/manifest.webmanifest?language=fr", "/service-worker.js", "/offline")
_BEFORE_A_TAP = """new Promise(resolve => {
  const seen = () => {
    const loaded = performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd;
    const shown = document.querySelector('#phone, .choices a')?.getClientRects().length;
    if (loaded && shown) resolve(performance.now()); else setTimeout(seen, 10);
  };
  seen();
})"""


def scripts() -> list[str]:
    """The addresses of the module, whole: what a page does not need of it is never loaded."""
    names = (name for name in assets.assets() if name.endswith(".js"))
    return [assets.address(name) for name in names if not name.endswith("/worker.js")]


def weigh(base_url: str) -> tuple[int, int]:
    """Bytes as they are sent, with gzip: of the first page with everything that it can load, and of
    our own module in it."""
    with httpx.Client(base_url=base_url, trust_env=False) as client:
        page = client.get("/", headers={"Cookie": "unefois-language=fr"})
        parts = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
        weights = {one: _length(client, one) for one in {*parts, *scripts(), *_AT_ONCE}}
        whole = int(page.headers["content-length"]) + sum(weights.values())
    module = [one for one in scripts() if not one.endswith(APART)]
    return whole, sum(weights[one] for one in module)


def seconds_until_usable(browser: Browser, base_url: str, language: str) -> float:
    """From the tap on a link to a page whose first field or choice is there, at slow 3G, in a
    browser that has nothing of it yet. `language`: chosen before; empty: a first arrival."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="fr-FR")
    if language:
        cookie = {"name": "unefois-language", "value": language, "url": base_url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # a cookie's shape
    page = context.new_page()
    debugger = context.new_cdp_session(page)
    debugger.send("Network.enable")
    debugger.send("Network.emulateNetworkConditions", SLOW_3G)
    page.goto(f"{base_url}/", wait_until="commit")
    seconds = _usable(page)
    context.close()
    return seconds


def measure(port: int) -> list[Row]:
    """The rows; the time only where there is a Chromium."""
    base_url = f"http://127.0.0.1:{port}"
    whole, script = weigh(base_url)
    rows = [
        bounded("the first page, with all that it can load, KiB", whole / KIB, MOST_BYTES / KIB),
        bounded("our own module, KiB", script / KIB, MOST_OF_SCRIPT / KIB),
    ]
    with chromium() as browser:
        for language, name in (("", "a first arrival"), ("fr", "the first page")):
            seconds = seconds_until_usable(browser, base_url, language)
            rows.append(bounded(f"{name}, usable at slow 3G, s", seconds, MOST_SECONDS))
    return rows


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for the length of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        try:
            yield browser
        finally:
            browser.close()


def _usable(page: Page) -> float:
    return float(page.evaluate(_BEFORE_A_TAP)) / 1000


def _length(client: httpx.Client, address: str) -> int:
    answer = client.get(address)
    answer.raise_for_status()
    return int(answer.headers["content-length"])
