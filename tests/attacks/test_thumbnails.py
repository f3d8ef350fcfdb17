"""Invariants 1 and 7: no small picture leaves without a line that names its paper, or to others."""

from datetime import timedelta

import httpx

from tests.attacks.broken_log import Breakable
from tests.attacks.test_leafing_through import UNKNOWN, refused_pages
from tests.fixtures import MakePerson, MoveClock, Served
from tests.steps import deposit
from tests.web.pages.test_pages import a_photo, browser_of
from tests.web.pages.test_thumbnails import own_lines
from vault.documents.recorded_lines import GOES_ON
from web.pages import forms


async def test_thumbnails_of_others_and_of_the_trash_are_not_there(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    unknown = f"/documents/{UNKNOWN}/thumbnail"
    address = f"/documents/{document['id']}/thumbnail"
    async with browser_of(served, other) as browser:
        await browser.get("/documents")  # a line with thumbnails, of others
        ((status, _),) = await refused_pages(browser, address, unknown, "/documents/1/thumbnail")
        assert status == 404
    async with browser_of(served, person) as browser:
        await browser.get("/documents")
        assert (await browser.get(address)).status_code == 200
        token = await forms.token_for(served.services, person.token)
        await browser.post(f"/documents/{document['id']}/delete", data={"form": token})
        ((status, _),) = await refused_pages(browser, address, unknown)
        assert status == 404
        await browser.get("/documents/deleted")
        ((status, _),) = await refused_pages(browser, address, unknown)
        assert status == 404


async def test_a_thumbnail_that_no_list_of_its_own_named_is_recorded_alone(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person = await make_person()
    papers = [await deposit(client, person, a_photo(one)) for one in ("red", "blue")]
    addresses = [f"/documents/{paper['id']}/thumbnail" for paper in papers]
    # Lists without pictures, and the line of one paper, are no lines of thumbnails.
    await client.get("/v1/documents", headers=person.headers)
    before = len(await own_lines(client, person))

    async def new() -> list[str]:
        return (await own_lines(client, person))[before:]

    async with browser_of(served, person) as browser:
        for address in (addresses[0], addresses[0], addresses[1]):
            assert (await browser.get(address)).status_code == 200
        assert await new() == ["document.preview"] * 2
        await browser.get("/documents")
        for address in addresses:
            assert (await browser.get(address)).status_code == 200
        assert await new() == ["document.preview"] * 2 + ["document.list"]
    moved_clock(GOES_ON + timedelta(seconds=1))
    async with browser_of(served, person) as browser:
        for address in addresses:
            assert (await browser.get(address)).status_code == 200
    assert await new() == ["document.preview"] * 2 + ["document.list"] + ["document.preview"] * 2


async def test_no_thumbnail_leaves_when_its_line_cannot_be_written(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, log: Breakable
) -> None:
    person = await make_person()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    log.break_()
    async with browser_of(served, person) as browser:
        answer = await browser.get(f"/documents/{document['id']}/thumbnail")
        assert answer.status_code >= 500
        assert b"\xff\xd8\xff" not in answer.content
        listed = await browser.get("/documents")
        assert listed.status_code >= 500
        assert document["id"] not in listed.text


async def test_a_new_version_is_not_seen_under_the_list_of_the_old_one(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    address = f"/documents/{document['id']}"
    async with browser_of(served, person) as browser:
        await browser.get("/documents")
        before = len(await own_lines(client, person))
        assert (await browser.get(f"{address}/thumbnail")).status_code == 200
        assert len(await own_lines(client, person)) == before
    newer = {"file": ("b.png", a_photo("blue"))}
    path = f"/v1{address}/versions"
    added = await client.post(path, headers=person.headers, files=newer)
    assert added.status_code == 201
    before = len(await own_lines(client, person))
    async with browser_of(served, person) as browser:
        assert (await browser.get(f"{address}/thumbnail")).status_code == 200
    assert (await own_lines(client, person))[before:] == ["document.preview"]
