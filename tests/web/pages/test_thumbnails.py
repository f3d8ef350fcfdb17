"""Small pictures in one's own lists: light, one line for all of them, a pictogram where none is."""

import asyncio
import gzip
import io
import re
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from base.database import Database
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.steps import Document, ask, deposit, drawn, given_paper, log_of
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import a_photo, browser_of
from vault.documents.previews import draw_preview
from vault.services import Services

SMALL = re.compile(r'<img src="(/documents/[0-9a-f-]{36}/thumbnail)"([^>]*)>')


def thumbnails_of(page: httpx.Response) -> list[str]:
    """The addresses of the small pictures, each of a known size, loaded when it is reached, and
    silent beside its paper's name."""
    assert page.status_code == 200
    found = SMALL.findall(page.text)
    assert {rest for _, rest in found} <= {' alt="" width="64" height="80" loading="lazy"'}
    return [address for address, _ in found]


def is_small(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.format, dict(picture.getexif())) == ("JPEG", {})
    assert picture.width <= 160
    assert picture.height <= 320
    assert len(answer.content) <= 6 * 1024


async def own_lines(client: httpx.AsyncClient, person: SomePerson) -> list[str]:
    """What the person did, oldest first, without the reading of the log itself."""
    log = await log_of(client, person)
    return [one["action"] for one in reversed(log) if one["action"] != "log.read"]


async def without_thumbnail(as_owner: Database, document: Document) -> None:
    """The paper as a release without thumbnails left it."""
    async with as_owner.transaction() as tx:
        gone = "DELETE FROM unefois.sealed_file WHERE version_id = :id AND role = 'thumbnail'"
        done = await tx.execute(text(gone), {"id": document["version"]["id"]})
        assert done.rowcount == 1


async def queued(services: Services, document: Document) -> int:
    query = (
        "SELECT count(*) FROM procrastinate_jobs"
        " WHERE task_name = 'preview' AND args ->> 'version_id' = :version"
    )
    async with services.database.transaction() as tx:
        found = await tx.execute(text(query), {"version": document["version"]["id"]})
        return int(found.scalar_one())


@pytest.mark.parametrize("make", ["phone_jpeg", "heic", "webp", "plain_png", "paged_tiff", "pdf"])
async def test_every_kind_of_file_has_a_small_picture(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make: str
) -> None:
    person = await make_person()
    document = await deposit(client, person, getattr(corpus, make)())
    async with browser_of(served, person) as browser:
        is_small(await browser.get(f"/documents/{document['id']}/thumbnail"))


async def test_noise_stays_small_too(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.noisy_jpeg(1_000_000))
    async with browser_of(served, person) as browser:
        is_small(await browser.get(f"/documents/{document['id']}/thumbnail"))


async def test_a_list_with_pictures_is_one_line(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    for number in range(5):
        await deposit(client, person, a_photo(f"#0{number}0{number}0{number}"), type_="payslip")
    before = await own_lines(client, person)
    async with browser_of(served, person) as browser:
        addresses = thumbnails_of(await browser.get("/documents"))
        assert len(addresses) == 5
        for answer in await asyncio.gather(*(browser.get(one) for one in addresses)):
            is_small(answer)
    after = await own_lines(client, person)
    assert after[len(before) :] == ["document.list"]


async def test_a_request_and_a_consent_given_unasked_show_them_and_tick_nothing(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, a_photo("red"), type_="payslip")
    request = await ask(client, worker.headers, person.phone, "payslip")
    async with browser_of(served, person) as browser:
        for address in (f"/requests/{request}/papers", "/grants/new"):
            page = await browser.get(address)
            (picture,) = thumbnails_of(page)
            assert "checked" not in page.text.split("<main")[1]
            assert "/preview" not in page.text
            is_small(await browser.get(picture))


async def test_a_worker_sees_pictograms_in_lists(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """A small picture would be a reading of the paper."""
    paper = await given_paper(client, make_person, make_worker, corpus.plain_jpeg())
    worker = paper.worker
    (known,) = (await client.get("/v1/people", headers=worker.headers)).json()["items"]
    under = f"/pro{paper.under}"
    async with browser_of(served, worker) as browser:
        for address in (f"/pro/people/{known['id']}", f"/pro/grants/{paper.grant}", under):
            assert "thumbnail" not in (await browser.get(address)).text
        assert (await browser.get(f"{under}/thumbnail")).status_code == 404
        content = await browser.get(f"{under}/content")
        assert Image.open(io.BytesIO(content.content)).width > 160


async def test_a_paper_held_from_before_gets_its_picture_after_its_first_list(
    services: Services,
    served: Served,
    client: httpx.AsyncClient,
    as_owner: Database,
    make_person: MakePerson,
) -> None:
    person = await make_person()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    await without_thumbnail(as_owner, document)
    async with browser_of(served, person) as browser:
        pages = await asyncio.gather(*(browser.get("/documents") for _ in range(3)))
        for page in pages:
            assert thumbnails_of(page) == []
            assert 'class="pictogram"' in page.text.split("<main")[1]
        assert await queued(services, document) == 1
        missing = await browser.get(f"/documents/{document['id']}/thumbnail")
        assert missing.status_code == 404
        await drawn(services, person, document)
        (picture,) = thumbnails_of(await browser.get("/documents"))
        is_small(await browser.get(picture))
    # Nothing was queued for the API's lists, which show no picture.
    other = await deposit(client, person, a_photo("blue"), type_="payslip")
    await without_thumbnail(as_owner, other)
    await client.get("/v1/documents", headers=person.headers)
    assert await queued(services, other) == 0


async def test_killed_between_the_preview_and_the_thumbnail_the_list_works(
    services: Services,
    served: Served,
    client: httpx.AsyncClient,
    as_owner: Database,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = await make_person()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    async with as_owner.transaction() as tx:
        gone = "DELETE FROM unefois.sealed_file WHERE version_id = :id AND role <> 'original'"
        await tx.execute(text(gone), {"id": document["version"]["id"]})

    async def killed(*_: Any, **__: Any) -> bytes:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(services.decoder, "thumbnail", killed)
        with pytest.raises(asyncio.CancelledError):
            await draw_preview(services, person.id, document["version"]["id"])
    async with browser_of(served, person) as browser:
        assert thumbnails_of(await browser.get("/documents")) == []
        assert (await browser.get(f"/documents/{document['id']}/preview")).status_code == 200
        assert await queued(services, document) == 1
        await drawn(services, person, document)
        (picture,) = thumbnails_of(await browser.get("/documents"))
        is_small(await browser.get(picture))


async def test_a_newer_version_has_its_own(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, a_photo("red"), type_="payslip")
    address = f"/documents/{document['id']}"
    async with browser_of(served, person) as browser:
        old = (await browser.get(f"{address}/thumbnail")).content
        newer = {"file": ("b.jpg", a_photo("blue"))}
        path = f"/v1/documents/{document['id']}/versions"
        assert (await client.post(path, headers=person.headers, files=newer)).status_code == 201
        new = await browser.get(f"{address}/thumbnail")
        is_small(new)
        assert new.content != old


async def test_a_list_of_many_papers_stays_light(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Its pictures weigh less than a single preview may."""
    person = await make_person()
    for shade in range(12):
        noise = Image.effect_noise((400, 560), 40 + shade)
        photo = io.BytesIO()
        noise.convert("RGB").save(photo, "JPEG", quality=90)
        await deposit(client, person, photo.getvalue(), type_="payslip")
    async with browser_of(served, person) as browser:
        page = await browser.get("/documents")
        sizes = [len((await browser.get(one)).content) for one in thumbnails_of(page)]
    assert len(sizes) == 12
    assert sum(sizes) * 50 / 12 <= 300 * 1024
    assert len(gzip.compress(page.content)) * 50 / 12 <= 25 * 1024


async def test_the_line_of_some_papers_names_no_others(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """A request shows the papers that it is about: neither its line says more, nor does it cover
    the pictures of others."""
    person, worker = await make_person(), await make_worker()
    asked = await deposit(client, person, a_photo("red"), type_="payslip")
    other = await deposit(client, person, a_photo("blue"), type_="lease")
    request = await ask(client, worker.headers, person.phone, "payslip")
    async with browser_of(served, person) as browser:
        (picture,) = thumbnails_of(await browser.get(f"/requests/{request}/papers"))
        before = await own_lines(client, person)
        is_small(await browser.get(picture))
        assert await own_lines(client, person) == before
        is_small(await browser.get(f"/documents/{other['id']}/thumbnail"))
    assert await own_lines(client, person) == [*before, "document.preview"]
    lists = [one for one in await log_of(client, person) if one["action"] == "document.list"]
    assert {document for one in lists for document in one["documents"]} == {asked["id"]}
