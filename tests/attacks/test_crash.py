"""Invariant 12: the server is killed fifty times under load, and nothing acknowledged is lost."""

import asyncio
import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from base.settings import Settings
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.servers.killable import killable
from tests.steps import approve, ask, blobs, log_of
from tests.vault.decoding import corpus
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

KILLS = 50
AT_ONCE = 8
MAX_ROUND_SECONDS = 1.2
MAX_DEPOSITS = 3
"""Deposits of one person between two kills: enough to be interrupted, few enough to verify."""

PHOTO = corpus.plain_jpeg()


@dataclass
class Someone:
    """A person with a worker, and what the server acknowledged to them."""

    person: SomePerson
    worker: SomeWorker
    grant: str
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    read: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0


def _photo() -> bytes:
    """A unique photo: noise in its comments; sometimes large enough for several sealed segments."""
    noise = [secrets.token_bytes(60_000) for _ in range(random.choice([0, 1, 10]))]
    comments = [corpus.segment(0xFE, one) for one in (secrets.token_bytes(100), *noise)]
    return PHOTO[:2] + b"".join(comments) + PHOTO[2:]


async def _deposit_and_read(client: httpx.AsyncClient, someone: Someone) -> None:
    """Deposit and read until the server is killed."""
    deposits = 0
    while True:
        if not someone.acknowledged or (deposits < MAX_DEPOSITS and random.random() < 0.5):
            deposits += 1
            data = _photo()
            answer = await client.post(
                "/v1/documents",
                headers=someone.person.headers,
                files={"file": data},
                data={"type": "payslip"},
            )
            assert answer.status_code in {201, 503}, answer.text
            if answer.status_code == 201:
                someone.acknowledged[answer.json()["id"]] = data
        else:
            await _read(client, someone, random.choice(list(someone.acknowledged)))


async def _read(client: httpx.AsyncClient, someone: Someone, document: str) -> None:
    path = f"/v1/grants/{someone.grant}/documents/{document}/content"
    async with client.stream("GET", path, headers=someone.worker.headers) as answer:
        assert answer.status_code == 200, answer.status_code
        counted = False
        async for _ in answer.aiter_bytes():
            if not counted:
                counted = True
                someone.read[document] += 1


async def _until_killed(client: httpx.AsyncClient, someone: Someone) -> None:
    try:
        await _deposit_and_read(client, someone)
    except httpx.TransportError:
        someone.unanswered += 1


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_fifty_times_under_load(
    base_settings: Settings,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """What was acknowledged is whole, every read has its entry, the sweep leaves no orphan."""
    people = [await _someone(client, make_person, make_worker) for _ in range(AT_ONCE)]
    began = time.monotonic()
    with killable(base_settings) as server:
        for _ in range(KILLS):
            pid, base_url = await asyncio.to_thread(server.start)
            async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http:
                living = [asyncio.create_task(_until_killed(http, one)) for one in people]
                await asyncio.sleep(0.02 + random.random() * MAX_ROUND_SECONDS)
                await asyncio.to_thread(server.kill, pid)
                await asyncio.wait_for(asyncio.gather(*living), 60)
        pid, base_url = await asyncio.to_thread(server.start)
        async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as http:
            for one in people:
                await _has_its_records(http, one)
                await _is_whole(http, one)
        await asyncio.to_thread(server.kill, pid)
    acknowledged = sum(len(one.acknowledged) for one in people)
    print(
        f"\n{KILLS} kills in {time.monotonic() - began:.0f} s: {acknowledged} documents"
        f" acknowledged, {sum(one.read.total() for one in people)} reads,"
        f" {sum(one.unanswered for one in people)} requests cut"
    )
    # Even on a slow machine, enough was acknowledged and read for a loss to show.
    assert acknowledged > KILLS
    assert sum(one.read.total() for one in people) > KILLS
    ids = [one.person.id for one in people]
    left = await orphans(services, ids)
    await sweep_blobs(services, timedelta(0))
    assert await orphans(services, ids) == set()
    assert _temporary(services) == []
    print(f"{len(left)} orphans swept")


async def _someone(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> Someone:
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    grant = await approve(client, person, request, covers_future=True)
    return Someone(person, worker, grant["id"])


async def _has_its_records(client: httpx.AsyncClient, someone: Someone) -> None:
    """At least one log entry for each read that got a byte; some recorded reads got none."""
    recorded: Counter[str] = Counter()
    deposited = set()
    for entry in await log_of(client, someone.person.headers):
        if (entry["action"], entry["outcome"]) == ("document.read", "allowed"):
            recorded.update(entry["documents"])
        if entry["action"] == "document.deposit":
            deposited.update(entry["documents"])
    assert someone.read <= recorded
    assert set(someone.acknowledged) <= deposited


async def _is_whole(client: httpx.AsyncClient, someone: Someone) -> None:
    """The original is as it was sent, and the recipient's rendition opens too."""
    for document, data in someone.acknowledged.items():
        own = await client.get(f"/v1/documents/{document}/content", headers=someone.person.headers)
        assert own.content == data
        path = f"/v1/grants/{someone.grant}/documents/{document}/content"
        theirs = await client.get(path, headers=someone.worker.headers)
        assert theirs.content == PHOTO
    listed = set()
    cursor: str | None = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/v1/documents", params=query, headers=someone.person.headers)
        listed |= {one["id"] for one in answer.json()["items"]}
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert set(someone.acknowledged) <= listed
    # A deposit whose answer was lost may be stored all the same: at most one for each kill.
    assert len(listed - set(someone.acknowledged)) <= KILLS


async def orphans(services: Services, people: list[UUID]) -> set[str]:
    """Blobs that no row refers to; checks that every row of these people has its blob.

    Other tests of this process share the tables and may have kept their blobs in another store.
    """
    wanted = text(
        "SELECT blob_key, person_id = ANY(:people) AS theirs FROM unefois.sealed_file"
        " UNION ALL SELECT blob_key, person_id = ANY(:people) FROM unefois.upload_piece"
        " UNION ALL SELECT blob_key, person_id = ANY(:people) FROM unefois.archive_piece"
    )
    async with services.database.transaction() as tx:
        found = (await tx.execute(wanted, {"people": people})).all()
    rows = {row.blob_key for row in found}
    kept = {key for key in await blobs(services) if key.startswith("files/")}
    assert not {row.blob_key for row in found if row.theirs} - kept, "a row without its blob"
    return kept - rows


def _temporary(services: Services) -> list[Path]:
    """Files of the store that are no blob: an interrupted write leaves them."""
    return [
        one
        for one in services.settings.home.rglob("*")
        if one.is_file() and ("tmp" in one.name or "tmp" in one.parent.name)
        and "postgres" not in one.parts
    ]  # fmt: skip
