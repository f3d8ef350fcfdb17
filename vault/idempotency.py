"""`Idempotency-Key`: the same key and body from the same caller have one effect and one answer.

A row holds two keyed tags and the id of the result. A key reused with another body is refused.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from auth.services import CoreServices
from base.errors import ErrorKind, ServiceError
from base.key_names import IDEMPOTENCY_BODY, IDEMPOTENCY_KEY
from base.locks import held_tag
from base.pipeline import Transaction, fetch, write
from base.statements import Bound, Rows
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
    tx: Transaction,
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
    asked = await ask(services, caller_id=caller_id, route=route, key=key, body=body)
    if asked is None:
        return None
    await fetch(tx, asked.queries[0])
    return asked.claim(await fetch(tx, asked.queries[1]))


@dataclass(frozen=True, slots=True)
class AskedKey:
    """A key whose claim takes two statements: `queries`, in this order, in one transaction. `claim`
    takes the rows of the second one."""

    key_hash: bytes
    request_hash: bytes
    macs: RowMacs = field(repr=False)

    @property
    def queries(self) -> tuple[Bound, Bound]:
        """Lock the key; then read what is stored for it."""
        return held_tag(self.key_hash), records.idempotency_answer(self.key_hash)

    def claim(self, rows: Rows) -> Claim:
        """The key, claimed. Raises `idempotency_key_reused`, `storage.row_macs.RowAltered`."""
        row = next(iter(rows), None)
        if row is None:
            return Claim(self.key_hash, self.request_hash, None, self.macs)
        self.macs.check(IDEMPOTENCY_ROW, row)
        if row.request_hash != self.request_hash:
            raise ServiceError(ErrorKind.INVALID, "idempotency_key_reused", fields=KEY_FIELDS)
        return Claim(self.key_hash, self.request_hash, row.result_id, self.macs)


async def ask(
    services: CoreServices, *, caller_id: UUID, route: str, key: str | None, body: Any
) -> AskedKey | None:
    """What `claim` asks the database for; None when the caller sent no key. Raises
    `idempotency_key_invalid`."""
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise ServiceError(ErrorKind.INVALID, "idempotency_key_invalid", fields=KEY_FIELDS)
    key_hash = await services.field_encryption.tag(IDEMPOTENCY_KEY, caller_id.bytes, route, key)
    request_hash = await services.field_encryption.tag(IDEMPOTENCY_BODY, key_hash, _canonical(body))
    return AskedKey(key_hash, request_hash, await services.field_encryption.row_macs())


async def save(tx: Transaction, claimed: Claim | None, result_id: UUID) -> None:
    """Store the result's id in the transaction that creates the result: both commit, or neither."""
    if claimed is not None:
        values = {
            "key_hash": claimed.key_hash,
            "request_hash": claimed.request_hash,
            "result_id": result_id,
        }
        macs = claimed.macs
        await write(tx, records.add_idempotency_answer(**macs.add(IDEMPOTENCY_ROW, values)))


def _canonical(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
