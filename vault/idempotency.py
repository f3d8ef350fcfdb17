"""`Idempotency-Key`: the same key and body from the same caller have one effect and one answer.

A row holds two keyed tags and the id of the result. A key reused with another body is refused.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.errors import ErrorKind, ServiceError
from base.key_names import IDEMPOTENCY_BODY, IDEMPOTENCY_KEY
from base.locks import hold_tag
from storage.row_macs import RowMacs
from vault import records
from vault.tables import IDEMPOTENCY_ROW

_MAX_KEY_LENGTH = 255
KEY_FIELDS = (("idempotency_key",),)
"""What an error about a key names."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key locked until the transaction ends. `result_id`: the first call's result, or None."""

    key_hash: bytes
    request_hash: bytes
    result_id: UUID | None
    macs: RowMacs = field(repr=False)


async def claim(
    services: CoreServices,
    tx: AsyncConnection,
    *,
    caller_id: UUID,
    route: str,
    key: str | None,
    body: Any,
) -> Claim | None:
    """Lock a key in the caller's transaction; None when the caller sent no key.

    `route` names the use case and its object; `body` is JSON-serialisable, or bytes that represent
    it (a content tag). A second call with the same key waits until the first commits. Raises
    `ServiceError` INVALID: `idempotency_key_invalid`, `idempotency_key_reused`.
    """
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise ServiceError(ErrorKind.INVALID, "idempotency_key_invalid", fields=KEY_FIELDS)
    key_hash = await services.field_encryption.tag(IDEMPOTENCY_KEY, caller_id.bytes, route, key)
    request_hash = await services.field_encryption.tag(IDEMPOTENCY_BODY, key_hash, _canonical(body))
    await hold_tag(tx, key_hash)
    row = await records.idempotency_answer(tx, key_hash)
    macs = await services.field_encryption.row_macs()
    if row is None:
        return Claim(key_hash, request_hash, None, macs)
    macs.check(IDEMPOTENCY_ROW, row)
    if row.request_hash != request_hash:
        raise ServiceError(ErrorKind.INVALID, "idempotency_key_reused", fields=KEY_FIELDS)
    return Claim(key_hash, request_hash, row.result_id, macs)


async def save(tx: AsyncConnection, claimed: Claim | None, result_id: UUID) -> None:
    """Store the result's id in the transaction that creates the result: both commit, or neither."""
    if claimed is not None:
        values = {
            "key_hash": claimed.key_hash,
            "request_hash": claimed.request_hash,
            "result_id": result_id,
        }
        await records.add_idempotency_answer(tx, **claimed.macs.add(IDEMPOTENCY_ROW, values))


def _canonical(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
