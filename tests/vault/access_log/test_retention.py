"""A year of the log is announced, then its keys are destroyed: when, and what stays."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.audit_log import AccessLogEntry
from audit.events import Action, Actor, ActorKind, Event, Outcome
from audit.records import AccessEvent, AuditKey, events_of
from auth.message_delivery import inbox
from base.ids import new_id
from tests.fixtures import MakePerson, MoveClock, SomePerson
from vault.access_log import entries
from vault.access_log.records import LogWarning
from vault.access_log.retention import apply_retention
from vault.maintenance.erasure import erase
from vault.services import Services

# With three years of retention: announced from 2 December 2026, due on 1 January 2027.
OLD, KEPT = datetime(2023, 12, 31, 23, 59, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)
At = Callable[[str], None]


@pytest.fixture
def at(moved_clock: MoveClock) -> At:
    """`at("2026-12-02")`: the database's clock, at that instant or a moment after."""

    def move(instant: str) -> None:
        moved_clock(datetime.fromisoformat(instant).replace(tzinfo=UTC) - datetime.now(UTC))

    return move


@pytest.fixture
async def person(services: Services, make_person: MakePerson) -> SomePerson:
    """A person with log entries in December 2023 and in January 2024."""
    made = await make_person()
    async with services.database.transaction() as tx:
        for instant in (OLD, KEPT):
            await services.audit_log.record(tx, act_of(made, instant))
    return made


def act_of(person: SomePerson | None, instant: datetime) -> Event:
    return Event(
        id=new_id(),
        at=instant,
        action=Action.LIST,
        outcome=Outcome.ALLOWED,
        actor=Actor(ActorKind.WORKER, new_id(), "Camille Moreau"),
        person=None if person is None else person.id,
    )


async def entries_of(
    services: Services, person: SomePerson
) -> list[tuple[datetime, AccessLogEntry, bytes]]:
    """Every row of a person: its time, its content, its commitment."""
    tag = await services.audit_log.person_tag(person.id)
    async with services.database.transaction() as tx:
        rows = await events_of(tx, person_tag=tag, limit=100)
        opened = await services.audit_log.open_entries(tx, rows)
    return [(row.at, entry, row.commitment) for row, entry in zip(rows, opened, strict=True)]


async def unreadable(services: Services, person: SomePerson) -> set[datetime]:
    return {at for at, entry, _ in await entries_of(services, person) if entry.values is None}


async def warnings_to(services: Services, person: SomePerson) -> list[str]:
    return [
        message.text for message in await inbox(services, to=person.phone) if "2023" in message.text
    ]


async def test_a_year_is_announced_then_silent_and_its_rows_stay(
    services: Services, person: SomePerson, at: At
) -> None:
    before = await entries_of(services, person)

    at("2026-12-01T23:00")
    await apply_retention(services)
    assert await warnings_to(services, person) == []

    at("2026-12-02T01:00")
    await apply_retention(services)
    await apply_retention(services)
    (message,) = await warnings_to(services, person)
    assert "30 jours" in message
    assert "emportez-la" in message
    assert "://" not in message, "an SMS holds no link"
    assert await unreadable(services, person) == set()

    at("2026-12-31T23:00")
    await apply_retention(services)
    assert await unreadable(services, person) == set()

    at("2027-01-01T02:00")
    assert await apply_retention(services) >= 1
    assert await unreadable(services, person) == {OLD}

    after = {entry.id: commitment for _, entry, commitment in await entries_of(services, person)}
    assert {entry.id: commitment for _, entry, commitment in before}.items() <= after.items()


async def test_what_the_person_reads_then(services: Services, person: SomePerson, at: At) -> None:
    at("2026-12-02T01:00")
    await apply_retention(services)
    at("2027-01-02")
    await apply_retention(services)
    page = await entries.list_for_person(services, person.subject, cursor=None, limit=100)
    times = [entry.at for entry in page.items]
    assert "2023-12-31T23:59:00.000000Z" not in times
    assert "2024-01-01T00:00:00.000000Z" in times
    # The destruction is itself an entry, in the current year.
    (destruction,) = [entry for entry in page.items if entry.action == "keys.destroy"]
    assert destruction.details == {"log_of": 2023}


async def test_nothing_is_destroyed_of_which_nobody_was_told_thirty_days_before(
    services: Services, person: SomePerson, at: At
) -> None:
    """The job did not run in December."""
    at("2027-02-01")
    await apply_retention(services)
    assert len(await warnings_to(services, person)) == 1
    at("2027-03-02T23:00")
    await apply_retention(services)
    assert await unreadable(services, person) == set()
    at("2027-03-03T01:00")
    await apply_retention(services)
    assert await unreadable(services, person) == {OLD}


async def test_several_years_are_told_in_one_message(
    services: Services, person: SomePerson, at: At
) -> None:
    async with services.database.transaction() as tx:
        await services.audit_log.record(tx, act_of(person, OLD.replace(year=2021)))
    at("2026-12-02T01:00")
    await apply_retention(services)
    assert len(await warnings_to(services, person)) == 1
    at("2027-01-02")
    await apply_retention(services)
    assert await unreadable(services, person) == {OLD, OLD.replace(year=2021)}


async def test_the_service_s_own_lines_go_on_the_day(services: Services, at: At) -> None:
    event = act_of(None, OLD)
    async with services.database.transaction() as tx:
        await services.audit_log.record(tx, event)

    async def values_of_event() -> Any:
        async with services.database.transaction() as tx:
            rows = await events_of(tx, event_id=event.id, limit=1)
            (entry,) = await services.audit_log.open_entries(tx, rows)
        return entry.values

    at("2026-12-31T23:00")
    await apply_retention(services)
    assert await values_of_event() is not None
    at("2027-01-01T01:00")
    await apply_retention(services)
    assert await values_of_event() is None


async def test_a_longer_retention_is_kept_to(
    services: Services, person: SomePerson, at: At
) -> None:
    settings = services.settings
    object.__setattr__(services, "settings", settings.model_copy(update={"log_retention_years": 4}))
    try:
        at("2027-06-01")
        await apply_retention(services)
        assert await warnings_to(services, person) == []
        at("2027-12-02T01:00")
        await apply_retention(services)
        assert len(await warnings_to(services, person)) == 1
    finally:
        object.__setattr__(services, "settings", settings)


async def test_an_erased_person_leaves_no_warning(
    services: Services, person: SomePerson, at: At
) -> None:
    at("2026-12-02T01:00")
    await apply_retention(services)

    async def left(tx: AsyncConnection) -> int:
        warnings = await tx.execute(select(LogWarning).where(LogWarning.owner_id == person.id))
        keys = await tx.execute(select(AuditKey).where(AuditKey.owner_id == person.id))
        return len(warnings.all()) + len(keys.all())

    async with services.database.transaction() as tx:
        assert await left(tx) > 1
        rows = (await tx.execute(select(AccessEvent.id).where(AccessEvent.at == OLD))).all()
    await erase(services, person.subject)
    async with services.database.transaction() as tx:
        assert await left(tx) == 0
        still = (await tx.execute(select(AccessEvent.id).where(AccessEvent.at == OLD))).all()
    assert still == rows
    at("2027-01-02")
    await apply_retention(services)
