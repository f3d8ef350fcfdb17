"""Steps of adding a paper on the pages, over HTTP."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import httpx
import pytest

from tests.fixtures import Served, SomePerson
from vault.documents.uploads import drafts
from web.pages import forms


@contextmanager
def killed_before_the_end() -> Iterator[None]:
    """The paper is kept, and its draft has not ended: a process that dies between the two."""

    async def killed(*_args: object) -> None:
        raise RuntimeError("killed")

    with pytest.MonkeyPatch.context() as crash:
        crash.setattr(drafts, "end", killed)
        yield


async def send(
    served: Served,
    person: SomePerson,
    browser: httpx.AsyncClient,
    address: str,
    *files: bytes,
) -> httpx.Response:
    """Files to one of the pages that take some."""
    token = await forms.token_for(served.services, person.token)
    return await browser.post(
        address,
        data={"form": token},
        files=[("file", (f"{n}.jpg", file)) for n, file in enumerate(files, 1)],
    )


async def say(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, address: str, **fields: str
) -> httpx.Response:
    """A form without files."""
    token = await forms.token_for(served.services, person.token)
    return await browser.post(address, data={"form": token, **fields})


async def said(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, *files: bytes
) -> str:
    """A payslip up to the page of checking: the address of its draft."""
    sent = await send(served, person, browser, "/documents/add?type=payslip", *files)
    draft = draft_of(sent)
    await say(served, person, browser, f"{draft}/details")
    return draft


async def keep_for(
    served: Served,
    person: SomePerson,
    browser: httpx.AsyncClient,
    fields: dict[str, str],
    *files: bytes,
) -> httpx.Response:
    """A paper from its first picture to the end; `fields`: what the address of the first page says.
    What it leads to."""
    sent = await send(served, person, browser, f"/documents/add?{urlencode(fields)}", *files)
    draft = draft_of(sent)
    await say(served, person, browser, f"{draft}/details")
    return await say(served, person, browser, f"{draft}/check")


def draft_of(answer: httpx.Response) -> str:
    """The address of the draft that an answer leads to, or shows."""
    found = re.search(r"/documents/add/[0-9a-f-]{36}", answer.headers.get("location", answer.text))
    assert found
    return found[0]


def pictures_of(page: httpx.Response) -> list[str]:
    """The addresses of the pictures on the page of checking, in their order."""
    return re.findall(
        r'action="(/documents/add/[0-9a-f-]+/pictures/[0-9a-f-]+)/change(?:\?at=[a-z]+)?"',
        page.text,
    )
