"""What people do with cards, PINs and shared phones, over HTTP."""

from typing import Any
from uuid import UUID

import httpx

from auth import pin_hashes, pin_rules
from auth.levels import Level
from auth.sessions import subject_of
from auth.subjects import Person
from tests.fixtures import SomePerson, last_code
from vault.services import Services

Answer = httpx.Response
_PINS: dict[UUID, str] = {}
_CARDS: dict[UUID, str] = {}
"""What these steps chose last for each person, and the code of the card that they made last."""


async def usable_pins(services: Services, *people: SomePerson) -> list[str]:
    """PINs that each of these people may choose, all different: none is a decoy of any."""
    found: list[str] = []
    for number in range(480_617, 490_000, 101):
        pin = f"{number:06}"
        decoys = [await pin_hashes.is_decoy(services, one.id, pin) for one in people]
        if not any(decoys) and not pin_rules.is_weak(pin):
            found.append(pin)
    return found


def know(person: SomePerson, pin: str, card: str) -> None:
    """The PIN and the card of a vault that these steps did not make."""
    _PINS[person.id], _CARDS[person.id] = pin, card


def remember_pin(person: SomePerson, pin: str) -> None:
    """The PIN that was chosen otherwise than by these steps."""
    _PINS[person.id] = pin


async def proof_of(
    http: httpx.AsyncClient, person: SomePerson, headers: dict[str, str] | None = None
) -> dict[str, str]:
    """What the person's vault asks for, to change their means."""
    at = headers or person.headers
    answer = await http.get("/v1/me/means", headers=at)
    assert answer.status_code == 200, answer.text
    asked = answer.json()["proof"]
    if asked == "code":
        sent = await http.post("/v1/me/proof/code", headers=at)
        assert sent.status_code == 202, sent.text
        begun = sent.json()
        code = await last_code(person.services, person.phone)
        return {"id": begun["id"], "secret": begun["secret"], "code": code}
    card = {"card": _CARDS[person.id]} if asked == "card_pin" else {}
    return {"pin": _PINS[person.id], **card}


async def proved(
    http: httpx.AsyncClient,
    person: SomePerson,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """A change of the person's means, with the proof that their vault asks for."""
    proof = await proof_of(http, person, headers)
    sent = {**(body or {}), "proof": proof}
    answer = await http.request(method, path, headers=headers or person.headers, json=sent)
    if answer.is_success and "pin" in sent:
        _PINS[person.id] = sent["pin"]
    if answer.is_success and path == "/v1/me/cards" and "json" in answer.headers["content-type"]:
        _CARDS[person.id] = answer.json()["code"]
    return answer


async def choose_pin(http: httpx.AsyncClient, person: SomePerson, pin: str) -> Answer:
    """The PIN of all the person's means."""
    return await proved(http, person, "PUT", "/v1/me/pin", {"pin": pin, "again": pin})


async def remove(http: httpx.AsyncClient, person: SomePerson, means_id: str) -> Answer:
    """End one of the person's means."""
    return await proved(http, person, "DELETE", f"/v1/me/means/{means_id}")


async def add_card(
    http: httpx.AsyncClient, person: SomePerson, pin: str, **more: Any
) -> dict[str, Any]:
    """A new card, whose PIN is that of all the person's means."""
    body = {"pin": pin, "again": pin, **more}
    answer = await proved(http, person, "POST", "/v1/me/cards", body)
    assert answer.status_code == 201, answer.text
    card: dict[str, Any] = answer.json()
    return card


async def show_card(http: httpx.AsyncClient, card: str) -> dict[str, Any]:
    """The first step of a sign-in with a card."""
    answer = await http.post("/v1/sign-ins", json={"card": card})
    assert answer.status_code == 202, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


async def type_pin(http: httpx.AsyncClient, begun: dict[str, Any], pin: str) -> Answer:
    """The second step, after a card or after a phone's code."""
    body = {"secret": begun["secret"], "pin": pin}
    return await http.post(f"/v1/sign-ins/{begun['id']}", json=body)


async def enter(http: httpx.AsyncClient, card: str, pin: str) -> Answer:
    """Both steps."""
    return await type_pin(http, await show_card(http, card), pin)


async def type_code(
    http: httpx.AsyncClient, services: Services, phone: str
) -> tuple[dict[str, Any], Answer]:
    """A phone's code, asked and typed: how the sign-in began, and the answer to the code."""
    started = await http.post("/v1/sign-ins", json={"phone": phone})
    assert started.status_code == 202, started.text
    begun: dict[str, Any] = started.json()
    code = await last_code(services, phone)
    path = f"/v1/sign-ins/{begun['id']}"
    return begun, await http.post(path, json={"secret": begun["secret"], "code": code})


async def enter_by_phone(
    http: httpx.AsyncClient, services: Services, phone: str, pin: str
) -> Answer:
    """The code, then the PIN."""
    begun, answer = await type_code(http, services, phone)
    assert answer.status_code == 202, answer.text
    assert answer.json()["next"] == "pin"
    return await type_pin(http, begun, pin)


async def add_phone(
    http: httpx.AsyncClient, services: Services, person: SomePerson, phone: str, pin: str
) -> Answer:
    """Add a phone to a vault, with its code."""
    sent = await http.post("/v1/me/phones", headers=person.headers, json={"phone": phone})
    assert sent.status_code == 202, sent.text
    begun = sent.json()
    code = await last_code(services, phone)
    body = {"secret": begun["secret"], "code": code, "pin": pin, "again": pin}
    return await proved(http, person, "POST", f"/v1/me/phones/{begun['id']}", body)


async def means(http: httpx.AsyncClient, headers: dict[str, str]) -> list[dict[str, Any]]:
    """The list of means."""
    answer = await http.get("/v1/me/means", headers=headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def pin_of(services: Services, person: SomePerson) -> str:
    """A PIN that this person may choose."""
    return (await usable_pins(services, person))[0]


def wrong(pin: str) -> str:
    """A PIN that differs from this one."""
    return f"{(int(pin) + 1) % 10 ** len(pin):0{len(pin)}}"


async def level_of(services: Services, headers: dict[str, str]) -> Level:
    """How a session was entered, as use cases see it."""
    token = headers["Authorization"].removeprefix("Bearer ")
    async with services.database.transaction() as tx:
        subject = await subject_of(services, tx, token)
    assert isinstance(subject, Person)
    return subject.means


def plain(answer: httpx.Response) -> str:
    """All that an answer says, but ids of requests, tokens and times."""
    headers = {k: v for k, v in answer.headers.items() if k not in {"date", "x-request-id"}}
    body = {k: v for k, v in answer.json().items() if k not in _CHANGING}
    return repr((answer.status_code, sorted(headers.items()), sorted(body.items())))


_CHANGING = {"request_id", "token", "browser", "expires_at", "id", "secret"}


def bearer(opened: Answer) -> dict[str, str]:
    """The headers of a session just opened."""
    assert opened.status_code == 201, opened.text
    return {"Authorization": f"Bearer {opened.json()['token']}"}
