"""A request is withdrawn by who sent it, a grant is given back by who received it; over HTTP."""

from datetime import datetime

import httpx

from tests.fixtures import MakeClient, MakePerson, MakeWorker, new_phone
from tests.steps import (
    ask,
    client_headers,
    deposit,
    granted,
    is_problem,
    log_of,
    request_body,
)
from tests.vault.decoding import corpus

PDF = corpus.pdf(1)


async def test_a_request_is_withdrawn(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The person sees that, cannot answer any more, and is told by whom and why; the sender reads
    it in the list of what they sent. A second time changes nothing."""
    person, worker = await make_person(), await make_worker()
    request = await ask(client, worker.headers, person.phone, "payslip")
    path = f"/v1/consent-requests/{request}"
    answer = await client.post(f"{path}/withdraw", headers=worker.headers)
    sent = answer.json()
    assert (answer.status_code, sent["state"], sent["grant_id"]) == (200, "withdrawn", None)
    assert datetime.fromisoformat(sent["withdrawn_at"]) > datetime.fromisoformat(sent["asked_at"])
    again = await client.post(f"{path}/withdraw", headers=worker.headers)
    listed = await client.get("/v1/consent-requests", headers=worker.headers)
    assert again.json() == sent == listed.json()["items"][0]

    assert (await client.get(path, headers=person.headers)).json()["state"] == "withdrawn"
    for way in ("approve", "refuse"):
        is_problem(
            await client.post(f"{path}/{way}", headers=person.headers), 409, "request_withdrawn"
        )
    lines = [one for one in await log_of(client, person) if one["request"] == request]
    assert [(one["action"], one["outcome"]) for one in lines] == [
        ("consent.refuse", "refused"),
        ("consent.approve", "refused"),
        ("consent.withdraw", "allowed"),
        ("consent.request", "allowed"),
    ]
    assert lines[2]["sentence"] == (
        f"Camille Moreau (Assistante sociale, {worker.subject.organisation}) a retiré sa demande."
        " Pourquoi : Trouver un logement : « Demande de logement social »."
    )
    english = (await log_of(client, person, "en"))[2]["sentence"]
    assert "withdrew their request." in english


async def test_what_was_approved_is_given_back_and_not_withdrawn(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    await deposit(client, person, PDF)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    listed = await client.get("/v1/consent-requests", headers=worker.headers)
    request = listed.json()["items"][0]["id"]
    is_problem(
        await client.post(f"/v1/consent-requests/{request}/withdraw", headers=worker.headers),
        409,
        "request_approved",
    )
    answer = await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
    shown = answer.json()
    assert (answer.status_code, shown["state"], shown["ended_by"]) == (200, "revoked", "recipient")
    # At once, for good, and the same for both sides; a second time changes nothing.
    again = await client.post(f"/v1/grants/{grant}/give-back", headers=worker.headers)
    revoked = await client.post(f"/v1/grants/{grant}/revoke", headers=person.headers)
    for other in (again, revoked):
        assert other.json() == shown
    is_problem(
        await client.get(f"/v1/grants/{grant}/documents", headers=worker.headers),
        403,
        "grant_revoked",
    )
    for who in (person, worker):
        lines = [one for one in await log_of(client, who) if one["action"] == "grant.give_back"]
        assert [(one["outcome"], one["grant"]) for one in lines] == [("allowed", grant)]
        assert lines[0]["sentence"].startswith("Camille Moreau (Assistante sociale, ")
        assert "a rendu un accès" in lines[0]["sentence"]
        assert datetime.fromisoformat(lines[0]["at"]) >= datetime.fromisoformat(shown["revoked_at"])


async def test_a_receipt_says_who_ended_it(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """In the words of DPV: what its person takes back is withdrawn, anything else is revoked."""
    person, worker = await make_person(), await make_worker()
    for way, headers, status, member, ended_by in (
        ("revoke", person.headers, "dpv:ConsentWithdrawn", "dpv:hasWithdrawal", "owner"),
        ("give-back", worker.headers, "dpv:ConsentRevoked", "ended_early", "recipient"),
    ):
        grant = await granted(client, person, worker.headers, "payslip")
        answer = await client.post(f"/v1/grants/{grant}/{way}", headers=headers)
        receipt = (await client.get(f"/v1/grants/{grant}/receipt", headers=person.headers)).json()
        assert receipt["dpv:hasStatus"] == status
        assert receipt[member]["ended_by"] == answer.json()["ended_by"] == ended_by
        assert not {"dpv:hasWithdrawal", "ended_early"} - {member} & receipt.keys()


async def test_a_system_withdraws_and_gives_back_what_its_token_names(
    client: httpx.AsyncClient, make_person: MakePerson, make_client: MakeClient
) -> None:
    person, system = await make_person(), await make_client()
    headers = await client_headers(client, system)
    grant = await granted(client, person, headers, "payslip", actions=["attest"])
    request = await ask(client, headers, person.phone, "payslip")
    narrow = await client_headers(client, system, scope="deposits")
    is_problem(await client.post(f"/v1/grants/{grant}/give-back", headers=narrow), 404, "not_found")
    path = f"/v1/consent-requests/{request}/withdraw"
    is_problem(await client.post(path, headers=narrow), 403, "token_scope_missing")
    assert (await client.post(path, headers=headers)).json()["state"] == "withdrawn"
    given_back = await client.post(f"/v1/grants/{grant}/give-back", headers=headers)
    assert given_back.json()["ended_by"] == "recipient"
    # A person does neither.
    for one in (path, f"/v1/grants/{grant}/give-back"):
        is_problem(await client.post(one, headers=person.headers), 403, "wrong_caller")


async def test_what_is_withdrawn_never_reaches_a_vault_that_opens(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Asked before the vault existed: the new vault gets what waits, not what was withdrawn."""
    worker, phone = await make_worker(), new_phone()
    kept = await ask(client, worker.headers, phone, "payslip")
    gone = await ask(client, worker.headers, phone, "lease")
    path = f"/v1/consent-requests/{gone}/withdraw"
    assert (await client.post(path, headers=worker.headers)).status_code == 200
    person = await make_person(phone)
    received = (await client.get("/v1/consent-requests", headers=person.headers)).json()["items"]
    assert [one["id"] for one in received] == [kept]


async def test_the_same_key_still_gives_the_same_request(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Sent again with its idempotency key after a withdrawal: the same request, withdrawn, and
    never a new one."""
    person, worker = await make_person(), await make_worker()
    headers = {**worker.headers, "Idempotency-Key": "once"}
    body = request_body(person.phone, "payslip")
    first = (await client.post("/v1/consent-requests", headers=headers, json=body)).json()["id"]
    path = f"/v1/consent-requests/{first}"
    await client.post(f"{path}/withdraw", headers=worker.headers)
    again = await client.post("/v1/consent-requests", headers=headers, json=body)
    assert again.json()["id"] == first
    assert (await client.get(path, headers=worker.headers)).json()["state"] == "withdrawn"
