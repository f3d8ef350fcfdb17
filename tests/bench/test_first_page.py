"""The first page on a slow network: what is measured, and that it keeps to its limits."""

import asyncio

import pytest
from playwright.async_api import Browser

from bench import first_page
from tests.fixtures import Served


@pytest.mark.browser
async def test_the_first_page_is_light_and_usable_at_slow_3g(
    browser: Browser, served: Served
) -> None:
    port = int(served.base_url.rpartition(":")[2])
    rows = await asyncio.to_thread(first_page.measure, port)
    assert [(row["name"], row["met"]) for row in rows] == [
        ("the first page, with all that it can load, KiB", True),
        ("our own module, KiB", True),
        ("a first arrival, usable at slow 3G, s", True),
        ("the first page, usable at slow 3G, s", True),
    ], rows
    # The network is really slow: two requests one after the other, at least.
    assert all(float(str(row["value"])) > 0.8 for row in rows[2:]), rows


def test_the_module_is_counted_whole() -> None:
    names = [address.rpartition("/")[2] for address in first_page.scripts()]
    parts = "aloud card closing countdown install lighter meeting outbox page pieces"
    parts += " sending session shared sounds"
    assert names == [f"{part}.js" for part in parts.split()]
