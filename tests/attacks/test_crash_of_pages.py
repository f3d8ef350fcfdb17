"""Invariant 12 on the pages: the server is killed while papers are added from finished uploads,
types are proposed and accepted, thumbnails are drawn. Nothing that was acknowledged is lost."""

import asyncio
import random
import secrets
from collections.abc import Sized
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from auth.subjects import Person
from base.settings import Settings
from tests.attacks.test_crash import orphans
from tests.attacks.test_page_uploads import JSON
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.servers.killable import killable
from tests.steps import until
from tests.uploads import id_of, uploaded
from tests.vault.decoding import corpus
from tests.web.pages.draft_steps import draft_of
from vault.documents.uploads import drafts
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services
from web.pages import forms

KILLS = 8
AT_ONCE = 3
MAX_ANSWERS = 30
"""Between two kills: a paper takes five, so that some come to their end and others do not."""
TUS = {"Tus-Resumable": "1.0.0"}
PHOTO = corpus.plain_jpeg()


@dataclass
class Someone:
    """A person with a worker, and what was acknowledged of each paper: how far it came."""

    person: SomePerson
    worker: SomeWorker
    services: Services
    files: dict[str, bytes] = field(default_factory=dict)
    """By upload."""
    drafts: dict[str, str] = field(default_factory=dict)
    papers: dict[str, str] = field(default_factory=dict)
    proposed: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_killed_while_papers_are_added_and_typed(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    people = [Someone(await make_person(), await make_worker(), services) for _ in range(AT_ONCE)]
    with killable(base_settings) as server:
        for _ in range(KILLS):
            pid, base_url = await asyncio.to_thread(server.start)
            living = [asyncio.create_task(_until_killed(base_url, one)) for one in people]
            await _after_some_answers(people)
            await asyncio.sleep(random.random() / 20)
            await asyncio.to_thread(server.kill, pid)
            await asyncio.wait_for(asyncio.gather(*living), 60)
    for one in people:
        await _is_whole(client, one)
    counts = [sum(len(noted) for noted in kind) for kind in zip(*map(_noted, people), strict=True)]
    print(f"\n{KILLS} kills; uploads, drafts, papers, proposed, accepted: {counts}")
    # Enough was acknowledged for a loss to show.
    assert min(counts) >= KILLS // 2
    ids = [one.person.id for one in people]
    await orphans(services, ids)
    await sweep_blobs(services, timedelta(0))
    assert await orphans(services, ids) == set()


async def _after_some_answers(people: list[Someone]) -> None:
    wanted = _answers(people) + random.randint(1, MAX_ANSWERS)
    await until(lambda: _answers(people) >= wanted, 60)


def _noted(someone: Someone) -> tuple[Sized, ...]:
    return (
        someone.files,
        someone.drafts,
        someone.papers,
        someone.proposed,
        someone.accepted,
    )


def _answers(people: list[Someone]) -> int:
    return sum(len(noted) for one in people for noted in _noted(one))


async def _until_killed(base_url: str, someone: Someone) -> None:
    cookie = {"unefois-person": someone.person.token}
    async with (
        httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http,
        httpx.AsyncClient(base_url=base_url, cookies=cookie, timeout=30, trust_env=False) as pages,
    ):
        try:
            while True:
                await _one_paper(http, pages, someone)
        except httpx.TransportError:
            pass


async def _one_paper(http: httpx.AsyncClient, pages: httpx.AsyncClient, someone: Someone) -> None:
    """From the upload to the type that a worker proposed, noting each answer."""
    person = someone.person
    photo = PHOTO[:2] + corpus.segment(0xFE, secrets.token_bytes(100)) + PHOTO[2:]
    upload = id_of(await uploaded(http, person, photo))
    someone.files[upload] = photo
    token = await forms.token_for(someone.services, person.token)
    parts = {"form": (None, token), "uploads": (None, upload)}
    added = await pages.post("/documents/add", files=parts, headers=JSON)
    assert added.status_code == 200, added.text
    draft = draft_of(added)
    someone.drafts[upload] = draft
    for step, said in (("type", {"type": "other"}), ("details", {}), ("check", {})):
        kept = await pages.post(f"{draft}/{step}", data={"form": token, **said})
        assert kept.status_code == 303, (step, kept.text)
    listed = await http.get("/v1/documents", headers=person.headers)
    paper = listed.json()["items"][0]["id"]
    someone.papers[upload] = paper
    await _typed(http, someone, paper)
    page = await pages.get("/documents")
    assert page.status_code == 200
    assert (await pages.get(f"/documents/{paper}/thumbnail")).status_code in {200, 404}


async def _typed(http: httpx.AsyncClient, someone: Someone, paper: str) -> None:
    grant = await _given(http, someone, paper)
    said = await http.post(
        f"/v1/grants/{grant}/documents/{paper}/type-suggestions",
        headers=someone.worker.headers,
        json={"type": "payslip"},
    )
    assert said.status_code == 204, said.text
    someone.proposed.add(paper)
    shown = await http.get(f"/v1/documents/{paper}", headers=someone.person.headers)
    (suggestion,) = shown.json()["type_suggestions"]
    address = f"/v1/documents/{paper}/type-suggestions/{suggestion['id']}/accept"
    assert (await http.post(address, headers=someone.person.headers)).status_code == 200
    someone.accepted.add(paper)


async def _given(http: httpx.AsyncClient, someone: Someone, paper: str) -> str:
    given = await http.post(
        "/v1/grants",
        headers=someone.person.headers,
        json={
            "recipient": {"worker_id": str(someone.worker.id)},
            "purpose": {"code": "housing", "text": "Logement"},
            "duration": "P1M",
            "scope": {"document_ids": [paper], "actions": ["read"]},
        },
    )
    assert given.status_code == 201, given.text
    return str(given.json()["id"])


async def _is_whole(client: httpx.AsyncClient, someone: Someone) -> None:
    """Each file is where its last answer said, or one step further: of that answer one did not
    hear."""
    headers = someone.person.headers
    kept = await _contents(client, someone)
    begun = await drafts.all_of(someone.services, Person(someone.person.id))
    drafted = {str(picture.id) for draft in begun for picture in draft.pictures}
    for upload, photo in someone.files.items():
        if photo in kept.values():
            continue
        assert upload not in someone.papers, "a paper is gone"
        if upload not in drafted:
            assert upload not in someone.drafts, "a picture is gone"
        seen = await client.head(f"/v1/uploads/{upload}", headers=headers | TUS)
        assert int(seen.headers["upload-offset"]) == len(photo), "an upload is gone"
    for paper in someone.papers.values():
        shown = (await client.get(f"/v1/documents/{paper}", headers=headers)).json()
        assert shown["type"] in {"other", "payslip"}
        if paper in someone.accepted:
            assert (shown["type"], shown["sensitive"]) == ("payslip", True)
        elif paper in someone.proposed:
            assert shown["type"] == "payslip" or len(shown["type_suggestions"]) == 1


async def _contents(client: httpx.AsyncClient, someone: Someone) -> dict[str, bytes]:
    """Each of the person's papers, with its bytes."""
    found: dict[str, bytes] = {}
    cursor = ""
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        headers = someone.person.headers
        listed = (await client.get("/v1/documents", params=query, headers=headers)).json()
        for one in listed["items"]:
            content = await client.get(f"/v1/documents/{one['id']}/content", headers=headers)
            found[one["id"]] = content.content
        cursor = listed["next"]
        if cursor is None:
            return found
