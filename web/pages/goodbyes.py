"""The page that a browser is led to once it is closed there: nothing of the session is left."""

from typing import Literal
from uuid import UUID

from fastapi import Response

from web.pages import cookies
from web.pages.page import Page, go, worker_beside


async def say_goodbye(
    page: Page,
    kind: Literal["person", "worker"],
    done: str,
    on_shared: str = "",
    of: UUID | None = None,
) -> Response:
    """A redirect to where one enters. `on_shared`: what is said instead on a device that others
    use, where nothing stays; `of`: about what."""
    settings = page.services.settings
    enter_at = "/" if kind == "person" else "/pro"
    if kind == "person" and cookies.on_shared_device(page.request, settings):
        beside = await worker_beside(page.request, page.services)
        response = go(enter_at, done=on_shared or done, of=of)
        return cookies.leaving(page.request, settings, response, beside=beside)
    response = go(enter_at, done=done)
    kept: cookies.CookieKind = "card" if kind == "person" else "desk"
    for ended in (kind, kept, "told", "next", "own"):
        cookies.drop(response, settings, ended)
    if kind == "worker":
        cookies.put_choices_back(page.request, response, settings)
    return response
