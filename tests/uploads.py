"""Steps of tus 1.0 over HTTP: begin an upload, send bytes, ask where it is, make a document."""

import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.fixtures import SomePerson
from tests.vault.decoding import corpus

TUS = {"Tus-Resumable": "1.0.0"}
STREAM = {"Content-Type": "application/offset+octet-stream"}


def said(**values: str) -> dict[str, str]:
    """The header `Upload-Metadata`."""
    pairs = (f"{name} {b64encode(value.encode()).decode()}" for name, value in values.items())
    return {"Upload-Metadata": ",".join(pairs)}


def padded_pdf(size: int, marked: bytes = b"") -> bytes:
    """A page, and an uncompressed stream of `size` bytes that do not compress, `marked` all over
    it: any piece that is written somewhere is recognised."""
    made = corpus.blank_pdf(1)
    made.Root.Noise = made.make_indirect(
        made.make_stream(
            b"".join(marked + secrets.token_bytes(4096 - len(marked)) for _ in range(size // 4096))
            + secrets.token_bytes(size % 4096)
        )
    )
    return corpus.pdf_bytes(made, compress_streams=False)


async def begin(
    client: httpx.AsyncClient,
    person: SomePerson,
    length: int,
    *,
    first: bytes | None = None,
    **headers: str,
) -> httpx.Response:
    """Begin an upload, with its first bytes if they are given."""
    everything = person.headers | TUS | {"Upload-Length": str(length)} | headers
    if first is not None:
        everything |= STREAM
    return await client.post("/v1/uploads", headers=everything, content=first)


async def send(
    client: httpx.AsyncClient,
    person: SomePerson,
    path: str,
    offset: int,
    data: bytes | AsyncIterator[bytes],
    **headers: str,
) -> httpx.Response:
    """Send the bytes that follow."""
    everything = person.headers | TUS | STREAM | {"Upload-Offset": str(offset)} | headers
    return await client.patch(path, headers=everything, content=data)


async def offset_of(client: httpx.AsyncClient, person: SomePerson, path: str) -> int:
    """How much of an upload is kept."""
    answer = await client.head(path, headers=person.headers | TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


async def uploaded(
    client: httpx.AsyncClient, person: SomePerson, data: bytes, **values: str
) -> str:
    """Send a file in one go; returns its address."""
    answer = await begin(client, person, len(data), first=data, **said(**values))
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def id_of(path: str) -> str:
    """The id in the address of an upload."""
    return path.rpartition("/")[2]


async def made_of(
    client: httpx.AsyncClient, person: SomePerson, *paths: str, **fields: Any
) -> httpx.Response:
    """Make a document of uploads."""
    headers = person.headers | fields.pop("headers", {})
    body = {"uploads": [id_of(path) for path in paths], **fields}
    return await client.post("/v1/documents", headers=headers, json=body)
