"""Invariant 5: the plaintext of an upload is never on a disk, not even in a temporary file."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.fixtures import MakePerson, SomePerson
from tests.uploads import begin, made_of, send
from tests.vault.decoding import corpus
from vault.documents.previews import draw_preview
from vault.services import Services

MARK = b"plaintext-that-may-not-touch-a-disk."
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_opened: list[str] | None = None


def _record_open(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is None or event != "open":
        return
    path, mode, flags = arguments
    writes = bool(flags & _WRITING) or (isinstance(mode, str) and bool(set(mode) & set("wax+")))
    if writes and isinstance(path, (str, bytes)):
        _opened.append(os.fsdecode(path))


sys.addaudithook(_record_open)


@contextmanager
def _opened_for_writing() -> Iterator[list[str]]:
    """Every path that this process opens for writing during the block."""
    global _opened  # noqa: PLW0603  (an audit hook cannot be removed, only made inactive)
    _opened = found = []
    try:
        yield found
    finally:
        _opened = None


def _processes() -> list[int]:
    """This process and all its child processes, decoders included."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(after_name[1])
    family = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        if not more:
            return sorted(family)
        family |= more


def _marked_files() -> tuple[int, list[str]]:
    """How many files on a disk the processes hold open; and which of them contain the mark.

    A memfd is memory, in no folder: a decoder's input and output are there.
    """
    count, marked = 0, []
    for pid in _processes():
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(link.readlink())
                if target.startswith(("/memfd:", "/dev/null", "socket:", "pipe:", "anon_inode:")):
                    continue
                if not target.startswith("/") or not link.stat().st_mode & 0o100000:
                    continue
                with link.open("rb") as held:
                    count += 1
                    if _holds_mark(held.read()):
                        marked.append(target)
            except OSError:
                continue
    return count, marked


def _holds_mark(data: bytes) -> bool:
    return MARK in data


def _files_in(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]


def _marked_pdf() -> bytes:
    """4 MiB with the mark every 64 bytes: any piece of it that is written is recognised."""
    made = corpus.blank_pdf(1)
    noise = b"".join(MARK + b"%027d\n" % at for at in range(1 << 16))
    made.Root.Mark = made.make_indirect(made.make_stream(noise))
    return corpus.pdf_bytes(made, compress_streams=False)


@pytest.fixture
def watched_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that the process uses for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def test_an_upload_touches_no_disk_in_clear(
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    watched_temporary: Path,
) -> None:
    """Half-sent, then complete, decoded, rendered, drawn: checked in each state."""
    person, data = await make_person(), _marked_pdf()
    half_sent, go_on = asyncio.Event(), asyncio.Event()
    with _opened_for_writing() as opened:
        uploading = asyncio.create_task(_upload(client, person, data, half_sent, go_on))
        await asyncio.wait_for(half_sent.wait(), 20)
        await asyncio.sleep(0.3)
        held, marked = await asyncio.to_thread(_marked_files)
        assert held >= 1, "the sealed half must be on its way to the object store"
        assert marked == []
        go_on.set()
        while not uploading.done():
            assert (await asyncio.to_thread(_marked_files))[1] == []
            await asyncio.sleep(0.01)
        answer = uploading.result()
        assert answer.status_code == 201, answer.text
        version = UUID(answer.json()["version"]["id"])
        await draw_preview(services, person.id, version)
        path = f"/v1/documents/{answer.json()['id']}/content"
        assert (await client.get(path, headers=person.headers)).content == data
    store = services.settings.home
    outside = {path for path in opened if not Path(path).is_relative_to(store)}
    assert {path for path in outside if not path.startswith("/dev/null")} == set()
    assert opened, "the audit hook records nothing"
    assert _files_in(watched_temporary) == []
    assert not any(_holds_mark(one.read_bytes()) for one in _files_in(store))


async def test_an_upload_that_is_refused_touches_none_either(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, watched_temporary: Path
) -> None:
    person = await make_person()
    broken = _marked_pdf()[:2_000_000]
    with _opened_for_writing() as opened:
        answer = await client.post(
            "/v1/documents",
            headers=person.headers,
            files={"file": broken},
            data={"type": "payslip"},
        )
    assert answer.status_code == 422
    assert all(Path(path).is_relative_to(services.settings.home) for path in opened)
    assert _files_in(watched_temporary) == []


async def test_a_file_in_pieces_touches_none_either(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson, watched_temporary: Path
) -> None:
    """Cut in the middle of a piece, and while its pieces wait to become a document."""
    person, data = await make_person(), _marked_pdf()
    path = (await begin(client, person, len(data), first=data[:3_000_000])).headers["location"]

    async def body() -> AsyncIterator[bytes]:
        yield data[3_000_000:3_500_000]
        await asyncio.sleep(0.2)
        held, marked = await asyncio.to_thread(_marked_files)
        assert held >= 1, "the sealed piece must be on its way to the object store"
        assert marked == []
        yield data[3_500_000:]

    with _opened_for_writing() as opened:
        assert (await send(client, person, path, 3_000_000, body())).status_code == 204
        assert not any(_holds_mark(one.read_bytes()) for one in _files_in(services.settings.home))
        assert (await made_of(client, person, path, type="payslip")).status_code == 201
    assert all(
        Path(one).is_relative_to(services.settings.home) or one.startswith("/dev/null")
        for one in opened
    )
    assert _files_in(watched_temporary) == []


async def test_the_watch_sees_a_spooled_upload() -> None:
    """The framework's own upload would write a file, and the search finds it."""
    with tempfile.NamedTemporaryFile() as spooled:
        spooled.write(MARK * 100)
        spooled.flush()
        assert spooled.name in _marked_files()[1]


async def _upload(
    client: httpx.AsyncClient,
    person: SomePerson,
    data: bytes,
    half_sent: asyncio.Event,
    go_on: asyncio.Event,
) -> httpx.Response:
    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\npayslip\r\n'
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield data[: len(data) // 2]
        half_sent.set()
        await go_on.wait()
        yield data[len(data) // 2 :]
        yield b"\r\n--b--\r\n"

    return await client.post(
        "/v1/documents",
        headers={**person.headers, "Content-Type": "multipart/form-data; boundary=b"},
        content=body(),
    )
