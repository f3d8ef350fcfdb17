"""How two vaults of one person become one over HTTP, in steps of a story."""

from datetime import timedelta
from typing import Any

import httpx

from auth.person_values import open_values, write_values
from auth.records import pins
from base.db_time import instant
from tests.auth.means_steps import proof_of, remember_pin
from tests.fixtures import SomePerson


async def of_last_week(person: SomePerson) -> None:
    """What opens a vault is no longer new: as if its PIN were chosen, and its phone added, then."""
    services = person.services
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        then = await instant(tx) - timedelta(days=8)
        pin = await pins.pin(tx, macs, person.id)
        if pin is not None:
            values = {name: getattr(pin, name) for name in pins.PIN_ROW.columns}
            await pins.put_pin(tx, macs, **(values | {"set_at": then}))
        row, told = await open_values(services, tx, person.id)
        if "phone_added_at" in told:
            told["phone_added_at"] = then.isoformat()
            await write_values(services, tx, row, told, row.phone_tag)


async def ask_join(client: httpx.AsyncClient, ended: SomePerson) -> httpx.Response:
    """In the vault that will end, whose means are not new."""
    await of_last_week(ended)
    proof = await proof_of(client, ended)
    return await client.post("/v1/me/joins", headers=ended.headers, json={"proof": proof})


async def type_join(client: httpx.AsyncClient, stays: SomePerson, code: str) -> httpx.Response:
    """In the vault that stays, whose means are not new."""
    await of_last_week(stays)
    body = {"code": code}
    return await client.post("/v1/me/joins/answer", headers=stays.headers, json=body)


async def answered_join(
    client: httpx.AsyncClient, ended: SomePerson, stays: SomePerson
) -> dict[str, Any]:
    """Asked and typed: what would happen."""
    asked = await ask_join(client, ended)
    assert asked.status_code == 201, asked.text
    answer = await type_join(client, stays, asked.json()["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def say_yes(
    client: httpx.AsyncClient, stays: SomePerson, join: str, pin: str = ""
) -> httpx.Response:
    """With the proof that the vault asks for, and the PIN that it has from now on."""
    await of_last_week(stays)
    body = {"proof": await proof_of(client, stays), "pin": pin, "again": pin}
    answer = await client.post(f"/v1/me/joins/{join}/yes", headers=stays.headers, json=body)
    if answer.is_success and pin:
        remember_pin(stays, pin)
    return answer


async def joined(
    client: httpx.AsyncClient, ended: SomePerson, stays: SomePerson, pin: str = ""
) -> str:
    """All of it; the id of the join."""
    plan = await answered_join(client, ended, stays)
    answer = await say_yes(client, stays, plan["id"], pin)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "joined"
    return str(plan["id"])
