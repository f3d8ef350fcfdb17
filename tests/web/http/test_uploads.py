"""Uploads: the problem of a refused file says what to do, and nothing is kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
import structlog

from auth import sessions
from auth.subjects import Person
from base.settings import Settings
from tests.fixtures import MakePerson, Served, SomePerson, _ServicesPool, new_phone, sign_in
from tests.steps import blobs, counted, deposit, is_problem, until
from tests.vault.decoding import corpus, hostile_pdfs
from vault.services import Services

SECRET = "Hachette-Fourchette-77"
LIMIT = 300_000
PDF = corpus.pdf(1)

HOSTILE = {
    "empty": (b"", 422, "file_empty"),
    "truncated pdf": (corpus.pdf()[:400], 422, "does_not_decode"),
    "truncated jpeg": (corpus.plain_jpeg()[:900], 422, "does_not_decode"),
    "truncated png": (corpus.plain_png()[:200], 422, "does_not_decode"),
    "truncated heic": (corpus.heic()[:700], 422, "does_not_decode"),
    "pdf and zip": (hostile_pdfs.zip_hidden_in_pdf(), None, ""),
    "gif and archive": (corpus.gif_with_archive(), 415, "type_not_allowed"),
    "password": (hostile_pdfs.locked_pdf(), 422, "password_protected"),
    "pixel bomb": (corpus.pixel_bomb_png(), 422, "too_many_pixels"),
    "pixel bomb in tiff": (corpus.pixel_bomb_tiff(), 422, None),
    "page bomb": (hostile_pdfs.many_pages_pdf(20_000), 422, None),
    "gigapixel picture": (hostile_pdfs.huge_picture_pdf(), None, ""),
    **{name: (data, 415, "type_not_allowed") for name, data in corpus.REFUSED.items()},
}


@pytest.fixture
async def small(services_pool: _ServicesPool, base_settings: Settings) -> Served:
    """A service that accepts documents of at most 300 000 bytes and three parts."""
    settings = base_settings.model_copy(update={"max_document_bytes": LIMIT, "max_parts": 3})
    return await services_pool.at("small", settings)


@pytest.fixture
async def small_client(small: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=small.base_url, timeout=60, trust_env=False) as speaking:
        yield speaking


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_file_is_a_problem_that_says_what_to_do_and_leaves_nothing(
    name: str, services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    data, status, code = HOSTILE[name]
    person, before = await make_person(), await blobs(services)
    with structlog.testing.capture_logs() as logs:
        answer = await client.post(
            "/v1/documents",
            headers=person.headers,
            files={"file": (f"{SECRET}.pdf", data)},
            data={"type": "payslip", "title": SECRET},
        )
    assert SECRET not in json.dumps(logs, default=str)
    if status is None:
        # Harmless once stripped, or refused: never a failure of ours.
        assert answer.status_code in {201, 413, 422}, answer.text
        return
    is_problem(answer, status, code)
    assert await counted(services, "document", person) == 0
    assert await blobs(services) == before


async def test_one_byte_over_the_limit_is_413_and_the_limit_itself_passes(
    small: Served, small_client: httpx.AsyncClient
) -> None:
    person = await _person(small)
    fits = corpus.plain_jpeg() + bytes(LIMIT - len(corpus.plain_jpeg()))
    before = await blobs(small.services)
    answer = await _send(small_client, person, fits + b"\0")
    is_problem(answer, 413, "too_large")
    assert await blobs(small.services) == before
    assert (await _send(small_client, person, fits)).status_code == 201


async def test_a_limit_counts_the_pages_of_one_paper_together(
    small: Served, small_client: httpx.AsyncClient
) -> None:
    person = await _person(small)
    half = corpus.plain_jpeg() + bytes(LIMIT // 2)
    before = await blobs(small.services)
    is_problem(await _send(small_client, person, half, half), 413, "too_large")
    tiny = corpus.plain_jpeg()
    is_problem(await _send(small_client, person, *[tiny] * 4), 422, "too_many_files")
    assert await blobs(small.services) == before


async def test_a_body_announced_too_large_is_refused_before_it_is_read(
    small: Served, small_client: httpx.AsyncClient
) -> None:
    person = await _person(small)
    head = _head(person, length=LIMIT * 10)
    status, _ = await _raw(small.base_url, head, b"--b\r\n", hang=True)
    assert status == 413


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "a\x00b.pdf": "ab.pdf",
    "\u202efdp.exe\u202c.pdf": "fdp.exe.pdf",
    "😀" * 1024 + ".pdf": None,
    "/": None,
    "..": None,
    "": None,
}


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_name_is_made_safe_or_dropped(
    name: str, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    quoted = name.replace("\\", "\\\\").encode()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\npayslip\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + quoted + b'"\r\n\r\n'
    ) + PDF + b"\r\n--b--\r\n"  # fmt: skip
    answer = await client.post("/v1/documents", headers=_form(person), content=body)
    if answer.status_code != 201:
        is_problem(answer, 400, "malformed_form")
        assert "\x00" in name
        return
    kept = answer.json()["file"].get("file_name")
    if NAMES[name] is not None:
        assert kept == NAMES[name]
    if kept is not None:
        assert len(kept.encode()) <= 255
        assert not set(kept) & set("/\\\0\u202e\u202c")
    content = await client.get(
        f"/v1/documents/{answer.json()['id']}/content", headers=person.headers
    )
    assert content.content == PDF
    assert content.headers["content-disposition"].startswith("attachment;")


async def test_a_stranger_is_refused_before_the_body_is_read(served: Served) -> None:
    head = _head(None, length=40_000_000)
    status, _ = await _raw(served.base_url, head, b"--b\r\n", hang=True)
    assert status == 401


async def test_a_body_shorter_than_announced_leaves_nothing(
    served: Served, make_person: MakePerson
) -> None:
    person, before = await make_person(), await blobs(served.services)
    body = _body(PDF)
    status, _ = await _raw(served.base_url, _head(person, length=len(body) + 5000), body[:-40])
    assert status in {None, 400}
    await _nothing_left(served.services, person, before)


async def test_a_body_longer_than_announced_is_not_taken_for_a_document(
    served: Served, make_person: MakePerson
) -> None:
    person, before = await make_person(), await blobs(served.services)
    body = _body(PDF)
    status, _ = await _raw(served.base_url, _head(person, length=len(body) - 60), body, hang=True)
    assert status == 400
    await _nothing_left(served.services, person, before)


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "99999999999999999999999"])
async def test_a_length_that_is_no_length_is_refused(
    length: str, served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    head = _head(person).replace(b"LENGTH", b"Content-Length: " + length.encode())
    status, _ = await _raw(served.base_url, head, b"--b\r\n", hang=True)
    assert status in {None, 400, 413}


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.99])
async def test_a_chunked_body_cut_short_leaves_nothing(
    cut: float, served: Served, make_person: MakePerson
) -> None:
    person, before = await make_person(), await blobs(served.services)
    body = _body(corpus.noisy_jpeg(600_000))
    chunks = b"".join(
        b"%x\r\n" % len(piece) + piece + b"\r\n"
        for piece in (body[at : at + 50_000] for at in range(0, len(body), 50_000))
    )
    head = _head(person).replace(b"LENGTH", b"Transfer-Encoding: chunked")
    status, _ = await _raw(served.base_url, head, chunks[: int(len(chunks) * cut)])
    assert status in {None, 400}
    await _nothing_left(served.services, person, before)


async def test_a_chunked_body_is_taken_whole(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    body = _body(PDF)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = _head(person).replace(b"LENGTH", b"Transfer-Encoding: chunked")
    status, answer = await _raw(served.base_url, head, chunks, hang=True)
    assert status == 201
    assert json.loads(answer)["type"] == "payslip"


async def test_the_same_bytes_again_answer_with_the_document_already_held(
    client: httpx.AsyncClient, services: Services, make_person: MakePerson
) -> None:
    person = await make_person()
    first = await deposit(client, person, PDF, type_="payslip")
    kept = await blobs(services)
    again = await client.post(
        "/v1/documents",
        headers=person.headers,
        files={"file": PDF},
        data={"type": "payslip"},
    )
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert await blobs(services) == kept
    stranger = await make_person()
    other = await deposit(client, stranger, PDF, type_="payslip")
    assert other["id"] != first["id"]


async def _person(served: Served) -> SomePerson:
    """A person of a service with its own settings."""
    phone = new_phone()
    token = await sign_in(served.services, phone=phone)
    async with served.services.database.transaction() as tx:
        subject = await sessions.subject_of(served.services, tx, token)
    assert isinstance(subject, Person)
    return SomePerson(subject.id, phone, token, subject, served.services)


async def _send(client: httpx.AsyncClient, person: SomePerson, *files: bytes) -> httpx.Response:
    return await client.post(
        "/v1/documents",
        headers=person.headers,
        files=[("file", ("a.jpg", data)) for data in files],
        data={"type": "payslip"},
    )


def _form(person: SomePerson) -> dict[str, str]:
    return {**person.headers, "Content-Type": "multipart/form-data; boundary=b"}


def _body(data: bytes) -> bytes:
    return (
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\npayslip\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + data
        + b"\r\n--b--\r\n"
    )


def _head(person: SomePerson | None, length: int | None = None) -> bytes:
    lines = ["POST /v1/documents HTTP/1.1", "Host: x", "Connection: close"]
    lines.append("Content-Type: multipart/form-data; boundary=b")
    if person is not None:
        lines.append(f"Authorization: Bearer {person.token}")
    lines.append("LENGTH" if length is None else f"Content-Length: {length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def _raw(
    base_url: str, head: bytes, body: bytes, *, hang: bool = False
) -> tuple[int | None, bytes]:
    """Send raw bytes; return the status and body of the answer, or None without an answer.

    `hang` leaves our side open, like a client that has not sent everything yet.
    """
    at = urlsplit(base_url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(head + body)
        if not hang:
            writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return None, b""
    finally:
        writer.close()
    if not answer:
        return None, b""
    top, _, rest = answer.partition(b"\r\n\r\n")
    return int(top.split(b" ", 2)[1]), rest


async def _nothing_left(services: Services, person: SomePerson, before: set[str]) -> None:
    async def settled() -> bool:
        return await blobs(services) == before

    await until(settled)
    assert await counted(services, "document", person) == 0
