"""Exports over HTTP, in steps of a story."""

import io
import zipfile
from hashlib import sha256
from typing import Any
from uuid import UUID

import httpx

from tests.auth.means_steps import proof_of
from tests.fixtures import SomePerson
from vault.exports import export_job, manifest

Export = dict[str, Any]


async def asked(
    client: httpx.AsyncClient, person: SomePerson, headers: dict[str, str] | None = None
) -> httpx.Response:
    at = headers or person.headers
    body = {"proof": await proof_of(client, person, at)}
    return await client.post("/v1/me/export", headers=at, json=body)


async def begun(client: httpx.AsyncClient, person: SomePerson) -> Export:
    answer = await asked(client, person)
    assert answer.status_code == 202, answer.text
    export: Export = answer.json()
    return export


async def made(client: httpx.AsyncClient, person: SomePerson) -> Export:
    """Asked for, and made by its job."""
    export = await begun(client, person)
    await export_job.make(person.services, person.id, UUID(export["id"]))
    return await seen(client, person, export["id"])


async def seen(client: httpx.AsyncClient, person: SomePerson, export: str) -> Export:
    answer = await client.get(f"/v1/me/exports/{export}", headers=person.headers)
    assert answer.status_code == 200, answer.text
    found: Export = answer.json()
    return found


async def taken(
    client: httpx.AsyncClient, person: SomePerson, export: str, **headers: str
) -> httpx.Response:
    path = f"/v1/me/exports/{export}/content"
    return await client.get(path, headers=person.headers | headers)


async def unpacked(client: httpx.AsyncClient, person: SomePerson, export: str) -> dict[str, bytes]:
    """The files of an export, each as the manifest lists it."""
    answer = await taken(client, person, export)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        files = {one.filename: found.read(one) for one in found.infolist()}
    keys = (await client.get("/v1/receipt-keys")).content
    listed = manifest.verify(files[manifest.PATH], keys).files
    assert {one.path: (one.size, one.digest) for one in listed} == {
        path: (len(data), sha256(data).hexdigest())
        for path, data in files.items()
        if path != manifest.PATH
    }
    return files
