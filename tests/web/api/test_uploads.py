"""tus 1.0, header by header (https://tus.io/protocols/resumable-upload)."""

import asyncio
from base64 import b64encode
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha1, sha256
from typing import Any

import httpx
import pytest

from tests.fixtures import MakePerson, MoveClock, SomePerson
from tests.steps import blobs, counted, log_of, until
from tests.uploads import (
    STREAM,
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
from tests.vault.decoding import corpus
from vault.maintenance.job_runner import sweep_all
from vault.services import Services

PDF = padded_pdf(9000)


async def begun(client: httpx.AsyncClient, person: SomePerson, length: int) -> str:
    answer = await begin(client, person, length)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def test_options_says_what_is_supported_to_anyone(client: httpx.AsyncClient) -> None:
    for path in ("/v1/uploads", "/v1/uploads/anything"):
        answer = await client.options(path)
        assert answer.status_code == 204
        assert answer.headers["tus-version"] == "1.0.0"
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert answer.headers["tus-max-size"] == str(50 * 1024 * 1024)
        assert answer.headers["tus-checksum-algorithm"] == "sha256,sha1"
        assert answer.headers["tus-extension"].split(",") == [
            "creation", "creation-with-upload", "expiration", "checksum", "termination",
        ]  # fmt: skip
    assert (await client.options("/v1/uploads")).headers["allow"] == "POST, OPTIONS"
    assert answer.headers["allow"] == "GET, HEAD, PATCH, DELETE, OPTIONS"


async def test_a_file_in_three_parts(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    metadata = said(filename="avis d’impôt.pdf", filetype="application/pdf", title="Impôts")
    answer = await begin(client, person, len(PDF), **metadata)
    assert (answer.status_code, answer.content) == (201, b"")
    path = answer.headers["location"]
    expires = parsedate_to_datetime(answer.headers["upload-expires"])
    left = expires - datetime.now(expires.tzinfo)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    for start, end in ((0, 100), (100, 5000), (5000, len(PDF))):
        answer = await send(client, person, path, start, PDF[start:end])
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["upload-offset"] == str(end)
        assert parsedate_to_datetime(answer.headers["upload-expires"]) == expires
    head = await client.head(path, headers=person.headers | TUS)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["upload-length"] == head.headers["upload-offset"] == str(len(PDF))
    assert head.headers["upload-metadata"] == metadata["Upload-Metadata"]
    assert head.headers["cache-control"] == "no-store"
    seen = await client.get(path, headers=person.headers | TUS)
    assert seen.json()["offset"] == seen.json()["length"] == len(PDF)

    made = await made_of(client, person, path, type="income_tax_notice")
    assert made.status_code == 201, made.text
    document = made.json()
    assert document["title"] == "Impôts"
    assert document["file"]["file_name"] == "avis d’impôt.pdf"
    kept = await client.get(f"{made.headers['location']}/content", headers=person.headers)
    assert kept.content == PDF
    assert (await client.head(path, headers=person.headers | TUS)).status_code == 404
    # The pieces themselves are no access: only the document that was made of them.
    lines = [line["action"] for line in await log_of(client, person)]
    assert lines.count("document.deposit") == 2  # and the look for what was used up, refused


async def test_several_uploads_make_one_paper_in_their_order(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    photos = [corpus.plain_jpeg(), corpus.phone_jpeg()]
    paths = [await uploaded(client, person, photo, filename=f"{at}.jpg")
             for at, photo in enumerate(photos)]  # fmt: skip
    made = await made_of(client, person, *reversed(paths), type="payslip", issued_on="2026-01-31")
    assert made.status_code == 201, made.text
    assert made.json()["file"]["parts"] == made.json()["file"]["pages"] == 2
    assert made.json()["issued_on"] == "2026-01-31"
    content = f"{made.headers['location']}/content"
    for part, photo in enumerate(reversed(photos), start=1):
        kept = await client.get(content, params={"part": part}, headers=person.headers)
        assert kept.content == photo


async def test_the_same_request_again_gives_the_same_document(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    path = await uploaded(client, person, PDF, type="income_tax_notice")
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "once"}}
    first = await made_of(client, person, path, **key)
    assert first.status_code == 201, first.text
    for again in ({}, {"headers": {"Idempotency-Key": "once"}}):
        repeated = await made_of(client, person, path, **again)
        assert repeated.status_code == 200, repeated.text
        assert repeated.json()["id"] == first.json()["id"]
    # Two at once make one too.
    path = await uploaded(client, person, corpus.pdf(3), type="payslip")
    both = await asyncio.gather(*(made_of(client, person, path) for _ in range(2)))
    assert {answer.status_code for answer in both} <= {200, 201}
    assert len({answer.json()["id"] for answer in both}) == 1
    listed = await client.get("/v1/documents", headers=person.headers)
    assert len(listed.json()["items"]) == 2


async def test_the_same_version_sent_twice_at_once_is_one(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A phone that got no answer asks again while the first request is still being served."""
    person = await make_person()
    made = await made_of(client, person, await uploaded(client, person, PDF), type="payslip")
    body = {"uploads": [id_of(await uploaded(client, person, corpus.pdf(4)))]}
    both, inspect = asyncio.Barrier(2), services.decoder.inspect

    async def inspect_together(*args: Any, **kwargs: Any) -> Any:
        decoding = await inspect(*args, **kwargs)
        await both.wait()
        return decoding

    monkeypatch.setattr(services.decoder, "inspect", inspect_together)
    path = f"{made.headers['location']}/versions"
    answers = await asyncio.gather(
        *(client.post(path, headers=person.headers, json=body) for _ in range(2))
    )
    assert [answer.status_code for answer in answers] == [201, 201]
    assert [answer.json()["version"]["number"] for answer in answers] == [2, 2]
    seen = await client.get(made.headers["location"], headers=person.headers)
    assert seen.json()["version"]["number"] == 2


async def test_bytes_held_already_are_answered_with_their_document(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    first = await made_of(client, person, await uploaded(client, person, PDF), type="payslip")
    path = await uploaded(client, person, PDF)
    again = await made_of(client, person, path, type="payslip")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert (await client.head(path, headers=person.headers | TUS)).status_code == 404
    repeated = await made_of(client, person, path, type="payslip")
    assert (repeated.status_code, repeated.json()["id"]) == (200, first.json()["id"])


async def test_a_new_version_of_uploads(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    made = await made_of(client, person, await uploaded(client, person, PDF), type="payslip")
    newer = corpus.pdf(4)
    path = await uploaded(client, person, newer)
    versions = f"{made.headers['location']}/versions"
    body = {"uploads": [id_of(path)]}
    stale = person.headers | {"If-Match": '"01a00000-0000-7000-8000-000000000000"'}
    assert (await client.post(versions, headers=stale, json=body)).status_code == 412
    for _ in range(2):  # the second time, as after a lost answer
        answer = await client.post(versions, headers=person.headers, json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["version"]["number"] == 2
    kept = await client.get(f"{made.headers['location']}/content", headers=person.headers)
    assert kept.content == newer


async def test_what_no_document_can_be_made_of_is_left(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """So that nothing is sent again: a decoder's refusal, a wrong field, an unfinished part."""
    person = await make_person()
    whole, cut = await uploaded(client, person, PDF), corpus.plain_jpeg()[:-2000]
    damaged = await uploaded(client, person, cut)
    unfinished = (await begin(client, person, 100, first=PDF[:50])).headers["location"]
    for paths, fields, status, code, where in (
        ((whole, damaged), {}, 422, "does_not_decode", "#/uploads/1"),
        ((whole, unfinished), {}, 422, "upload_unfinished", "#/uploads/1"),
        ((whole, "/v1/uploads/none"), {}, 422, "invalid_request", "#/uploads/1"),
        ((whole, whole), {}, 422, "invalid_request", "#/uploads"),
        ((), {}, 422, "invalid_request", "#/uploads"),
        ((whole,), {"type": "none"}, 422, "unknown_document_type", "#/type"),
        ((whole,), {"type": None}, 422, "invalid_request", "#/type"),
        ((whole,), {"colour": "red"}, 422, "invalid_request", "#"),
        ((whole,) * 21, {}, 422, "invalid_request", "#/uploads"),
    ):
        answer = await made_of(client, person, *paths, **({"type": "payslip"} | fields))
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.json()["errors"][0]["pointer"] == where, answer.text
    assert (await made_of(client, person, whole, type="payslip")).status_code == 201
    assert await offset_of(client, person, damaged) == len(cut)
    malformed = await client.post(
        "/v1/documents",
        headers=person.headers | {"Content-Type": "application/json"},
        content=b'{"uploads": [',
    )
    assert (malformed.status_code, malformed.json()["code"]) == (400, "malformed_request")


async def test_what_is_said_wrongly(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    path = await begun(client, person, len(PDF))
    good = person.headers | TUS | STREAM | {"Upload-Offset": "0"}
    for changed, status, code in (
        ({"Tus-Resumable": "0.2.2"}, 412, "tus_version"),
        ({"Content-Type": "application/pdf"}, 415, "offset_stream_expected"),
        ({"Upload-Offset": "1"}, 409, "upload_offset"),
        ({"Upload-Offset": "-1"}, 422, "invalid_request"),
        ({"Upload-Offset": "0.0"}, 422, "invalid_request"),
        ({"X-HTTP-Method-Override": "DELETE"}, 422, "method_override"),
        ({"Upload-Checksum": "md5 AAAA"}, 400, "checksum_invalid"),
        ({"Upload-Checksum": "sha256 AAAA"}, 400, "checksum_invalid"),
    ):
        answer = await client.patch(path, headers=good | changed, content=PDF)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.headers["tus-resumable"] == answer.headers["tus-version"] == "1.0.0"
    without = {name: value for name, value in good.items() if name != "Tus-Resumable"}
    assert (await client.patch(path, headers=without, content=PDF)).status_code == 412
    assert (await client.head(path, headers=person.headers)).status_code == 412
    assert (await client.delete(path, headers=person.headers)).status_code == 412
    assert await offset_of(client, person, path) == 0


async def test_what_cannot_begin(client: httpx.AsyncClient, make_person: MakePerson) -> None:
    person = await make_person()
    largest = 50 * 1024 * 1024
    for headers, status, code in (
        ({"Upload-Length": str(largest + 1)}, 413, "too_large"),
        ({"Upload-Length": "0"}, 422, "file_empty"),
        ({"Upload-Length": "x"}, 422, "invalid_request"),
        ({"Upload-Defer-Length": "1"}, 422, "upload_length_missing"),
        ({}, 422, "upload_length_missing"),
        ({"Upload-Length": "9", "Upload-Metadata": "title"}, 201, ""),
        ({"Upload-Length": "9", "Upload-Metadata": "title !!!"}, 422, "upload_metadata_invalid"),
        ({"Upload-Length": "9", "Upload-Metadata": "a,a"}, 422, "upload_metadata_invalid"),
        ({"Upload-Length": "9", **said(type="none")}, 422, "upload_metadata_invalid"),
        ({"Upload-Length": "9", **said(issued_on="31/01/2026")}, 422, "upload_metadata_invalid"),
        ({"Upload-Length": "9", "Upload-Metadata": "b " + "A" * 5000}, 422, "invalid_request"),
    ):
        answer = await client.post("/v1/uploads", headers=person.headers | TUS | headers)
        found = "" if answer.status_code == 201 else answer.json()["code"]
        assert (answer.status_code, found) == (status, code), answer.text
    wrong = person.headers | TUS | {"Upload-Length": "9", "Content-Type": "text/plain"}
    answer = await client.post("/v1/uploads", headers=wrong, content=b"123456789")
    assert (answer.status_code, answer.json()["code"]) == (415, "offset_stream_expected")


async def test_more_than_was_said_is_refused(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    path = await begun(client, person, 5000)
    answer = await send(client, person, path, 0, PDF[:1] * 5001)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_longer")
    assert await offset_of(client, person, path) == 0


def checksum(algorithm: Any, data: bytes) -> dict[str, str]:
    name = algorithm().name
    return {"Upload-Checksum": f"{name} {b64encode(algorithm(data).digest()).decode()}"}


@pytest.mark.parametrize("algorithm", [sha256, sha1])
async def test_a_checksum_that_does_not_hold_keeps_nothing(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, algorithm: Any
) -> None:
    person, before = await make_person(), await blobs(services)
    path = await begun(client, person, len(PDF))
    wrong = checksum(algorithm, PDF[:101])
    answer = await send(client, person, path, 0, PDF[:100], **wrong)
    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    # Nor are changed bytes believed to be of a type that is not taken.
    answer = await send(client, person, path, 0, b"MZ" * (len(PDF) // 2), **wrong)
    assert answer.status_code == 460
    assert await offset_of(client, person, path) == 0
    assert await blobs(services) == before
    answer = await send(client, person, path, 0, PDF[:100], **checksum(algorithm, PDF[:100]))
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "100")


async def test_a_type_that_is_not_taken_is_refused_as_soon_as_it_is_known(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person, before = await make_person(), await blobs(services)
    script = b"#!/bin/sh\n" * 1000
    answer = await begin(client, person, len(script), first=script[:4096])
    assert (answer.status_code, answer.json()["code"]) == (415, "type_not_allowed")
    assert await blobs(services) == before
    path = await begun(client, person, len(script))
    assert (await send(client, person, path, 0, script[:4000])).status_code == 204
    assert (await send(client, person, path, 4000, script[4000:4096])).status_code == 415
    # Remembered: nothing more of it is taken, and no document made of it.
    assert (await send(client, person, path, 4000, script[4000:])).status_code == 415
    assert (await client.head(path, headers=person.headers | TUS)).status_code == 415
    # A short one at its end.
    path = await begun(client, person, 20)
    assert (await send(client, person, path, 0, script[:19])).status_code == 204
    assert (await send(client, person, path, 19, script[:1])).status_code == 415
    for one in (path,):
        assert (await client.delete(one, headers=person.headers | TUS)).status_code == 204


async def test_a_vault_has_room_for_so_many(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    large = 50 * 1024 * 1024
    for _ in range(4):
        assert (await begin(client, person, large)).status_code == 201
    answer = await begin(client, person, 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "uploads_too_large")
    person = await make_person()
    paths = [await begun(client, person, 10) for _ in range(50)]
    answer = await begin(client, person, 10)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_uploads")
    assert (await client.delete(paths[0], headers=person.headers | TUS)).status_code == 204
    assert (await client.delete(paths[0], headers=person.headers | TUS)).status_code == 404
    assert (await begin(client, person, 10)).status_code == 201


async def test_they_go_after_a_day(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """Finished or not, rows and blobs, whether or not a sweep has run."""
    before = await blobs(services)
    person = await make_person()
    finished = await uploaded(client, person, PDF)
    unfinished = (await begin(client, person, 9000, first=PDF[:100])).headers["location"]
    assert len(await blobs(services) - before) == 2
    moved_clock(timedelta(hours=23, minutes=59))
    assert await offset_of(client, person, unfinished) == 100
    moved_clock(timedelta(hours=24, minutes=1))
    assert (await client.head(finished, headers=person.headers | TUS)).status_code == 404
    assert (await send(client, person, unfinished, 100, PDF[100:])).status_code == 404
    answer = await made_of(client, person, finished, type="payslip")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_upload")
    await sweep_all(services)
    assert await blobs(services) - before == set()
    assert await counted(services, "upload", person) == 0
    assert await counted(services, "upload_piece", person) == 0


async def test_a_connection_that_breaks_keeps_what_came(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """Of a body that is cut, all its bytes; of one with a checksum, none."""
    person = await make_person()
    path = await begun(client, person, len(PDF))

    async def half() -> Any:
        yield PDF[:1234]
        # The server drops what it has not passed on when a connection ends.
        await asyncio.sleep(0.2)
        raise ConnectionError

    for headers, kept in ((checksum(sha256, PDF), 0), ({}, 1234)):
        async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as alone:
            with pytest.raises(ConnectionError):
                await send(alone, person, path, 0, half(), **headers)

        async def settled(expected: int = kept) -> bool:
            return await offset_of(client, person, path) == expected

        await until(settled)
    rest = await send(client, person, path, 1234, PDF[1234:])
    assert rest.status_code == 204
    assert (await made_of(client, person, path, type="payslip")).status_code == 201
