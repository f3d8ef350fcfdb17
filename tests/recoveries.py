"""How a vault is opened again at the desk, over HTTP, in steps of a story."""

from datetime import timedelta
from secrets import choice, token_bytes
from string import ascii_lowercase
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.engine import Row

from audit.events import Action
from auth import administration
from auth.anchor_rules import TypedAnchor
from auth.anchors import tag_of
from auth.records import anchors
from auth.records.recipients import WORKER_ROW, WorkerRow
from auth.subjects import Worker
from base.database import Database
from base.db_time import instant
from base.ids import new_id
from tests.fixtures import MakeWorker, SomePerson, SomeWorker, last_code
from tests.rows import change_row
from vault.recovery import records, recovery_log
from vault.recovery.records import Recovery
from vault.recovery.recovery_rules import SENIORITY
from vault.recovery.recovery_values import Kept, seal
from vault.services import Services

PIN = "482693"
ReadPaper = dict[str, str]


def some_paper(**changes: str) -> ReadPaper:
    """What stands on the identity paper of somebody whom no other test knows."""
    name = "".join(choice(ascii_lowercase) for _ in range(12))
    given = {"family_name": name, "given_name": "Amina", "birth_date": "1980-05-11"}
    return {"kind": "id_card", **given, "document_end": "12AB"} | changes


async def agent(
    services: Services,
    as_owner: Database,
    make_worker: MakeWorker,
    name: str,
    *,
    days: float = SENIORITY.days + 1,
    **fields: Any,
) -> SomeWorker:
    """A worker of a structure that opens vaults, there for so long."""
    made = await make_worker(name=name, **fields)
    await administration.let_open_vaults(services, made.organisation_id, allowed=True)
    async with services.database.transaction() as tx:
        then = await instant(tx) - timedelta(days=days)
    await change_row(services, as_owner, WorkerRow, WORKER_ROW, made.id, created_at=then)
    return made


async def with_anchor(services: Services, person: SomePerson, paper: ReadPaper) -> None:
    """The person enrolled what stands on their paper."""
    parts = ("family_name", "given_name", "birth_date", "document_end")
    tag = await tag_of(services, TypedAnchor(*(paper[name] for name in parts)))
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        kept = {"id": new_id(), "edition": 1, "tag": tag, "enrolled_at": await instant(tx)}
        await anchors.put_anchor(tx, macs, person_id=person.id, **kept)


async def begin(
    client: httpx.AsyncClient, worker: SomeWorker, paper: ReadPaper, **changes: Any
) -> httpx.Response:
    body = {"pin": PIN, "again": PIN, "document": paper, **changes}
    return await client.post("/v1/desk/recoveries", headers=worker.headers, json=body)


async def begun(
    client: httpx.AsyncClient, worker: SomeWorker, paper: ReadPaper, **changes: Any
) -> dict[str, Any]:
    answer = await begin(client, worker, paper, **changes)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def second(
    client: httpx.AsyncClient, worker: SomeWorker, code: str, paper: ReadPaper, **more: Any
) -> httpx.Response:
    return await _by_code(client, worker, "second", code, paper, more)


async def add_means(
    client: httpx.AsyncClient, worker: SomeWorker, code: str, paper: ReadPaper, **more: Any
) -> httpx.Response:
    return await _by_code(client, worker, "means", code, paper, more)


async def _by_code(
    client: httpx.AsyncClient,
    worker: SomeWorker,
    step: str,
    code: str,
    paper: ReadPaper,
    more: dict[str, Any],
) -> httpx.Response:
    body = {"code": code, "document": paper, **more}
    return await client.post(f"/v1/desk/recoveries/{step}", headers=worker.headers, json=body)


async def reached(
    services: Services, client: httpx.AsyncClient, worker: SomeWorker, phone: str
) -> str:
    """The phone answers: what goes in `shown`."""
    at, body = "/v1/desk/recoveries/phone-codes", {"phone": phone}
    sent = (await client.post(at, headers=worker.headers, json=body)).json()
    body = {"secret": sent["secret"], "code": await last_code(services, phone)}
    answer = await client.post(f"{at}/{sent['id']}", headers=worker.headers, json=body)
    assert answer.status_code == 200, answer.text
    note: str = answer.json()["reached"]
    return note


async def recoveries(services: Services) -> list[Row[Any]]:
    """Every row, the last begun first."""
    query = select(Recovery.__table__).order_by(Recovery.id.desc())
    async with services.database.transaction() as tx:
        return list((await tx.execute(query)).all())


async def tied(
    services: Services, waiting: UUID, former: UUID, worker: Worker | None = None
) -> UUID:
    """A row alone, and its lines, where a worker is named."""
    macs, recovery_id = await services.field_encryption.row_macs(), new_id()
    async with services.database.transaction() as tx:
        values = {"former_id": former, "code_tag": token_bytes(32), "began_at": await instant(tx)}
        sealed = await seal(services, recovery_id, Kept())
        await records.add(tx, macs, id=recovery_id, waiting_id=waiting, sealed=sealed, **values)
        if worker is not None:
            ids = recovery_log.Tied(recovery_id, waiting, former)
            await recovery_log.record(services, tx, worker, Action.RECOVERY_BEGUN, ids)
    return recovery_id
