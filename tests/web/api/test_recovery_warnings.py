"""Who is told that somebody asks to open a vault again: at once, when it is complete, and the day
before; and what is held back meanwhile."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from auth.records.messages import Message
from base.database import Database
from base.db_time import instant
from tests.fixtures import MakePerson, MoveClock, SomePerson, SomeWorker
from tests.recoveries import (
    ReadPaper,
    begun,
    recoveries,
    second,
    some_paper,
    stop_digits,
    texts_to,
    with_anchor,
)
from tests.recovery_people import MakeAgent
from tests.rows import change_row
from tests.steps import deposit
from tests.trusted import trusted
from tests.vault.decoding import corpus
from vault.maintenance import cleanup, erasure_requests, records
from vault.maintenance.job_runner import sweep_all
from vault.recovery import warnings
from vault.recovery.records import RECOVERY_ROW, Recovery
from vault.recovery.recovery_rules import OPEN_WITHIN, REMEMBERED, WAIT
from vault.recovery.recovery_values import kept_of
from vault.services import Services
from vault.tables import Document, PendingErasure

pytestmark = pytest.mark.usefixtures("pins_are_cheap")
HOUR = timedelta(hours=1)


async def queued(services: Services) -> int:
    async with services.database.transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(Message))).scalar_one())


async def test_the_phone_is_told_at_once_and_when_it_is_complete(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    before = await texts_to(services, lost.phone)
    told = await begun(client, camille, paper)
    (first, *rest) = await texts_to(services, lost.phone)
    assert rest == before
    assert "quelqu’un demande à rouvrir vos papiers" in first
    for word in ("Camille", paper["family_name"], paper["document_end"], told["code"]):
        assert word not in first
    assert (await second(client, nadia, told["code"], paper)).status_code == 202
    (then, *rest) = await texts_to(services, lost.phone)
    assert rest == [first, *before]
    assert "peuvent être rouverts à partir du" in then
    assert stop_digits(then) == stop_digits(first)
    (row, *_) = await recoveries(services)
    assert len((await kept_of(services, row)).warnings) == 10, "a phone and four who are trusted"


async def test_as_many_messages_wait_where_nothing_was_found(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    counts = []
    assert lost.phone
    for one in (paper, some_paper()):
        before = await queued(services)
        told = await begun(client, camille, one)
        between = await queued(services)
        await second(client, nadia, told["code"], one)
        counts.append((between - before, await queued(services) - between))
    assert counts == [(5, 5), (5, 5)]


async def test_who_is_trusted_is_told_without_a_name(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    camille: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    friend, other = await make_person(), await make_person()
    await trusted(client, lost, friend)
    before = len(await texts_to(services, other.phone))
    await begun(client, camille, paper)
    (text, *_) = await texts_to(services, friend.phone)
    assert "est peut-être au guichet" in text
    assert len(await texts_to(services, other.phone)) == before


async def test_a_flood_neither_rings_nor_opens(
    services: Services,
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    for _ in range(3):
        await begun(client, camille, paper)
    rung = await texts_to(services, lost.phone)
    told = await begun(client, camille, paper)
    karim = await make_agent("Karim Haddad")
    assert (await second(client, karim, told["code"], paper)).status_code == 202
    assert await texts_to(services, lost.phone) == rung
    (row, *_) = await recoveries(services)
    assert (row.former_id, row.opens_at) == (lost.id, None)
    assert nadia.id


async def test_one_that_only_a_proof_stops_is_told_without_digits(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    karim: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    await begun(client, camille, paper)
    (row, *_) = await recoveries(services)
    ended = {"ended_at": row.began_at, "ended_by": "phone"}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **ended)
    told = await begun(client, camille, paper)
    assert (await second(client, karim, told["code"], paper)).status_code == 202
    (text, *_) = await texts_to(services, lost.phone)
    assert "arrêtez la demande, ou allez au guichet" in text
    assert "tapez" not in text


async def test_the_day_before_they_are_reminded_once(
    services: Services,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    told = await begun(client, camille, paper)
    await second(client, nadia, told["code"], paper)
    before = len(await texts_to(services, lost.phone))
    moved_clock(WAIT - timedelta(hours=25))
    await warnings.remind_due(services)
    assert len(await texts_to(services, lost.phone)) == before
    moved_clock(WAIT - timedelta(hours=23))
    for _ in range(2):
        await warnings.remind_due(services)
    texts = await texts_to(services, lost.phone)
    assert len(texts) == before + 1
    assert "Rappel" in texts[0]
    (row, *_) = await recoveries(services)
    assert row.reminded_at is not None
    assert len((await kept_of(services, row)).warnings) == 15


async def test_nobody_is_reminded_of_what_is_over_or_past(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    """The clock went past the end, and no job had run: the tap opens, and no message names a day
    that is past."""
    told = await begun(client, camille, paper)
    await second(client, nadia, told["code"], paper)
    moved_clock(WAIT + HOUR)
    await warnings.remind_due(services)
    moved_clock(WAIT - HOUR)
    (row, *_) = await recoveries(services)
    ended = {"ended_at": row.complete_at, "ended_by": "session"}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, row.id, **ended)
    before = await texts_to(services, lost.phone)
    await warnings.remind_due(services)
    assert await texts_to(services, lost.phone) == before
    assert (await recoveries(services))[0].reminded_at is None


async def test_one_reminder_that_fails_keeps_no_other_back(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    camille: SomeWorker,
    nadia: SomeWorker,
) -> None:
    papers = [some_paper(), some_paper()]
    for one in papers:
        await with_anchor(services, await make_person(), one)
        told = await begun(client, camille, one)
        await second(client, nadia, told["code"], one)
    (whole, broken, *_) = await recoveries(services)
    async with as_owner.transaction() as tx:
        table = Recovery.__table__
        await tx.execute(table.update().where(table.c.id == broken.id).values(sealed=b"x"))
    moved_clock(WAIT - HOUR)
    await warnings.remind_due(services)
    reminded = {row.id: row.reminded_at for row in await recoveries(services)}
    assert reminded[whole.id] is not None
    assert reminded[broken.id] is None


async def test_nothing_is_erased_or_purged_while_it_may_be_opened(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    camille: SomeWorker,
    nadia: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    kept = await deposit(client, lost, corpus.pdf(1))
    async with services.database.transaction() as tx:
        at = await instant(tx)
    long_ago = at - timedelta(days=40)
    async with as_owner.transaction() as tx:
        documents = Document.__table__
        gone = documents.update().where(documents.c.id == UUID(kept["id"]))
        await tx.execute(gone.values(deleted_at=long_ago))
    macs = await services.field_encryption.row_macs()
    asked = {"person_id": lost.id, "asked_at": long_ago, "erases_at": at, "reminded_at": long_ago}
    async with services.database.transaction() as tx:
        await records.add_pending(tx, macs.add(records.PENDING_ERASURE_ROW, asked))
    told = await begun(client, camille, paper)
    due = partial(_due, services, lost)
    assert await due() == (True, True), "one agent alone holds nothing back"
    await second(client, nadia, told["code"], paper)
    assert await due() == (False, False)
    await erasure_requests.run_due(services)
    await cleanup.purge_deleted(services)
    assert await _there(services, kept["id"], lost.id)
    moved_clock(WAIT + OPEN_WITHIN + HOUR)
    assert await due() == (True, True)


async def _due(services: Services, person: SomePerson) -> tuple[bool, bool]:
    async with services.database.transaction() as tx:
        erased = await records.due_erasures(tx, erasure_requests.MIN_NOTICE, person.id)
        purged = await records.due_for_purge(tx, 1_000)
    return bool(erased), person.id in {row.person_id for row in purged}


async def _there(services: Services, document: str, person: UUID) -> bool:
    async with services.database.transaction() as tx:
        one = await tx.execute(select(Document.id).where(Document.id == UUID(document)))
        other = await tx.execute(
            select(PendingErasure.person_id).where(PendingErasure.person_id == person)
        )
        return bool(one.all()) and bool(other.all())


async def test_what_is_long_over_is_deleted(
    services: Services,
    client: httpx.AsyncClient,
    moved_clock: MoveClock,
    camille: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
) -> None:
    await begun(client, camille, paper)
    assert lost.id
    (row, *_) = await recoveries(services)
    moved_clock(REMEMBERED - HOUR)
    await sweep_all(services)
    assert row.id in {one.id for one in await recoveries(services)}
    moved_clock(REMEMBERED + HOUR)
    await sweep_all(services)
    assert row.id not in {one.id for one in await recoveries(services)}


async def test_who_is_found_only_later_is_told_then(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    unknown: SomePerson,
) -> None:
    before = await texts_to(services, unknown.phone)
    told = await begun(client, camille, some_paper())
    assert await texts_to(services, unknown.phone) == before
    more = {"former_phone": unknown.phone}
    assert (await second(client, nadia, told["code"], some_paper(), **more)).status_code == 202
    (text, *rest) = await texts_to(services, unknown.phone)
    assert rest == before
    assert "quelqu’un demande à rouvrir" in text
