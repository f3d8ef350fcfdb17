"""Sealing metadata: one padded blob per row, and keyed tags for look-ups.

A sealed row is `0x01 ‖ nonce (12) ‖ AES-256-GCM(padded JSON)`; the key is the owner's (or the
service's) for that table, the associated data names the table and the row, so that a blob moved
to another row, table or person does not open. See docs/formats/sealed-file.md.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.ext.asyncio import AsyncConnection

from base.errors import ErrorKind, ServiceError
from base.key_names import FIELDS, ROW_MACS
from base.pipeline import Transaction
from storage.keys import Keys, Secret
from storage.row_macs import RowMacs

PADDING_STEP = 64
_FORMAT = b"\x01"
_NONCE = 12


class DecryptionError(ServiceError):
    """A sealed row does not open: altered, moved, or of another owner. `reason` is for the
    operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, "content_broken")
        self.reason = reason


@dataclass(slots=True)
class _Ciphers:
    """The ciphers of one owner's rows (or of the service's), by table."""

    secret: Secret = field(repr=False)
    _by_table: dict[str, AESGCM] = field(default_factory=dict, repr=False)

    def of(self, table: str) -> AESGCM:
        cipher = self._by_table.get(table)
        if cipher is None:
            cipher = self._by_table[table] = AESGCM(self.secret.derive(f"fields/{table}"))
        return cipher


class FieldWriter:
    """Seals the rows of one owner, or of the service, and opens none (invariant 15)."""

    def __init__(self, secret: Secret) -> None:
        self._ciphers = _Ciphers(secret)

    def seal(self, table: str, row: UUID, values: dict[str, Any]) -> bytes:
        """Seal a row's values: small, and serialisable as JSON."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._ciphers.of(table).encrypt(nonce, pad(_encode(values)), _aad(table, row))
        return _FORMAT + nonce + sealed

    def tag(self, use: str, *parts: str | bytes) -> bytes:
        """A keyed tag under this owner's key: it reveals only whether values are equal."""
        return keyed_tag(self._ciphers.secret.derive(f"tag/{use}"), use, *parts)

    def hasher(self, use: str) -> "hmac.HMAC":
        """An incremental keyed hash under this owner's key, for content."""
        return hmac.new(self._ciphers.secret.derive(f"hash/{use}"), digestmod=sha256)


class FieldReader:
    """Opens the rows of one owner, or of the service."""

    def __init__(self, secret: Secret) -> None:
        self._ciphers = _Ciphers(secret)

    def open(self, table: str, row: UUID, blob: bytes) -> dict[str, Any]:
        """Open a row's values. Raises `DecryptionError`."""
        if blob[:1] != _FORMAT:
            raise DecryptionError("unknown format")
        nonce, sealed = blob[1 : 1 + _NONCE], blob[1 + _NONCE :]
        try:
            plain = self._ciphers.of(table).decrypt(nonce, sealed, _aad(table, row))
        except (InvalidTag, ValueError):
            raise DecryptionError("altered, moved, or of another owner") from None
        values: dict[str, Any] = json.loads(unpad(plain))
        return values


class FieldEncryption:
    """Makes writers, readers, tags and row MACs. An owner of None is the service itself, for rows
    that belong to nobody's vault: workers, clients, messages.

    Writers and readers use the same secret today. They are two types so that a use case that only
    writes never holds a reader: later, writing will need only a public key.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def writer(
        self, owner_id: UUID | None, connection: Transaction | None = None
    ) -> FieldWriter:
        """A writer for an owner's rows. Raises `storage.errors.KeyDestroyed`."""
        return FieldWriter(await self._secret(owner_id, connection))

    async def reader(
        self, owner_id: UUID | None, connection: Transaction | None = None
    ) -> FieldReader:
        """A reader for an owner's rows. Raises `storage.errors.KeyDestroyed`."""
        return FieldReader(await self._secret(owner_id, connection))

    async def uncached_writer(
        self, owner_id: UUID | None, connection: AsyncConnection
    ) -> FieldWriter:
        """`writer` that ignores the cache and costs the same for every owner: for calls that a
        stranger can time. Raises `storage.errors.KeyDestroyed`."""
        return FieldWriter(await self._keys.uncached(owner_id, connection))

    async def uncached_reader(
        self, owner_id: UUID | None, connection: AsyncConnection
    ) -> FieldReader:
        """`reader`, as `uncached_writer`. Raises `storage.errors.KeyDestroyed`."""
        return FieldReader(await self._keys.uncached(owner_id, connection))

    async def tag(self, use: str, *parts: str | bytes) -> bytes:
        """A keyed tag for look-ups, under the service's index key for this use."""
        secret = await self._keys.service(f"index/{use}")
        return keyed_tag(secret.derive("tag"), use, *parts)

    async def row_macs(self) -> RowMacs:
        """What makes and checks the MACs of rows. Raises `storage.errors.KeyMissing`."""
        return RowMacs(await self._keys.service(ROW_MACS))

    async def create_owner(self, connection: AsyncConnection, owner_id: UUID) -> None:
        """Make an owner's keys, in the caller's transaction."""
        await self._keys.create_owner(connection, owner_id)

    async def _secret(self, owner_id: UUID | None, connection: Transaction | None) -> Secret:
        if owner_id is None:
            return await self._keys.service(FIELDS)
        return await self._keys.owner(owner_id, connection)


def keyed_tag(key: bytes, use: str, *parts: str | bytes) -> bytes:
    """HMAC-SHA256 over the use and the length-prefixed parts: 32 bytes."""
    mac = hmac.new(key, use.encode(), sha256)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        mac.update(len(raw).to_bytes(4, "big"))
        mac.update(raw)
    return mac.digest()


def pad(plain: bytes, step: int = PADDING_STEP) -> bytes:
    """Pad to a multiple of `step` with 0x80 then zeros (ISO/IEC 7816-4)."""
    return plain + b"\x80" + bytes(-(len(plain) + 1) % step)


def unpad(padded: bytes) -> bytes:
    """Undo `pad`. The bytes are already authenticated."""
    end = padded.rstrip(b"\x00")
    if end[-1:] != b"\x80":
        raise DecryptionError("bad padding")
    return end[:-1]


def _encode(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _aad(table: str, row: UUID) -> bytes:
    return b"unefois/fields/v1|" + table.encode() + b"|" + row.bytes
