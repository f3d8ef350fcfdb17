"""Whoever took over a session locks nobody out with it: each change of what opens the vault asks
for a proof that the thief has not. A phone that is new erases nothing either."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    choose_pin,
    enter,
    enter_by_phone,
    means,
    pin_of,
    proof_of,
    proved,
    remove,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of as events_of
from tests.auth.steps import queued_messages
from tests.fixtures import MakePerson, MoveClock, SomePerson, last_code, new_phone
from tests.steps import is_problem, log_of
from vault.services import Services

NEWER = "719385"


async def test_a_phone_that_was_just_added_erases_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, phone = await make_person(), new_phone()
    assert (await client.post("/v1/me/erasure/code", headers=person.headers)).status_code == 202
    pin = await pin_of(services, person)
    assert (await add_phone(client, services, person, phone, pin)).status_code == 201
    refused = await client.post("/v1/me/erasure/code", headers=person.headers)
    is_problem(refused, 409, "phone_too_new")
    told = (await log_of(client, person))[0]
    assert (told["action"], told["reason"]) == ("vault.erase_code", "phone_too_new")
    moved_clock(timedelta(days=7, minutes=1))
    entered = await enter_by_phone(client, services, phone, pin)
    headers = {"Authorization": f"Bearer {entered.json()['token']}"}
    assert (await client.post("/v1/me/erasure/code", headers=headers)).status_code == 202


# What a thief tries, with the session alone


def thefts(new_phone_code: dict[str, str], card: str, phone: str) -> dict[str, tuple[Any, ...]]:
    """Every change of means: its method, address and body."""
    pin = {"pin": NEWER, "again": NEWER}
    by_code = {"secret": new_phone_code["secret"], "code": new_phone_code["code"]}
    return {
        "pin.set": ("PUT", "/v1/me/pin", pin),
        "means.add": ("POST", "/v1/me/cards", pin),
        "means.add, a phone": ("POST", f"/v1/me/phones/{new_phone_code['id']}", pin | by_code),
        "means.remove": ("DELETE", f"/v1/me/means/{phone}", {}),
        "means.remove, a card": ("DELETE", f"/v1/me/means/{card}", {}),
        "means.free": ("POST", f"/v1/me/means/{card}/free", {}),
    }


async def of_thief(
    http: httpx.AsyncClient, services: Services, headers: dict[str, str]
) -> dict[str, str]:
    """A phone of the thief's own, whose code they read."""
    phone = new_phone()
    sent = await http.post("/v1/me/phones", headers=headers, json={"phone": phone})
    return {**sent.json(), "code": await last_code(services, phone)}


@pytest.mark.parametrize("shown", ["nothing", "another PIN", "a code that was made up"])
async def test_a_session_alone_changes_no_means(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, shown: str
) -> None:
    person = await make_person()
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    phone = (await means(client, person.headers))[0]["id"]
    new = await of_thief(client, services, person.headers)
    proof = {
        "nothing": {},
        "another PIN": {"proof": {"pin": wrong(pin)}},
        "a code that was made up": {"proof": {"id": new["id"], "secret": "x", "code": "123456"}},
    }[shown]
    expected = (403, "proof_wrong" if shown == "another PIN" else "proof_needed")
    tried = thefts(new, card["id"], phone)
    for name, (method, path, body) in list(tried.items())[:5]:
        sent = {**body, **proof}
        refused = await client.request(method, path, headers=person.headers, json=sent)
        is_problem(refused, *expected)
        action = name.partition(",")[0]
        assert (await events_of(services, person.id))[-1] == (action, "refused", expected[1])
    assert len(await means(client, person.headers)) == 2
    assert (await enter(client, card["code"], pin)).status_code == 201
    assert (await enter_by_phone(client, services, person.phone, pin)).status_code == 201


async def test_a_barred_card_is_not_freed_by_a_session_alone(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """A thief of a card and of a session would guess for ever, five at a time."""
    person = await make_person()
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(5):
        await enter(client, card["code"], wrong(pin))
    path = f"/v1/me/means/{card['id']}/free"
    is_problem(await client.post(path, headers=person.headers), 403, "proof_needed")
    assert (await proved(client, person, "POST", path)).status_code == 204


async def test_without_a_pin_the_phone_that_is_there_is_asked(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    pin = await pin_of(services, person)
    new = await of_thief(client, services, person.headers)
    shown = await client.get("/v1/me/means", headers=person.headers)
    assert shown.json()["proof"] == "code"
    for proof in (
        None,
        {"pin": pin},  # which is none
        {"id": new["id"], "secret": new["secret"], "code": new["code"]},  # of the thief's phone
        await proof_of(client, other),  # of another's vault
    ):
        body = {"pin": pin, "again": pin, **({} if proof is None else {"proof": proof})}
        refused = await client.put("/v1/me/pin", headers=person.headers, json=body)
        assert refused.status_code == 403, refused.text
    assert (await choose_pin(client, person, pin)).status_code == 204
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert any("Votre code pour CHANGER vos façons d’entrer" in one for one in said)


async def test_a_code_to_enter_changes_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Its holder, who reads it out on the telephone, was told that it lets in."""
    person = await make_person()
    pin = await pin_of(services, person)
    begun = (await client.post("/v1/sign-ins", json={"phone": person.phone})).json()
    code = await last_code(services, person.phone)
    proof = {"id": begun["id"], "secret": begun["secret"], "code": code}
    body = {"pin": NEWER, "again": NEWER, "proof": proof}
    refused = await client.put("/v1/me/pin", headers=person.headers, json=body)
    is_problem(refused, 403, "proof_wrong")
    assert (await events_of(services, person.id))[-1] == ("pin.set", "refused", "proof_wrong")
    # It is not used up: it does what it was asked for.
    typed = {"secret": begun["secret"], "code": code}
    entered = await client.post(f"/v1/sign-ins/{begun['id']}", json=typed)
    assert entered.status_code == 201
    assert (await choose_pin(client, person, pin)).status_code == 204


async def test_a_code_serves_one_change_and_is_not_spent_by_a_refusal(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    pin = await pin_of(services, person)
    proof = await proof_of(client, person)
    (phone,) = await means(client, person.headers)
    path = f"/v1/me/means/{phone['id']}"
    body = {"proof": proof}
    refused = await client.request("DELETE", path, headers=person.headers, json=body)
    is_problem(refused, 409, "last_means")
    chosen = {"pin": pin, "again": pin, "proof": proof}
    both = await asyncio.gather(
        *(client.put("/v1/me/pin", headers=person.headers, json=chosen) for _ in range(2))
    )
    assert sorted(one.status_code for one in both) == [204, 403]


async def test_a_wrong_code_counts_as_at_the_door(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    pin = await pin_of(services, person)
    right = await proof_of(client, person)
    guessed = right | {"code": wrong(right["code"])}
    for proof in [*[guessed] * 5, right]:
        body = {"pin": pin, "again": pin, "proof": proof}
        refused = await client.put("/v1/me/pin", headers=person.headers, json=body)
        is_problem(refused, 403, "proof_wrong")


@pytest.mark.parametrize(("digits", "tries"), [(6, 5), (4, 3)])
async def test_wrong_proofs_are_counted_as_pins_are(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
    digits: int,
    tries: int,
) -> None:
    person = await make_person()
    pin = await pin_of(services, person)
    if digits == 4:
        for pin in ("3907", "8264", "5093", "7294"):  # one in twenty is a decoy
            if (await choose_pin(client, person, pin)).is_success:
                break
    else:
        assert (await choose_pin(client, person, pin)).is_success
    new = {"pin": NEWER, "again": NEWER}
    bad, good = [{**new, "proof": {"pin": one}} for one in (wrong(pin), pin)]
    at_once = await asyncio.gather(
        *(client.put("/v1/me/pin", headers=person.headers, json=bad) for _ in range(tries + 2))
    )
    counted = sorted(one.status_code for one in at_once)
    assert counted == [403] * tries + [429] * 2
    late = await client.put("/v1/me/pin", headers=person.headers, json=good)
    is_problem(late, 429, "too_many_proofs")
    assert 0 < int(late.headers["retry-after"]) <= 25 * 3600
    assert (await events_of(services, person.id))[-1][2] == "too_many_proofs"
    # At the door nothing is spent of it: whoever took the session keeps nobody out.
    assert (await enter_by_phone(client, services, person.phone, pin)).status_code == 201
    moved_clock(timedelta(hours=26))
    answer = await client.put("/v1/me/pin", headers=person.headers, json=good)
    assert answer.status_code in (204, 422)  # a decoy of theirs, one in twenty


# A vault of cards alone


async def of_cards(
    http: httpx.AsyncClient, services: Services, person: SomePerson
) -> tuple[dict[str, Any], str]:
    """The person's phone goes: a card, and its PIN."""
    pin = await pin_of(services, person)
    card = await add_card(http, person, pin)
    phone = (await means(http, person.headers))[0]["id"]
    assert (await remove(http, person, phone)).status_code == 204
    return card, pin


async def test_a_vault_of_cards_asks_one_of_them_and_the_pin(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    card, pin = await of_cards(client, services, person)
    theirs = await add_card(client, other, await pin_of(services, other))
    shown = await client.get("/v1/me/means", headers=person.headers)
    assert shown.json()["proof"] == "card_pin"
    newer = (await usable_pins(services, person))[1]
    new = {"pin": newer, "again": newer}
    for proof, code in (
        ({"pin": pin}, "proof_needed"),
        ({"card": card["code"], "pin": wrong(pin)}, "proof_wrong"),
        ({"card": theirs["code"], "pin": pin}, "proof_wrong"),
    ):
        body = {**new, "proof": proof}
        refused = await client.put("/v1/me/pin", headers=person.headers, json=body)
        is_problem(refused, 403, code)
    body = {**new, "proof": {"card": f"{card['code'][:-1]}*", "pin": pin}}
    typo = await client.put("/v1/me/pin", headers=person.headers, json=body)
    is_problem(typo, 422, "card_typo")
    assert typo.json()["errors"][0]["pointer"] == "#/proof/card"
    # The other's card was compared with nothing.
    assert not any(one["barred"] for one in await means(client, other.headers))
    body = {**new, "proof": {"card": card["secret"], "pin": pin}}
    assert (await client.put("/v1/me/pin", headers=person.headers, json=body)).is_success
    assert (await enter(client, card["code"], newer)).status_code == 201
    none = await client.post("/v1/me/proof/code", headers=person.headers)
    is_problem(none, 409, "no_proof_code")


async def test_a_barred_card_proves_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    card, pin = await of_cards(client, services, person)
    for _ in range(5):
        await enter(client, card["code"], wrong(pin))
    proof = {"card": card["code"], "pin": pin}
    path = f"/v1/me/means/{card['id']}/free"
    refused = await client.post(path, headers=person.headers, json={"proof": proof})
    is_problem(refused, 403, "proof_wrong")


# Who can prove nothing waits seven days


async def forgotten(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> tuple[SomePerson, str]:
    """Somebody inside who forgot their PIN: it, and who they are."""
    person = await make_person()
    pin = await pin_of(services, person)
    assert (await choose_pin(client, person, pin)).is_success
    return person, pin


async def test_who_can_prove_nothing_waits_seven_days(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, _ = await forgotten(services, client, make_person)
    newer = (await usable_pins(services, person))[1]
    body = {"pin": newer, "again": newer}

    async def change() -> httpx.Response:
        return await client.put("/v1/me/pin", headers=person.headers, json=body)

    asked = await client.post("/v1/me/proof/wait", headers=person.headers)
    assert asked.status_code == 202
    again = await client.post("/v1/me/proof/wait", headers=person.headers)
    assert again.json() == asked.json()
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert sum("sans prouver que c’est vous" in one for one in said) == 1
    assert (await events_of(services, person.id))[-1] == ("means.wait", "allowed", "")
    listed = (await client.get("/v1/me/means", headers=person.headers)).json()
    assert listed["wait"] == asked.json()
    moved_clock(timedelta(days=6, hours=23))
    is_problem(await change(), 403, "proof_needed")
    moved_clock(timedelta(days=7, minutes=1))
    assert (await change()).status_code == 204
    is_problem(await change(), 403, "proof_needed")  # it served once
    listed = (await client.get("/v1/me/means", headers=person.headers)).json()
    assert listed["wait"] is None
    assert (await enter_by_phone(client, services, person.phone, newer)).status_code == 201


async def test_a_wait_serves_only_who_asked_and_not_for_ever(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, pin = await forgotten(services, client, make_person)
    other = bearer(await enter_by_phone(client, services, person.phone, pin))
    body = {"pin": NEWER, "again": NEWER}
    assert (await client.post("/v1/me/proof/wait", headers=other)).status_code == 202
    listed = (await client.get("/v1/me/means", headers=person.headers)).json()
    assert listed["wait"]["here"] is False
    moved_clock(timedelta(days=7, minutes=1))
    refused = await client.put("/v1/me/pin", headers=person.headers, json=body)
    is_problem(refused, 403, "proof_needed")
    moved_clock(timedelta(days=14, minutes=1))
    refused = await client.put("/v1/me/pin", headers=other, json=body)
    is_problem(refused, 403, "proof_needed")


async def test_a_wait_is_cancelled_from_anywhere_and_the_thief_is_out(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, pin = await forgotten(services, client, make_person)
    thief = bearer(await enter_by_phone(client, services, person.phone, pin))
    assert (await client.post("/v1/me/proof/wait", headers=thief)).status_code == 202
    gone = await client.delete("/v1/me/proof/wait", headers=person.headers)
    assert gone.status_code == 204
    assert ("means.wait_end", "allowed", "") in await events_of(services, person.id)
    said = [one["text"] for one in await queued_messages(services, person.phone)]
    assert "est annulée" in said[-1]
    moved_clock(timedelta(days=7, minutes=1))
    body = {"pin": NEWER, "again": NEWER}
    refused = await client.put("/v1/me/pin", headers=thief, json=body)
    assert refused.status_code == 401
    before = await events_of(services, person.id)
    assert (await client.delete("/v1/me/proof/wait", headers=person.headers)).status_code == 204
    assert await events_of(services, person.id) == before  # there was none


async def test_a_session_that_ends_sooner_waits_for_nothing(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    person, _ = await forgotten(services, client, make_person)
    moved_clock(timedelta(days=24))
    refused = await client.post("/v1/me/proof/wait", headers=person.headers)
    is_problem(refused, 409, "session_too_short")
    assert (await events_of(services, person.id))[-1] == (
        "means.wait", "refused", "session_too_short",
    )  # fmt: skip
