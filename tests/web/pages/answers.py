"""Answer a request on its pages: to the summary, and the yes of that summary."""

import re
from html import unescape
from typing import Any

import httpx

Pairs = list[tuple[str, str]]
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


_NEXT = (
    "/me/cards/ready",
    *(f"/pro/desk/vault/{step}" for step in ("anchor", "opened", "pin", "turn")),
    *(f"/pro/desk/recovery/{step}" for step in ("agree", "left", "noted", "opened", "phone")),
    *(f"/pro/desk/recovery/{step}" for step in ("pin", "who")),
)


class Browser(httpx.AsyncClient):
    """Goes where the answer to a form with a secret in it leads, to the page that says what came of
    it, as a browser does; to no other page."""

    async def request(self, method: str, url: Any, **sent: Any) -> httpx.Response:
        answer = await super().request(method, url, **sent)
        told = any(
            one.startswith("unefois-told=") and not one.startswith('unefois-told=""')
            for one in answer.headers.get_list("set-cookie")
        )
        to = answer.headers.get("location", "")
        if answer.status_code == 303 and (told or to.partition("?")[0] in _NEXT):
            return await self.get(to, headers=sent.get("headers"))
        return answer


async def summary(browser: httpx.AsyncClient, request: str, *chosen: tuple[str, str]) -> str:
    """The summary of what was chosen, until the end that is asked for."""
    pairs = list(chosen)
    if "duration" not in dict(pairs):
        pairs.append(("duration", "asked"))
    page = await browser.get(f"/requests/{request}/check", params=pairs)
    assert page.status_code == 200, page.text
    assert f'action="/requests/{request}/approve"' in page.text, page.text
    return page.text


def yes_of(page: str, address: str) -> Pairs:
    """The fields that the form of a page sends to an address."""
    form = page.split(f'action="{address}"', 1)[1].split("</form>", 1)[0]
    return [(name, unescape(value)) for name, value in HIDDEN.findall(form)]


async def say_yes(browser: httpx.AsyncClient, request: str, *chosen: tuple[str, str]) -> None:
    """Through the summary."""
    address = f"/requests/{request}/approve"
    fields = yes_of(await summary(browser, request, *chosen), address)
    answer = await send(browser, address, fields)
    assert answer.headers.get("location") == "/grants?done=approved", answer.text


async def send(browser: httpx.AsyncClient, address: str, fields: Pairs) -> httpx.Response:
    """Send a form whose fields may have several values each."""
    sent: dict[str, list[str]] = {}
    for name, value in fields:
        sent.setdefault(name, []).append(value)
    return await browser.post(address, data=sent)
