"""What goes wrong while papers come in: nothing is lost, and nothing comes twice."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from base.errors import ErrorKind, ServiceError
from storage.blobs import BlobUnavailable
from tests.fixtures import MakePerson, SomePerson
from tests.steps import counted, erase, is_problem
from tests.uploads import padded_pdf
from tests.vault.exports.import_steps import (
    agreed,
    an_export,
    begun_import,
    gone_on,
    good,
    job_of,
    looked_at,
    paper,
    papers_of,
    part_of,
    seen_import,
)
from vault.documents import own_deposit
from vault.exports import import_job
from vault.jobs import Later


async def _coming(client: httpx.AsyncClient, person: SomePerson, count: int) -> str:
    """An import that was agreed to, of which nothing came in yet."""
    files = {f"papiers/{n}/original-1.pdf": padded_pdf(9_000 + n) for n in range(count)}
    data = an_export(files, [paper(path, title=path) for path in files])
    found = await looked_at(client, person, data)
    assert (await agreed(client, person, found["id"])).status_code == 202
    return str(found["id"])


class _CrashError(BaseException):
    """The end of the process, as far as the code can see: nothing catches it."""


@pytest.mark.parametrize("before", [True, False])
async def test_a_crash_at_a_paper_brings_none_twice(
    client: httpx.AsyncClient,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
    *,
    before: bool,
) -> None:
    """Just before its commit, or just after."""
    coming = await _coming(client, person, 3)
    deposit_own, calls = own_deposit.deposit_own, 0

    async def crash(*given: Any, in_commit: Any, **values: Any) -> Any:
        nonlocal calls
        calls += 1

        async def ends(tx: Any, document_id: UUID) -> None:
            await in_commit(tx, document_id)
            raise _CrashError

        made = await deposit_own(
            *given, in_commit=ends if before and calls == 2 else in_commit, **values
        )
        if calls == 2:
            raise _CrashError
        return made

    monkeypatch.setattr(own_deposit, "deposit_own", crash)
    with pytest.raises(_CrashError):
        await import_job.go_on(person.services, person.id, UUID(coming))
    monkeypatch.setattr(own_deposit, "deposit_own", deposit_own)
    left = await seen_import(client, person, coming)
    assert (left["state"], left["handled"]) == ("coming", 1 if before else 2)
    done = await gone_on(client, person, coming)
    assert (done["state"], done["added"], done["held"]) == ("done", 3, 0)
    assert len(await papers_of(client, person)) == 3
    await job_of(person, coming)


async def test_another_attempt_ends_the_one_before(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that was taken for dead brings nothing more."""
    coming = await _coming(client, person, 3)
    deposit_own, calls = own_deposit.deposit_own, 0

    async def late(*given: Any, **values: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            await import_job._attempt(person.services, person.id, UUID(coming))
        return await deposit_own(*given, **values)

    monkeypatch.setattr(own_deposit, "deposit_own", late)
    await import_job.go_on(person.services, person.id, UUID(coming))
    assert len(await papers_of(client, person)) == 1
    done = await gone_on(client, person, coming)
    assert (done["state"], done["added"]) == ("done", 3)


async def test_given_up_on_the_way(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming = await _coming(client, person, 3)
    deposit_own, calls = own_deposit.deposit_own, 0

    async def given_up(*given: Any, **values: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            await client.delete(f"/v1/me/imports/{coming}", headers=person.headers)
        return await deposit_own(*given, **values)

    monkeypatch.setattr(own_deposit, "deposit_own", given_up)
    await job_of(person, coming)
    assert len(await papers_of(client, person)) == 1
    assert await counted(person.services, "archive", person) == 0


async def test_a_full_disk_puts_it_off(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = type(person.services.storage.blobs)
    data, writer = good(), store.writer
    begun = await begun_import(client, person, len(data))
    path = f"/v1/me/imports/{begun}"
    await part_of(client, person, path, data[:9000], 0)
    monkeypatch.setattr(store, "writer", _full)
    is_problem(await part_of(client, person, path, data[9000:], 9000), 503, "store_unavailable")
    monkeypatch.setattr(store, "writer", writer)
    assert (await part_of(client, person, path, data[9000:], 9000)).status_code == 204
    await gone_on(client, person, begun)
    await agreed(client, person, begun)
    monkeypatch.setattr(store, "writer", _full)
    with pytest.raises(BlobUnavailable):  # tried again, for as long as it lasts
        await job_of(person, begun)
    assert (await seen_import(client, person, begun))["waits"] == "store_unavailable"
    monkeypatch.setattr(store, "writer", writer)
    done = await gone_on(client, person, begun)
    assert (done["state"], done["added"], done["waits"]) == ("done", 1, None)


def _full(*_: object) -> None:
    raise BlobUnavailable("no space left")


async def test_what_an_account_may_have_decoded_is_used_up(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    coming = await _coming(client, person, 2)
    decoder = type(person.services.decoder)
    inspect = decoder.inspect
    spent = ServiceError(ErrorKind.TOO_MANY, "decoding_time_spent", retry_after=600, minutes=10)

    async def refuse(*_: object, **__: object) -> None:
        raise spent

    monkeypatch.setattr(decoder, "inspect", refuse)
    with pytest.raises(Later) as later:
        await job_of(person, coming)
    assert later.value.seconds == 600
    assert (await seen_import(client, person, coming))["waits"] == "decoding_time_spent"
    monkeypatch.setattr(decoder, "inspect", inspect)
    assert (await gone_on(client, person, coming))["added"] == 2


async def test_an_erased_vault(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    coming = await _coming(client, person, 1)
    await erase(person.services, person)
    await job_of(person, coming)
    assert await counted(person.services, "archive", person) == 0
