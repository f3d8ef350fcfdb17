"""The pages of a paper, leafed through by links: the right one, drawn small, one line for all."""

import io
import re
from datetime import timedelta

import httpx
import pytest
from PIL import Image

from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomePerson, SomeWorker
from tests.steps import GivenPaper, blobs, deposit, given_paper, granted, log_of
from tests.vault.decoding import corpus
from tests.web.pages.test_pages import a_photo, browser_of
from vault.documents.recorded_lines import GOES_ON

COLOURS = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}


def coloured_pdf() -> bytes:
    """Three pages: red, lime, blue."""
    first, *others = (Image.new("RGB", (620, 877), colour) for colour in COLOURS)
    out = io.BytesIO()
    first.save(out, "PDF", save_all=True, append_images=others)
    return out.getvalue()


def colour_of(answer: httpx.Response) -> str:
    """The colour of the middle of a picture, which is small and says nothing of itself."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.content) <= 300 * 1024
    picture = Image.open(io.BytesIO(answer.content))
    assert (picture.width, dict(picture.getexif())) == (1000, {})
    middle = picture.getpixel((500, 700))
    assert isinstance(middle, tuple)
    return min(
        COLOURS,
        key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], middle, strict=True)),
    )


def picture_of(page: httpx.Response) -> str:
    (address,) = re.findall(r'<img src="([^"]+)"', page.text.split("<main")[1])
    return str(address)


def turned_to(page: httpx.Response) -> dict[str, str]:
    """The addresses of the page before and the one after."""
    links = re.findall(r'rel="(prev|next)" href="([^"#]+)#paper"', page.text)
    found = {rel: address.replace("&amp;", "&") for rel, address in links}
    # A worker's are buttons of a form, which takes along the size and the turn that are chosen.
    buttons = re.findall(r'<button form="leaf" name="page" value="(\d+)">([^<]+)', page.text)
    for number, words in buttons:
        (address,) = re.findall(r'<form id="leaf" method="get" action="([^"#]+)#paper">', page.text)
        query = "&".join(f"{name}={value}" for name, value in [*chosen(page), ("page", number)])
        found["prev" if "avant" in words else "next"] = f"{address}?{query}"
    return found


def chosen(page: httpx.Response) -> list[tuple[str, str]]:
    """How large a worker sees the paper, and how it is turned."""
    radio = r'<input type="radio" name="(size|turn)" value="(\d+)"(?: form="leaf")? checked[ >]'
    return re.findall(radio, page.text)


async def read_through(browser: httpx.AsyncClient, address: str) -> list[str]:
    """The colours of the pages that one sees from the first one on, by the links alone."""
    seen: list[str] = []
    page = await browser.get(address)
    while True:
        assert f"Page {len(seen) + 1} sur 3" in page.text
        assert 'id="paper"' in page.text
        seen.append(colour_of(await browser.get(picture_of(page))))
        links = turned_to(page)
        assert ("prev" in links) == (len(seen) > 1)
        if "next" not in links:
            return seen
        page = await browser.get(links["next"])


def lines(log: list[dict[str, object]], kind: str) -> list[str]:
    return [str(e["action"]) for e in reversed(log) if e["actor"]["kind"] == kind]  # type: ignore[index]


async def test_the_owner_leafs_through_a_paper_under_one_line(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, coloured_pdf())
    kept, before = await blobs(served.services), len(await log_of(client, person))
    async with browser_of(served, person) as browser:
        address = f"/documents/{document['id']}/show"
        assert await read_through(browser, address) == list(COLOURS)
        # Back again, turned over for whoever sits opposite: still the same reading.
        back = await browser.get(f"{address}?turned=yes&page=2")
        assert "turned" in back.text
        assert turned_to(back)["prev"] == f"{address}?turned=yes&page=1"
        assert colour_of(await browser.get(picture_of(back))) == "lime"
    log = await log_of(client, person)
    new = [entry["action"] for entry in reversed(log[: len(log) - before])]
    # The paper's name, the picture of its first page, all its pages; `log.read` is the test's own.
    assert [action for action in new if action != "log.read"] == [
        "document.list",
        "document.preview",
        "document.read",
    ]
    assert await blobs(served.services) == kept


async def test_a_worker_leafs_through_a_paper_under_one_line_for_a_while(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    paper = await given_paper(client, make_person, make_worker, coloured_pdf())
    person, worker, document = paper.person, paper.worker, paper.document
    address = f"/pro{paper.under}"
    async with browser_of(served, worker) as browser:
        assert await read_through(browser, address) == list(COLOURS)
        page = await browser.get(f"{address}?page=3")
        assert page.text.count("Camille Moreau, ") == 6
    told = lines(await log_of(client, person), "worker")
    seen = ["document.list", "document.preview", "document.read"]
    assert told[-3:] == seen
    read = next(e for e in await log_of(client, person) if e["action"] == "document.read")
    assert read["documents"] == [document["id"]]
    moved_clock(GOES_ON + timedelta(seconds=1))
    async with browser_of(served, worker) as browser:
        await browser.get(f"{address}?page=2")
        await browser.get(f"{address}/pages/2")
        await browser.get(f"{address}/pages/3")
    assert lines(await log_of(client, person), "worker") == [
        *told,
        "document.list",
        "document.read",
    ]


async def test_another_worker_paper_version_or_grant_has_its_own_line(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, other = await make_person(), await make_worker(), await make_worker()
    papers = [
        await deposit(client, person, pdf, type_="payslip")
        for pdf in (corpus.pdf(2), coloured_pdf())
    ]
    grants = [
        (who, await granted(client, person, who.headers, "payslip"))
        for who in (worker, worker, other)
    ]

    async def readings() -> int:
        return lines(await log_of(client, person), "worker").count("document.read")

    async def read(who: SomeWorker, grant: str, document: str) -> None:
        async with browser_of(served, who) as browser:
            for number in (2, 1, 2):
                page = f"/pro/grants/{grant}/documents/{document}/pages/{number}"
                assert (await browser.get(page)).status_code == 200

    count = 0
    for who, grant in grants:
        for paper in papers:
            await read(who, grant, paper["id"])
            count += 1
            assert await readings() == count
    newer = {"file": ("b.pdf", corpus.authored_pdf(2))}
    path = f"/v1/documents/{papers[0]['id']}/versions"
    assert (await client.post(path, headers=person.headers, files=newer)).status_code == 201
    await read(worker, grants[0][1], papers[0]["id"])
    assert await readings() == count + 1


async def test_a_worker_leafs_on_at_the_size_and_the_turn_that_they_chose(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    paper = await given_paper(client, make_person, make_worker, coloured_pdf())
    address = f"/pro{paper.under}"
    async with browser_of(served, paper.worker) as browser:
        assert chosen(await browser.get(address)) == [("turn", "0"), ("size", "100")]
        page = await browser.get(f"{address}?page=2&size=150&turn=270")
        assert chosen(page) == [("turn", "270"), ("size", "150")]
        following = turned_to(page)["next"]
        assert following == f"{address}?turn=270&size=150&page=3"
        assert chosen(await browser.get(following)) == chosen(page)
        for wrong in ("?size=9000&turn=x", '?size="><b>&turn='):
            assert chosen(await browser.get(address + wrong)) == [("turn", "0"), ("size", "100")]


async def test_a_paper_just_kept_shows_all_its_sides(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    photos = [a_photo(one) for one in COLOURS]
    document = await deposit(client, person, photos, type_="payslip")
    address = f"/documents/{document['id']}"
    sides = re.compile(rf'<img [^>]*src="({address}/(?:preview|pages/\d+))"')
    async with browser_of(served, person) as browser:
        for done in ("added", "held", "version", "version_older"):
            shown = sides.findall((await browser.get(f"{address}?done={done}")).text)
            assert shown == [f"{address}/{one}" for one in ("preview", "pages/2", "pages/3")]
        assert [colour_of(await browser.get(one)) for one in shown[1:]] == ["lime", "blue"]
        # Looked at again later, the first one is enough: each look is a line.
        assert sides.findall((await browser.get(address)).text) == [f"{address}/preview"]
        alone = await deposit(client, person, coloured_pdf(), type_="payslip")
        page = await browser.get(f"/documents/{alone['id']}?done=added")
        assert "/pages/" not in page.text


@pytest.mark.parametrize("data", [a_photo(), corpus.pdf(1)])
async def test_a_paper_of_one_page_has_nothing_to_leaf_through(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    data: bytes,
) -> None:
    paper = await given_paper(client, make_person, make_worker, data)
    for who, address in _viewers(paper):
        async with browser_of(served, who) as browser:
            page = await browser.get(address)
            assert page.status_code == (await browser.get(f"{address}?page=1")).status_code == 200
            assert 'class="leaves"' not in page.text
            assert turned_to(page) == {}


async def test_photos_that_are_one_paper_are_its_pages(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    photos = [a_photo(one) for one in COLOURS]
    paper = await given_paper(client, make_person, make_worker, photos)
    for who, address in _viewers(paper):
        async with browser_of(served, who) as browser:
            page = await browser.get(f"{address}?page=3")
            assert "Page 3 sur 3" in page.text
            assert (await browser.get(picture_of(page))).status_code == 200


def _viewers(paper: GivenPaper) -> list[tuple[SomePerson | SomeWorker, str]]:
    return [(paper.person, f"{paper.own}/show"), (paper.worker, f"/pro{paper.under}")]
