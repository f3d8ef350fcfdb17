"""Workers who would open the vault of somebody who did not come: what they know is not enough, and
its person sees each of them."""

from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.auth.means_steps import add_card, bearer, enter, pin_of
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.openings import LATER, open_former, own, papers, waits_for
from tests.recoveries import PIN, agent, begin, begun, second, some_paper, with_anchor
from tests.steps import deposit, granted, is_problem, log_of
from tests.vault.decoding import corpus
from vault.services import Services

_WEEK = timedelta(days=7, hours=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of PINs: what they cost to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
def make_agent(services: Services, as_owner: Database, make_worker: MakeWorker) -> Any:
    return partial(agent, services, as_owner, make_worker)


@pytest.fixture
async def corrupt(make_agent: Any) -> SomeWorker:
    made: SomeWorker = await make_agent("Camille Moreau")
    return made


@pytest.fixture
async def victim(
    client: httpx.AsyncClient, make_person: MakePerson, corrupt: SomeWorker
) -> SomePerson:
    """Whom the corrupt worker accompanies: they know the number, and some of the papers."""
    person = await make_person()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    await granted(client, person, corrupt.headers, "payslip")
    return person


async def test_with_a_colleague_who_was_invited_yesterday(
    client: httpx.AsyncClient, make_agent: Any, corrupt: SomeWorker, victim: SomePerson
) -> None:
    invited = await make_agent("Sofia Petit", organisation=corrupt.organisation_id, days=1)
    elsewhere = await make_agent("Sofia Petit", days=89)
    paper = some_paper()
    told = await begun(client, corrupt, paper, former_phone=victim.phone)
    for one in (invited, elsewhere):
        answer = await second(client, one, told["code"], paper, former_phone=victim.phone)
        is_problem(answer, 403, "agent_too_new")
        is_problem(await begin(client, one, paper), 403, "agent_too_new")
    own_name = await make_agent("Moreau Camille")
    answer = await second(client, own_name, told["code"], paper, former_phone=victim.phone)
    is_problem(answer, 409, "same_agent")
    (line,) = [one for one in await log_of(client, victim) if one["action"] == "recovery.begin"]
    assert line["actor"]["name"] == "Camille Moreau"
    headers = bearer(await enter(client, told["card"]["code"], PIN))
    assert (await own(client, headers))["state"] == "one_agent"


@pytest.mark.parametrize("wait", [LATER, _WEEK])
async def test_with_a_colleague_of_long_standing(
    client: httpx.AsyncClient,
    make_agent: Any,
    corrupt: SomeWorker,
    victim: SomePerson,
    moved_clock: MoveClock,
    wait: timedelta,
) -> None:
    """One structure is one pair of eyes, where no paper is compared."""
    colleague = await make_agent("Nadia Benali", organisation=corrupt.organisation_id)
    two, phone = (corrupt, colleague), victim.phone
    one = await waits_for(client, two, victim, some_paper(), former_phone=phone)
    (mine,) = (await client.get("/v1/me/recoveries", headers=victim.headers)).json()["items"]
    assert (len(mine["agents"]), mine["opens_at"]) == (2, None)
    moved_clock(wait)
    assert (await own(client, one.headers))["state"] == "nothing"
    is_problem(await open_former(client, one), 409, "recovery_over")
    assert len(await papers(client, victim.headers)) == 1


async def test_a_guessed_anchor_and_another_paper(
    services: Services,
    client: httpx.AsyncClient,
    make_agent: Any,
    corrupt: SomeWorker,
    victim: SomePerson,
    moved_clock: MoveClock,
) -> None:
    """They know the name and the birth date, not the paper's number: five guesses an hour, each a
    vault that names them; and with a phone's number beside a wrong paper, one structure is nothing.
    """
    paper = some_paper()
    await with_anchor(services, victim, paper)
    colleague = await make_agent("Nadia Benali", organisation=corrupt.organisation_id)
    wrong = [paper | {"document_end": f"00{number}Z"} for number in range(10, 16)]
    for guess in wrong[:3]:
        assert (await begin(client, corrupt, guess)).status_code == 202
    one = await waits_for(client, (corrupt, colleague), victim, wrong[3], former_phone=victim.phone)
    assert (await begin(client, corrupt, wrong[4])).status_code == 202
    is_problem(await begin(client, corrupt, wrong[5]), 429, "too_many_recoveries")
    moved_clock(_WEEK)
    assert (await own(client, one.headers))["state"] == "nothing"


async def test_alone_with_a_card_that_was_found(
    services: Services,
    client: httpx.AsyncClient,
    corrupt: SomeWorker,
    victim: SomePerson,
    moved_clock: MoveClock,
) -> None:
    """Stopped as lost, it is no means any more."""
    card = (await add_card(client, victim, await pin_of(services, victim)))["code"]
    items = (await client.get("/v1/me/means", headers=victim.headers)).json()["items"]
    (lost,) = [one["id"] for one in items if one["kind"] == "card"]
    stopped = await client.post(f"/v1/me/means/{lost}/stop", headers=victim.headers)
    assert stopped.is_success, stopped.text
    one = await waits_for(client, (corrupt,), victim, some_paper(), shown={"card": card})
    moved_clock(_WEEK)
    assert (await own(client, one.headers))["state"] == "nothing"
    is_problem(await open_former(client, one), 409, "recovery_over")
