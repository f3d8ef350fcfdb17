"""Invariants 5 and 7: what a worker knows a person by is of no use to anyone else.

Two workers cannot join their ids; a guessed or another's id answers as one that does not exist; a
label is read by nobody but who wrote it, and goes when it must.
"""

import json
from typing import Any

import httpx
from sqlalchemy import text

from auth import administration
from base.database import Database
from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker, SomePerson, SomeWorker
from tests.steps import Headers, ask, counted, deposit, erase, granted, log_of, revoke
from tests.vault.decoding import corpus
from vault.maintenance.cleanup import sweep_rows
from vault.services import Services

LABEL = "Zoé Quertinmont"
MALFORMED = ["1", "null", "%00", "01890000-0000-7000-8000-0000000000010", "é", "%2e%2e"]


async def known(client: httpx.AsyncClient, headers: Headers) -> list[dict[str, Any]]:
    answer = await client.get("/v1/people", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def labelled(
    client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker, label: str = LABEL
) -> str:
    """The person gave the worker a grant, and the worker calls them so; the worker's id of them."""
    await granted(client, person, worker.headers, "payslip")
    shown = next(one["id"] for one in await known(client, worker.headers) if not one["label"])
    answer = await client.patch(
        f"/v1/people/{shown}", headers=worker.headers, json={"label": label}
    )
    assert answer.status_code == 200, answer.text
    return str(shown)


async def plain(
    client: httpx.AsyncClient, method: str, shown: str, headers: Headers
) -> tuple[int, dict[str, str], Any]:
    """An answer, without what differs between any two."""
    body = {"json": {"label": "x"}} if method == "PATCH" else {}
    answer = await client.request(method, f"/v1/people/{shown}", headers=headers, **body)
    passing = {"x-request-id", "date", "content-length"}
    details = answer.json()
    details.pop("request_id", None)
    kept = {name: value for name, value in answer.headers.items() if name not in passing}
    return answer.status_code, kept, details


async def test_two_workers_cannot_join_their_ids(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Nothing that the list tells of the same two people is equal for two colleagues, but what each
    wrote; and the person's own id is nowhere."""
    ours, people = await make_worker(), [await make_person() for _ in range(2)]
    colleague = await make_worker(ours.organisation_id)
    for worker in (ours, colleague):
        for person in people:
            await granted(client, person, worker.headers, "payslip")
    ids = [
        [one["id"] for one in await known(client, worker.headers)] for worker in (ours, colleague)
    ]
    assert len({*ids[0], *ids[1]}) == 4
    assert ids[0] == [one["id"] for one in await known(client, ours.headers)]
    for worker in (ours, colleague):
        for one in await known(client, worker.headers):
            whole = await client.get(f"/v1/people/{one['id']}", headers=worker.headers)
            for person in people:
                assert str(person.id) not in whole.text + json.dumps(one)


async def test_ids_of_others_answer_as_unknown_ones(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """A colleague's id of the same person, a person's own id, a guess, what cannot be an id: the
    same answer, and a line that says nothing of a vault."""
    worker, person, stranger = await make_worker(), await make_person(), await make_person()
    colleague = await make_worker(worker.organisation_id)
    theirs = await labelled(client, person, colleague)
    await granted(client, person, worker.headers, "payslip")
    mine = (await known(client, worker.headers))[0]["id"]
    assert (await plain(client, "GET", mine, worker.headers))[0] == 200
    before = len(await log_of(client, person))
    tried = [theirs, str(person.id), str(stranger.id), str(new_id()), *MALFORMED]
    for method in ("GET", "PATCH"):
        answers = [await plain(client, method, one, worker.headers) for one in tried]
        assert answers[0][0] == 404
        assert all(answer == answers[0] for answer in answers), method
    assert len(await log_of(client, person)) == before
    lines = [one for one in await log_of(client, worker) if one["action"] == "person.see"]
    assert {(one["outcome"], one["reason"], one["grant"]) for one in lines} == {
        ("refused", "not_found", None)
    }
    assert len(lines) == 8  # what cannot be an id is not looked up


async def test_a_vault_without_a_grant_is_nowhere(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Asked, refused, without a vault: nobody appears before a grant is given."""
    worker, person = await make_worker(), await make_person()
    body = {"reason": "no"}
    request = await ask(client, worker.headers, person.phone, "payslip")
    assert await known(client, worker.headers) == []
    path = f"/v1/consent-requests/{request}/refuse"
    assert (await client.post(path, headers=person.headers, json=body)).status_code == 204
    assert await known(client, worker.headers) == []


async def test_another_number_of_the_same_vault_is_not_told(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """What waits stands beside a person by the number that the worker wrote: a request to another
    number of the same vault, as after a change of phone, says nothing of it; nor does a refusal."""
    worker, person = await make_worker(), await make_person()
    await granted(client, person, worker.headers, "payslip")
    old_phone = person.phone
    elsewhere = await make_person()
    other = await ask(client, worker.headers, elsewhere.phone, "payslip")
    # That request now belongs to the same vault, as if the person had taken that number.
    async with services.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.consent_request SET person_id = :person WHERE id = :id"),
            {"person": person.id, "id": other},
        )
    (one,) = await known(client, worker.headers)
    assert (one["phone"], one["waiting_requests"]) == (old_phone, 0)
    # Refused, unanswered: both wait, until they lapse.
    refused = await ask(client, worker.headers, old_phone, "lease")
    path = f"/v1/consent-requests/{refused}/refuse"
    assert (await client.post(path, headers=person.headers)).status_code == 204
    await ask(client, worker.headers, old_phone, "lease")
    assert [one["waiting_requests"] for one in await known(client, worker.headers)] == [2]
    # Withdrawn by its sender, the refused one waits no more, like any other.
    path = f"/v1/consent-requests/{refused}/withdraw"
    assert (await client.post(path, headers=worker.headers)).status_code == 200
    assert [one["waiting_requests"] for one in await known(client, worker.headers)] == [1]


async def test_a_label_is_read_by_nobody_else(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """Not by a colleague, nor by the person, in no list and no log; no table holds a word of it."""
    worker, person = await make_worker(), await make_person()
    colleague = await make_worker(worker.organisation_id)
    await labelled(client, person, worker)
    await granted(client, person, colleague.headers, "payslip")
    (theirs,) = await known(client, colleague.headers)
    seen = [
        await client.get(path, headers=headers)
        for headers in (colleague.headers, person.headers)
        for path in (
            "/v1/people", "/v1/people?q=zoe", f"/v1/people/{theirs['id']}", "/v1/grants",
            "/v1/consent-requests", "/v1/access-log?limit=100", "/v1/me",
        )
    ]  # fmt: skip
    seen.append(await client.get("/v1/access-log?limit=100", headers=worker.headers))
    assert theirs["label"] is None
    assert seen[1].json()["items"] == []
    for answer in seen:
        assert "Quertinmont" not in answer.text
    async with as_owner.transaction() as tx:
        tables = await tx.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'unefois'")
        )
        for table in list(tables):
            rows = await tx.scalars(text(f'SELECT t::text FROM unefois."{table}" t'))  # noqa: S608
            dumped = "\n".join(rows)
            for word in ("Quertinmont", b"Quertinmont".hex()):
                assert word not in dumped, table


async def test_a_label_that_was_moved_is_refused(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """Whoever writes the database cannot show one worker what another wrote."""
    worker, colleague, person = await make_worker(), await make_worker(), await make_person()
    await labelled(client, person, worker)
    await granted(client, person, colleague.headers, "payslip")
    moving = text("UPDATE unefois.person_label SET worker_id = :to WHERE worker_id = :from")
    async with as_owner.transaction() as tx:
        await tx.execute(moving, {"to": colleague.id, "from": worker.id})
    answer = await client.get("/v1/people", headers=colleague.headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "row_altered")
    async with as_owner.transaction() as tx:
        await tx.execute(moving, {"to": worker.id, "from": colleague.id})


async def test_labels_go_with_the_person_and_with_the_worker(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Erased with the vault, at once; of a worker who is barred, by the next sweep; those of others
    stay."""
    worker, barred, person = await make_worker(), await make_worker(), await make_person()
    gone = await make_person()
    kept = await labelled(client, person, worker)
    erased = await labelled(client, gone, worker)
    await labelled(client, person, barred)
    assert await counted(services, "person_label", person) == 2
    await erase(services, gone)
    assert await counted(services, "person_label", gone) == 0
    answer = await client.get(f"/v1/people/{erased}", headers=worker.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    await administration.deactivate_worker(services, barred.id)
    for path in ("/v1/people", f"/v1/people/{kept}"):
        assert (await client.get(path, headers=barred.headers)).status_code == 401
    await sweep_rows(services)
    assert await counted(services, "person_label", person) == 1
    assert [one["label"] for one in await known(client, worker.headers)] == [LABEL]


async def test_what_is_over_opens_nothing(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """A person whose grants ended is still known, and no paper of theirs; a paper under one live
    grant stays, named under that one alone."""
    worker, person = await make_worker(), await make_person()
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    first = await granted(client, person, worker.headers, "payslip")
    second = await granted(client, person, worker.headers, document_ids=[paper["id"]])
    (one,) = await known(client, worker.headers)
    path = f"/v1/people/{one['id']}"
    await revoke(client, person, first)
    (shown,) = (await client.get(path, headers=worker.headers)).json()["papers"]["items"]
    assert [way["grant_id"] for way in shown["grants"]] == [second]
    await revoke(client, person, second)
    answer = (await client.get(path, headers=worker.headers)).json()
    assert (answer["papers"]["items"], len(answer["ended"])) == ([], 2)
