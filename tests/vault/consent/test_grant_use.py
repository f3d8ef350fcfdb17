"""The log entry of an act under a grant: the same for reading, evidence and deposits, and which
secrets are opened to write it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from storage.keys import Secret
from storage.providers import KeyProviderError
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import Document, Headers, deposit, granted, log_of, revoke
from tests.vault.decoding import corpus
from vault.services import Services

Use = Callable[[httpx.AsyncClient, Headers, str, Document], Awaitable[httpx.Response]]
PURPOSE = "Demande de logement social"


async def _read(
    client: httpx.AsyncClient, headers: Headers, grant: str, document: Document
) -> httpx.Response:
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    return await client.get(path, headers=headers)


async def _list(
    client: httpx.AsyncClient, headers: Headers, grant: str, _: Document
) -> httpx.Response:
    return await client.get(f"/v1/grants/{grant}/documents", headers=headers)


async def _attest(
    client: httpx.AsyncClient, headers: Headers, grant: str, _: Document
) -> httpx.Response:
    path = f"/v1/grants/{grant}/evidence"
    return await client.get(path, params={"type": "income_tax_notice"}, headers=headers)


async def _deposit(
    client: httpx.AsyncClient, headers: Headers, grant: str, _: Document
) -> httpx.Response:
    return await client.post(
        f"/v1/grants/{grant}/documents",
        headers=headers,
        files={"file": corpus.plain_png()},
        data={"type": "income_tax_notice"},
    )


USES = pytest.mark.parametrize("use", [_read, _list, _attest, _deposit])


@USES
async def test_a_refusal_to_the_grants_own_recipient_carries_its_purpose(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker, use: Use
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf())
    actions = ["read", "deposit"]
    grant = await granted(client, person, worker.headers, "income_tax_notice", actions=actions)
    assert (await use(client, worker.headers, grant, document)).is_success
    await revoke(client, person, grant)
    assert (await use(client, worker.headers, grant, document)).status_code == 403
    refused, _, allowed = (await log_of(client, person))[:3]
    assert (refused["reason"], allowed["outcome"]) == ("revoked", "allowed")
    for entry in (refused, allowed):
        assert (entry["purpose"], entry["grant"]) == (PURPOSE, grant)
    assert allowed["action"] == refused["action"]


@USES
async def test_a_strangers_refusal_opens_nothing_of_the_vault(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    use: Use,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The person reads who tried and on which grant; their secret is not even loaded."""
    person, worker, stranger = await make_person(), await make_worker(), await make_worker()
    document = await deposit(client, person, corpus.pdf())
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    keys = services.storage.keys
    owner, loaded = keys.owner, list[UUID]()

    async def watched(owner_id: UUID, *rest: object) -> Secret:
        loaded.append(owner_id)
        return await owner(owner_id, *rest)  # type: ignore[arg-type]  # passed on unchanged

    with monkeypatch.context() as watching:
        watching.setattr(keys, "owner", watched)
        assert (await use(client, stranger.headers, grant, document)).status_code == 404
        assert loaded == []
        assert (await use(client, worker.headers, grant, document)).status_code in {200, 403}
        assert person.id in loaded
    entry = next(
        entry for entry in await log_of(client, person) if entry["reason"] == "not_recipient"
    )
    assert (entry["grant"], entry["purpose"]) == (grant, None)


@USES
async def test_a_refusal_is_recorded_also_while_the_keys_are_away(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    use: Use,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refused act is answered and recorded, without its purpose; an allowed one reveals nothing
    and leaves nothing."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf())
    actions = ["read", "deposit"]
    living, ended = [
        await granted(client, person, worker.headers, "income_tax_notice", actions=actions)
        for _ in range(2)
    ]
    await revoke(client, person, ended)
    before = len(await log_of(client, person))

    async def away(*_: object) -> Secret:
        raise KeyProviderError("away")

    with monkeypatch.context() as failing:
        failing.setattr(services.storage.keys, "owner", away)
        assert (await use(client, worker.headers, ended, document)).status_code == 403
        assert (await use(client, worker.headers, living, document)).is_server_error
    (line,) = (await log_of(client, person))[: -before or None]
    assert (line["reason"], line["grant"], line["purpose"]) == ("revoked", ended, None)
