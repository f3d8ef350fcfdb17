"""The rows of signed mandates: altered they keep nothing alive, and no evidence is without one."""

import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from base.database import Database
from tests.fixtures import MakePerson, MakeWorker
from tests.mandates import authorisation, keep_scan, prepare, printed, sign, signed
from tests.steps import is_problem
from tests.web.api.test_consent_evidence import change_as
from vault.services import Services


async def row_of(services: Services, mandate: str) -> Any:
    async with services.database.transaction() as tx:
        query = text("SELECT * FROM unefois.mandate WHERE id = :id")
        return (await tx.execute(query, {"id": mandate})).one()


@pytest.mark.parametrize(
    "change", ["seen_at = seen_at + interval '1 year'", "template_hash = sha256('x'::bytea)",
               "sealed = sealed || '\\x00'", "scan_tag = sha256('x'::bytea)"],
)  # fmt: skip
async def test_an_altered_row_keeps_nothing_alive(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
    change: str,
) -> None:
    person, worker = await make_person(), await make_worker()
    mandate = await signed(client, worker, person, authorisation("payslip"))
    statement = f"UPDATE unefois.mandate SET {change} WHERE id = :id"  # noqa: S608
    await change_as(as_owner, statement, mandate["id"])
    for method, path in (("GET", "signed"), ("POST", "go-on")):
        answer = await client.request(
            method, f"/v1/mandates/{mandate['id']}/{path}", headers=person.headers
        )
        is_problem(answer, 503, "row_altered")


async def test_a_forged_row_is_no_signed_mandate(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """As the service's role, which may insert one: it is refused and named, not believed."""
    person, worker = await make_person(), await make_worker()
    made = await prepare(client, worker, person, authorisation("payslip"))
    scan = await keep_scan(client, person, await printed(client, worker, made["id"]))
    forged = {
        "id": made["id"], "person": person.id, "worker": worker.id,
        "hash": secrets.token_bytes(32), "sealed": secrets.token_bytes(96),
    }  # fmt: skip
    async with services.database.transaction() as tx:
        await tx.execute(text(_FORGED), forged)
    is_problem(
        await sign(client, person, made["id"], scan, made["request_ids"]), 503, "row_altered"
    )


_FORGED = """
    INSERT INTO unefois.mandate (id, person_id, worker_id, language, template, template_hash,
        scan_tag, signed_at, seen_at, sealed, mac)
    VALUES (cast(:id AS uuid), :person, :worker, 'fr', 'x', :hash, :hash, now(), now(), :sealed,
        :hash)
"""


async def test_no_evidence_of_a_mandate_that_nobody_signed(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """The database refuses it, also of the owner of its tables; a mandate is not rewritten."""
    person, worker = await make_person(), await make_worker()
    mandate = await signed(client, worker, person, authorisation("payslip"))
    grant = mandate["grants"][0]["id"]
    for change, constraint in (
        ("mandate_id = id", "fk_consent_evidence_mandate_id_mandate"),
        ("mandate_id = NULL", "ck_consent_evidence_complete"),
        ("level = NULL", "ck_consent_evidence_complete"),
        ("worker_id = NULL", "ck_consent_evidence_complete"),
    ):
        with pytest.raises(IntegrityError, match=constraint):
            await change_as(
                as_owner,
                f"UPDATE unefois.consent_evidence SET {change} WHERE grant_id = :id",  # noqa: S608
                grant,
            )
    for statement in (
        "UPDATE unefois.mandate SET language = 'en' WHERE id = :id",
        "DELETE FROM unefois.mandate WHERE id = :id",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with services.database.transaction() as tx:
                await tx.execute(text(statement), {"id": mandate["id"]})
    row = await row_of(services, mandate["id"])
    assert (row.person_id, row.worker_id) == (person.id, worker.id)
    assert b"payslip" not in row.sealed
