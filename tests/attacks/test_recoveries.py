"""Agents of a recovery learn nothing of any vault by what a call costs."""

import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from auth import card_means, pin_hashes
from auth.anchor_rules import TypedAnchor
from auth.desk_vaults import DeskVault
from base.database import Database
from base.errors import ServiceError
from tests.attacks.statements import statements
from tests.auth.means_steps import add_card, usable_pins
from tests.fixtures import MakePerson, MakeWorker, SomeWorker, new_phone
from tests.recoveries import PIN, ReadPaper, agent, begun, some_paper, with_anchor
from tests.steps import erase
from vault.recovery import added_means, first_agents, second_agents
from vault.recovery.identities import SeenDocument
from vault.recovery.shown_means import ShownMeans
from vault.services import Services

_WANTED = DeskVault("fr", PIN, PIN)


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def agents(
    services: Services, as_owner: Database, make_worker: MakeWorker
) -> tuple[SomeWorker, SomeWorker]:
    names = ("Camille Moreau", "Nadia Benali")
    one, other = [await agent(services, as_owner, make_worker, name) for name in names]
    return one, other


def read(paper: ReadPaper) -> SeenDocument:
    parts = ("family_name", "given_name", "birth_date", "document_end")
    return SeenDocument(paper["kind"], TypedAnchor(*(paper[name] for name in parts)))


async def cost(services: Services, call: Callable[[], Coroutine[Any, Any, object]]) -> list[str]:
    with statements(services) as run:
        await call()
    return list(run)


async def test_beginning_costs_the_same_whether_or_not_there_is_a_vault(
    services: Services, make_person: MakePerson, agents: tuple[SomeWorker, SomeWorker]
) -> None:
    known, twice = some_paper(), some_paper()
    await with_anchor(services, await make_person(), known)
    for _ in range(2):
        await with_anchor(services, await make_person(), twice)
    costs = {}
    for name, paper in (
        ("warm", some_paper()),
        ("unknown", some_paper()),
        ("known", known),
        ("twice", twice),
    ):
        planned = await first_agents.plan(services)
        worker, document = agents[0].subject, read(paper)
        costs[name] = await cost(
            services,
            lambda: first_agents.begin(services, worker, planned, _WANTED, document),  # noqa: B023
        )
    assert len(costs["unknown"]) > 20
    assert costs["known"] == costs["unknown"] == costs["twice"]


async def test_the_second_look_costs_the_same_whatever_either_found(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: tuple[SomeWorker, SomeWorker],
) -> None:
    first, colleague = agents
    papers = [some_paper() for _ in range(4)]
    for paper in papers[2:]:
        await with_anchor(services, await make_person(), paper)
    costs = {}
    for name, began, looked in (
        ("warm", some_paper(), some_paper()),
        ("nothing", papers[0], papers[0]),
        ("the same", papers[2], papers[2]),
        ("the first alone", papers[3], some_paper()),
        ("the second alone", some_paper(), papers[3]),
    ):
        code = (await begun(client, first, began))["code"]
        document = read(looked)
        costs[name] = await cost(
            services,
            lambda: second_agents.second(services, colleague.subject, code, document),  # noqa: B023
        )
    assert len(costs["nothing"]) > 15
    costs.pop("warm")
    assert all(one == costs["nothing"] for one in costs.values())


async def test_every_code_that_does_not_serve_costs_the_same(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: tuple[SomeWorker, SomeWorker],
) -> None:
    first, colleague = agents
    paper, gone = some_paper(), some_paper()
    person = await make_person()
    await with_anchor(services, person, paper)
    typed = (await begun(client, first, paper))["code"]
    await second_agents.second(services, colleague.subject, typed, read(paper))
    await with_anchor(services, person, gone)
    await erase(services, person)
    costs = {}
    for name, code in (
        ("warm", f"{secrets.randbelow(10**10):010}"),
        ("unknown", f"{secrets.randbelow(10**10):010}"),
        ("typed by another", typed),
        ("no code", "\u00e9\x00"),
    ):
        with statements(services) as run, pytest.raises(ServiceError) as refused:
            await second_agents.second(services, first.subject, code, read(paper))
        assert refused.value.code == "recovery_code_wrong"
        costs[name] = list(run)
    costs.pop("warm")
    assert all(one == costs["unknown"] for one in costs.values())


async def test_what_is_shown_costs_the_same_whosever_it_is(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: tuple[SomeWorker, SomeWorker],
) -> None:
    """A card and a number: of a vault, of two, of one that slept, of none."""
    person, nobodys = await make_person(), await card_means.plan_card(services)
    (pin, *_) = await usable_pins(services, person)
    card = (await add_card(client, person, pin))["code"]
    costs = {}
    for name, code, phone in (
        ("warm", nobodys.code, new_phone()),
        ("nothing", nobodys.code, new_phone()),
        ("both", card, person.phone),
        ("the card alone", card, new_phone()),
        ("the number alone", nobodys.code, person.phone),
    ):
        planned = await first_agents.plan(services)
        shown = ShownMeans(card=code, former_phone=phone)
        paper = read(some_paper())
        worker = agents[0].subject
        costs[name] = await cost(
            services,
            lambda: first_agents.begin(services, worker, planned, _WANTED, paper, shown),  # noqa: B023
        )
    costs.pop("warm")
    assert len(costs["nothing"]) > 20
    assert all(one == costs["nothing"] for one in costs.values())
    costs = {}
    for name, code, phone in (
        ("warm", nobodys.code, new_phone()),
        ("nothing", nobodys.code, new_phone()),
        ("both", card, person.phone),
    ):
        typed = (await begun(client, agents[1], some_paper()))["code"]
        shown = ShownMeans(card=code, former_phone=phone)
        costs[name] = await cost(
            services,
            lambda: added_means.add_means(services, worker, typed, paper, shown),  # noqa: B023
        )
    assert costs["both"] == costs["nothing"]
