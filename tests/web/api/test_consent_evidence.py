"""Evidence of consent over HTTP: what is kept of each act, what is refused, what a receipt says."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from base.database import Database
from base.ids import new_id
from tests.auth.means_steps import add_card, enter, pin_of
from tests.fixtures import MakeClient, MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.incomplete_evidence import INCOMPLETE
from tests.steps import ask, client_headers, granted, is_problem, revoke
from tests.web.api.test_receipts import holds, keys_of, receipt_of
from tests.web.pages.test_pages import browser_of
from vault.services import Services


def body_for(worker: SomeWorker, evidence: dict[str, Any] | None = None) -> dict[str, Any]:
    given = {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["payslip"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }
    return given if evidence is None else given | {"evidence": evidence}


def spoken(worker: SomeWorker, name: str = "Amélie Diallo", role: str = "interpreter") -> Any:
    heard = {"role": role, "name": name}
    return {"kind": "spoken", "worker_id": str(worker.id), "heard_by": heard}


async def give(
    client: httpx.AsyncClient, person: SomePerson, body: dict[str, Any]
) -> httpx.Response:
    return await client.post("/v1/grants", headers=person.headers, json=body)


async def rows_of(services: Services, grant: str) -> list[Any]:
    rows = text("SELECT * FROM unefois.consent_evidence WHERE grant_id = :id ORDER BY id")
    async with services.database.transaction() as tx:
        return list(await tx.execute(rows, {"id": grant}))


async def change_as(owner: Database, statement: str, grant: str, **values: str) -> None:
    async with owner.transaction() as tx:
        await tx.execute(text(statement), {"id": grant, **values})


async def test_each_change_by_its_person_is_one_row_and_stands_on_the_receipt(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(language="ar"), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    await revoke(client, person, grant)
    await revoke(client, person, grant)
    rows = await rows_of(services, grant)
    assert [(one.change, one.kind, one.level, one.channel, one.language) for one in rows] == [
        ("approved", "app", "phone_code", "api", "ar"),
        ("revoked", "app", "phone_code", "api", "ar"),
    ]
    own = await receipt_of(client, person, grant)
    theirs = await receipt_of(client, worker, grant)
    for receipt in (own, theirs):
        assert holds(receipt, await keys_of(client))
        assert [one["change"] for one in receipt["evidence"]] == ["approved", "revoked"]
        assert receipt["evidence"][0]["wording_sha256"] == rows[0].wording_hash.hex()
        assert receipt["evidence"][0]["template"] == "api/terms/1"
    # In which language they read is their own to know: it says where they come from.
    assert own["evidence"][0]["languages"] == ["ar"]
    assert "languages" not in theirs["evidence"][0]


async def test_what_a_page_said_is_kept_by_its_digest(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await ask(client, worker.headers, person.phone, "payslip")
    request = (await client.get("/v1/consent-requests", headers=person.headers)).json()["items"][0]
    chosen = {"type": "payslip", "duration": "asked"}
    async with browser_of(served, person) as browser:
        page = await browser.get(f"/requests/{request['id']}/check", params=chosen)
        fields = dict(
            one.split('"')[0:3:2] for one in page.text.split('<input type="hidden" name="')[1:]
        )
        answer = await browser.post(f"/requests/{request['id']}/approve", data=fields)
        assert answer.headers["location"] == "/grants?done=approved", answer.text
    (grant,) = (await client.get("/v1/grants", headers=person.headers)).json()["items"]
    async with browser_of(served, person) as browser:
        page = await browser.get(f"/grants/{grant['id']}/stop")
        token = page.text.split('name="form" value="')[1].split('"')[0]
        await browser.post(f"/grants/{grant['id']}/stop", data={"form": token})
    given, ended = await rows_of(served.services, grant["id"])
    assert (given.channel, given.template) == ("pages", "pages/requests/check.html")
    assert given.wording_hash.hex() == fields["seen"]
    assert (ended.channel, ended.template) == ("pages", "pages/stop.html")
    assert len({given.template_hash, ended.template_hash}) == 2


async def test_one_interpreter_is_not_known_again_in_another_vault(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    worker, rows = await make_worker(), []
    for person in (await make_person(), await make_person()):
        answer = await give(client, person, body_for(worker, spoken(worker)))
        rows += await rows_of(services, answer.json()["id"])
    first, second = rows
    assert first.heard_by_tag != second.heard_by_tag
    assert first.worker_tag != second.worker_tag


async def test_spoken_with_an_interpreter(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    answer = await give(client, person, body_for(worker, spoken(worker, "  Amélie\u202e Diallo ")))
    assert answer.status_code == 201, answer.text
    (row,) = await rows_of(services, answer.json()["id"])
    assert (row.kind, row.heard_by, row.worker_id) == ("spoken", "interpreter", worker.id)
    assert b"Diallo" not in row.sealed
    receipt = await receipt_of(client, worker, answer.json()["id"])
    assert receipt["evidence"][0]["heard_by"] == {"role": "interpreter", "name": "Amélie Diallo"}
    assert holds(receipt, await keys_of(client))


async def test_the_worker_is_no_witness(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Under no spelling of their name: neither who was beside the person, nor who receives."""
    person, worker = await make_person(), await make_worker(name="Chloé Moreau-Diaz")
    other = await make_worker(worker.organisation_id, name="Nadia Benali")
    for name in (
        "Chloé Moreau-Diaz",
        "MOREAU DIAZ chloe",
        "  chloe  moreau diaz.",
        "Mme Chl\u200doé Moreau-Diaz",
        "Nadia Benali",
        "NadiaBenali",
    ):
        answer = await give(client, person, body_for(worker, spoken(other, name, "witness")))
        is_problem(answer, 422, "heard_by_worker")
    assert (await client.get("/v1/grants", headers=person.headers)).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"heard_by": None}, "heard_by_wrong"),
        ({"heard_by": {"role": "witness", "name": " \u200b "}}, "heard_by_wrong"),
        ({"heard_by": {"role": "witness", "name": "."}}, "heard_by_wrong"),
        ({"heard_by": {"role": "witness", "name": "N\u0430dia Benali"}}, "heard_by_wrong"),
        ({"heard_by": {"role": "witness", "name": "x" * 130}}, "text_too_long"),
        ({"heard_by": {"role": "worker", "name": "Ana"}}, "invalid_request"),
        ({"worker_id": str(new_id())}, "evidence_worker"),
        ({"kind": "card_pin_on_workers_screen"}, "evidence_level"),
        ({"kind": "code_read_out"}, "heard_by_wrong"),
        ({"kind": "app"}, "invalid_request"),
        ({"kind": "signed_mandate"}, "invalid_request"),
        ({"more": 1}, "invalid_request"),
    ],
)
async def test_evidence_that_is_not_whole_is_refused(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    change: dict[str, Any],
    code: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    answer = await give(client, person, body_for(worker, spoken(worker) | change))
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    async with services.database.transaction() as tx:
        count = text("SELECT count(*) FROM unefois.grant WHERE person_id = :id")
        assert (await tx.execute(count, {"id": person.id})).scalar_one() == 0


async def test_a_code_read_out_to_the_worker(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    beside = {"kind": "code_read_out", "worker_id": str(worker.id)}
    request = await ask(client, worker.headers, person.phone, "payslip")
    path = f"/v1/consent-requests/{request}/approve"
    answer = await client.post(path, headers=person.headers, json={"evidence": beside})
    assert answer.status_code == 201, answer.text
    (row,) = await rows_of(services, answer.json()["id"])
    assert (row.change, row.kind, row.worker_id) == ("approved", "code_read_out", worker.id)


async def test_card_and_pin_on_the_workers_screen(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Of a session that was entered so; then no code was read out."""
    holder, worker = await make_person(), await make_worker()
    pin = await pin_of(services, holder)
    card = await add_card(client, holder, pin)
    opened = await enter(client, card["code"], pin)
    person = replace(holder, token=opened.json()["token"])
    beside = {"kind": "card_pin_on_workers_screen", "worker_id": str(worker.id)}
    answer = await give(client, person, body_for(worker, beside))
    assert answer.status_code == 201, answer.text
    (row,) = await rows_of(services, answer.json()["id"])
    assert (row.kind, row.level) == ("card_pin_on_workers_screen", "card_pin")
    beside["kind"] = "code_read_out"
    is_problem(await give(client, person, body_for(worker, beside)), 422, "evidence_level")


async def test_the_same_key_with_other_evidence_is_another_request(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    headers = person.headers | {"Idempotency-Key": "once"}
    bodies = [body_for(worker), body_for(worker), body_for(worker, spoken(worker))]
    answers = [await client.post("/v1/grants", headers=headers, json=one) for one in bodies]
    assert [one.status_code for one in answers] == [201, 201, 422]
    assert answers[2].json()["code"] == "idempotency_key_reused"
    assert answers[0].json()["id"] == answers[1].json()["id"]


async def test_who_receives_ends_without_evidence(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """What a recipient gives back is no act of the person."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
    assert [one.change for one in await rows_of(services, grant)] == ["approved"]
    receipt = await receipt_of(client, person, grant)
    assert receipt["dpv:hasStatus"] == "dpv:ConsentRevoked"


async def test_a_grant_to_an_administration_has_evidence_too(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_client: MakeClient
) -> None:
    person, system = await make_person(), await make_client()
    headers = await client_headers(client, system)
    grant = await granted(client, person, headers, "income_tax_notice", actions=["attest"])
    assert [one.kind for one in await rows_of(services, grant)] == ["app"]


async def test_a_grant_of_before_has_none_and_a_receipt_all_the_same(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """As releases before wrote them: the sealed row names no evidence."""
    from base.key_names import GRANT
    from vault.tables import GRANT_ROW

    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        reader = await services.field_encryption.reader(person.id, tx)
        writer = await services.field_encryption.writer(person.id, tx)
        query = text("SELECT * FROM unefois.grant WHERE id = :id")
        row = (await tx.execute(query, {"id": grant})).one()
        values = reader.open(GRANT, row.id, row.sealed)
        del values["evidence"]
        sealed = writer.seal(GRANT, row.id, values)
        mac = macs.of(GRANT_ROW, {**row._mapping, "sealed": sealed})
        await tx.execute(
            text("UPDATE unefois.grant SET sealed = :sealed, mac = :mac WHERE id = :id"),
            {"sealed": sealed, "mac": mac, "id": grant},
        )
    await change_as(as_owner, "DELETE FROM unefois.consent_evidence WHERE grant_id = :id", grant)
    receipt = await receipt_of(client, worker, grant)
    assert "evidence" not in receipt
    assert holds(receipt, await keys_of(client))
    await revoke(client, person, grant)
    assert [one["change"] for one in (await receipt_of(client, person, grant))["evidence"]] == [
        "revoked"
    ]


ALTERED = {
    "kind": "kind = 'code_read_out', worker_id = id",
    "level": "level = 'card_pin'",
    "language": "language = 'xx'",
    "wording": "wording_hash = template_hash",
    "time": "at = at - interval '1 day'",
    "sealed": "sealed = sealed || '\\x00'",
    "whose": "person_id = (SELECT id FROM unefois.person WHERE id <> person_id LIMIT 1)",
    "mac": "mac = '\\x00'",
}
"""Each sort of column, altered by who has the database and no key."""


@pytest.mark.parametrize("change", sorted(ALTERED))
async def test_an_altered_row_is_refused(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    change: str,
    as_owner: Database,
) -> None:
    person, worker = await make_person(), await make_worker()
    await make_person()
    grant = await granted(client, person, worker.headers, "payslip")
    whole = await granted(client, person, worker.headers, "lease")
    statement = f"UPDATE unefois.consent_evidence SET {ALTERED[change]} WHERE grant_id = :id"  # noqa: S608
    await change_as(as_owner, statement, grant)
    for one in (person, worker):
        answer = await client.get(f"/v1/grants/{grant}/receipt", headers=one.headers)
        is_problem(answer, 503, "row_altered")
        # Neither the grant itself nor another one is kept back by it.
        assert (await client.get(f"/v1/grants/{grant}", headers=one.headers)).status_code == 200
        assert await receipt_of(client, one, whole)


async def test_a_deleted_or_a_moved_row_is_missed(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    person, worker = await make_person(), await make_worker()
    gone = await granted(client, person, worker.headers, "payslip")
    moved = await granted(client, person, worker.headers, "lease")
    await change_as(as_owner, "DELETE FROM unefois.consent_evidence WHERE grant_id = :id", gone)
    statement = "UPDATE unefois.consent_evidence SET grant_id = :other WHERE grant_id = :id"
    await change_as(as_owner, statement, moved, other=gone)
    for grant in (gone, moved):
        answer = await client.get(f"/v1/grants/{grant}/receipt", headers=person.headers)
        is_problem(answer, 503, "row_altered")


@pytest.mark.parametrize("name", sorted(INCOMPLETE))
async def test_the_database_refuses_what_is_not_whole(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    name: str,
    as_owner: Database,
) -> None:
    """Also of the owner of the tables, whom no privilege keeps back."""
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    statement = f"UPDATE unefois.consent_evidence SET {INCOMPLETE[name]} WHERE grant_id = :id"  # noqa: S608
    with pytest.raises(IntegrityError, match="ck_consent_evidence"):
        await change_as(as_owner, statement, grant)


async def test_rows_only_grow_and_an_act_is_said_once(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    grant = await granted(client, person, worker.headers, "payslip")
    for statement in (
        "UPDATE unefois.consent_evidence SET language = 'en' WHERE grant_id = :id",
        "DELETE FROM unefois.consent_evidence WHERE grant_id = :id",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with services.database.transaction() as tx:
                await tx.execute(text(statement), {"id": grant})
    (row,) = await rows_of(services, grant)
    with pytest.raises(IntegrityError, match="uq_consent_evidence"):
        async with services.database.transaction() as tx:
            names, table = ", ".join(row._fields[1:]), "unefois.consent_evidence"
            again = f"INSERT INTO {table} (id, {names}) SELECT :new, {names} FROM {table}"  # noqa: S608
            await tx.execute(text(f"{again} WHERE id = :id"), {"new": uuid4(), "id": row.id})
