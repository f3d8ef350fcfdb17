"""What waits for the lock of a vault while it ends in another one looks again, and is refused as in
a vault that was erased: nothing is lost in it, and its log says nothing more."""

import ast
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import living_vaults
from base.locks import hold_vault
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.joins import joined
from tests.meetings import open_meeting, type_code
from tests.steps import ask, deposit, is_problem
from tests.vault.decoding import corpus
from vault.maintenance.erasure import erase
from vault.services import Services

ROOT = Path(__file__).resolve().parents[2]
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "20"}
OwnAct = tuple[str, str, dict[str, Any]]


async def acts_of(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> list[OwnAct]:
    """What a person does in their vault, each as its method, its address and what is sent."""
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    request = await ask(client, worker.headers, person.phone, "lease")
    shown = (await open_meeting(client, worker))["code"]
    assert (await client.post("/v1/me/erasure/code", headers=person.headers)).status_code == 202
    lines = (await client.get("/v1/access-log", headers=person.headers)).json()["items"]
    grant = {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["payslip"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Mon dossier"},
        "duration": "P1M",
    }
    newer = {"file": ("a.pdf", corpus.pdf(2))}
    document = f"/v1/documents/{paper['id']}"
    return [
        ("POST", "/v1/grants", {"json": grant}),
        ("POST", f"/v1/consent-requests/{request}/approve", {"json": {}}),
        ("POST", f"{document}/versions", {"files": newer}),
        ("PATCH", document, {"json": {"title": "Juin"}}),
        ("DELETE", document, {}),
        ("POST", "/v1/uploads", {"headers": TUS}),
        ("POST", "/v1/meetings", {}),
        ("POST", "/v1/meetings/answer", {"json": {"code": shown}}),
        ("POST", "/v1/me/erasure/code", {}),
        ("DELETE", "/v1/me", {"json": {"code": "123456"}}),
        ("POST", "/v1/me/proof/wait", {}),
        ("POST", f"/v1/access-log/{lines[0]['id']}/report", {"json": {}}),
    ]


@pytest.mark.parametrize("number", range(12))
async def test_whoever_waited_for_the_lock_is_refused(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    method, path, sent = (await acts_of(client, ended, worker))[number]
    made: list[str] = []

    async def join_meanwhile(tx: AsyncConnection, person_id: Any) -> None:
        monkeypatch.setattr(living_vaults, "hold_vault", hold_vault)
        made.append(await joined(client, ended, stays))
        await hold_vault(tx, person_id)

    monkeypatch.setattr(living_vaults, "hold_vault", join_meanwhile)
    headers = ended.headers | sent.pop("headers", {})
    answer = await client.request(method, path, headers=headers, **sent)
    is_problem(answer, 404, "not_found")
    log = f"/v1/me/joins/{made[0]}/access-log"
    lines = (await client.get(log, headers=stays.headers)).json()["items"]
    assert lines[0]["action"] == "vault.leave", "nothing is said after the last line"
    listed = (await client.get("/v1/documents", headers=stays.headers)).json()["items"]
    assert [(one["title"], one["deleted_at"]) for one in listed] == [(None, None)]


async def test_a_code_that_a_vault_showed_leads_to_nobody_once_it_ended(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Its worker would stand before somebody who never says yes."""
    ended, stays, worker = await make_person(), await make_person(), await make_worker()
    code = (await open_meeting(client, ended))["code"]
    join = await joined(client, ended, stays)
    is_problem(await type_code(client, worker, code), 403, "meeting_code_wrong")
    log = await client.get(f"/v1/me/joins/{join}/access-log", headers=stays.headers)
    assert log.json()["items"][0]["action"] == "vault.leave", "nothing is said after the last line"


async def test_a_vault_that_ended_is_erased_with_the_other_alone(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    ended, stays = await make_person(), await make_person()
    join = await joined(client, ended, stays)
    assert await erase(services, ended.subject) is False
    log = await client.get(f"/v1/me/joins/{join}/access-log", headers=stays.headers)
    assert log.json()["items"][0]["action"] == "vault.leave"
    assert await erase(services, stays.subject) is True
    async with services.database.transaction() as tx:
        query = text("SELECT count(*) FROM unefois.person WHERE id = ANY(:ids)")
        ids = [ended.id, stays.id]
        assert (await tx.execute(query, {"ids": ids})).scalar_one() == 0


WITHOUT_LOOKING = {
    "auth/living_vaults.py": "it looks",
    "auth/pins.py": "looks at the person's row itself, of the phone too",
    "auth/card_means.py": "a card that is looked for under it",
    "auth/desk_cards.py": "a card that is looked for under it",
    "auth/desk_vaults.py": "a vault that is opened by it",
    "vault/recovery/first_agents.py": "it looks itself: an agent is told nothing",
    "vault/consent/meeting_codes.py": "the lock of a worker; a person's looks",
    "vault/consent/meeting_use.py": "a meeting that is looked for under it: those of before ended",
    "vault/consent/meetings.py": "what a worker types or ends, looked for under it: none is left",
    "vault/consent/invitations.py": "a worker's invitation that is looked for under it",
    "vault/consent/people.py": "a worker's label of whom they know by a grant, looked for under it",
    "vault/documents/recipients_copy.py": "a version that is looked for under it",
    "vault/documents/previews.py": "files that are looked for under it",
    "vault/documents/thumbnails.py": "jobs, which look",
    "vault/documents/content_tags.py": "a version that is looked for under it",
    "vault/documents/type_suggestions.py": "a worker's grant, judged again under it",
    "vault/maintenance/erasure.py": "looks whether it ended in another",
    "vault/maintenance/erasure_requests.py": "a wait that is looked for under it, by a job",
    "vault/maintenance/joins/join_codes.py": "a join that is deleted under it",
}
"""Who takes the bare lock of a vault, and why whoever waited need not look whether it is there."""


def test_who_acts_in_a_vault_takes_the_lock_that_looks() -> None:
    bare = set()
    for layer in ("auth", "audit", "storage", "vault", "web"):
        for path in (ROOT / layer).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.ImportFrom) or node.module != "base.locks":
                    continue
                if "hold_vault" in {one.name for one in node.names}:
                    bare.add(path.relative_to(ROOT).as_posix())
    assert bare == WITHOUT_LOOKING.keys()
