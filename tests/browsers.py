"""One Chromium for each test process: a test has contexts of its own in it, and leaves none."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Playwright, async_playwright

_SHELL, _WHOLE = "/usr/bin/chromium-headless-shell", "/usr/bin/chromium"
CHROMIUM = _SHELL if os.access(_SHELL, os.X_OK) else _WHOLE
"""The same engine without windows, where the distribution has it: a quarter less to wait."""
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Chromium:
    """Started when first asked for; again if a test has ended it."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._opened: Browser | None = None

    async def running(self) -> Browser:
        if self._opened is None or not self._opened.is_connected():
            self._opened = await self._playwright.chromium.launch(
                executable_path=CHROMIUM, args=QUIET
            )
        return self._opened

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    if not os.access(CHROMIUM, os.X_OK):
        reason = "no Chromium here: apt install chromium-headless-shell, or chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        started = Chromium(playwright)
        yield started
        await started.close()


@pytest.fixture
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    running = await chromium.running()
    yield running
    for context in running.contexts:
        await context.close()
