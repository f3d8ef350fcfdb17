"""Copies that are not what they say: one clear answer each, and nothing lost."""

import io
import struct
import zipfile
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from auth.oauth.tokens import SigningKey
from tests.fixtures import SomePerson
from tests.steps import counted, is_problem, until
from tests.uploads import padded_pdf
from tests.vault.exports.import_steps import (
    PATH,
    PDF,
    TUS,
    ZIP,
    agreed,
    an_export,
    begun_import,
    brought,
    gone_on,
    good,
    job_of,
    looked_at,
    paper,
    papers_of,
    part_of,
    seen_import,
    sent,
)
from vault.exports import import_job, import_uploads
from vault.exports.verification import KEYS


def _overlapping() -> bytes:
    """The second entry says that it begins where the first does."""
    data = bytearray(good())
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 0)
    return bytes(data)


def _other_keys() -> bytes:
    other = SigningKey.generate()
    keys = f'{{"keys": [{str(other.public_jwk()).replace(chr(39), chr(34))}]}}'.encode()
    return an_export({PATH: PDF}, [paper(PATH)], instead={KEYS: keys})


def _with(path: str) -> Callable[[zipfile.ZipFile], None]:
    return lambda zipped: zipped.writestr(path, b"more")


def _some_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        zipped.writestr("holiday.txt", b"sun")
    return out.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "no zip": (lambda: PDF, "import_cut"),
    "cut": (lambda: good()[:-40], "import_cut"),
    "another zip": (_some_zip, "import_unknown"),
    "a file altered": (
        lambda: an_export({PATH: PDF}, [paper(PATH)], instead={PATH: padded_pdf(20_000)}),
        "import_altered",
    ),
    "a file added": (
        lambda: an_export({PATH: PDF}, [paper(PATH)], change=_with("more.pdf")),
        "import_altered",
    ),
    "another's keys": (_other_keys, "import_altered"),
    "entries that overlap": (_overlapping, "import_altered"),
    "a path out of it": (
        lambda: an_export({PATH: PDF}, [paper(PATH)], change=_with("../../etc/passwd")),
        "import_unknown",
    ),
    "papers that are none": (lambda: an_export({}, "papers"), "import_unknown"),  # type: ignore[arg-type]
    "a bomb": (lambda: an_export({PATH: bytes(3_000_000)}, [paper(PATH)]), "import_too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_and_another_may_be_sent(
    client: httpx.AsyncClient,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    if name == "a bomb":
        monkeypatch.setattr(import_job, "most_bytes", lambda _: 1_000_000)
    make, code = REFUSED[name]
    found = await looked_at(client, person, make())
    assert (found["state"], found["problem"], found["bytes"]) == ("refused", code, 0)
    assert await counted(person.services, "archive_piece", person) == 0
    status = 413 if code == "import_too_large" else 422
    is_problem(await agreed(client, person, found["id"]), status, code)
    assert await papers_of(client, person) == []
    if name == "cut":
        monkeypatch.undo()
        done = await brought(client, person, good())
        assert (done["state"], done["added"]) == ("done", 1)


async def test_a_paper_that_is_refused_keeps_no_other_back(
    client: httpx.AsyncClient, person: SomePerson
) -> None:
    files = {
        "papiers/1/original-1.pdf": b"MZ" + bytes(5000),
        "papiers/2/original-1.pdf": b"",
        "papiers/3/original-1.pdf": b"%PDF-1.7\n" + bytes(5000),
        "papiers/4/original-1.pdf": PDF,
    }
    papers = [paper(path, title=f"Papier {n}") for n, path in enumerate(files, 1)]
    papers += [
        paper("papiers/4/original-1.pdf", title="Le même fichier"),
        paper("ailleurs", title="Absent"),
    ]
    papers += [{"id": "x", "unreadable": True}, "nothing that we write"]  # type: ignore[list-item]
    done = await brought(client, person, an_export(files, papers))
    assert (done["state"], done["added"], done["handled"]) == ("done", 1, 7)
    assert {one["name"]: one["code"] for one in done["refused"]} == {
        "Papier 1": "type_not_allowed",
        "Papier 2": "file_empty",
        "Papier 3": "does_not_decode",
        "Le même fichier": "import_paper_missing",
        "Absent": "import_paper_missing",
        "007": "import_paper_missing",
    }
    assert [one["title"] for one in await papers_of(client, person)] == ["Papier 4"]


async def test_a_full_vault(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"papiers/{n}/original-1.pdf": padded_pdf(9_000 + n) for n in range(3)}
    data = an_export(files, [paper(path, title=path) for path in files])
    monkeypatch.setattr(person.services.settings, "max_vault_documents", 2)
    done = await brought(client, person, data)
    assert (done["added"], done["not_taken"]) == (2, 1)
    assert done["refused"][0]["code"] == "too_many_documents"


async def test_what_is_too_large_is_refused_before_a_byte_is_read(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_uploads, "_HEADERS", 0)
    monkeypatch.setattr(person.services.settings, "max_vault_bytes", 10_000)
    is_problem(await sent(client, person, good()), 413, "import_too_large")

    async def unsaid() -> AsyncIterator[bytes]:
        for at in range(0, 30_000, 1000):
            yield PDF[at : at + 1000]

    at = person.headers | ZIP
    answer = await client.post("/v1/me/import", headers=at, content=unsaid())
    is_problem(answer, 413, "import_too_large")
    headers = person.headers | TUS | {"Upload-Length": "20000"}
    is_problem(await client.post("/v1/me/import", headers=headers), 413, "import_too_large")
    assert await counted(person.services, "archive", person) == 0


async def test_sent_in_parts(client: httpx.AsyncClient, person: SomePerson) -> None:
    data = good()
    begun = await begun_import(client, person, len(data))
    path = f"/v1/me/imports/{begun}"
    assert (await part_of(client, person, path, data[:9000], 0)).status_code == 204
    is_problem(await part_of(client, person, path, data[9000:], 0), 409, "upload_offset")
    head = await client.head(path, headers=person.headers)
    assert head.headers["upload-offset"] == "9000"
    assert head.headers["upload-length"] == str(len(data))
    is_problem(
        await part_of(client, person, path, data[9000:] + b"more", 9000), 413, "upload_longer"
    )
    assert (await part_of(client, person, path, data[9000:], 9000)).status_code == 204
    is_problem(await part_of(client, person, path, b"", len(data)), 409, "upload_offset")
    found = await seen_import(client, person, begun)
    assert (found["state"], found["bytes"]) == ("checking", len(data))
    is_problem(await agreed(client, person, begun), 409, "import_not_ready")
    assert (await gone_on(client, person, begun))["state"] == "asked"


async def test_a_connection_that_breaks_keeps_what_came_of_a_part_and_nothing_of_a_whole(
    client: httpx.AsyncClient, person: SomePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_uploads, "PIECE_BYTES", 4000)
    data, whole = good(), "/v1/me/import"

    async def is_kept() -> bool:
        answer = await client.get(whole, headers=person.headers)
        return bool(answer.status_code == 200 and answer.json()["bytes"] == 8000)

    async def broken() -> AsyncIterator[bytes]:
        yield data[:8000]
        await until(is_kept)
        raise _BrokenError

    at = person.headers | ZIP | {"content-length": str(len(data))}
    with pytest.raises(_BrokenError):
        await client.post(whole, headers=at, content=broken())
    begun = await begun_import(client, person, len(data))
    path = f"/v1/me/imports/{begun}"
    headers = at | TUS | {"content-type": "application/offset+octet-stream", "Upload-Offset": "0"}
    with pytest.raises(_BrokenError):
        await client.patch(path, headers=headers, content=broken())
    head = await client.head(path, headers=person.headers)
    assert head.headers["upload-offset"] == "8000"
    assert (await part_of(client, person, path, data[8000:], 8000)).status_code == 204
    assert (await gone_on(client, person, begun))["state"] == "asked"


class _BrokenError(Exception):
    pass


async def test_one_at_a_time(client: httpx.AsyncClient, person: SomePerson) -> None:
    first = (await sent(client, person, good())).json()["id"]
    is_problem(await sent(client, person, good()), 409, "import_under_way")
    gone = await client.delete(f"/v1/me/imports/{first}", headers=person.headers)
    assert gone.status_code == 204
    assert await counted(person.services, "archive_piece", person) == 0
    await job_of(person, first)
    await brought(client, person, good())


async def test_a_yes_takes_a_proof(client: httpx.AsyncClient, person: SomePerson) -> None:
    found = await looked_at(client, person, good())
    path = f"/v1/me/imports/{found['id']}/yes"
    answer = await client.post(path, headers=person.headers, json={})
    is_problem(answer, 403, "proof_needed")
    assert (await gone_on(client, person, found["id"]))["state"] == "asked"
    assert await papers_of(client, person) == []
