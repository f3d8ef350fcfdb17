"""A paper that was replaced: it bears its own date, and the older one is still there."""

import dataclasses
from uuid import UUID

import httpx
import pytest

from auth.visitor import Visitor
from tests.attacks.test_sessions import CAFE, signed_in
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.steps import deposit, granted, log_of
from tests.web.pages.draft_steps import send
from tests.web.pages.test_pages import a_photo, add, as_a_browser_sends, browser_of
from vault.document_view import DocumentView
from vault.documents import own_documents
from vault.documents.version_values import with_own_dates
from web.pages import forms

NEW = {"expires_on_day": "5", "expires_on_month": "6", "expires_on_year": "2036"}


async def replace(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, address: str, **fields: str
) -> httpx.Response:
    token = await forms.token_for(served.services, person.token)
    body, headers = as_a_browser_sends({"form": token, **fields}, a_photo("brown"))
    return await browser.post(address + "/version", content=body, headers=headers)


async def date_alone(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, address: str
) -> httpx.Response:
    """The same form with a date, and no photo picked."""
    token = await forms.token_for(served.services, person.token)
    body, headers = as_a_browser_sends({"form": token, **NEW}, b"")
    body = body.replace(b'"photo.jpg"', b'""')
    return await browser.post(address, content=body, headers=headers)


async def only(served: Served, person: SomePerson) -> DocumentView:
    listed = await own_documents.list_own(served.services, person.subject, cursor=None, limit=2)
    (document,) = listed.items
    return document


@pytest.mark.parametrize(("fields", "end"), [(NEW, "2036-06-05"), ({}, "None")])
async def test_the_end_of_the_older_paper_is_not_that_of_the_new_one(
    served: Served, make_person: MakePerson, fields: dict[str, str], end: str
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        photo = a_photo("green")
        added = await add(
            served, person, browser, photo, type="passport", expires_on="01/02/2021", title="Malik"
        )
        address = added.headers["location"].split("?")[0]
        asked = await browser.get(f"{address}/version")
        assert "<legend>Bon jusqu’au</legend>" in asked.text
        assert "2021" not in asked.text
        done = await replace(served, person, browser, address, **fields)
        assert done.headers["location"].endswith("?done=version")
        page = await browser.get(address)
    assert "Plus bon depuis" not in page.text
    document = await only(served, person)
    assert (str(document.metadata.expires_on), document.metadata.title) == (end, "Malik")


async def test_a_date_that_cannot_be_read_keeps_what_was_typed_and_the_older_paper(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        photo = a_photo("green")
        added = await add(served, person, browser, photo, type="passport", expires_on="01/02/2021")
        address = added.headers["location"].split("?")[0]
        refused = await replace(served, person, browser, address, **NEW | {"expires_on_day": "41"})
        assert refused.status_code == 422
        assert 'value="41"' in refused.text
        assert (await browser.get(f"{address}/content")).content == photo
    document = await only(served, person)
    assert (document.version, str(document.metadata.expires_on)) == (1, "2021-02-01")


async def test_no_photo_is_lost_with_a_date_that_cannot_be_read(
    served: Served, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        added = await add(served, person, browser, a_photo("green"), type="passport")
        address = added.headers["location"].split("?")[0]
        refused = await replace(served, person, browser, address, **NEW | {"expires_on_day": "41"})
        again = refused.text.split(f'action="{address}/version')[1].split('"')[0]
        assert again.startswith("?draft=")
        assert "Photos et fichiers gardés" in refused.text
        # It is there when one comes back, and nobody else's.
        here = f'href="{address}/version{again}"'
        assert here in (await browser.get("/documents")).text
        assert (await browser.get(f"{address}/version{again}")).status_code == 200
        assert (await stranger.get(f"{address}/version{again}")).status_code == 404
        mine = await add(served, other, stranger, a_photo("green"), type="passport")
        theirs = mine.headers["location"].split("?")[0]
        for known in (again, "?draft=x"):
            assert (await stranger.get(f"{theirs}/version{known}")).status_code == 404
            sent = await date_alone(served, other, stranger, f"{theirs}/version{known}")
            assert sent.status_code == 404
        # The date alone is sent, once or twice; then there is nothing left to go on with.
        for _ in range(2):
            done = await date_alone(served, person, browser, f"{address}/version{again}")
            assert done.headers["location"] == f"{address}?done=version"
        assert (await browser.get(f"{address}/content")).content == a_photo("brown")
        assert again not in (await browser.get("/documents")).text
    document = await only(served, person)
    assert (document.version, str(document.metadata.expires_on)) == (2, "2036-06-05")


async def test_one_bad_photo_leaves_the_other_for_the_new_version(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        added = await add(served, person, browser, a_photo("green"), type="payslip")
        address = added.headers["location"].split("?")[0]
        files = (a_photo("red"), a_photo("blue")[:300])
        refused = await send(served, person, browser, f"{address}/version", *files)
        assert refused.status_code == 422
        again = refused.text.split(f'action="{address}/version')[1].split('"')[0]
        done = await send(served, person, browser, f"{address}/version{again}", a_photo("blue"))
        assert done.headers["location"] == f"{address}?done=version"
        parts = [(await browser.get(f"{address}/content?part={n}")).content for n in (1, 2)]
    assert parts == [a_photo("red"), a_photo("blue")]


async def test_on_a_shared_device_no_picture_is_seen_alone(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """It has no script and no « Cacher »: it would stay on the screen once all is closed."""
    person = await make_person()
    paper = await deposit(client, person, a_photo("green"), type_="passport")
    address = f"/documents/{paper['id']}/versions"
    library = Visitor("linux_computer", CAFE, shared=True)
    session = await signed_in(served.services, person.phone, library)
    shared = dataclasses.replace(person, token=session.token)
    for who, alone in ((person, True), (shared, False)):
        async with browser_of(served, who) as browser:
            page = (await browser.get(address)).text
        assert f'src="{address}/1/preview"' in page
        assert (f'href="{address}/1/preview"' in page) is alone


async def test_an_older_version_is_seen_opened_recorded_and_nobody_else_s(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as browser:
        photo = a_photo("green")
        added = await add(served, person, browser, photo, type="passport")
        address = added.headers["location"].split("?")[0]
        assert f"{address}/versions" not in (await browser.get(address)).text
        await replace(served, person, browser, address)
        assert f'href="{address}/versions"' in (await browser.get(address)).text
        page = await browser.get(f"{address}/versions")
        for number in (1, 2):
            assert f'href="{address}/versions/{number}/content"' in page.text
        # What is taken away says so; the picture is looked at.
        assert page.text.count("Télécharger le papier (photo, ") == 2
        old = await browser.get(f"{address}/versions/1/content")
        assert old.content == photo
        assert old.headers["content-disposition"].startswith("attachment")
        small = await browser.get(f"{address}/versions/1/preview")
        assert small.headers["content-type"] == "image/jpeg"
        assert small.headers["content-disposition"].startswith("inline")
        reads = [e for e in await log_of(client, person) if e["action"] == "document.read"]
        assert len(reads) == 1
        for wrong in ("3", "0", "-1", "x", "99999999999999999999"):
            assert (await browser.get(f"{address}/versions/{wrong}/content")).status_code == 404
    async with browser_of(served, other) as browser:
        for end in ("versions", "versions/1/content", "versions/1/preview", "show"):
            assert (await browser.get(f"{address}/{end}")).status_code == 404
    async with browser_of(served, person) as browser:
        token = await forms.token_for(served.services, person.token)
        await browser.post(f"{address}/delete", data={"form": token})
        for end in ("versions", "versions/1/content", "show"):
            assert (await browser.get(f"{address}/{end}")).status_code == 404


async def test_versions_say_their_dates_and_an_older_paper_is_said(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        photo = a_photo("green")
        added = await add(served, person, browser, photo, type="passport", expires_on="01/02/2041")
        address = added.headers["location"].split("?")[0]
        shown = (await browser.get(address)).text
        assert shown.index(f'{address}/version"') < shown.index("Qui voit ce papier")
        done = await replace(served, person, browser, address, **NEW, older="yes")
        assert done.headers["location"] == f"{address}?done=version_older"
        told = (await browser.get(done.headers["location"])).text
        assert "il est plus ancien que celui d’avant" in told
        assert f'href="{address}/versions"' in told.split("<h1")[0]
        page = (await browser.get(f"{address}/versions")).text.replace("\u00a0", " ")
    assert page.count("Ajouté le ") == 2
    assert page.count("Remplacé le ") == 1
    assert page.count("5 juin 2036") == 1
    # The old one first, and which one is the paper itself.
    old, today = page.split("<main")[1].split("<h2>")[1:]
    assert old.startswith("L’ancien papier</h2>")
    assert "Remplacé le " in old
    assert "Personne d’autre que vous ne voit cet ancien papier." in old
    assert today.startswith("Celui d’aujourd’hui</h2>")
    assert "C’est le papier que les autres voient" in today
    assert "ersion" not in page.split("<main")[1].replace("/versions", "")


async def test_each_version_keeps_the_dates_that_it_bore(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        photo = a_photo("green")
        added = await add(served, person, browser, photo, type="passport", expires_on="01/02/2021")
        address = added.headers["location"].split("?")[0]
        corrected = {"type": "passport", "issued_on": "03/04/2011", "expires_on": "01/02/2022"}
        token = await forms.token_for(served.services, person.token)
        await browser.post(f"{address}/correct", data={"form": token, **corrected})
        await replace(served, person, browser, address, **NEW)
        await replace(served, person, browser, address, **NEW | {"expires_on_year": "2046"})
        page = (await browser.get(f"{address}/versions")).text.replace("\u00a0", " ")
    middle, oldest, newest = page.split("<main")[1].split("<h2>")[1:]
    assert "5 juin 2046" in newest
    assert "5 juin 2036" in middle
    assert "3 avril 2011" not in newest + middle
    assert "1 février 2022" in oldest.replace("1er", "1")
    assert "3 avril 2011" in oldest
    assert "2021" not in page


async def test_a_version_replaced_before_its_dates_were_kept_says_none(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        added = await add(
            served, person, browser, a_photo("green"), type="passport", expires_on="01/02/2041"
        )
        address = added.headers["location"].split("?")[0]
        await replace(served, person, browser, address, **NEW, older="yes")
    newest, oldest = await own_documents.list_versions(
        served.services, person.subject, UUID(address.rpartition("/")[2])
    )
    assert str(oldest.metadata.expires_on) == "2041-02-01"
    file = {name: value for name, value in newest.file.items() if name != "dates_before"}
    _, silent = with_own_dates([dataclasses.replace(newest, file=file), oldest])
    assert silent.metadata.expires_on is None


async def test_a_paper_says_who_sees_it_and_is_shown_turned_over(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    address = f"/documents/{document['id']}"
    async with browser_of(served, person) as browser:
        assert "Personne d’autre ne voit ce papier" in (await browser.get(address)).text
        grant = await granted(client, person, worker.headers, "payslip")
        page = await browser.get(address)
        assert "Camille Moreau" in page.text
        assert f'href="/grants/{grant}/stop"' in page.text
        turned = await browser.get(f"{address}/show?turned=yes&large=yes")
    assert 'class="screen turned large"' in turned.text
    assert turned.text.count('action="/sign-out"') == 1, "one way out, in the strip"
    assert (
        'action="/sign-out"' in turned.text.split('<li class="hide corner">')[1].split("</li>")[0]
    )
    assert f'href="{address}/show?large=yes&amp;#paper"' in turned.text
