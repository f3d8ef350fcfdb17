"""A vault opened at the desk: who may, what the worker gets by it, how it is entered."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import administration, desk_vaults, pin_hashes
from auth.card_means import plan_card
from auth.desk_vaults import DeskVault
from auth.records import cards, people
from auth.sessions import subject_of
from auth.subjects import Person
from tests.auth.means_steps import add_phone, bearer, enter, enter_by_phone, know, wrong
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomeWorker, new_phone
from tests.steps import is_problem, log_of
from vault.services import Services

PIN = "482693"


@pytest.fixture
async def worker(services: Services, make_worker: MakeWorker) -> SomeWorker:
    """Of a structure that opens vaults."""
    made = await make_worker()
    organisation = made.organisation_id
    await administration.let_open_vaults(services, organisation, allowed=True)
    return made


async def opened(
    client: httpx.AsyncClient, worker: SomeWorker, pin: str = PIN, again: str = PIN, **more: str
) -> httpx.Response:
    body = {"pin": pin, "again": again, **more}
    return await client.post("/v1/desk/vaults", headers=worker.headers, json=body)


async def language_of(services: Services, headers: dict[str, str]) -> str:
    """In which their messages and pages are."""
    async with services.database.transaction() as tx:
        subject = await subject_of(services, tx, headers["Authorization"].split()[1])
    assert isinstance(subject, Person)
    return subject.language


async def test_a_vault_without_a_phone_is_entered_by_its_card_alone(
    services: Services, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    answer = await opened(client, worker, language="ar")
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    card = answer.json()
    assert {*card} == {"code", "secret", "label"}, "nothing by which the worker knows the vault"
    assert (await enter(client, card["code"], wrong(PIN))).status_code == 401
    for shown in (card["code"], card["secret"]):
        person = bearer(await enter(client, shown, PIN))
        assert (await client.get("/v1/documents", headers=person)).json()["items"] == []
        assert await language_of(services, person) == "ar"
        means = (await client.get("/v1/me/means", headers=person)).json()["items"]
        assert [one["kind"] for one in means] == ["card"]


async def test_its_first_lines_name_the_worker_who_gets_nothing_by_it(
    client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    card = (await opened(client, worker)).json()
    person = bearer(await enter(client, card["code"], PIN))
    lines = (await log_of(client, person))[::-1]
    assert [one["action"] for one in lines[:3]] == ["vault.open", "pin.set", "means.add"]
    assert {one["actor"]["name"] for one in lines[:3]} == {"Camille Moreau"}
    assert "a ouvert avec vous un endroit pour vos papiers" in lines[0]["sentence"]
    assert card["code"] not in str(lines)
    assert PIN not in str(lines)
    for path in ("/v1/people", "/v1/grants", "/v1/consent-requests"):
        answer = await client.get(path, headers=worker.headers)
        assert answer.json()["items"] == [], path
    own = await log_of(client, worker)
    assert [one["action"] for one in own] == ["means.add", "pin.set", "vault.open"]
    for secret in (card["code"], card["secret"], PIN):
        assert secret not in str(own)


async def test_what_a_caller_makes_of_it_is_one_commit_with_the_vault_and_made_once(
    services: Services, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    made: list[UUID] = []

    async def note(tx: AsyncConnection, person: Person) -> None:
        # The vault and its card are there already, and seen by nobody else yet.
        macs = await services.field_encryption.row_macs()
        assert len(await cards.cards_of(tx, macs, person.id)) == 1
        made.append(person.id)

    async def fail(tx: AsyncConnection, person: Person) -> None:
        await note(tx, person)
        raise ZeroDivisionError

    card, wanted = await plan_card(services), DeskVault("fr", PIN, PIN)
    subject = worker.subject
    with pytest.raises(ZeroDivisionError):
        await desk_vaults.open_planned(services, subject, card, wanted, in_commit=fail)
    assert not await desk_vaults.is_open(services, card)
    assert await desk_vaults.open_planned(services, subject, card, wanted, in_commit=note)
    assert not await desk_vaults.open_planned(services, subject, card, wanted, in_commit=note)
    assert len(made) == 1 + 1, "the one that failed, and the one that opened"
    async with services.database.transaction() as tx:
        assert [await people.is_living(tx, one) for one in made] == [False, True]
    assert bearer(await enter(client, card.grouped, PIN))


async def test_only_where_the_operator_allows_it_and_until_it_is_forbidden(
    services: Services, client: httpx.AsyncClient, make_worker: MakeWorker, worker: SomeWorker
) -> None:
    is_problem(await opened(client, await make_worker()), 403, "desk_not_allowed")
    assert (await opened(client, worker)).status_code == 201
    organisation = worker.organisation_id
    await administration.let_open_vaults(services, organisation, allowed=False)
    is_problem(await opened(client, worker), 403, "desk_not_allowed")


async def test_not_by_a_person_nor_by_nobody(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    body = {"pin": PIN, "again": PIN}
    for headers, status in ((person.headers, 403), ({}, 401)):
        answer = await client.post("/v1/desk/vaults", headers=headers, json=body)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("pin", "again", "code"),
    [
        ("123456", "123456", "pin_weak"),
        ("48269", "48269", "pin_digits"),
        (PIN, "482694", "pin_again"),
    ],
)
async def test_what_the_person_typed_wrong_opens_nothing(
    client: httpx.AsyncClient, worker: SomeWorker, pin: str, again: str, code: str
) -> None:
    is_problem(await opened(client, worker, pin, again), 422, code)


async def test_a_language_that_is_not_offered_is_named(
    client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    is_problem(await opened(client, worker, language="tlh"), 422, None)


async def test_no_pin_is_refused_for_nothing_and_four_digits_do(
    services: Services, client: httpx.AsyncClient, worker: SomeWorker
) -> None:
    """A decoy serves those who share a phone: here nobody does."""
    for pin in (PIN, "591764", "8305"):
        card = (await opened(client, worker, pin, pin)).json()
        person = bearer(await enter(client, card["code"], pin))
        # The same PIN may be chosen again: it is none of this vault's decoys.
        body = {"pin": pin, "again": pin, "proof": {"card": card["code"], "pin": pin}}
        assert (await client.put("/v1/me/pin", headers=person, json=body)).status_code == 204


async def test_a_worker_opens_no_more_than_people_come(
    client: httpx.AsyncClient,
    make_worker: MakeWorker,
    services: Services,
    worker: SomeWorker,
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)
    answers = await asyncio.gather(
        *(opened(client, worker) for _ in range(desk_vaults.AT_ONCE + 2))
    )
    assert sorted(one.status_code for one in answers) == [201] * desk_vaults.AT_ONCE + [429] * 2
    refused = next(one for one in answers if one.status_code == 429)
    is_problem(refused, 429, "too_many_vaults")
    assert int(refused.headers["retry-after"]) > 0
    other = await make_worker()
    await administration.let_open_vaults(services, other.organisation_id, allowed=True)
    assert (await opened(client, other)).status_code == 201, "limits are an account's own"
    moved_clock(timedelta(minutes=4))
    assert (await opened(client, worker)).status_code == 201


async def test_a_vault_of_the_desk_may_have_a_phone_later_and_is_then_entered_by_both(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, worker: SomeWorker
) -> None:
    card = (await opened(client, worker)).json()
    token = (await enter(client, card["code"], PIN)).json()["token"]
    holder, phone = replace(await make_person(), token=token), new_phone()
    know(holder, PIN, card["code"])
    added = await add_phone(client, services, holder, phone, PIN)
    assert added.status_code == 201, added.text
    entered = bearer(await enter_by_phone(client, services, phone, PIN))
    means = (await client.get("/v1/me/means", headers=entered)).json()["items"]
    assert [one["kind"] for one in means] == ["phone", "card"]
