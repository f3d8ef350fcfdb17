"""Invariants 1, 3 and 7 page by page: no page leaves without its line, after a revocation, or to
anyone else; the numbers of pages tell nothing."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from base.errors import ErrorKind, ServiceError
from tests.attacks.broken_log import Breakable
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomePerson
from tests.steps import deposit, given_paper, granted, log_of, revoke, until
from tests.vault.decoding import corpus
from tests.web.pages.test_page_turns import coloured_pdf
from tests.web.pages.test_pages import browser_of
from vault.documents.recorded_lines import GOES_ON
from vault.services import Services
from web.pages import forms

UNKNOWN = "01890000-0000-7000-8000-000000000001"
NUMBERS = [
    "0",
    "-1",
    "4",
    "501",
    str(10**9),
    "9" * 20,
    "x",
    "1.0",
    "+1",
    "%D9%A2",
    "1e0",
    "1%00",
    "",
]


async def refused_pages(browser: httpx.AsyncClient, *addresses: str) -> set[tuple[int, str]]:
    """What the addresses answer: their status, and the page's words without what names it."""
    answers = [await browser.get(address) for address in addresses]
    return {(one.status_code, one.text.split("<main")[1].split("</main")[0]) for one in answers}


async def test_the_number_of_a_page_that_is_not_there_is_an_unknown_address(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is drawn for it either."""
    paper = await given_paper(client, make_person, make_worker, coloured_pdf())
    person, worker = paper.person, paper.worker
    monkeypatch.setattr(served.services.decoder, "page", None)
    for who, under, viewer in (
        (person, f"{paper.own}", "/show"),
        (worker, f"/pro{paper.under}", ""),
    ):
        async with browser_of(served, who) as browser:
            wrong = [f"{under}/pages/{number}" for number in NUMBERS]
            wrong += [f"{under}{viewer}?page={number}" for number in NUMBERS if number]
            found = await refused_pages(browser, *wrong, under.rpartition("/")[0] + "/" + UNKNOWN)
            assert [status for status, _ in found] == [404]


async def test_a_photo_has_no_page_and_no_line_says_that_one_was_read(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Its first page neither: the picture itself is what one looks at."""
    paper = await given_paper(client, make_person, make_worker, corpus.plain_jpeg())
    for who, address in ((paper.person, paper.own), (paper.worker, f"/pro{paper.under}")):
        async with browser_of(served, who) as browser:
            unknown = address.rpartition("/")[0] + f"/{UNKNOWN}/pages/1"
            ((status, _),) = await refused_pages(browser, f"{address}/pages/1", unknown)
            assert status == 404
    read = [e for e in await log_of(client, paper.person) if e["action"] == "document.read"]
    assert read
    assert {e["outcome"] for e in read} == {"refused"}


async def test_pages_of_others_and_of_what_is_deleted_are_not_there(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    paper = await given_paper(client, make_person, make_worker, coloured_pdf())
    person, worker, document = paper.person, paper.worker, paper.document
    own = [f"{paper.own}{end}" for end in ("/pages/2", "/show?page=2")]
    unknown = [f"/documents/{UNKNOWN}{end}" for end in ("/pages/2", "/show?page=2")]
    under = f"/pro/grants/{paper.grant}/documents"
    given = [f"{under}/{document['id']}{end}" for end in ("/pages/2", "?page=2")]
    none = f"/pro/grants/{UNKNOWN}/documents/{UNKNOWN}/pages/2"
    async with browser_of(served, await make_person()) as other:
        ((status, _),) = await refused_pages(other, *own, *unknown)
        assert status == 404
    async with browser_of(served, await make_worker()) as other:
        ((status, _),) = await refused_pages(other, *given, none)
        assert status == 404
    async with browser_of(served, worker) as theirs, browser_of(served, person) as mine:
        for browser, addresses in ((theirs, given), (mine, own)):
            for address in addresses:
                assert (await browser.get(address)).status_code == 200, address
        token = await forms.token_for(served.services, person.token)
        await mine.post(f"{paper.own}/delete", data={"form": token})
        ((status, _),) = await refused_pages(mine, *own, *unknown)
        assert status == 404
        ((status, _),) = await refused_pages(theirs, *given, f"{under}/{UNKNOWN}/pages/2")
        assert status == 404


async def test_after_a_revocation_the_next_page_is_refused_under_a_line_or_not(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the whole file is, and as a paper that never was; and a page that is being drawn when the
    revocation comes does not leave."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, coloured_pdf(), type_="payslip")
    grants = [await granted(client, person, worker.headers, "payslip") for _ in range(2)]
    draw = served.services.decoder.page

    async def revoked_meanwhile(*args: Any, **kwargs: Any) -> bytes:
        picture = await draw(*args, **kwargs)
        heard = len(served.services.revocations._recent)
        await revoke(client, person, grants[1])
        await until(lambda: len(served.services.revocations._recent) > heard)
        return picture

    async with browser_of(served, worker) as browser:
        under = f"/pro/grants/{grants[0]}/documents"
        assert (await browser.get(f"{under}/{document['id']}/pages/2")).status_code == 200
        await revoke(client, person, grants[0])
        with monkeypatch.context() as patch:
            patch.setattr(served.services.decoder, "page", None)
            refused = [
                f"{under}/{one}{end}"
                for one in (document["id"], UNKNOWN)
                for end in ("/pages/2", "?page=2", "/content")
            ]
            ((status, _),) = await refused_pages(browser, *refused)
            assert status == 403
        monkeypatch.setattr(served.services.decoder, "page", revoked_meanwhile)
        late = await browser.get(f"/pro/grants/{grants[1]}/documents/{document['id']}/pages/2")
        assert late.status_code == 403
        assert b"\xff\xd8\xff" not in late.content


async def test_no_page_leaves_when_its_line_cannot_be_written(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    log: Breakable,
) -> None:
    paper = await given_paper(client, make_person, make_worker, coloured_pdf(), title="Zoé-51")
    person, worker = paper.person, paper.worker
    log.break_()
    for who, address in (
        (person, f"{paper.own}/pages/2"),
        (person, f"{paper.own}/show?page=2"),
        (worker, f"/pro{paper.under}/pages/2"),
        (worker, f"/pro{paper.under}?page=2"),
    ):
        async with browser_of(served, who) as browser:
            answer = await browser.get(address)
            assert answer.status_code >= 500, address
            assert b"\xff\xd8\xff" not in answer.content
            assert "Zoé-51" not in answer.text


async def test_the_line_is_committed_before_the_page_is_drawn_for_whoever_looks(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paper = await given_paper(client, make_person, make_worker, coloured_pdf())
    person, worker = paper.person, paper.worker
    draw, accounts = served.services.decoder.page, []

    async def watched(*args: Any, **kwargs: Any) -> bytes:
        accounts.append(kwargs["account"])
        (newest, *_) = [e for e in await log_of(client, person) if e["action"] != "log.read"]
        assert newest["action"] == "document.read"
        return await draw(*args, **kwargs)

    monkeypatch.setattr(served.services.decoder, "page", watched)
    for who, address in (
        (worker, f"/pro{paper.under}/pages/2"),
        (person, f"{paper.own}/pages/2"),
    ):
        async with browser_of(served, who) as browser:
            assert (await browser.get(address)).status_code == 200
    assert accounts == [worker.id, person.id]


async def test_a_line_that_was_moved_in_the_database_covers_nothing(
    services: Services,
    served: Served,
    client: httpx.AsyncClient,
    as_owner: Database,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Whoever writes the database cannot have pages read under an old line."""
    paper = await given_paper(client, make_person, make_worker, coloured_pdf())
    person, worker = paper.person, paper.worker
    address = f"/pro{paper.under}/pages/2"

    async def readings() -> list[str]:
        return [e["id"] for e in await log_of(client, person) if e["action"] == "document.read"]

    async with browser_of(served, worker) as browser:
        assert (await browser.get(address)).status_code == 200
    (old,) = await readings()
    moved_clock(GOES_ON + timedelta(minutes=1))
    async with as_owner.transaction() as tx:
        await tx.execute(text("ALTER TABLE unefois.access_event DISABLE TRIGGER USER"))
        moved = "UPDATE unefois.access_event SET at = unefois.now() WHERE id = :id"
        assert (await tx.execute(text(moved), {"id": old})).rowcount == 1
        await tx.execute(text("ALTER TABLE unefois.access_event ENABLE TRIGGER USER"))
    async with browser_of(served, worker) as browser:
        assert (await browser.get(address)).status_code == 200
    (new,) = await readings()
    assert new != old


async def readings(
    client: httpx.AsyncClient, person: SomePerson, *, worker: bool
) -> list[tuple[str, str]]:
    """How the readings of a worker, or of the person, ended."""
    return [
        (entry["outcome"], entry["confirmed"])
        for entry in await log_of(client, person)
        if entry["action"] == "document.read" and (entry["actor"]["kind"] == "worker") == worker
    ]


@pytest.mark.parametrize("kind", ["head", "failure", "number"])
@pytest.mark.parametrize("whose", ["worker", "person"])
async def test_no_page_is_read_under_a_line_that_says_it_was_not_received(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    whose: str,
    kind: str,
) -> None:
    """Whatever came first under the line: a head alone, a page that could not be drawn, one that
    is not there."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, coloured_pdf(), type_="payslip")
    grant = await granted(client, person, worker.headers, document_ids=[document["id"]])
    pages = f"/documents/{document['id']}/pages"
    theirs = whose == "worker"
    under = f"/pro/grants/{grant}{pages}" if theirs else pages

    async def fails(*_args: Any, **_kwargs: Any) -> bytes:
        raise ServiceError(ErrorKind.UNAVAILABLE, "unavailable", retry_after=5)

    async with browser_of(served, worker if theirs else person) as browser:
        with monkeypatch.context() as patch:
            if kind == "failure":
                patch.setattr(served.services.decoder, "page", fails)
            method = "HEAD" if kind == "head" else "GET"
            first = await browser.request(method, f"{under}/{9 if kind == 'number' else 1}")
        assert first.status_code == {"head": 200, "failure": 503, "number": 404}[kind]
        # What is queued of it is written before the others come.
        await served.services.delivery_status._flush()
        line = ("refused", "not_sent") if kind == "number" else ("allowed", "not_confirmed")
        assert await readings(client, person, worker=theirs) == [line]
        for number in (1, 2, 3):
            assert (await browser.get(f"{under}/{number}")).status_code == 200
    await served.services.delivery_status._flush()
    refused = [line] if kind == "number" else []
    assert await readings(client, person, worker=theirs) == [("allowed", "completed"), *refused]


async def test_a_line_more_does_not_tell_that_a_name_changed_that_one_does_not_see(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Nor a day to answer by: who may only know of a paper sees neither. Its other dates do."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, coloured_pdf(), type_="payslip", title="Avant")
    grant = await granted(client, person, worker.headers, "payslip", actions=["attest"])
    counts = []
    changes = ({}, {"title": "Après"}, {"due_on": "2031-01-01"}, {"issued_on": "2026-01-01"})
    for change in changes:
        path = f"/v1/documents/{document['id']}"
        assert (await client.patch(path, headers=person.headers, json=change)).is_success
        async with browser_of(served, worker) as browser:
            page = await browser.get(f"/pro/grants/{grant}/documents/{document['id']}?page=2")
            assert page.status_code == 200
        log = await log_of(client, worker)
        counts.append(sum(one["action"] == "document.list" for one in log))
    assert counts == [1, 1, 1, 2]


async def test_a_name_that_changed_leaves_under_a_line_of_its_own(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """And what a worker proposed, or its owner answered, makes none: its author would learn it."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, coloured_pdf(), type_="other", title="Avant")
    grant = await granted(client, person, worker.headers, document_ids=[document["id"]])
    path = f"/v1/documents/{document['id']}"

    async def names() -> list[int]:
        entries = await log_of(client, person)
        listed = [entry for entry in entries if entry["action"] == "document.list"]
        theirs = sum(entry["actor"]["kind"] == "worker" for entry in listed)
        return [theirs, len(listed) - theirs]

    async def new_lines() -> list[int]:
        before = await names()
        async with browser_of(served, worker) as theirs, browser_of(served, person) as mine:
            for _again in range(2):
                under = f"/pro/grants/{grant}/documents/{document['id']}?page=2"
                assert (await theirs.get(under)).status_code == 200
                shown = await mine.get(f"/documents/{document['id']}/show?page=2")
                assert shown.status_code == 200
        return [now - then for now, then in zip(await names(), before, strict=True)]

    # The list names it among others, and says nothing of what it looked like.
    await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers)
    assert await new_lines() == [1, 1]
    assert (await client.patch(path, headers=person.headers, json={"title": "B"})).is_success
    assert await new_lines() == [1, 1]
    proposed = await client.post(
        f"/v1/grants/{grant}/documents/{document['id']}/type-suggestions",
        headers=worker.headers,
        json={"type": "lease"},
    )
    assert proposed.status_code == 204
    assert await new_lines() == [0, 0]
    (one,) = (await client.get(path, headers=person.headers)).json()["type_suggestions"]
    refuse = f"{path}/type-suggestions/{one['id']}/refuse"
    assert (await client.post(refuse, headers=person.headers)).status_code == 204
    assert (await new_lines())[0] == 0
    files = {"file": ("b.pdf", corpus.pdf(3))}
    newer = await client.post(f"{path}/versions", headers=person.headers, files=files)
    assert newer.status_code == 201
    assert await new_lines() == [1, 1]
