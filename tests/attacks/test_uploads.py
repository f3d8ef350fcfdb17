"""Files received in pieces: nobody else's, never mixed, in no clear, and no more than may be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from base.database import Database
from tests.fixtures import MakePerson, SomePerson
from tests.steps import blobs, is_problem, log_of, until
from tests.uploads import (
    TUS,
    begin,
    id_of,
    made_of,
    offset_of,
    padded_pdf,
    said,
    send,
    uploaded,
)
from vault.documents import records
from vault.documents.uploads import pieces, uploads
from vault.maintenance.cleanup import sweep_blobs
from vault.services import Services

PDF = padded_pdf(9000)
MIB = 1024 * 1024


async def begun(client: httpx.AsyncClient, person: SomePerson, length: int) -> str:
    return (await begin(client, person, length)).headers["location"]


async def test_a_document_of_anothers_upload_is_refused_as_of_one_that_does_not_exist(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Status, body and the line in the caller's own log; the owner's file is as it was."""
    person, thief = await make_person(), await make_person()
    theirs = await uploaded(client, person, PDF)
    own = await uploaded(client, thief, PDF)
    answers = []
    for path in (theirs, f"/v1/uploads/{uuid4()}"):
        answer = await made_of(client, thief, own, path, type="payslip")
        body = answer.json()
        body.pop("request_id")
        answers.append((answer.status_code, body))
        line = (await log_of(client, thief))[0]
        assert (line["action"], line["outcome"]) == ("document.deposit", "refused")
        assert line["documents"] == []
    assert answers[0] == answers[1]
    assert (answers[0][0], answers[0][1]["code"]) == (422, "unknown_upload")
    assert await offset_of(client, person, theirs) == len(PDF)
    assert not [one for one in await log_of(client, person) if one["action"] == "document.deposit"]


async def test_nobody_goes_on_after_signing_out(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    path = await begun(client, person, len(PDF))
    assert (await send(client, person, path, 0, PDF[:100])).status_code == 204
    ended = await client.delete("/v1/sessions/current", headers=person.headers)
    assert ended.is_success
    assert (await send(client, person, path, 100, PDF[100:])).status_code == 401
    assert (await client.head(path, headers=person.headers | TUS)).status_code == 401
    assert (await made_of(client, person, path, type="payslip")).status_code == 401


async def test_a_worker_has_no_uploads(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: Any
) -> None:
    worker, person = await make_worker(), await make_person()
    path = await begun(client, person, len(PDF))
    for answer in (
        await begin(client, worker, 10),
        await send(client, worker, path, 0, PDF),
        await client.delete(path, headers=worker.headers | TUS),
    ):
        is_problem(answer, 403, "wrong_caller")


async def test_of_two_at_once_one_wins_and_bytes_are_never_mixed(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Two clients of one person send other bytes to the same upload, piece by piece in turn."""
    person, before = await make_person(), await blobs(services)
    files = [padded_pdf(5 * MIB // 2, mark) for mark in (b"one", b"two")]
    assert len(files[0]) == len(files[1])
    path = await begun(client, person, len(files[0]))
    turn = asyncio.Barrier(2)

    async def slowly(data: bytes) -> AsyncIterator[bytes]:
        try:
            for at in range(0, len(data), MIB // 4):
                async with asyncio.timeout(2):
                    await turn.wait()
                yield data[at : at + MIB // 4]
        except (TimeoutError, asyncio.BrokenBarrierError):
            yield data[at:]  # the other one was refused
        finally:
            await turn.abort()

    async def sent(data: bytes) -> int:
        try:
            return (await send(client, person, path, 0, slowly(data))).status_code
        except httpx.TransportError:
            return 409  # answered in the midst of what it sent

    statuses = await asyncio.gather(*map(sent, files))
    assert sorted(statuses) == [204, 409]
    made = await made_of(client, person, path, type="payslip")
    assert made.status_code == 201, made.text
    content = await client.get(f"{made.headers['location']}/content", headers=person.headers)
    assert content.content == files[statuses.index(204)]
    kept = {key for key in await blobs(services) - before if key.startswith("files/")}
    async with services.database.transaction() as tx:
        referred = await records.known_blobs(tx, sorted(kept))
    assert kept == referred, "the pieces of both are gone"


async def test_bytes_sent_again_are_refused(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    path = await begun(client, person, len(PDF))
    assert (await send(client, person, path, 0, PDF[:500])).status_code == 204
    for offset in (0, 499, 501):
        is_problem(await send(client, person, path, offset, PDF[500:600]), 409, "upload_offset")
    assert await offset_of(client, person, path) == 500


async def test_an_upload_dropped_while_it_comes_keeps_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, before = await make_person(), await blobs(services)
    path = await begun(client, person, len(PDF))

    async def body() -> AsyncIterator[bytes]:
        yield PDF[:5000]
        dropped = await client.delete(path, headers=person.headers | TUS)
        assert dropped.status_code == 204
        yield PDF[5000:]

    is_problem(await send(client, person, path, 0, body()), 404, "not_found")
    assert await blobs(services) == before


async def test_pieces_of_one_byte_do_not_make_a_million_blobs(
    client: httpx.AsyncClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_PIECES", 5)
    person = await make_person()
    path = await begun(client, person, len(PDF))
    for offset in range(5):
        answer = await send(client, person, path, offset, PDF[offset : offset + 1])
        assert answer.status_code == 204
    is_problem(await send(client, person, path, 5, PDF[5:6]), 409, "too_many_pieces")
    assert await offset_of(client, person, path) == 5


async def test_what_comes_slowly_is_durable_too(
    client: httpx.AsyncClient, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A piece ends after a minute, whatever its size: here at once."""
    monkeypatch.setattr(pieces, "PIECE_SECONDS", 0.0)
    person = await make_person()
    path = await begun(client, person, len(PDF))

    async def durable() -> bool:
        return await offset_of(client, person, path) == 5000

    async def body() -> AsyncIterator[bytes]:
        yield PDF[:5000]
        await until(durable)
        yield PDF[5000:]

    assert (await send(client, person, path, 0, body())).status_code == 204


_EDITS: dict[str, tuple[str, str]] = {
    "less was received": ("upload", "received = received - 1"),
    "it ends earlier": ("upload", "received = received - 1, length = length - 1"),
    "it never ends": ("upload", "expires_at = expires_at + interval '1 year'"),
    "another was refused": ("upload", "refused = NOT refused"),
    "it has more pieces": ("upload", "pieces = pieces + 1"),
    "what was said is of another": ("upload", "sealed = :sealed"),
    "a piece of another's": ("upload_piece", "blob_key = :blob, envelope = :envelope"),
    "a piece has another key": ("upload_piece", "envelope = :envelope"),
}


@pytest.mark.parametrize("edit", _EDITS)
async def test_rows_that_someone_else_wrote_are_refused(
    edit: str,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    as_owner: Database,
) -> None:
    """Whoever writes the database has no document made of what they put there."""
    person, other = await make_person(), await make_person()
    path = await uploaded(client, person, PDF)
    theirs = await uploaded(client, other, padded_pdf(9000), **said(title="Secret"))
    table, change = _EDITS[edit]
    async with as_owner.transaction() as tx:
        row = (await tx.execute(_BOTH, {"id": UUID(id_of(theirs))})).one()
        await tx.execute(text("DELETE FROM unefois.upload_piece WHERE id = :id"), {"id": row.id})
        key = "id" if table == "upload" else "upload_id"
        values = {"sealed": row.sealed, "blob": row.blob_key, "envelope": row.envelope}
        used = {name: value for name, value in values.items() if f":{name}" in change}
        changed = await tx.execute(
            text(f"UPDATE unefois.{table} SET {change} WHERE {key} = :id"),  # noqa: S608  (our own)
            {"id": UUID(id_of(path)), **used},
        )
        assert changed.rowcount == 1
    answer = await made_of(client, person, path, type="payslip")
    is_problem(answer, 503, "row_altered" if table == "upload" else "content_broken")
    assert (await client.get("/v1/documents", headers=person.headers)).json()["items"] == []


_BOTH = text(
    "SELECT p.*, u.sealed FROM unefois.upload u JOIN unefois.upload_piece p ON p.upload_id = u.id"
    " WHERE u.id = :id"
)


async def test_pieces_in_another_order_are_refused(
    client: httpx.AsyncClient, make_person: MakePerson, as_owner: Database
) -> None:
    person = await make_person()
    path = await begun(client, person, len(PDF))
    half = len(PDF) // 2
    assert (await send(client, person, path, 0, PDF[:half])).status_code == 204
    assert (await send(client, person, path, half, PDF[half:])).status_code == 204
    swap = "UPDATE unefois.upload_piece SET position = position + {} WHERE upload_id = :id"
    async with as_owner.transaction() as tx:
        for way in ("10 - 2 * position", "0 - 9 * (position / 10)"):
            await tx.execute(text(swap.format(way)), {"id": UUID(id_of(path))})
    is_problem(await made_of(client, person, path, type="payslip"), 503, "content_broken")


async def test_a_crash_before_the_row_leaves_a_blob_and_the_offset(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The blob is durable and its row is not: nothing was acknowledged, and the sweep removes it.
    After the commit, the answer lost: the offset says so, and the sweep leaves it."""

    async def nothing(*_: object) -> None:
        """The process is gone: it cleans nothing up."""

    monkeypatch.setattr(pieces, "delete_blobs", nothing)
    for kept in (0, len(PDF)):
        person, before = await make_person(), await blobs(services)
        path = await begun(client, person, len(PDF))
        with monkeypatch.context() as patched:
            _crash(patched, before_commit=not kept)
            assert (await send(client, person, path, 0, PDF)).status_code == 500
        assert await offset_of(client, person, path) == kept
        assert len(await blobs(services) - before) == 1
        await sweep_blobs(services, timedelta(0))
        assert len(await blobs(services) - before) == (1 if kept else 0)
        if not kept:
            assert (await send(client, person, path, 0, PDF)).status_code == 204
        assert (await made_of(client, person, path, type="payslip")).status_code == 201


def _crash(patched: pytest.MonkeyPatch, *, before_commit: bool) -> None:
    real: Callable[..., Any] = uploads._add

    async def add(*given: Any) -> None:
        if not before_commit:
            await real(*given)
        raise RuntimeError("the process ends here")

    patched.setattr(uploads, "_add", add)
