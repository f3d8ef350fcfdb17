"""Everyone is told that the service closes, to the last person, each time once, never at night."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from auth import closing_notices, closing_report, closings
from auth.closing_notices import tell_due
from auth.closing_report import ClosingReport
from auth.closing_rules import NOTICE_MONTHS
from auth.closings import ClosingRefused
from auth.messages import queue
from auth.subjects import Person
from auth.time_zones import choose_zone
from base.database import Database
from storage.row_macs import RowAltered
from tests.auth.steps import service_log
from tests.closings import LAST_DAY, TODAY, end, sent_to, stand_at
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson
from tests.joins import joined
from tests.steps import counted, erase
from tests.vault.consent import steps
from vault.services import Services


@pytest.fixture(autouse=True)
async def afterwards(services: Services, as_owner: Database) -> AsyncIterator[None]:
    """No other test is in a service that closes."""
    await end(services, as_owner)
    yield
    await end(services, as_owner)


@pytest.fixture
async def people(
    services: Services, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> list[SomePerson]:
    """Three people. Those of other tests, who are before them, are told nothing."""
    made = [await make_person() for _ in range(3)]
    monkeypatch.setattr(closing_notices, "_FIRST", type(made[0].id)(int=made[0].id.int - 1))
    return made


async def texts(services: Services, person: SomePerson) -> list[str]:
    return [one.text for one in await sent_to(services, person.phone)]


async def reported(services: Services) -> ClosingReport:
    found = await closing_report.report(services)
    assert found is not None
    return found


async def visits(services: Services, person: Person) -> None:
    closings.forget(services)
    await closing_notices.note_visit(services, person)


async def test_everyone_is_told_at_three_times_to_the_last_person(
    services: Services,
    people: list[SomePerson],
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """On a moved clock, from the announcement to the day after: who has no phone is told by a
    page, on the last day."""
    worker = await make_worker()
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    before = await reported(services)
    at_the_desk = await steps.make_person(services)
    at = (TODAY, LAST_DAY - timedelta(days=25), LAST_DAY - timedelta(days=7))
    for number, day in enumerate(at, start=1):
        stand_at(moved_clock, day)
        assert await tell_due(services) == len(people) + 1
        assert await tell_due(services) == 0, "each once"
        for person in people:
            assert len(await texts(services, person)) == number
        mails = await sent_to(services, worker.email)
        assert [one.channel for one in mails] == ["email"] * number
    said = await texts(services, people[0])
    assert [one.split(" ferme")[0] for one in said] == [
        "« Mes papiers »", "Rappel : « Mes papiers »", "Dernier rappel : « Mes papiers »",
    ]  # fmt: skip
    assert all(str(LAST_DAY.year) in one and "« Tout emporter »" in one for one in said)
    # One is not told yet, beside those of the other tests.
    told = await reported(services)
    assert told.people.by["sms"] - before.people.by["sms"] == len(people)
    assert told.workers.by["email"] == 1
    assert told.people.not_yet == before.people.not_yet - len(people) + 1
    stand_at(moved_clock, LAST_DAY)
    await visits(services, at_the_desk)
    last = await reported(services)
    assert last.people.by["page"] == before.people.by["page"] + 1
    assert last.people.not_yet == told.people.not_yet - 1
    stand_at(moved_clock, LAST_DAY + timedelta(days=1))
    assert await tell_due(services) == 0
    assert (await reported(services)).notice is None


async def test_nobody_is_told_at_night_where_they_are(
    services: Services, people: list[SomePerson], moved_clock: MoveClock
) -> None:
    await choose_zone(services, people[0].subject, "America/Cayenne")
    await closings.announce(services, LAST_DAY)
    for hour, new in ((3, 0), (7, 0), (9, 2), (13, 1), (23, 0)):
        stand_at(moved_clock, TODAY, hour)
        assert await tell_due(services) == new, hour
    assert [len(await texts(services, one)) for one in people] == [1, 1, 1]


async def test_who_comes_later_is_told_once_of_what_is_left(
    services: Services, people: list[SomePerson], make_person: MakePerson, moved_clock: MoveClock
) -> None:
    await closings.announce(services, LAST_DAY)
    stand_at(moved_clock, LAST_DAY - timedelta(days=3))
    assert await tell_due(services) == len(people)
    late = await make_person()
    assert await tell_due(services) == 1
    assert "Dernier rappel" in (await texts(services, late))[0]


async def test_a_crash_neither_repeats_nor_loses_a_notice(
    services: Services,
    people: list[SomePerson],
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the second of three batches: the first stays told, the others are told by the next run."""
    monkeypatch.setattr(closing_notices, "BATCH", 1)
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    done: list[Any] = []

    async def crashing(*given: Any, **how: Any) -> Any:
        if len(done) == 1:
            raise OSError("crash")
        done.append(how)
        return await queue(*given, **how)

    with monkeypatch.context() as patched:
        patched.setattr(closing_notices, "queue", crashing)
        with pytest.raises(OSError, match="crash"):
            await tell_due(services)
    assert [len(await texts(services, one)) for one in people] == [1, 0, 0]
    assert await counted(services, "closing_step", people[1]) == 0, "neither without the other"
    assert await tell_due(services) == 2
    assert [len(await texts(services, one)) for one in people] == [1, 1, 1]


async def test_two_processes_tell_everyone_once(
    services: Services, people: list[SomePerson], moved_clock: MoveClock
) -> None:
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    told = await asyncio.gather(*(tell_due(services) for _ in range(3)))
    assert sum(told) == len(people)
    assert [len(await texts(services, one)) for one in people] == [1, 1, 1]


async def test_a_number_that_nobody_used_for_long_may_be_another_s(
    services: Services, people: list[SomePerson], as_owner: Database, moved_clock: MoveClock
) -> None:
    """A message is sent there, and does not count before the person comes."""
    stand_at(moved_clock, TODAY + timedelta(days=200))
    await closings.announce(services, LAST_DAY + timedelta(days=220))
    before = await reported(services)
    assert await tell_due(services) == len(people)
    assert (await reported(services)).people == before.people
    await visits(services, people[0].subject)
    assert (await reported(services)).people.by["page"] == before.people.by["page"] + 1


async def test_a_vault_that_is_erased_is_told_no_more(
    services: Services, people: list[SomePerson], moved_clock: MoveClock
) -> None:
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    await tell_due(services)
    before = await reported(services)
    await erase(services, people[0])
    assert await counted(services, "closing_step", people[0]) == 0
    after = await reported(services)
    assert (after.people.by["sms"], after.people.not_yet) == (
        before.people.by["sms"] - 1, before.people.not_yet,
    )  # fmt: skip


async def test_a_vault_that_ended_in_another_is_counted_no_more(
    services: Services,
    client: httpx.AsyncClient,
    people: list[SomePerson],
    moved_clock: MoveClock,
) -> None:
    """Else it would stand for somebody who was not told."""
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    await tell_due(services)
    before = await reported(services)
    await joined(client, people[0], people[1])
    after = await reported(services)
    assert after.people.by["sms"] == before.people.by["sms"] - 1
    assert (after.people.not_yet, after.left) == (before.people.not_yet, before.left - 1)


async def test_it_goes_on_after_all(
    services: Services, people: list[SomePerson], make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """Whoever was told is told so, and nobody else; then another day may be said."""
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    await tell_due(services)
    new = await make_person()
    await closings.cancel(services)
    assert await closing_report.report(services) is None
    assert await tell_due(services) == len(people)
    assert await tell_due(services) == 0
    assert "ne ferme pas" in (await texts(services, people[0]))[-1]
    assert await texts(services, new) == []
    later = LAST_DAY + timedelta(days=30)
    await closings.announce(services, later)
    assert await tell_due(services) == len(people) + 1
    assert f"{later.day} " in (await texts(services, people[0]))[-1]


async def test_a_closing_is_told_in_the_language_of_each(
    services: Services, people: list[SomePerson], make_person: MakePerson, moved_clock: MoveClock
) -> None:
    others = {code: await make_person(language=code) for code in ("en", "es", "uk", "ar", "falc")}
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    await tell_due(services)
    french = (await texts(services, people[0]))[0]
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        found = await tx.execute(text("SELECT id, sealed FROM unefois.message"))
    opened = [reader.open("message", row.id, row.sealed) for row in found]
    said = {
        code: next(one["text"] for one in opened[::-1] if one["to"] == person.phone)
        for code, person in others.items()
    }
    assert len({french, *said.values()}) == 6
    assert not any("{day}" in one for one in said.values())
    assert "Take your papers away" in said["en"]


async def test_nobody_closes_sooner_than_in_three_months(services: Services) -> None:
    assert NOTICE_MONTHS == 3
    with pytest.raises(ClosingRefused, match=f"D.541.*{LAST_DAY}"):
        await closings.announce(services, LAST_DAY - timedelta(days=1))
    with pytest.raises(ClosingRefused, match="no closing"):
        await closings.cancel(services)
    await closings.announce(services, LAST_DAY)
    with pytest.raises(ClosingRefused, match="cancel that first"):
        await closings.announce(services, LAST_DAY + timedelta(days=9))


async def test_both_are_lines_of_the_service_s_log(services: Services) -> None:
    closing = await closings.announce(services, LAST_DAY)
    await closings.cancel(services)
    lines = (await service_log(services))[-2:]
    assert [one["action"] for one in lines] == ["service.closing", "service.closing_end"]
    told = [one["details"] for one in lines]
    assert told == [{"closing": str(closing.id), "closes_on": LAST_DAY.isoformat()}] * 2


async def test_a_closing_that_the_service_did_not_write_closes_nothing_unseen(
    services: Services, people: list[SomePerson], as_owner: Database, moved_clock: MoveClock
) -> None:
    """A last day that is moved, or a notice that is made up, in the database."""
    stand_at(moved_clock, TODAY)
    await closings.announce(services, LAST_DAY)
    await tell_due(services)
    async with as_owner.transaction() as tx:
        await tx.execute(text("UPDATE unefois.closing_step SET done_at = NULL"))
    await visits(services, people[0].subject)
    assert (await reported(services)).people.by == {}, "it is not believed that they saw it"
    async with as_owner.transaction() as tx:
        await tx.execute(text("UPDATE unefois.closing SET ends_at = '2020-01-01'"))
    async with services.database.transaction() as tx:
        with pytest.raises(RowAltered):
            await closings.is_over(services, tx)
    closings.forget(services)
    assert await closings.shown(services) is None, "pages are shown all the same"
