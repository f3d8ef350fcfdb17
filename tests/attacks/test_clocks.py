"""A machine's clock that is wrong, by days, orders and deletes nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from audit.events import Action, Event, Outcome
from base import clock
from base.db_time import instant
from base.ids import first_id_at, new_id
from storage.blobs import BlobKey
from storage.envelopes import FILES
from tests.base.test_clock import JUMP, Ahead
from tests.fixtures import MakePerson, SomePerson
from tests.steps import deposit, log_of
from tests.vault.decoding import corpus
from vault.cursors import write
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

PAGE = "/v1/access-log"


@pytest.fixture
def jumped(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The machine of this process is two days ahead, until `undo`."""
    monkeypatch.setattr(clock, "datetime", Ahead)
    return monkeypatch


async def _record(services: Services, person: SomePerson, purpose: str, event_id: UUID) -> None:
    async with services.database.transaction() as tx:
        await services.audit_log.record(
            tx,
            Event(
                id=event_id,
                at=await instant(tx),
                action=Action.READ,
                outcome=Outcome.ALLOWED,
                actor=person.subject.actor(),
                person=person.id,
                purpose=purpose,
            ),
        )


async def _purposes(client: httpx.AsyncClient, person: SomePerson, limit: int) -> list[str]:
    """The purposes of a whole log, page by page."""
    found, cursor = [], None
    while True:
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(PAGE, headers=person.headers, params=query)).json()
        found += [entry["purpose"] for entry in page["items"] if entry["purpose"]]
        cursor = page["next"]
        if cursor is None:
            return found


async def test_what_is_made_while_a_clock_is_ahead_stands_in_its_place(
    client: httpx.AsyncClient, make_person: MakePerson, jumped: pytest.MonkeyPatch
) -> None:
    person = await make_person()
    first = await deposit(client, person, corpus.pdf())
    jumped.undo()
    second = await deposit(client, person, corpus.pdf(pages=2))
    listed = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    acts = [
        entry["documents"]
        for entry in await log_of(client, person)
        if entry["action"] == Action.DEPOSIT.value
    ]
    assert acts == [[second["id"]], [first["id"]]]


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_a_line_whose_id_is_of_the_future_does_not_head_the_log(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, limit: int
) -> None:
    """As processes of before made them: the time beside it is the database's."""
    person = await make_person()
    ahead, behind = (
        UUID(int=first_id_at(datetime.now(UTC) + jump).int + new_id().int % 2**80)
        for jump in (JUMP, -JUMP)
    )
    for purpose, event_id in (("a", new_id()), ("b", ahead), ("c", behind), ("d", new_id())):
        await _record(services, person, purpose, event_id)
    assert await _purposes(client, person, limit) == ["d", "c", "b", "a"]


async def test_a_cursor_of_somebody_elses_line_says_nothing_of_it(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    theirs = new_id()
    await _record(services, other, "x", theirs)
    await _record(services, person, "a", new_id())
    for unknown in (theirs, new_id()):
        page = await client.get(
            PAGE, headers=person.headers, params={"cursor": write((0, unknown))}
        )
        assert page.json() == {"items": [], "next": None}


async def test_nothing_is_swept_while_the_clocks_disagree(
    services: Services, jumped: pytest.MonkeyPatch
) -> None:
    """A blob that waits for its row looks two days old where the clock is two days ahead."""
    key = BlobKey.random(FILES)
    await services.storage.blobs.put(key, b"x")
    assert await sweep_blobs(services, timedelta(0)) == 0
    jumped.undo()
    assert await services.storage.blobs.exists(key)
    await sweep_blobs(services, timedelta(0))
    assert not await services.storage.blobs.exists(key)
