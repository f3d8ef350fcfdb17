"""Uploads that forms name: each once, in one paper, for a day, and never a way around a limit."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from auth.subjects import Person
from tests.attacks.test_page_uploads import JSON, name_uploads, token
from tests.fixtures import MakePerson, Served, SomePerson
from tests.uploads import STREAM, begin, id_of, offset_of, padded_pdf, uploaded
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of, pictures_of
from tests.web.pages.test_pages import browser_of
from vault.documents.uploads import drafts, uploads
from vault.documents.uploads.records import Upload

TUS = {"Tus-Resumable": "1.0.0"}


async def sent(client: httpx.AsyncClient, person: SomePerson) -> str:
    return id_of(await uploaded(client, person, corpus.plain_jpeg()))


async def draft_with(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, named: str
) -> str:
    answer = await name_uploads(served, person, browser, named)
    assert answer.status_code == 200, answer.text
    return draft_of(answer)


async def retake(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, picture: str, named: str
) -> httpx.Response:
    parts = {"form": (None, await token(served, person)), "uploads": (None, named)}
    return await browser.post(picture, files=parts, headers=JSON)


async def pictures(browser: httpx.AsyncClient, draft: str) -> list[str]:
    """The ids of the pictures of a draft, in their order."""
    shown = pictures_of(await browser.get(f"{draft}/check"))
    return [address.split("/pictures/")[1][:36] for address in shown]


async def places(client: httpx.AsyncClient, person: SomePerson) -> int:
    """How many uploads can be begun until one is refused."""
    for begun in range(20):
        answer = await begin(client, person, 1)
        if answer.status_code == 409:
            assert answer.json()["code"] == "too_many_uploads"
            return begun
    raise AssertionError("no limit")


async def test_a_picture_that_is_named_often_makes_no_room_for_other_uploads(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 3)
    person = await make_person()
    a, b = await sent(client, person), await sent(client, person)
    async with browser_of(served, person) as browser:
        draft = await draft_with(served, person, browser, f"{a},{b}")
        again = await retake(served, person, browser, f"{draft}/pictures/{a}", ",".join([b] * 15))
        assert again.status_code == 200
        assert await pictures(browser, draft) == [b]
    assert await places(client, person) == 3


async def test_a_small_picture_that_is_dropped_makes_no_room_for_other_uploads(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 3)
    person = await make_person()
    async with browser_of(served, person) as browser:
        draft = await draft_with(served, person, browser, await sent(client, person))
    found = await drafts.see(served.services, Person(person.id), UUID(id_of(draft)))
    small = found.pictures[0].preview
    dropped = await client.delete(f"/v1/uploads/{small}", headers=person.headers | TUS)
    assert dropped.status_code == 204
    assert await places(client, person) == 3


async def test_a_picture_of_another_paper_stays_there_alone(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Named beside a picture of this paper, in the place of another of it."""
    person = await make_person()
    a, b, c = [await sent(client, person) for _ in range(3)]
    async with browser_of(served, person) as browser:
        draft = await draft_with(served, person, browser, f"{a},{c}")
        other = await draft_with(served, person, browser, b)
        assert other != draft
        await retake(served, person, browser, f"{draft}/pictures/{a}", f"{b},{c}")
        assert await pictures(browser, draft) == [c]
        assert await pictures(browser, other) == [b]


@pytest.mark.parametrize("beside", [False, True])
async def test_a_picture_in_its_own_place_stays(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, beside: bool
) -> None:
    person = await make_person()
    a, b, new = [await sent(client, person) for _ in range(3)]
    async with browser_of(served, person) as browser:
        draft = await draft_with(served, person, browser, f"{a},{b}")
        named = f"{new},{a}" if beside else a
        await retake(served, person, browser, f"{draft}/pictures/{a}", named)
        assert await pictures(browser, draft) == ([new, a, b] if beside else [a, b])
    assert await offset_of(client, person, f"/v1/uploads/{a}") == len(corpus.plain_jpeg())


async def test_an_upload_of_a_refused_form_lives_no_longer(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Named beside a picture that is cut, as often as one wants: its end stays the same."""
    person = await make_person()
    upload = await sent(client, person)
    ends = await end_of(served, upload)
    async with browser_of(served, person) as browser:
        for _ in range(2):
            parts = {
                "file": ("bad.jpg", corpus.plain_jpeg()[:300]),
                "uploads": (None, upload),
                "form": (None, await token(served, person)),
            }
            answer = await browser.post("/documents/add", files=parts, headers=JSON)
            assert answer.status_code == 422
            assert await end_of(served, upload) == ends
        # Once a paper has it, it lives as long as that.
        await draft_with(served, person, browser, upload)
        assert await end_of(served, upload) > ends


async def end_of(served: Served, upload: str) -> datetime:
    query = select(Upload.expires_at).where(Upload.id == UUID(upload))
    async with served.services.database.transaction() as tx:
        ends: datetime = (await tx.execute(query)).scalar_one()
    return ends


@pytest.mark.parametrize("by_page", [False, True])
async def test_an_upload_under_way_stops_when_its_session_ends(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, by_page: bool
) -> None:
    """Although its sender goes on: what came before is kept, and nothing of what comes after."""
    person = await make_person()
    later = await make_person(person.phone)
    data = padded_pdf(200_000)
    path = (await begin(client, person, len(data))).headers["location"]

    async def body() -> AsyncIterator[bytes]:
        yield data[:5000]
        await asyncio.sleep(0.2)
        assert (await client.delete("/v1/sessions/current", headers=person.headers)).is_success
        for at in range(5000, 5030):
            await asyncio.sleep(0.1)
            yield data[at : at + 1]

    headers = TUS | STREAM | {"Upload-Offset": "0"}
    async with browser_of(served, person) as browser:
        if by_page:
            page = f"/uploads/{id_of(path)}"
            headers |= JSON | {"X-Form": await token(served, person)}
            answer = await browser.patch(page, headers=headers, content=body())
        else:
            answer = await client.patch(path, headers=headers | person.headers, content=body())
    assert answer.status_code == 401
    assert 5000 <= await offset_of(client, later, path) < 5015
