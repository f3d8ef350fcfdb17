"""Who is there when a vault is opened again at the desk: agents of two structures, and a person who
lost something."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest

from auth import pin_hashes
from auth.records.people import PERSON_ROW, PersonRow
from auth.sessions import end_with_account
from base.database import Database
from base.db_time import instant
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.recoveries import ReadPaper, agent, some_paper, with_anchor
from tests.rows import change_row
from vault.services import Services

MakeAgent = Callable[..., Awaitable[SomeWorker]]
FallAsleep = Callable[[SomePerson], Awaitable[None]]


@pytest.fixture
def pins_are_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
def make_agent(services: Services, as_owner: Database, make_worker: MakeWorker) -> MakeAgent:
    """`await make_agent("Nadia Benali")`: there for more than ninety days."""
    return partial(agent, services, as_owner, make_worker)


@pytest.fixture
async def camille(make_agent: MakeAgent) -> SomeWorker:
    """The first agent."""
    return await make_agent("Camille Moreau")


@pytest.fixture
async def nadia(make_agent: MakeAgent, camille: SomeWorker) -> SomeWorker:
    """Of the same structure."""
    return await make_agent("Nadia Benali", organisation=camille.organisation_id)


@pytest.fixture
async def karim(make_agent: MakeAgent) -> SomeWorker:
    """Of another structure."""
    return await make_agent("Karim Haddad")


@pytest.fixture
def paper() -> ReadPaper:
    """What stands on the identity paper of `lost`."""
    return some_paper()


@pytest.fixture
async def lost(services: Services, make_person: MakePerson, paper: ReadPaper) -> SomePerson:
    """Who has an anchor."""
    person = await make_person()
    await with_anchor(services, person, paper)
    return person


@pytest.fixture
async def unknown(make_person: MakePerson) -> SomePerson:
    """Who has none."""
    return await make_person()


@pytest.fixture
def fall_asleep(services: Services, as_owner: Database) -> FallAsleep:
    """Nobody used the vault for seven months; its sessions are over."""

    async def sleep(person: SomePerson) -> None:
        async with services.database.transaction() as tx:
            then = await instant(tx) - timedelta(days=213)
            await end_with_account(tx, "person", person.id)
        await change_row(services, as_owner, PersonRow, PERSON_ROW, person.id, used_at=then)

    return sleep
