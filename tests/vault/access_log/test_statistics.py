"""An organisation sees counts of its acts, never of fewer than five people, even by subtraction."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import Action, Event, Outcome
from base.errors import ServiceError
from base.ids import new_id
from tests.fixtures import (
    MakeOrganisation,
    MakePerson,
    MakeWorker,
    MoveClock,
    SomePerson,
    SomeWorker,
)
from vault.access_log.statistics import (
    MIN_PEOPLE,
    ActionKey,
    Cell,
    Count,
    organisation_statistics,
    publishable,
)
from vault.maintenance.erasure import erase
from vault.services import Services

MONTH, DURING = "2026-03", datetime(2026, 3, 31, 23, 59, 59, 999_999, UTC)
READ, LISTED = ("document.read", "allowed"), ("document.list", "allowed")


async def record_acts(
    services: Services,
    worker: SomeWorker,
    people: list[SomePerson],
    action: Action,
    at: datetime = DURING,
) -> None:
    """A worker's acts on some vaults, recorded as use cases do."""
    async with services.database.transaction() as tx:
        for person in people:
            await services.audit_log.record(
                tx,
                Event(
                    id=new_id(),
                    at=at,
                    action=action,
                    outcome=Outcome.ALLOWED,
                    actor=worker.subject.actor(),
                    person=person.id,
                ),
            )


@pytest.fixture
async def crowd(make_person: MakePerson) -> list[SomePerson]:
    return [await make_person() for _ in range(MIN_PEOPLE + 1)]


@pytest.fixture
async def team(
    make_organisation: MakeOrganisation, make_worker: MakeWorker
) -> AsyncIterator[tuple[SomeWorker, SomeWorker]]:
    organisation = await make_organisation()
    yield await make_worker(organisation), await make_worker(organisation)


@pytest.fixture(autouse=True)
def later(moved_clock: MoveClock) -> None:
    """March 2026 is over."""
    moved_clock(max(datetime(2026, 5, 1, tzinfo=UTC) - datetime.now(UTC), timedelta()))


async def test_acts_and_people_of_the_whole_organisation_are_counted(
    services: Services, team: tuple[SomeWorker, SomeWorker], crowd: list[SomePerson]
) -> None:
    worker, colleague = team
    await record_acts(services, worker, crowd, Action.READ)
    await record_acts(services, colleague, crowd[:MIN_PEOPLE], Action.READ)
    await record_acts(
        services, colleague, crowd[:MIN_PEOPLE], Action.READ, DURING + timedelta(microseconds=1)
    )

    for reader in team:
        seen = await organisation_statistics(services, reader.subject, MONTH)
        assert seen.counts == {READ: Count(times=11, people=6)}
        assert seen.total == Count(times=11, people=6)
        assert not seen.kept_back


async def test_another_organisation_is_not_counted(
    services: Services,
    team: tuple[SomeWorker, SomeWorker],
    make_worker: MakeWorker,
    crowd: list[SomePerson],
) -> None:
    await record_acts(services, await make_worker(), crowd, Action.READ)
    seen = await organisation_statistics(services, team[0].subject, MONTH)
    assert (seen.counts, seen.total, seen.kept_back) == ({}, None, False)


async def test_fewer_than_five_people_are_kept_back_and_so_is_what_gives_them_away(
    services: Services, team: tuple[SomeWorker, SomeWorker], crowd: list[SomePerson]
) -> None:
    worker, colleague = team
    await record_acts(services, worker, crowd, Action.READ)
    await record_acts(services, colleague, crowd, Action.LIST)
    await record_acts(services, colleague, crowd[:2], Action.PREVIEW)
    seen = await organisation_statistics(services, worker.subject, MONTH)
    assert ("document.preview", "allowed") not in seen.counts
    # The total minus the shown cells would give the previews of two people: one more is withheld.
    assert len(seen.counts) == 1
    assert seen.kept_back
    assert seen.total == Count(times=14, people=6)


async def test_whoever_knows_their_own_part_does_not_learn_the_rest(
    services: Services, team: tuple[SomeWorker, SomeWorker], crowd: list[SomePerson]
) -> None:
    worker, colleague = team
    await record_acts(services, worker, crowd[:MIN_PEOPLE], Action.READ)
    await record_acts(services, colleague, crowd[MIN_PEOPLE:], Action.READ)
    seen = await organisation_statistics(services, worker.subject, MONTH)
    assert (seen.counts, seen.total) == ({}, None)


async def test_the_erased_are_not_counted_any_more(
    services: Services, team: tuple[SomeWorker, SomeWorker], crowd: list[SomePerson]
) -> None:
    await record_acts(services, team[0], crowd, Action.READ)
    await erase(services, crowd[0].subject)
    seen = await organisation_statistics(services, team[0].subject, MONTH)
    assert seen.counts == {READ: Count(times=5, people=5)}


async def test_a_month_is_told_once_it_is_over(
    services: Services, client: httpx.AsyncClient, team: tuple[SomeWorker, SomeWorker]
) -> None:
    running = f"{datetime.now(UTC) + timedelta(days=800):%Y-%m}"
    with pytest.raises(ServiceError, match="month_not_over"):
        await organisation_statistics(services, team[0].subject, running)
    headers = team[0].headers
    for month, status in ((MONTH, 200), (running, 422), ("2026-13", 422), ("2026-3", 422)):
        answer = await client.get(f"/v1/organisation/activity?month={month}", headers=headers)
        assert answer.status_code == status, answer.text


async def test_it_is_for_workers(
    services: Services,
    client: httpx.AsyncClient,
    team: tuple[SomeWorker, SomeWorker],
    crowd: list[SomePerson],
) -> None:
    path = f"/v1/organisation/activity?month={MONTH}"
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, headers=crowd[0].headers)).status_code == 403
    await record_acts(services, team[0], crowd, Action.READ)
    answer = (await client.get(path, headers=team[1].headers)).json()
    assert answer["items"] == [
        {"action": "document.read", "outcome": "allowed", "times": 6, "people": 6}
    ]
    assert answer["total"] == {"times": 6, "people": 6}


PEOPLE = st.sets(st.sampled_from([bytes([number]) for number in range(12)]), min_size=1)
CELLS = st.dictionaries(
    st.sampled_from([(attempt, "allowed") for attempt in "abcdef"]),
    PEOPLE.map(lambda people: Cell(len(people), people, set(people))),
)


@given(CELLS)
def test_no_subtraction_singles_anyone_out(cells: dict[ActionKey, Cell]) -> None:
    counts = publishable(cells)
    assert all(count.people >= MIN_PEOPLE for count in counts.values())
    hidden = [cell for attempt, cell in cells.items() if attempt not in counts]
    if counts and hidden:
        assert len(hidden) >= 2
        assert len(set().union(*(cell.people for cell in hidden))) >= MIN_PEOPLE


def test_all_that_can_be_told_is_told() -> None:
    many = {bytes([number]) for number in range(9)}
    cells = {READ: Cell(20, many, many), LISTED: Cell(9, many, many)}
    assert publishable(cells) == {READ: Count(20, 9), LISTED: Count(9, 9)}
