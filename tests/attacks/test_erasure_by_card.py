"""Erasing a vault that has cards alone: no phone gets a code; a card and its PIN are given again,
and a session that was taken over erases nothing by itself."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from auth import holder_proofs
from auth.holder_proofs import ShownProof
from tests.auth.means_steps import (
    add_card,
    bearer,
    choose_pin,
    enter,
    means,
    pin_of,
    remove,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of as events_of
from tests.fixtures import MakePerson, MoveClock, Served, SomePerson
from tests.steps import is_problem
from tests.web.pages.test_pages import browser_of
from vault.maintenance.erasure_requests import run_due
from vault.services import Services
from web.pages import forms

DAY = timedelta(days=1)
OLD_ENOUGH = 7 * DAY + timedelta(minutes=1)
"""After which a card and its PIN erase."""


async def of_cards(
    http: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> tuple[SomePerson, dict[str, str]]:
    """Somebody without a phone any more, and the proof that their vault asks for."""
    person = await make_person()
    pin = await pin_of(services, person)
    card = await add_card(http, person, pin)
    phone = (await means(http, person.headers))[0]["id"]
    assert (await remove(http, person, phone)).status_code == 204
    return person, {"card": card["code"], "pin": pin}


async def give(
    http: httpx.AsyncClient, headers: dict[str, str], body: dict[str, Any]
) -> httpx.Response:
    return await http.request("DELETE", "/v1/me", headers=headers, json=body)


async def test_a_card_and_its_pin_erase_where_there_is_no_phone(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, proof = await of_cards(client, services, make_person)
    moved_clock(OLD_ENOUGH)
    asked = await give(client, person.headers, {"proof": proof})
    assert asked.status_code == 202, asked.text
    assert asked.json()["ends"]["sessions"] == 1
    assert (await events_of(services, person.id))[-1] == ("vault.erase_asked", "allowed", "")
    again = await give(client, person.headers, {"proof": proof})
    assert again.json()["erases_at"] == asked.json()["erases_at"]
    moved_clock(OLD_ENOUGH + 6 * DAY + timedelta(hours=1))
    await run_due(services)
    by_card = bearer(await enter(client, proof["card"], proof["pin"]))
    assert (await client.get("/v1/me", headers=by_card)).json()["erases_at"] is not None
    moved_clock(OLD_ENOUGH + 7 * DAY + timedelta(hours=2))
    await run_due(services)
    assert (await client.get("/v1/me", headers=by_card)).status_code == 401
    assert (await enter(client, proof["card"], proof["pin"])).status_code == 401


async def test_a_session_alone_erases_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, proof = await of_cards(client, services, make_person)
    theirs, other = await of_cards(client, services, make_person)
    moved_clock(OLD_ENOUGH)
    no_code = await client.post("/v1/me/erasure/code", headers=person.headers)
    is_problem(no_code, 409, "no_proof_code")
    assert (await events_of(services, person.id))[-1] == (
        "vault.erase_code", "refused", "no_phone",
    )  # fmt: skip
    for body, code in (
        ({}, "proof_needed"),
        ({"code": "123456"}, "proof_needed"),
        ({"proof": {"pin": proof["pin"]}}, "proof_needed"),
        ({"proof": proof | {"pin": wrong(proof["pin"])}}, "proof_wrong"),
        ({"proof": other}, "proof_wrong"),
    ):
        is_problem(await give(client, person.headers, body), 403, code)
        assert (await events_of(services, person.id))[-1] == ("vault.erase_asked", "refused", code)
    me = await client.get("/v1/me", headers=person.headers)
    assert me.json()["erases_at"] is None
    assert (await give(client, theirs.headers, {"proof": other})).status_code == 202


async def test_wrong_ones_count_with_those_of_changes_of_means(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, proof = await of_cards(client, services, make_person)
    bad = {"proof": proof | {"pin": wrong(proof["pin"])}}
    for _ in range(4):
        is_problem(await give(client, person.headers, bad), 403, "proof_wrong")
    pin = {"pin": proof["pin"], "again": proof["pin"], **bad}
    refused = await client.put("/v1/me/pin", headers=person.headers, json=pin)
    is_problem(refused, 403, "proof_wrong")
    is_problem(await give(client, person.headers, {"proof": proof}), 429, "too_many_proofs")


async def test_a_card_or_a_pin_that_is_new_erases_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """Whoever took over a session, and reads the phone once, adds a card, and takes the phone away:
    nobody would be told of the erasure."""
    person, proof = await of_cards(client, services, make_person)
    for days in (timedelta(), 7 * DAY - timedelta(minutes=1)):
        moved_clock(days)
        is_problem(await give(client, person.headers, {"proof": proof}), 409, "card_too_new")
        assert (await events_of(services, person.id))[-1] == (
            "vault.erase_asked", "refused", "card_too_new",
        )  # fmt: skip
        me = await client.get("/v1/me", headers=person.headers)
        assert me.json()["erases_at"] is None
    moved_clock(OLD_ENOUGH)
    # Another card begins the wait again, whichever is shown.
    newer = await add_card(client, person, proof["pin"])
    for card in (proof["card"], newer["code"]):
        shown = {"proof": proof | {"card": card}}
        is_problem(await give(client, person.headers, shown), 409, "card_too_new")
    line = (await client.get("/v1/access-log", headers=person.headers)).json()["items"][0]
    assert "ce n’était pas possible" in line["sentence"], "it is not said that a code was wrong"
    moved_clock(2 * OLD_ENOUGH)
    assert (await give(client, person.headers, {"proof": proof})).status_code == 202


async def test_a_pin_that_is_changed_meanwhile_erases_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Between the proof and the wait."""
    person, proof = await of_cards(client, services, make_person)
    _, other, *_ = await usable_pins(services, person)
    moved_clock(OLD_ENOUGH)
    show = holder_proofs.show

    async def slow(*args: Any, **more: Any) -> ShownProof:
        shown = await show(*args, **more)
        monkeypatch.setattr(holder_proofs, "show", show)
        assert (await choose_pin(client, person, other)).is_success
        return shown

    monkeypatch.setattr(holder_proofs, "show", slow)
    is_problem(await give(client, person.headers, {"proof": proof}), 403, "proof_wrong")
    assert (await events_of(services, person.id))[-1] == (
        "vault.erase_asked", "refused", "proof_wrong",
    )  # fmt: skip


async def test_a_card_does_not_erase_where_there_is_a_phone(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Its holder is told there, and gets a code."""
    person = await make_person()
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    body = {"proof": {"card": card["code"], "pin": pin}}
    is_problem(await give(client, person.headers, body), 403, "erasure_code_over")


async def test_seven_days_in_the_place_of_a_proof_erase_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, proof = await of_cards(client, services, make_person)
    assert (await client.post("/v1/me/proof/wait", headers=person.headers)).status_code == 202
    moved_clock(7 * DAY + timedelta(minutes=1))
    is_problem(await give(client, person.headers, {}), 403, "proof_needed")
    # It still serves for a means.
    free = f"/v1/me/means/{(await means(client, person.headers))[0]['id']}/free"
    assert (await client.post(free, headers=person.headers)).status_code == 204
    assert proof


async def test_the_page_asks_the_card_and_the_pin(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    person, proof = await of_cards(client, served.services, make_person)
    with_phone = await make_person()
    assert (
        await choose_pin(client, with_phone, await pin_of(served.services, with_phone))
    ).is_success
    form = await forms.token_for(served.services, person.token)
    async with browser_of(served, person) as at:
        page = (await at.get("/erasure")).text
        assert 'name="card"' in page
        assert "par SMS" not in page
        bad = await at.post("/erasure", data={**proof, "form": form, "pin": wrong(proof["pin"])})
        assert bad.status_code == 403
        assert "ne prouve pas que c’est vous" in bad.text
        assert 'name="card"' in bad.text
        typo = await at.post("/erasure", data={**proof, "form": form, "card": "ABCD"})
        assert 'id="card-wrong"' in typo.text
        young = await at.post("/erasure", data={**proof, "form": form})
        assert young.status_code == 409
        assert "a moins de 7 jours" in young.text.replace("\xa0", " ")
        moved_clock(OLD_ENOUGH)
        done = await at.post("/erasure", data={**proof, "form": form})
        assert done.headers["location"].startswith("/erasure")
        assert "Ne pas effacer" in (await at.get("/erasure")).text
    async with browser_of(served, with_phone) as at:
        page = (await at.get("/erasure")).text
        assert 'name="card"' not in page
        assert "Recevoir un code" in page
