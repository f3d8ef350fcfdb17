"""What a representative and the person do, and the worker who reads the judgement, over HTTP."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import httpx

from auth import sessions
from auth.records import representations as records
from auth.subjects import Person
from base import clock
from base.db_time import instant
from base.ids import new_id
from base.key_names import REPRESENTATION
from tests.auth.means_steps import proof_of, proved
from tests.fixtures import SomePerson, SomeWorker
from vault.representation import judgements
from vault.representation.representation_rules import Judgement, end_of
from vault.services import Services

WORDS = {"label": "Ma tutrice", "own_name": "Amina"}
ANCHOR = {
    "family_name": "Diallo",
    "given_name": "Fatou",
    "birth_date": "1948-00-00",
    "document_end": "4F7K",
}
NAME = "Jeanne Petit"
Found = dict[str, Any]
NOTHING: Mapping[str, str] = MappingProxyType({})


def judgement(days: float = 300, changes: Mapping[str, str] = NOTHING) -> Found:
    """What stands on one that lasts for so many days more."""
    today = clock.now().date()
    return {
        "representative": NAME,
        "court": "Tribunal judiciaire de Lille",
        "decided_on": (today - timedelta(days=30)).isoformat(),
        "ends_on": (today + timedelta(days=days)).isoformat(),
        **changes,
    }


async def named(client: httpx.AsyncClient, person: SomePerson) -> Found:
    """The digits that a person shows."""
    answer = await proved(client, person, "POST", "/v1/me/representative", WORDS)
    assert answer.status_code == 201, answer.text
    found: Found = answer.json()
    return found


async def type_digits(client: httpx.AsyncClient, other: SomePerson, code: str) -> httpx.Response:
    """The digits, typed in the other vault."""
    body = {"code": code}
    return await client.post("/v1/representations/answer", headers=other.headers, json=body)


async def answered(client: httpx.AsyncClient, person: SomePerson, other: SomePerson) -> str:
    """Named and typed; the id."""
    answer = await type_digits(client, other, (await named(client, person))["code"])
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["id"]
    return found


async def offered(client: httpx.AsyncClient, other: SomePerson) -> Found:
    """Digits for the desk, of somebody who has no vault."""
    body = {"own_name": "Mme Diallo"}
    answer = await proved(client, other, "POST", "/v1/representations", body)
    assert answer.status_code == 201, answer.text
    found: Found = answer.json()
    return found


async def digits_for_desk(client: httpx.AsyncClient, other: SomePerson, id_: str) -> str:
    """Digits for the desk, of a representation that is there."""
    answer = await proved(client, other, "POST", f"/v1/representations/{id_}/desk")
    assert answer.status_code == 201, answer.text
    code: str = answer.json()["code"]
    return code


async def read_judgement(
    client: httpx.AsyncClient, worker: SomeWorker, code: str, told: Found | None = None, **more: Any
) -> httpx.Response:
    """A worker reads the judgement, in front of who shows the digits."""
    body = {"code": code, "judgement": judgement() if told is None else told, **more}
    return await client.post("/v1/desk/representations", headers=worker.headers, json=body)


async def represented(
    client: httpx.AsyncClient, person: SomePerson, other: SomePerson, worker: SomeWorker
) -> str:
    """Named, typed, and the judgement read; the id."""
    id_ = await answered(client, person, other)
    read = await read_judgement(client, worker, await digits_for_desk(client, other, id_))
    assert read.status_code == 204, read.text
    return id_


async def bound(
    services: Services, person: SomePerson, other: SomePerson, worker: SomeWorker
) -> str:
    """The same, written as the use case does, by a worker of any age and structure; the id."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    id_, told = new_id(), judgement()
    days = {name: date.fromisoformat(told[name]) for name in ("decided_on", "ends_on")}
    read = Judgement(told["representative"], told["court"], **days)
    async with services.database.transaction() as tx:
        at = await instant(tx)
        given = {"person_id": person.id, "representative_id": other.id, "answered_at": at}
        sealed = writer.seal(REPRESENTATION, id_, dict(WORDS))
        row = {"id": id_, "code_tag": None, "created_at": at, "sealed": sealed, **given}
        assert await records.add_representation(tx, macs, **row)
        found = await records.representation_to_change(tx, macs, id_)
        assert found is not None
        ends_at = end_of(read, at)
        await judgements._begin(services, tx, worker.subject, found, person.id, read, ends_at)
    return str(id_)


async def enter(client: httpx.AsyncClient, other: SomePerson, id_: str) -> httpx.Response:
    """Into the other vault, with a proof."""
    body = {"proof": await proof_of(client, other)}
    path = f"/v1/representations/{id_}/enter"
    return await client.post(path, headers=other.headers, json=body)


async def inside(client: httpx.AsyncClient, other: SomePerson, id_: str) -> SomePerson:
    """The representative, in the vault of whom they represent."""
    answer = await enter(client, other, id_)
    assert answer.status_code == 201, answer.text
    token = answer.json()["token"]
    async with other.services.database.transaction() as tx:
        subject = await sessions.subject_of(other.services, tx, token)
    assert isinstance(subject, Person)
    return replace(other, token=token, subject=subject)


async def mine(client: httpx.AsyncClient, person: SomePerson) -> list[Found]:
    """Who represents a person."""
    answer = await client.get("/v1/me/representative", headers=person.headers)
    found: list[Found] = answer.json()["items"]
    return found


async def theirs(client: httpx.AsyncClient, other: SomePerson) -> list[Found]:
    """Whom somebody represents."""
    answer = await client.get("/v1/representations", headers=other.headers)
    found: list[Found] = answer.json()["items"]
    return found
