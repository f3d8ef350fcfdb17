"""Two people, one phone: neither learns of the other, nor does whoever writes to that number.

What one of them is answered is compared, byte for byte but tokens, with what they are answered
when they are alone.
"""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import httpx
import pytest

from auth import pin_hashes
from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    choose_pin,
    enter,
    enter_by_phone,
    means,
    plain,
    remove,
    type_code,
    type_pin,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of
from tests.fixtures import MakePerson, MakeWorker, SomePerson, new_phone
from tests.steps import ask
from tests.steps import log_of as log_over_http
from vault.services import Services

COMPARISON = 0.030
"""Seconds that Argon2id takes here, about."""


@dataclass(frozen=True, slots=True)
class Couple:
    """Amina, whose phone it is; Bilal, who added it to his vault, if he did. A PIN that neither
    has."""

    amina: SomePerson
    bilal: SomePerson
    pins: list[str] = field(repr=False)
    phone: str = field(repr=False)


async def together(http: httpx.AsyncClient, services: Services, make_person: MakePerson) -> Couple:
    couple = await apart(http, services, make_person)
    added = await add_phone(http, services, couple.bilal, couple.phone, couple.pins[1])
    assert added.status_code == 201, added.text
    return couple


async def apart(http: httpx.AsyncClient, services: Services, make_person: MakePerson) -> Couple:
    amina, bilal = await make_person(), await make_person()
    pins = await usable_pins(services, amina, bilal)
    for person, pin in ((amina, pins[0]), (bilal, pins[1])):
        answer = await choose_pin(http, person, pin)
        assert answer.status_code == 204, answer.text
    return Couple(amina, bilal, pins, amina.phone)


async def test_the_pin_alone_decides_whose_vault_opens(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    couple = await together(client, services, make_person)
    for person, pin in zip((couple.amina, couple.bilal), couple.pins, strict=False):
        opened = bearer(await enter_by_phone(client, services, couple.phone, pin))
        mine = await means(client, opened)
        assert [one["id"] for one in mine] == [
            one["id"] for one in await means(client, person.headers)
        ]
    refused = await enter_by_phone(client, services, couple.phone, couple.pins[2])
    assert refused.status_code == 401


async def _seen_by_amina(http: httpx.AsyncClient, services: Services, couple: Couple) -> list[str]:
    """Every answer that she gets around her phone."""
    begun, coded = await type_code(http, services, couple.phone)
    seen = [plain(coded), plain(await type_pin(http, begun, couple.pins[2]))]
    opened = await type_pin(http, begun, couple.pins[0])
    seen.append(plain(opened))
    for path in ("/v1/me", "/v1/me/means", "/v1/consent-requests", "/v1/grants"):
        answer = await http.get(path, headers=bearer(opened))
        seen.append(_without_ids(answer))
    seen.append(repr(await log_of(services, couple.amina.id)))
    changed = await choose_pin(http, couple.amina, couple.pins[3])
    seen.append(repr(changed.status_code))
    return seen


def _without_ids(answer: httpx.Response) -> str:
    """Without what differs from one vault to another: ids, times, the last digits of its phone."""
    return repr((answer.status_code, _shape(answer.json())))


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        changing = {"id", "label", "added_at", "last_used_at"}
        return {name: _shape(one) for name, one in value.items() if name not in changing}
    return [_shape(one) for one in value] if isinstance(value, list) else value


async def test_neither_learns_of_the_other(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    alone = await apart(client, services, make_person)
    shared = await together(client, services, make_person)
    # What he does with the phone leaves nothing in her log: she would ask who did.
    _, coded = await type_code(client, services, shared.phone)
    assert coded.status_code == 202
    for pin in (shared.pins[1], shared.pins[2]):
        await enter_by_phone(client, services, shared.phone, pin)
    assert await _seen_by_amina(client, services, shared) == await _seen_by_amina(
        client, services, alone
    )


async def test_he_sees_nothing_of_her_when_he_adds_the_phone(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    couple = await apart(client, services, make_person)
    new = new_phone()
    third = await make_person()
    pin = (await usable_pins(services, third))[0]
    with_her = await add_phone(client, services, couple.bilal, couple.phone, couple.pins[1])
    with_nobody = await add_phone(client, services, third, new, pin)
    assert with_her.status_code == with_nobody.status_code == 201
    assert _without_ids(with_her) == _without_ids(with_nobody)


async def test_a_pin_that_the_other_has_is_refused_as_a_weak_one(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    couple = await together(client, services, make_person)
    chosen = (couple.pins[0], "123456")
    answers = [await choose_pin(client, couple.bilal, pin) for pin in chosen]
    assert plain(answers[0]) == plain(answers[1])
    assert answers[0].json()["code"] == "pin_weak"
    # His own still opens his, and hers hers.
    for pin in couple.pins[:2]:
        assert (await enter_by_phone(client, services, couple.phone, pin)).status_code == 201


async def test_adding_the_phone_with_her_pin_is_refused_as_a_weak_one(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    couple = await apart(client, services, make_person)
    refused = await add_phone(client, services, couple.bilal, couple.phone, couple.pins[0])
    assert (refused.status_code, refused.json()["code"]) == (422, "pin_weak")
    (his,) = await means(client, couple.bilal.headers)
    assert his["label"] == couple.bilal.phone[-2:]


async def test_vaults_that_take_turns_to_add_her_phone_have_three_guesses(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """Each vault has five PINs of its own to choose; on one phone, all have three together."""
    couple = await apart(client, services, make_person)
    answers = []
    for person in [await make_person() for _ in range(4)]:
        refused = await add_phone(client, services, person, couple.phone, couple.pins[0])
        answers.append((refused.status_code, refused.json()["code"]))
    assert answers == [*[(422, "pin_weak")] * 3, (429, "too_many_pins")]


async def test_a_phone_of_a_vault_without_a_pin_is_not_shared(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    amina, bilal = await make_person(), await make_person()
    pin = (await usable_pins(services, bilal))[0]
    refused = await add_phone(client, services, bilal, amina.phone, pin)
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_not_added")
    assert (await log_of(services, bilal.id))[-1] == ("means.add", "refused", "phone_not_added")


async def test_two_vaults_at_most(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    couple = await together(client, services, make_person)
    third = await make_person()
    pins = await usable_pins(services, third, couple.amina, couple.bilal)
    pin = next(one for one in pins if one not in couple.pins[:2])
    refused = await add_phone(client, services, third, couple.phone, pin)
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_not_added")


async def test_a_request_by_that_number_reaches_nobody(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:  # fmt: skip
    worker = await make_worker()
    alone = await apart(client, services, make_person)
    shared = await together(client, services, make_person)
    for couple, expected in ((alone, 1), (shared, 0)):
        await ask(client, worker.headers, couple.phone, "payslip")
        for person, count in ((couple.amina, expected), (couple.bilal, 0)):
            found = await client.get("/v1/consent-requests", headers=person.headers)
            assert len(found.json()["items"]) == count
    # Her log of before is as his is: nothing was recorded there.
    assert "consent.request" not in repr(await log_over_http(client, shared.amina))


async def test_what_was_asked_of_two_never_reaches_who_comes_after_them(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:  # fmt: skip
    """It would say that they were there. What was asked of a number that nobody had does."""
    worker, couple, free = (
        await make_worker(),
        await together(client, services, make_person),
        new_phone(),
    )
    for phone in (couple.phone, free):
        await ask(client, worker.headers, phone, "payslip")
    for person, pin in ((couple.amina, couple.pins[0]), (couple.bilal, couple.pins[1])):
        await add_card(client, person, pin)
        phones = [one for one in await means(client, person.headers) if one["kind"] == "phone"]
        assert (await remove(client, person, phones[0]["id"])).status_code == 204
    for phone, expected in ((couple.phone, 0), (free, 1)):
        _, opened = await type_code(client, services, phone)
        assert opened.status_code == 201, opened.text
        headers = {"Authorization": f"Bearer {opened.json()['token']}"}
        found = await client.get("/v1/consent-requests", headers=headers)
        assert len(found.json()["items"]) == expected


async def test_what_one_does_does_not_open_the_others_phone_again(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """A right PIN of his own gives him no more guesses at hers."""
    couple = await together(client, services, make_person)
    begun, _ = await type_code(client, services, couple.phone)
    for _ in range(3):
        assert (await type_pin(client, begun, couple.pins[2])).status_code == 401
    assert (await type_pin(client, begun, couple.pins[1])).status_code == 201
    begun, _ = await type_code(client, services, couple.phone)
    for _ in range(2):
        assert (await type_pin(client, begun, couple.pins[2])).status_code == 401
    assert (await type_pin(client, begun, couple.pins[0])).status_code == 401


async def test_she_leaves_the_phone_and_her_card_still_opens(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    couple = await together(client, services, make_person)
    card = await add_card(client, couple.amina, couple.pins[0])
    phone = (await means(client, couple.amina.headers))[0]
    gone = await remove(client, couple.amina, phone["id"])
    assert gone.status_code == 204
    refused = await enter_by_phone(client, services, couple.phone, couple.pins[0])
    assert refused.status_code == 401
    assert (await enter(client, card["code"], couple.pins[0])).status_code == 201
    assert (await enter_by_phone(client, services, couple.phone, couple.pins[1])).status_code == 201


async def test_one_vault_costs_what_two_do(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong PIN: as many derivations, whoever is there, and what each vault's row costs beside
    them is far less than one."""
    derived: list[str] = []
    derive = pin_hashes._argon2id

    def counted(*args: Any) -> bytes:
        derived.append("argon2id")
        return derive(*args)

    monkeypatch.setattr(pin_hashes, "_argon2id", counted)
    counts = []
    for make in (apart, together):
        couple = await make(client, services, make_person)
        begun, _ = await type_code(client, services, couple.phone)
        derived.clear()
        assert (await type_pin(client, begun, couple.pins[2])).status_code == 401
        counts.append(len(derived))
        derived.clear()
        await choose_pin(client, couple.amina, couple.pins[3])
        counts.append(len(derived))
    assert counts == [2, 3, 2, 3]  # of the last, one proves the PIN that there was


@pytest.mark.slow
async def test_one_vault_takes_as_long_as_two(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """Wrong PINs, in turn: the fastest of each differ by far less than one comparison takes. A busy
    machine gets more turns: what costs more is never as fast."""
    alone = await apart(client, services, make_person)
    shared = await together(client, services, make_person)
    taken: dict[str, list[float]] = {"alone": [], "shared": []}
    steps = {
        name: (await type_code(client, services, couple.phone))[0]
        for name, couple in (("alone", alone), ("shared", shared))
    }
    one = two = 60.0
    for turn in range(100):
        for name, begun in steps.items():
            began = perf_counter()
            await type_pin(client, begun, wrong(alone.pins[2]))
            taken[name].append(perf_counter() - began)
        one, two = min(taken["alone"]), min(taken["shared"])
        if turn >= 25 and abs(one - two) < COMPARISON / 2:
            break
    assert abs(one - two) < COMPARISON / 2, (one, two)


async def test_who_has_the_phone_takes_nothing_from_who_adds_it(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    """Adding one's own phone again neither tells that somebody else did, nor keeps them off it."""
    couple = await apart(client, services, make_person)
    for _ in range(3):
        again = await add_phone(client, services, couple.amina, couple.phone, couple.pins[0])
        assert again.status_code == 201, again.text
    added = await add_phone(client, services, couple.bilal, couple.phone, couple.pins[1])
    assert added.status_code == 201, added.text
