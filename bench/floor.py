"""The floor: bare FastAPI handlers that give the same bytes and rows, with no check.

No sign-in, no grant, no log, no sealing; `psycopg` alone, in its shortest form.
"""

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from psycopg.rows import namedtuple_row
from psycopg_pool import AsyncConnectionPool

from base.ids import new_id
from bench.fixture import Fixture
from storage.blobs import BlobKey, BlobStore
from storage.content import SLICE
from storage.field_encryption import FieldReader
from storage.floe import Encryptor
from vault.documents.document_reader import open_document
from web.api.shapes import GrantedDocumentList, granted_out

_FILE = "SELECT id, name FROM bench.file WHERE id = %s"
_EVENT = "INSERT INTO bench.event (id, file_id) VALUES (%s, %s)"
_LIST = "SELECT * FROM bench.document WHERE id < %s ORDER BY id DESC LIMIT %s"
_DEPOSIT = "INSERT INTO bench.deposit (id, hash, dek) VALUES (%s, %s, %s)"
_LAST = UUID(int=2**128 - 1)


class _Unsealed:
    """In place of a `FieldReader`, for rows in clear."""

    def open(self, table: str, row: UUID, blob: bytes) -> Any:  # noqa: ARG002  (a reader's shape)
        """The values."""
        return json.loads(blob)


def metadata(fixture: Fixture) -> dict[str, str]:
    """What the floor's process gets on its standard input."""
    return {
        "large": base64.b64encode(fixture.large_bytes).decode(),
        "small": base64.b64encode(fixture.small_bytes).decode(),
    }


@asynccontextmanager
async def app(
    url: str, pool_size: int, contents: dict[str, str], store: BlobStore
) -> AsyncIterator[FastAPI]:
    """The bare application."""
    large, small = (base64.b64decode(contents[name]) for name in ("large", "small"))
    unsealed = cast("FieldReader", _Unsealed())
    bare = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    async with AsyncConnectionPool(
        url, min_size=pool_size, max_size=pool_size, kwargs={"autocommit": True}
    ) as pool:
        await pool.wait()

        @bare.get("/large")
        async def give_large() -> StreamingResponse:
            headers = {"content-length": str(len(large))}
            return StreamingResponse(_slices(large), headers=headers)

        @bare.get("/small/{file_id}")
        async def give_small(file_id: UUID) -> Response:
            async with pool.connection() as connection:
                result = await connection.execute(_FILE, (file_id,))
                row = await result.fetchone()
                assert row is not None
                await connection.execute(_EVENT, (new_id(), row[0]))
            return Response(small, media_type="application/pdf")

        @bare.get("/documents")
        async def list_(after: UUID = _LAST, limit: int = 50) -> GrantedDocumentList:
            async with pool.connection() as connection:
                cursor = connection.cursor(row_factory=namedtuple_row)
                await cursor.execute(_LIST, (after, limit + 1))
                rows = await cursor.fetchall()
            documents = [open_document(unsealed, cast("Any", row)) for row in rows[:limit]]
            following = str(documents[-1].id) if len(rows) > limit else None
            items = [granted_out(document, may_read=True) for document in documents]
            return GrantedDocumentList(items=items, next=following)

        @bare.post("/deposit", status_code=201)
        async def deposit(request: Request) -> Response:
            dek, deposit_id, digest = secrets.token_bytes(32), new_id(), sha256()
            sealing = Encryptor(dek, deposit_id.bytes)
            async with store.writer(BlobKey.random("bench")) as blob:
                async for received in request.stream():
                    digest.update(received)
                    for segment in sealing.update(received):
                        await blob.write(segment)
                await blob.write(sealing.finish())
                await blob.commit()
            sealing.close()
            async with pool.connection() as connection:
                await connection.execute(_DEPOSIT, (deposit_id, digest.digest(), dek))
            return Response(status_code=201)

        yield bare


async def _slices(data: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(view), SLICE):
        yield view[start : start + SLICE]
