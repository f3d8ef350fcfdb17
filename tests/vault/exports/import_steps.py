"""Imports over HTTP, in steps of a story."""

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx

from auth.oauth.tokens import SigningKey
from base import clock
from base.clock import rfc3339
from tests.auth.means_steps import proof_of
from tests.fixtures import SomePerson
from tests.uploads import padded_pdf
from vault.consent.signed_receipts import signed
from vault.exports import import_job, manifest
from vault.exports.verification import KEYS

Import = dict[str, Any]
Files = dict[str, bytes]
ZIP = {"content-type": "application/zip"}
ORIGIN = "https://elsewhere.example"
PATH = "papiers/001/original-1.pdf"
PDF = padded_pdf(20_000)
TUS = {"Tus-Resumable": "1.0.0"}


async def sent(client: httpx.AsyncClient, person: SomePerson, data: bytes) -> httpx.Response:
    return await client.post("/v1/me/import", headers=person.headers | ZIP, content=data)


async def looked_at(client: httpx.AsyncClient, person: SomePerson, data: bytes) -> Import:
    """Sent, and looked at by its job."""
    answer = await sent(client, person, data)
    assert answer.status_code == 202, answer.text
    return await gone_on(client, person, answer.json()["id"])


async def gone_on(client: httpx.AsyncClient, person: SomePerson, import_id: str) -> Import:
    """What the job makes of it."""
    await job_of(person, import_id)
    return await seen_import(client, person, import_id)


async def job_of(person: SomePerson, import_id: str) -> None:
    """The job, once."""
    await import_job.go_on(person.services, person.id, UUID(import_id))


async def seen_import(client: httpx.AsyncClient, person: SomePerson, import_id: str) -> Import:
    answer = await client.get(f"/v1/me/imports/{import_id}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: Import = answer.json()
    return found


async def agreed(client: httpx.AsyncClient, person: SomePerson, import_id: str) -> httpx.Response:
    body = {"proof": await proof_of(client, person, person.headers)}
    path = f"/v1/me/imports/{import_id}/yes"
    return await client.post(path, headers=person.headers, json=body)


async def brought(client: httpx.AsyncClient, person: SomePerson, data: bytes) -> Import:
    """All of it: sent, looked at, agreed to, come in."""
    found = await looked_at(client, person, data)
    assert found["state"] == "asked", found
    answer = await agreed(client, person, found["id"])
    assert answer.status_code == 202, answer.text
    return await gone_on(client, person, found["id"])


async def papers_of(client: httpx.AsyncClient, person: SomePerson) -> list[dict[str, Any]]:
    answer = await client.get("/v1/documents?limit=100", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def paper(path: str, **said: Any) -> dict[str, Any]:
    """A paper of one file, as `documents.json` tells of it."""
    file = {"path": path, "kind": "original", "position": 0, "media_type": "application/pdf"}
    version = {"id": "1", "number": 1, "current": True, "files": [file]}
    return {"type": "payslip", "title": None, "versions": [version], **said}


def an_export(
    files: Files,
    papers: list[dict[str, Any]],
    *,
    key: SigningKey | None = None,
    change: Callable[[zipfile.ZipFile], None] | None = None,
    instead: Files | None = None,
) -> bytes:
    """The zip of an export that an installation made, or somebody who writes what they like.
    `change`: what is put in once it is signed; `instead`: other bytes than those that it signs."""
    key = key or SigningKey.generate()
    whole = files | {
        "documents.json": json.dumps({"papers": papers, "unreadable": []}).encode(),
        KEYS: json.dumps({"keys": [key.public_jwk()]}).encode(),
    }
    told = [
        {"path": path, "size": len(data), "sha256": sha256(data).hexdigest()}
        for path, data in whole.items()
    ]
    unsigned = {
        "version": 1, "made_at": rfc3339(clock.now()), "origin": ORIGIN,
        "counts": {"papers": len(papers)}, "files": told,
    }  # fmt: skip
    whole[manifest.PATH] = json.dumps(
        signed(unsigned, key.private_key, key.kid, kind=manifest.TYPE)
    ).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, data in (whole | (instead or {})).items():
            zipped.writestr(path, data)
        if change is not None:
            change(zipped)
    return out.getvalue()


def good() -> bytes:
    """A copy with one paper."""
    return an_export({PATH: PDF}, [paper(PATH)])


async def begun_import(client: httpx.AsyncClient, person: SomePerson, length: int) -> str:
    headers = person.headers | TUS | {"Upload-Length": str(length)}
    answer = await client.post("/v1/me/import", headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/me/imports/{answer.json()['id']}"
    return str(answer.json()["id"])


async def part_of(
    client: httpx.AsyncClient, person: SomePerson, path: str, data: bytes, offset: int
) -> httpx.Response:
    kind = {"content-type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return await client.patch(path, headers=person.headers | TUS | kind, content=data)
