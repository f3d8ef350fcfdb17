"""Receipts over HTTP: signed for both sides; checked by others' tools, by code, after a renewal."""

import base64
import json
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from sqlalchemy import text

from audit.events import canonical
from auth.services import CoreServices
from base.database import Database
from base.ids import new_id
from storage.row_macs import RowAltered
from tests.fixtures import MakePerson, MakeWorker, MoveClock, SomePerson, SomeWorker
from tests.steps import erase, granted, is_problem, log_of, revoke
from vault.consent import receipt_keys
from vault.consent.receipt_codes import code_of
from vault.services import Services
from web.cli.main import main


@pytest.fixture
async def given(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> tuple[SomePerson, SomeWorker, str]:
    """A person, a worker, and the id of a grant of one to the other."""
    person, worker = await make_person(), await make_worker()
    return person, worker, await granted(client, person, worker.headers, "payslip")


async def receipt_of(
    client: httpx.AsyncClient, one: SomePerson | SomeWorker, grant: str
) -> dict[str, Any]:
    answer = await client.get(f"/v1/grants/{grant}/receipt", headers=one.headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/ld+json"
    receipt: dict[str, Any] = answer.json()
    return receipt


async def keys_of(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/v1/receipt-keys")
    assert answer.status_code == 200, answer.text
    keys: dict[str, Any] = answer.json()
    return keys


def holds(receipt: dict[str, Any], keys: dict[str, Any]) -> bool:
    """Whether another library verifies it."""
    record = {name: value for name, value in receipt.items() if name != "jws"}
    payload = canonical(record)
    serialized: Any = keys
    jws.deserialize_compact(
        receipt["jws"], KeySet.import_key_set(serialized), algorithms=["ES256"], payload=payload
    )
    return True


async def test_both_sides_have_a_receipt_that_another_library_verifies(
    client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str]
) -> None:
    person, worker, grant = given
    for one in (person, worker):
        receipt = await receipt_of(client, one, grant)
        keys = await keys_of(client)
        assert holds(receipt, keys)
        assert receipt["dpv:hasStatus"] == "dpv:ConsentGiven"
        assert person.phone not in json.dumps(receipt)
        assert str(person.id) not in json.dumps(receipt)
    assert not any("d" in key for key in keys["keys"])
    assert [entry["action"] for entry in (await log_of(client, person))[:2]] == ["grant.see"] * 2


async def test_each_change_gives_another_receipt(
    client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str]
) -> None:
    person, worker, grant = given
    before = await receipt_of(client, person, grant)
    await revoke(client, person, grant)
    after = await receipt_of(client, worker, grant)
    keys = await keys_of(client)
    assert holds(before, keys)
    assert holds(after, keys)
    assert after["dpv:hasStatus"] == "dpv:ConsentWithdrawn"
    assert after["dct:issued"] >= before["dct:issued"]


async def test_nobody_else_has_it(
    client: httpx.AsyncClient,
    given: tuple[SomePerson, SomeWorker, str],
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    _, _, grant = given
    path = f"/v1/grants/{grant}/receipt"
    assert (await client.get(path)).status_code == 401
    for other in (await make_person(), await make_worker()):
        is_problem(await client.get(path, headers=other.headers), 404, "not_found")


async def test_a_receipt_outlives_its_key(
    services: Services, client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str]
) -> None:
    person, _, grant = given
    old = await receipt_of(client, person, grant)
    former = (await keys_of(client))["keys"]
    kid = await receipt_keys.renew(services)
    new = await receipt_of(client, person, grant)
    keys = await keys_of(client)
    assert [key["kid"] for key in keys["keys"]] == [kid, *(key["kid"] for key in former)]
    assert holds(old, keys)
    assert holds(new, keys)
    header = new["jws"].partition(".")[0]
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["kid"] == kid
    # The former private half is nowhere any more.
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        rows = (await tx.execute(text("SELECT id, sealed FROM unefois.receipt_key"))).all()
    private = [row for row in rows if "pem" in reader.open("receipt_key", row.id, row.sealed)]
    assert len(private) == 1


async def test_two_processes_make_one_first_key(
    services: Services, as_owner: Database, client: httpx.AsyncClient
) -> None:
    async with as_owner.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.receipt_key"))
    receipt_keys._cache.clear()
    first = await receipt_keys._create_first(services)
    second = await receipt_keys._create_first(services)
    assert first.kid == second.kid
    receipt_keys._cache.clear()
    assert [key["kid"] for key in (await keys_of(client))["keys"]] == [first.kid]


async def test_reading_the_keys_writes_nothing(
    as_owner: Database, client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str]
) -> None:
    """Anybody may: the first receipt makes the first key."""
    async with as_owner.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.receipt_key"))
    receipt_keys._cache.clear()
    assert await keys_of(client) == {"keys": []}
    async with as_owner.transaction() as tx:
        found = await tx.execute(text("SELECT count(*) FROM unefois.receipt_key"))
        assert found.scalar_one() == 0
    person, _, grant = given
    assert holds(await receipt_of(client, person, grant), await keys_of(client))


async def test_a_key_of_a_thief_is_never_public(
    services: Services, as_owner: Database, client: httpx.AsyncClient
) -> None:
    """Who writes the database without keys adds no key, and puts none in the place of another."""
    kid = await receipt_keys.renew(services)
    assert kid in {one["kid"] for one in (await keys_of(client))["keys"]}
    async with as_owner.transaction() as tx:
        rows = (
            await tx.execute(text("SELECT id, sealed FROM unefois.receipt_key ORDER BY id"))
        ).all()
        await tx.execute(
            text("UPDATE unefois.receipt_key SET sealed = :sealed WHERE id = :id"),
            {"sealed": rows[0].sealed, "id": rows[-1].id},
        )
    try:
        receipt_keys._cache.clear()
        shown = [one["kid"] for one in (await keys_of(client))["keys"]]
        assert kid not in shown
        assert len(shown) == len(set(shown)) == len(rows) - 1
    finally:
        async with as_owner.transaction() as tx:
            await tx.execute(
                text("UPDATE unefois.receipt_key SET sealed = :sealed WHERE id = :id"),
                {"sealed": rows[-1].sealed, "id": rows[-1].id},
            )


async def test_a_row_of_garbage_stops_no_receipt_and_is_recorded_once(
    services: Services,
    as_owner: Database,
    client: httpx.AsyncClient,
    given: tuple[SomePerson, SomeWorker, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the service's role: it may insert one, and not delete it."""
    person, _, grant = given
    assert holds(await receipt_of(client, person, grant), await keys_of(client))
    before, recorded = await keys_of(client), list[str]()
    record = receipt_keys.record_altered_row

    async def seen(services: CoreServices, error: RowAltered) -> None:
        recorded.append(error.table)
        await record(services, error)

    monkeypatch.setattr(receipt_keys, "record_altered_row", seen)
    row = {"id": new_id(), "sealed": secrets.token_bytes(128)}
    async with services.database.transaction() as tx:
        insert = "INSERT INTO unefois.receipt_key (id, sealed) VALUES (:id, :sealed)"
        await tx.execute(text(insert), row)
    receipt_keys._cache.clear()
    for _ in range(2):
        assert await keys_of(client) == before
    assert recorded == ["receipt_key"]
    assert holds(await receipt_of(client, person, grant), await keys_of(client))
    await receipt_keys.renew(services)
    assert holds(await receipt_of(client, person, grant), await keys_of(client))
    async with as_owner.transaction() as tx:
        await tx.execute(text("DELETE FROM unefois.receipt_key WHERE id = :id"), row)


async def test_keys_are_public_and_cached_a_minute(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/receipt-keys")
    assert answer.headers["cache-control"] == "public, max-age=60"
    again = await client.get("/v1/receipt-keys", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    is_problem(await client.get("/v1/receipt-keys?x=1"), 422, "invalid_request")


async def code_in(client: httpx.AsyncClient, person: SomePerson, grant: str) -> str:
    receipt = await receipt_of(client, person, grant)
    address: str = receipt["verification"]["state_now"]
    return address.rpartition("/")[2]


async def test_a_code_says_whether_a_grant_is_live_and_nothing_else(
    client: httpx.AsyncClient,
    given: tuple[SomePerson, SomeWorker, str],
    moved_clock: MoveClock,
) -> None:
    person, _, grant = given
    code = await code_in(client, person, grant)
    answer = await client.get(f"/v1/verify/{code}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert {**answer.json(), "as_of": ""} == {"genuine": True, "state": "live", "as_of": ""}
    moved_clock(timedelta(days=400))
    assert (await client.get(f"/v1/verify/{code}")).json()["state"] == "ended"


async def test_ends_of_every_kind_answer_alike(
    services: Services, client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str]
) -> None:
    person, _, grant = given
    code = await code_in(client, person, grant)
    await revoke(client, person, grant)
    revoked = (await client.get(f"/v1/verify/{code}")).json()
    await erase(services, person)
    erased = (await client.get(f"/v1/verify/{code}")).json()
    for answer in (revoked, erased):
        assert {**answer, "as_of": ""} == {"genuine": True, "state": "ended", "as_of": ""}


async def test_a_code_that_is_not_ours_is_not_found(
    services: Services, client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str]
) -> None:
    _, _, grant = given
    code = await code_of(services, UUID(grant))
    assert len(code) == 40
    others = [
        code[:-1] + ("a" if code[-1] != "a" else "b"),
        ("a" if code[0] != "a" else "b") + code[1:],
        code.upper(), code[:-1], code + "a", "a" * 40, "é" * 40, "=" * 40, "1" * 40, "x", grant,
        base64.b32encode(UUID(grant).bytes + bytes(9)).decode().lower(),
    ]  # fmt: skip
    for other in others:
        is_problem(await client.get(f"/v1/verify/{other}"), 404, "not_found")


async def test_an_altered_grant_has_neither_receipt_nor_state(
    client: httpx.AsyncClient, given: tuple[SomePerson, SomeWorker, str], as_owner: Database
) -> None:
    person, worker, grant = given
    code = await code_in(client, person, grant)
    async with as_owner.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.grant SET covers_future = NOT covers_future WHERE id = :id"),
            {"id": grant},
        )
    for one in (person, worker):
        answer = await client.get(f"/v1/grants/{grant}/receipt", headers=one.headers)
        is_problem(answer, 503, "row_altered")
    is_problem(await client.get(f"/v1/verify/{code}"), 503, "row_altered")


async def test_it_is_checked_offline(
    client: httpx.AsyncClient,
    given: tuple[SomePerson, SomeWorker, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person, _, grant = given
    receipt = await receipt_of(client, person, grant)
    file, keys = tmp_path / "receipt.json", tmp_path / "keys.json"
    keys.write_text(json.dumps(await keys_of(client)))
    command = ["verify", "receipt", str(file), "--keys", str(keys)]
    file.write_text(json.dumps(receipt, indent=2))
    assert main(command) == 0
    said = capsys.readouterr().out
    assert f"grant {grant}: ConsentGiven, at {receipt['dct:issued']}" in said
    assert "/v1/verify/" in said
    file.write_text(json.dumps(receipt | {"dpv:hasStatus": "dpv:ConsentWithdrawn"}))
    assert main(command) == 1
    assert "NOT verified: the receipt's signature does not hold" in capsys.readouterr().err
    for content, words in (("not JSON", "not one JSON object"), ("{}", "is not signed")):
        file.write_text(content)
        assert main(command) == 1
        assert words in capsys.readouterr().err
    assert main([*command[:2], str(tmp_path / "none"), *command[3:]]) == 1
    assert main(["verify", "--receipt", str(file)]) == 1
    assert "--vkey is missing" in capsys.readouterr().err
