"""The keys that sign receipts: sealed at rest, renewed by the operator, public for ever.

A receipt is checked years after it was signed, so the public half of every former key stays; its
private half is removed when it is renewed. A new key signs at once: who meets a `kid` that they do
not know asks for the keys again.
"""

from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.oauth.tokens import SigningKey
from auth.services import CoreServices
from base import clock
from base.ids import new_id
from base.key_names import RECEIPT_KEY
from base.locks import RECEIPT_KEYS, hold_tag
from storage.field_encryption import FieldEncryption, FieldReader
from vault.consent.records import receipt_keys as records
from vault.consent.signed_receipts import signed

_CACHE_SECONDS = 60.0
"""For how long a process goes on signing with a key that another one renewed."""

_cache: WeakKeyDictionary[FieldEncryption, tuple[float, SigningKey]] = WeakKeyDictionary()


async def sign(services: CoreServices, record: dict[str, Any]) -> dict[str, Any]:
    """The record with its signature."""
    key = await _signer(services)
    return signed(record, key.private_key, key.kid)


async def public_keys(services: CoreServices) -> dict[str, object]:
    """The JWK set of all keys, also of those that sign no more; the newest first. None before the
    first receipt: whoever asks writes nothing."""
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        rows = await records.receipt_keys(tx)
    return {"keys": [_opened(reader, row)["jwk"] for row in rows]}


async def renew(services: CoreServices) -> str:
    """Sign with a new key from now on, and remove the private half of the others; its `kid`.

    One commit: a crash before it leaves the former key signing.
    """
    reader = await services.field_encryption.reader(None)
    async with services.database.transaction() as tx:
        await hold_tag(tx, RECEIPT_KEYS)
        for row in await records.receipt_keys(tx):
            await _retire(services, tx, reader, row)
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
        return _newest(reader, await records.receipt_keys(tx))


async def _create_first(services: CoreServices) -> SigningKey:
    """Create the very first key; of two processes at once, one does."""
    reader = await services.field_encryption.reader(None)
    async with services.database.separate_transaction() as tx:
        await hold_tag(tx, RECEIPT_KEYS)
        return _newest(reader, await records.receipt_keys(tx)) or await _add(services, tx)


def _newest(reader: FieldReader, rows: Any) -> SigningKey | None:
    """The newest key that has its private half; what says so is sealed, not `retired_at`."""
    for row in rows:
        pem = _opened(reader, row).get("pem")
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
    services: CoreServices, tx: AsyncConnection, reader: FieldReader, row: Row[Any]
) -> None:
    values = _opened(reader, row)
    if "pem" not in values:
        return
    writer = await services.field_encryption.writer(None)
    sealed = writer.seal(RECEIPT_KEY, row.id, {"jwk": values["jwk"]})
    await records.retire_receipt_key(tx, row.id, sealed)


def _opened(reader: FieldReader, row: Row[Any]) -> dict[str, Any]:
    return reader.open(RECEIPT_KEY, row.id, row.sealed)
