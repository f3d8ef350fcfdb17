"""A vault that is opened again by one agent and a means that is left: a card without its PIN, a
phone that answers; and by two who find it otherwise than by an identity paper."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy.engine import Row

from auth import session_start
from auth.records.people import PERSON_ROW, PersonRow
from base.database import Database
from base.db_time import instant
from tests.auth.means_steps import add_card, bearer, enter, usable_pins
from tests.fixtures import MakePerson, SomePerson, SomeWorker, new_phone
from tests.recoveries import (
    PIN,
    ReadPaper,
    add_means,
    begun,
    reached,
    recoveries,
    second,
    some_paper,
    with_anchor,
)
from tests.recovery_people import FallAsleep, MakeAgent
from tests.rows import change_row
from tests.steps import erase, granted, is_problem, log_of
from tests.trusted import trusted, vouch_for
from vault.recovery.records import RECOVERY_ROW, Recovery
from vault.recovery.recovery_rules import LONG_WAIT, WAIT
from vault.services import Services
from vault.trusted.records import TRUSTED_PERSON_ROW, TrustedPerson

pytestmark = pytest.mark.usefixtures("pins_are_cheap")


@pytest.fixture
async def card(services: Services, client: httpx.AsyncClient, unknown: SomePerson) -> str:
    """A card of `unknown`, whose PIN nobody types here."""
    (pin, *_) = await usable_pins(services, unknown)
    code: str = (await add_card(client, unknown, pin))["code"]
    return code


def waited(row: Row[Any]) -> timedelta | None:
    """How long after its completion it opens."""
    return None if row.opens_at is None else row.opens_at - row.complete_at


async def last(services: Services) -> Row[Any]:
    return (await recoveries(services))[0]


async def test_a_card_without_its_pin(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    told = await begun(client, camille, some_paper(), shown={"card": card})
    row = await last(services)
    assert (row.former_id, waited(row)) == (unknown.id, WAIT)
    assert (told["second_agent"], row.earliest_at) == (False, row.opens_at)
    assert told["earliest_at"] is not None
    # What was lost stays as it was: the card still asks its PIN.
    wrong = await enter(client, card, "000000")
    assert wrong.status_code == 401


async def test_a_card_where_nobody_else_can_be_warned_waits_a_week(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
) -> None:
    body = {"language": "fr", "pin": PIN, "again": PIN}
    answer = await client.post("/v1/desk/vaults", headers=camille.headers, json=body)
    assert answer.status_code == 201, answer.text
    await begun(client, nadia, some_paper(), shown={"card": answer.json()["secret"]})
    row = await last(services)
    assert waited(row) == LONG_WAIT
    assert row.earliest_at - row.complete_at == WAIT, "what is told says nothing of the vault"


async def test_a_phone_that_answers(
    services: Services, client: httpx.AsyncClient, camille: SomeWorker, unknown: SomePerson
) -> None:
    note = await reached(services, client, camille, unknown.phone)
    await begun(client, camille, some_paper(), shown={"reached": note})
    row = await last(services)
    assert (row.former_id, waited(row)) == (unknown.id, WAIT)


@pytest.mark.usefixtures("lost")
async def test_a_paper_that_fits_and_two_means_open_at_once(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    paper = some_paper()
    await with_anchor(services, unknown, paper)
    note = await reached(services, client, camille, unknown.phone)
    told = await begun(client, camille, paper, shown={"reached": note, "card": card})
    row = await last(services)
    assert row.opens_at == row.complete_at == row.earliest_at
    assert told["earliest_at"] is not None


async def test_card_and_phone_of_one_household_wait(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    note = await reached(services, client, camille, unknown.phone)
    await begun(client, camille, some_paper(), shown={"reached": note, "card": card})
    row = await last(services)
    assert waited(row) == WAIT
    assert row.earliest_at == row.complete_at, "the agent is told by what was shown"


async def test_a_card_with_another_ones_paper_opens_nothing(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    await with_anchor(services, unknown, some_paper())
    told = await begun(client, camille, some_paper(), shown={"card": card})
    row = await last(services)
    assert (row.former_id, row.opens_at) == (unknown.id, None)
    assert told["earliest_at"] is not None


async def test_a_card_that_was_stopped_proves_nothing(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    stopped = await client.post("/v1/desk/cards/stop", headers=camille.headers, json={"card": card})
    assert stopped.status_code == 204, stopped.text
    await begun(client, camille, some_paper(), shown={"card": card})
    row = await last(services)
    assert (row.former_id, row.opens_at) == (unknown.id, None)


@pytest.mark.usefixtures("unknown")
async def test_ways_that_point_at_two_vaults_point_at_none(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    lost: SomePerson,
    paper: ReadPaper,
    card: str,
) -> None:
    assert lost.id
    await begun(client, camille, paper, shown={"card": card})
    row = await last(services)
    assert (row.former_id, row.opens_at) == (None, None)
    assert row.complete_at is not None


async def test_the_phone_of_a_vault_that_slept_is_no_means(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    karim: SomeWorker,
    unknown: SomePerson,
    fall_asleep: FallAsleep,
) -> None:
    await fall_asleep(unknown)
    note = await reached(services, client, camille, unknown.phone)
    told = await begun(client, camille, some_paper(), shown={"reached": note})
    row = await last(services)
    assert (row.former_id, row.opens_at) == (unknown.id, None)
    # Another structure sees the person too: a week, since nobody can be warned.
    more = {"former_phone": unknown.phone}
    answer = await second(client, karim, told["code"], some_paper(), **more)
    assert answer.status_code == 202, answer.text
    row = await last(services)
    assert row.opens_at - row.complete_at >= LONG_WAIT


async def test_two_structures_find_it_by_the_number_that_the_person_had(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    karim: SomeWorker,
    unknown: SomePerson,
) -> None:
    more = {"former_phone": unknown.phone}
    for other, wait in ((nadia, None), (karim, WAIT)):
        told = await begun(client, camille, some_paper(), **more)
        assert told["second_agent"]
        answer = await second(client, other, told["code"], some_paper(), **more)
        assert answer.status_code == 202, answer.text
        row = await last(services)
        assert (row.former_id, waited(row)) == (unknown.id, wait)


async def test_a_worker_knows_their_own_people_by_their_own_id(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    karim: SomeWorker,
    unknown: SomePerson,
) -> None:
    await granted(client, unknown, camille.headers, "payslip")
    people = (await client.get("/v1/people", headers=camille.headers)).json()["items"]
    known = people[0]["id"]
    told = await begun(client, camille, some_paper(), person=known)
    assert (await last(services)).former_id == unknown.id
    # Another one's id, and one of nobody's, say nothing.
    for one in (known, str(uuid4())):
        answer = await second(client, karim, told["code"], some_paper(), person=one)
        assert answer.status_code in (202, 409)
        assert (await last(services)).opens_at is None


async def share_phone(
    services: Services, as_owner: Database, phone: str, *people: SomePerson
) -> None:
    tag = (await session_start.phone_address(services, phone)).tag
    for one in people:
        await change_row(services, as_owner, PersonRow, PERSON_ROW, one.id, phone_tag=tag)


async def test_of_two_vaults_on_a_number_the_one_that_slept_is_meant(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    camille: SomeWorker,
    fall_asleep: FallAsleep,
) -> None:
    phone = new_phone()
    former, holder = await make_person(), await make_person()
    await share_phone(services, as_owner, phone, former, holder)
    await begun(client, camille, some_paper(), former_phone=phone)
    assert (await last(services)).former_id is None
    await fall_asleep(former)
    await begun(client, camille, some_paper(), former_phone=phone)
    assert (await last(services)).former_id == former.id
    # Whoever answers on that number now is the other.
    note = await reached(services, client, camille, phone)
    await begun(client, camille, some_paper(), shown={"reached": note})
    assert (await last(services)).former_id == holder.id


async def test_a_means_that_is_shown_later_only_brings_it_forward(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    paper = some_paper()
    await with_anchor(services, unknown, paper)
    told = await begun(client, camille, paper)
    code = told["code"]
    is_problem(await add_means(client, camille, code, paper), 422, "shown_nothing")
    answer = await add_means(client, camille, code, paper, shown={"card": card})
    assert answer.status_code == 202, answer.text
    assert answer.headers["cache-control"] == "no-store"
    row = await last(services)
    assert waited(row) == WAIT
    first_told = answer.json()["earliest_at"]
    # Another card, of nobody's: nothing is put off, and the agent is told the same.
    again = await add_means(client, camille, code, paper, shown={"card": card})
    assert again.json()["earliest_at"] == first_told
    assert (await last(services)).opens_at == row.opens_at
    note = await reached(services, client, camille, unknown.phone)
    answer = await add_means(client, camille, code, paper, shown={"reached": note})
    row = await last(services)
    assert row.opens_at < row.complete_at + WAIT
    assert answer.json()["earliest_at"] < first_told
    lines = [one["action"] for one in await log_of(client, unknown)]
    assert lines.count("recovery.means") == 3


async def test_a_card_that_another_agent_is_shown(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    nadia: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    """The first found nothing: neither paper nor number led anywhere."""
    paper = some_paper()
    told = await begun(client, camille, paper)
    assert (await last(services)).former_id is None
    answer = await add_means(client, nadia, told["code"], paper, shown={"card": card})
    assert answer.status_code == 202, answer.text
    row = await last(services)
    assert (row.former_id, waited(row)) == (unknown.id, WAIT)
    waiting = bearer(await enter(client, told["card"]["code"], PIN))
    lines = [one for one in await log_of(client, waiting) if "recovery" in one["action"]]
    assert [one["actor"]["name"] for one in lines] == ["Nadia Benali", "Camille Moreau"]
    assert not [one for one in await log_of(client, nadia) if "recovery" in one["action"]]


async def test_a_trusted_person_who_shows_digits(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    camille: SomeWorker,
    nadia: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    friend = await make_person()
    naming = UUID(await trusted(client, unknown, friend))
    row_of = partial(change_row, services, as_owner, TrustedPerson, TRUSTED_PERSON_ROW, naming)
    async with services.database.transaction() as tx:
        then = await instant(tx) - timedelta(days=8)
    await row_of(created_at=then, answered_at=then, accepted_at=then)
    digits = (await vouch_for(client, friend, str(naming))).json()["code"]
    await begun(client, camille, some_paper(), shown={"trusted_code": digits})
    row = await last(services)
    assert (row.former_id, waited(row)) == (unknown.id, WAIT)
    # Spent: typed again they say nothing, in the same words.
    await begun(client, nadia, some_paper(), shown={"trusted_code": digits})
    assert (await last(services)).former_id is None
    # With a card: at once. The first one, which may open it too, stands in the way of a second.
    await give_up(services, as_owner, row.id)
    digits = (await vouch_for(client, friend, str(naming))).json()["code"]
    await begun(client, nadia, some_paper(), shown={"trusted_code": digits, "card": card})
    row = await last(services)
    assert row.opens_at == row.complete_at


async def give_up(services: Services, as_owner: Database, recovery: UUID) -> None:
    """It is over, by its person."""
    async with services.database.transaction() as tx:
        at = await instant(tx)
    changed = {"ended_at": at, "ended_by": "waiting"}
    await change_row(services, as_owner, Recovery, RECOVERY_ROW, recovery, **changed)


async def test_a_means_by_an_agent_under_another_account(
    client: httpx.AsyncClient,
    make_agent: MakeAgent,
    camille: SomeWorker,
    card: str,
) -> None:
    told = await begun(client, camille, some_paper())
    again = await make_agent("MOREAU Camille")
    refused = await add_means(client, again, told["code"], some_paper(), shown={"card": card})
    is_problem(refused, 409, "same_agent")
    refused = await add_means(client, again, "0000000000", some_paper(), shown={"card": card})
    is_problem(refused, 403, "recovery_code_wrong")


async def test_the_card_of_the_new_vault_is_no_means_of_before(
    services: Services, client: httpx.AsyncClient, camille: SomeWorker
) -> None:
    paper = some_paper()
    told = await begun(client, camille, paper)
    shown = {"card": told["card"]["code"]}
    answer = await add_means(client, camille, told["code"], paper, shown=shown)
    assert answer.status_code == 202, answer.text
    row = await last(services)
    assert (row.former_id, row.opens_at) == (None, None)


async def test_a_vault_that_is_erased_before_a_means_is_shown(
    services: Services,
    client: httpx.AsyncClient,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
) -> None:
    await erase(services, unknown)
    await begun(client, camille, some_paper(), shown={"card": card})
    row = await last(services)
    assert (row.former_id, row.opens_at) == (None, None)
