"""The operator adds and bars: validated, sealed, recorded."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from auth import administration
from auth.desk import Desk
from auth.records.recipients import Client
from base.errors import Failure, Kind
from tests.auth.arrivals import new_email, new_worker, service_log

KEY = ECKey.generate_key("P-256")
PUBLIC: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}


async def organisation(desk: Desk) -> UUID:
    return await administration.add_organisation(desk, name="CAF", contact="3230")


async def refused(desk: Desk, add: Callable[..., Any], **said: Any) -> tuple[Kind, str]:
    before = (await service_log(desk))[-1:]
    with pytest.raises(Failure) as caught:
        await add(desk, **said)
    assert (await service_log(desk))[-1:] == before, "nothing was done, nothing is said"
    return caught.value.kind, caught.value.code


async def test_each_addition_is_recorded_as_the_operators(desk: Desk) -> None:
    place = await organisation(desk)
    await administration.add_worker(
        desk, organisation_id=place, name="Léa", job="CESF", email=new_email()
    )
    await administration.add_client(
        desk, organisation_id=place, name="Droits", jwks=PUBLIC, scope="evidence"
    )
    lines = (await service_log(desk))[-3:]
    assert [line["action"] for line in lines] == ["organisation.add", "worker.add", "client.add"]
    assert {line["actor"]["kind"] for line in lines} == {"operator"}  # type: ignore[index]  # JSON
    assert lines[1]["details"]["organisation"] == str(place)  # type: ignore[index]  # idem


@pytest.mark.parametrize("name", ["", "   ", "a" * 201, "a\nb", "a\x00", "Léa\u202e", "\ud800"])
async def test_a_name_is_one_line_of_visible_text(desk: Desk, name: str) -> None:
    add = administration.add_organisation
    assert await refused(desk, add, name=name, contact="x") == (Kind.INVALID, "text_invalid")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "not an address"}, "email_invalid"),
        ({"phone": "12"}, "phone_invalid"),
        ({"hours": "\x07"}, "text_invalid"),
        ({"job": ""}, "text_invalid"),
    ],
)
async def test_a_worker_is_described_properly(
    desk: Desk, change: dict[str, str], code: str
) -> None:
    place = await organisation(desk)
    said = {"name": "Léa", "job": "CESF", "email": new_email()} | change
    found = await refused(desk, administration.add_worker, organisation_id=place, **said)
    assert found == (Kind.INVALID, code)


async def test_one_worker_an_email(desk: Desk) -> None:
    email = new_email()
    await new_worker(desk, email)
    place = await organisation(desk)
    said = {"name": "Léa", "job": "CESF", "email": email.upper()}
    found = await refused(desk, administration.add_worker, organisation_id=place, **said)
    assert found == (Kind.CONFLICT, "email_taken")


async def test_of_an_organisation_that_exists(desk: Desk) -> None:
    nowhere: dict[str, Any] = {"organisation_id": uuid4(), "name": "Léa"}
    worker = nowhere | {"job": "CESF", "email": new_email()}
    client = nowhere | {"jwks": PUBLIC, "scope": "evidence"}
    not_found = (Kind.NOT_FOUND, "not_found")
    assert await refused(desk, administration.add_worker, **worker) == not_found
    assert await refused(desk, administration.add_client, **client) == not_found


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"jwks": {"keys": [KEY.as_dict(private=True)]}}, "client_key_not_allowed"),
        ({"jwks": {"keys": []}}, "client_key_not_allowed"),
        ({"scope": "evidence everything"}, "scope_unknown"),
        ({"scope": ""}, "scope_unknown"),
        ({"client_id": "a b"}, "client_id_invalid"),
        ({"client_id": "é" * 5}, "client_id_invalid"),
        ({"client_id": "a" * 65}, "client_id_invalid"),
        ({"name": ""}, "text_invalid"),
    ],
)
async def test_a_client_is_described_properly(
    desk: Desk, change: dict[str, Any], code: str
) -> None:
    place = await organisation(desk)
    said = {"name": "Droits", "jwks": PUBLIC, "scope": "evidence"} | change
    found = await refused(desk, administration.add_client, organisation_id=place, **said)
    assert found == (Kind.INVALID, code)


async def test_one_client_an_identifier(desk: Desk) -> None:
    place = await organisation(desk)
    said: dict[str, Any] = {"name": "Droits", "jwks": PUBLIC, "scope": "evidence"}
    made_up = await administration.add_client(desk, organisation_id=place, **said)
    said |= {"organisation_id": place, "client_id": made_up}
    found = await refused(desk, administration.add_client, **said)
    assert found == (Kind.CONFLICT, "client_id_taken")


async def test_only_what_a_public_key_needs_is_kept(desk: Desk) -> None:
    place = await organisation(desk)
    chatty = KEY.as_dict(private=False) | {"x5u": "https://keys.example/", "note": "Léa"}
    client_id = await administration.add_client(
        desk,
        organisation_id=place,
        name="Droits",
        jwks={"keys": [chatty], "more": 1},
        scope="evidence",
    )
    async with desk.database.transaction() as tx:
        found = await tx.execute(select(Client.jwks).where(Client.client_id == client_id))
    assert found.scalar_one() == {"keys": [KEY.as_dict(private=False)]}


async def test_barring_is_recorded_and_done_once(desk: Desk) -> None:
    worker_id = await new_worker(desk, new_email())
    await administration.deactivate_worker(desk, worker_id)
    last = (await service_log(desk))[-1]
    assert last["details"]["worker"] == str(worker_id)  # type: ignore[index]  # JSON
    with pytest.raises(Failure, match="not_found"):
        await administration.deactivate_worker(desk, worker_id)
    with pytest.raises(Failure, match="not_found"):
        await administration.deactivate_client(desk, "nobody")
