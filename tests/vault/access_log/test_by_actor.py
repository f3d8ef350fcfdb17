"""A recipient's own log reveals no more than the answers that they got."""

import httpx

from tests.fixtures import MakePerson, MakeWorker
from tests.steps import deposit, granted, log_of
from tests.vault.decoding import corpus


async def test_a_stranger_does_not_learn_from_their_own_log_that_a_grant_exists(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker, colleague = await make_person(), await make_worker(), await make_worker()
    document = await deposit(client, person, corpus.pdf())
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    nothing = path.replace(grant, document["id"])

    for address in (path, nothing):
        assert (await client.get(address, headers=colleague.headers)).status_code == 404

    entries = await log_of(client, colleague)
    tried = [entry for entry in entries if entry["action"] == "document.read"]
    assert len(tried) == 2
    refusals = [
        {name: entry[name] for name in entry if name not in {"id", "at"}} for entry in tried
    ]
    assert refusals[0] == refusals[1]
    assert refusals[0]["reason"] == "not_found"

    # The person reads everything.
    seen = [entry for entry in await log_of(client, person) if entry["outcome"] == "refused"]
    assert [entry["reason"] for entry in seen] == ["not_recipient"]
    assert seen[0]["grant"] == grant


async def test_only_content_is_confirmed_sent(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    await deposit(client, person, corpus.pdf())
    await client.get("/v1/documents", headers=person.headers)
    entries = await log_of(client, person)
    assert {entry["confirmed"] for entry in entries if entry["action"] == "document.list"} == {None}
