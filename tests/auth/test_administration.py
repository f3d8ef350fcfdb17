"""The operator adds and blocks accounts: validated, sealed, recorded."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from auth import administration
from auth.records.recipients import ClientRow
from auth.services import CoreServices
from base.errors import ErrorKind, ServiceError
from tests.auth.steps import new_email, new_worker, service_log

KEY = ECKey.generate_key("P-256")
PUBLIC: dict[str, Any] = {"keys": [KEY.as_dict(private=False)]}


async def organisation(services: CoreServices) -> UUID:
    return await administration.add_organisation(services, name="CAF", contact="3230")


async def refused(
    services: CoreServices, add: Callable[..., Any], **fields: Any
) -> tuple[ErrorKind, str]:
    before = (await service_log(services))[-1:]
    with pytest.raises(ServiceError) as caught:
        await add(services, **fields)
    assert (await service_log(services))[-1:] == before, "nothing was done, nothing is recorded"
    return caught.value.kind, caught.value.code


async def test_each_addition_is_recorded_as_the_operators(services: CoreServices) -> None:
    place = await organisation(services)
    await administration.add_worker(
        services, organisation_id=place, name="Léa", job="CESF", email=new_email()
    )
    await administration.add_client(
        services, organisation_id=place, name="Droits", jwks=PUBLIC, scope="evidence"
    )
    entries = (await service_log(services))[-3:]
    assert [entry["action"] for entry in entries] == [
        "organisation.add",
        "worker.add",
        "client.add",
    ]
    assert {entry["actor"]["kind"] for entry in entries} == {"operator"}  # type: ignore[index]  # JSON
    assert entries[1]["details"]["organisation"] == str(place)  # type: ignore[index]  # idem


@pytest.mark.parametrize("name", ["", "   ", "a" * 201, "a\nb", "a\x00", "Léa\u202e", "\ud800"])
async def test_a_name_is_one_line_of_visible_text(services: CoreServices, name: str) -> None:
    add = administration.add_organisation
    assert await refused(services, add, name=name, contact="x") == (
        ErrorKind.INVALID,
        "text_invalid",
    )


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
    services: CoreServices, change: dict[str, str], code: str
) -> None:
    place = await organisation(services)
    fields = {"name": "Léa", "job": "CESF", "email": new_email()} | change
    found = await refused(services, administration.add_worker, organisation_id=place, **fields)
    assert found == (ErrorKind.INVALID, code)


async def test_one_worker_an_email(services: CoreServices) -> None:
    email = new_email()
    await new_worker(services, email)
    place = await organisation(services)
    fields = {"name": "Léa", "job": "CESF", "email": email.upper()}
    found = await refused(services, administration.add_worker, organisation_id=place, **fields)
    assert found == (ErrorKind.CONFLICT, "email_taken")


async def test_of_an_organisation_that_exists(services: CoreServices) -> None:
    nowhere: dict[str, Any] = {"organisation_id": uuid4(), "name": "Léa"}
    worker = nowhere | {"job": "CESF", "email": new_email()}
    client = nowhere | {"jwks": PUBLIC, "scope": "evidence"}
    not_found = (ErrorKind.NOT_FOUND, "not_found")
    assert await refused(services, administration.add_worker, **worker) == not_found
    assert await refused(services, administration.add_client, **client) == not_found


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
    services: CoreServices, change: dict[str, Any], code: str
) -> None:
    place = await organisation(services)
    fields = {"name": "Droits", "jwks": PUBLIC, "scope": "evidence"} | change
    found = await refused(services, administration.add_client, organisation_id=place, **fields)
    assert found == (ErrorKind.INVALID, code)


async def test_one_client_an_identifier(services: CoreServices) -> None:
    place = await organisation(services)
    fields: dict[str, Any] = {"name": "Droits", "jwks": PUBLIC, "scope": "evidence"}
    made_up = await administration.add_client(services, organisation_id=place, **fields)
    fields |= {"organisation_id": place, "client_id": made_up}
    found = await refused(services, administration.add_client, **fields)
    assert found == (ErrorKind.CONFLICT, "client_id_taken")


async def test_only_what_a_public_key_needs_is_kept(services: CoreServices) -> None:
    place = await organisation(services)
    chatty = KEY.as_dict(private=False) | {"x5u": "https://keys.example/", "note": "Léa"}
    client_id = await administration.add_client(
        services,
        organisation_id=place,
        name="Droits",
        jwks={"keys": [chatty], "more": 1},
        scope="evidence",
    )
    async with services.database.transaction() as tx:
        found = await tx.execute(select(ClientRow.jwks).where(ClientRow.client_id == client_id))
    assert found.scalar_one() == {"keys": [KEY.as_dict(private=False)]}


async def test_barring_is_recorded_and_done_once(services: CoreServices) -> None:
    worker_id = await new_worker(services, new_email())
    await administration.deactivate_worker(services, worker_id)
    last = (await service_log(services))[-1]
    assert last["details"]["worker"] == str(worker_id)  # type: ignore[index]  # JSON
    with pytest.raises(ServiceError, match="not_found"):
        await administration.deactivate_worker(services, worker_id)
    with pytest.raises(ServiceError, match="not_found"):
        await administration.deactivate_client(services, "nobody")
