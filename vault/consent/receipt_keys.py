"""The keys that sign receipts: sealed at rest, renewed by the operator, public for ever.

A receipt is checked years after it was signed, so the public half of every former key stays; its
private half is removed when it is renewed. A new key signs at once: who meets a `kid` that they do
not know asks for the keys again. A row that does not open, which the service did not write, is left
out, and recorded once in each process: the others go on.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.oauth.tokens import SigningKey
from auth.services import CoreServices
from base import clock
from base.ids import new_id
from base.key_names import RECEIPT_KEY
from base.locks import RECEIPT_KEYS, hold_tag
from storage.field_encryption import DecryptionError, FieldEncryption, FieldReader
from storage.row_macs import RowAltered
from vault.consent.records import receipt_keys as records
from vault.consent.signed_receipts import TYPE, signed
from vault.decisions import record_altered_row

_CACHE_SECONDS = 60.0
"""For how long a process goes on signing with a key that another one renewed."""

_MOST_NAMED = 100
_Rows = Sequence[Row[Any]]

_cache: WeakKeyDictionary[FieldEncryption, tuple[float, SigningKey]] = WeakKeyDictionary()

_named: WeakKeyDictionary[FieldEncryption, set[UUID]] = WeakKeyDictionary()
"""The rows that were recorded as refused: reading the public keys again writes nothing."""


async def sign(
    services: CoreServices, record: dict[str, Any], *, kind: str = TYPE
) -> dict[str, Any]:
    """The record with its signature; `kind`: of another record than a receipt."""
    key = await _signer(services)
    return signed(record, key.private_key, key.kid, kind=kind)


async def public_keys(services: CoreServices, *, may_create: bool = False) -> dict[str, object]:
    """The JWK set of all keys, also of those that sign no more; the newest first. None before the
    first receipt: whoever asks writes nothing. `may_create`: the first one, for what will be
    signed."""
    if may_create:
        await _signer(services)
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        rows = await records.receipt_keys(tx)
    return {"keys": [values["jwk"] for _, values in await _opened(services, reader, rows)]}


async def renew(services: CoreServices) -> str:
    """Sign with a new key from now on, and remove the private half of the others; its `kid`.

    One commit: a crash before it leaves the former key signing.
    """
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        await hold_tag(tx, RECEIPT_KEYS)
        rows = await records.receipt_keys(tx)
        for row, values in await _opened(services, reader, rows):
            await _retire(services, tx, row, values)
        key = await _add(services, tx)
    _cache.pop(services.field_encryption, None)
    return key.kid


async def _signer(services: CoreServices) -> SigningKey:
    cached = _cache.get(services.field_encryption)
    if cached is not None and clock.monotonic() - cached[0] < _CACHE_SECONDS:
        return cached[1]
    read_at = clock.monotonic()
    key = await _read(services) or await _create_first(services)
    _cache[services.field_encryption] = (read_at, key)
    return key


async def _read(services: CoreServices) -> SigningKey | None:
    reader = await services.field_encryption.reader(None)
    async with services.database.separate_transaction() as tx:
        return await _newest(services, reader, await records.receipt_keys(tx))


async def _create_first(services: CoreServices) -> SigningKey:
    """Create the very first key; of two processes at once, one does."""
    reader = await services.field_encryption.reader(None)
    async with services.database.separate_transaction() as tx:
        await hold_tag(tx, RECEIPT_KEYS)
        rows = await records.receipt_keys(tx)
        return await _newest(services, reader, rows) or await _add(services, tx)


async def _newest(services: CoreServices, reader: FieldReader, rows: _Rows) -> SigningKey | None:
    """The newest key that has its private half; what says so is sealed, not `retired_at`."""
    for _, values in await _opened(services, reader, rows):
        pem = values.get("pem")
        if pem is not None:
            return SigningKey.from_pem(pem.encode())
    return None


async def _add(services: CoreServices, tx: AsyncConnection) -> SigningKey:
    key, key_id = SigningKey.generate(), new_id()
    writer = await services.field_encryption.writer(None)
    values = {"jwk": key.public_jwk(), "pem": key.to_pem().decode()}
    await records.add_receipt_key(tx, key_id, writer.seal(RECEIPT_KEY, key_id, values))
    return key


async def _retire(
    services: CoreServices, tx: AsyncConnection, row: Row[Any], values: dict[str, Any]
) -> None:
    if "pem" not in values:
        return
    writer = await services.field_encryption.writer(None)
    sealed = writer.seal(RECEIPT_KEY, row.id, {"jwk": values["jwk"]})
    await records.retire_receipt_key(tx, row.id, sealed)


async def _opened(
    services: CoreServices, reader: FieldReader, rows: _Rows
) -> list[tuple[Row[Any], dict[str, Any]]]:
    """The rows that open, with what is sealed in them."""
    opened: list[tuple[Row[Any], dict[str, Any]]] = []
    named = _named.setdefault(services.field_encryption, set())
    for row in rows:
        try:
            opened.append((row, reader.open(RECEIPT_KEY, row.id, row.sealed)))
        except DecryptionError:
            if row.id not in named and len(named) < _MOST_NAMED:
                named.add(row.id)
                await record_altered_row(services, RowAltered("receipt_key"))
    return opened
