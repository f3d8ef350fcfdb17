"""One Chromium for each test process: a test has contexts of its own in it, and leaves none."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

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


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    """Two Chromiums at once on a machine: with a third, two cores leave each too slow for its
    clocks. Whoever waits takes the first place that is free, within a twentieth of a second."""
    places = [Path(tempfile.gettempdir()) / f"unefois-tests-chromium-{one}" for one in range(2)]
    opened = [place.open("w") for place in places]
    try:
        while not any(_locked(file.fileno()) for file in opened):  # noqa: ASYNC110  (other processes)
            await asyncio.sleep(0.05)
        yield
    finally:
        for file in opened:
            file.close()


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@pytest.fixture
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    async with _turn():
        running = await chromium.running()
        yield running
        for context in running.contexts:
            await context.close()
