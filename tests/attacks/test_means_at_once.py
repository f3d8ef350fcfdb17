"""Changes of means at the same moment: nobody waits for ever, and none is made on what changed."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from auth import means_changes, phone_enrolment, session_start
from auth.holder_proofs import Proof
from auth.phone_enrolment import TypedForPhone
from auth.session_start import Account, Address
from tests.auth.means_steps import choose_pin, enter_by_phone, means, pin_of, usable_pins
from tests.auth.steps import log_of
from tests.fixtures import MakePerson, SomePerson, last_code
from tests.steps import is_problem
from vault.services import Services

A_MOMENT = 1.0
"""Longer than two transactions take to lock one phone each; not waited for where they wait for
each other."""


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has locked a new phone waits until the other has one too, if they come that far."""
    locked: list[Address] = []
    both = asyncio.Event()
    lock = session_start.lock_account

    async def slowly(
        services: Services, tx: Any, address: Address, also: Sequence[bytes] = ()
    ) -> Account:
        account = await lock(services, tx, address, also)
        locked.append(address)
        if len(locked) == 2:
            both.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(both.wait(), A_MOMENT)
        return account

    monkeypatch.setattr(session_start, "lock_account", slowly)


async def _begun(
    services: Services, person: SomePerson, phone: str, pin: str
) -> tuple[Any, TypedForPhone]:
    begun = await phone_enrolment.begin(services, person.subject, phone)
    code = await last_code(services, phone)
    return begun.id, TypedForPhone(begun.secret, code, pin, pin, Proof(pin=pin))


async def test_two_people_exchange_their_phones(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    request: pytest.FixtureRequest,
) -> None:
    amina, bilal = await make_person(), await make_person()
    hers, his, *_ = await usable_pins(services, amina, bilal)
    assert (await choose_pin(client, amina, hers)).is_success
    assert (await choose_pin(client, bilal, his)).is_success
    wanted = [
        (amina, *await _begun(services, amina, bilal.phone, hers)),
        (bilal, *await _begun(services, bilal, amina.phone, his)),
    ]
    request.getfixturevalue("together")
    await asyncio.gather(
        *(phone_enrolment.finish(services, who.subject, step, typed) for who, step, typed in wanted)
    )
    assert (await means(client, amina.headers))[0]["label"] == bilal.phone[-2:]
    assert (await means(client, bilal.headers))[0]["label"] == amina.phone[-2:]
    assert (await enter_by_phone(client, services, bilal.phone, hers)).status_code == 201
    assert (await enter_by_phone(client, services, amina.phone, his)).status_code == 201


async def test_a_change_on_a_phone_that_is_another_now_is_refused_and_recorded(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where a second change was made between the look at the phone and its lock."""
    person = await make_person()
    pin = await pin_of(services, person)
    assert (await choose_pin(client, person, pin)).is_success

    async def changed(*_: object) -> None:
        return None

    monkeypatch.setattr(means_changes, "hold_means", changed)
    refused = await choose_pin(client, person, pin)
    is_problem(refused, 412, "changed_meanwhile")
    assert (await log_of(services, person.id))[-1] == ("pin.set", "refused", "changed_meanwhile")
    described = (await client.get("/v1/openapi.json")).json()["paths"]
    for path, method in (
        ("/v1/me/pin", "put"),
        ("/v1/me/cards", "post"),
        ("/v1/me/phones/{sign_in_id}", "post"),
        ("/v1/me/means/{means_id}", "delete"),
        ("/v1/me/means/{means_id}/free", "post"),
    ):
        assert "412" in described[path][method]["responses"], path
