"""Keys: one wrapped secret per owner and per use of the service, cached for at most a minute.

The provider wraps a random secret; the keys that seal are derived from it by HKDF (RFC 5869) with
the row, the purpose and the version in `info`, so that a wrap moved to another row opens nothing.
"""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base import clock, locks
from base.database import Database, notify
from base.ids import new_id
from base.key_names import FIELDS, ROW_MACS
from base.part_state import PartState
from base.pipeline import Transaction, fetch_one
from storage import records
from storage.errors import KeyDestroyed, KeyMissing
from storage.providers import KeyProvider, noted

CACHE_SECONDS = 60.0
CACHE_SIZE = 10_000
CHANNEL = "unefois_keys"
MADE_ONCE = frozenset({ROW_MACS})
"""Another secret in their place would make every row that the former one vouched for look forged,
and vouch for whatever is there."""


@dataclass(slots=True)
class Secret:
    """An unwrapped secret, and the keys derived from it while it is cached."""

    subject: str
    version: int
    _value: bytes = field(repr=False)
    read_at: float = 0.0
    _derived: dict[str, bytes] = field(default_factory=dict, repr=False)
    verified: dict[tuple[str, bytes], Any] = field(default_factory=dict, repr=False)
    """Rows whose MAC held under this secret, by format and MAC (`storage/row_macs.py`)."""

    def derive(self, purpose: str) -> bytes:
        """The 32-byte key for one purpose."""
        key = self._derived.get(purpose)
        if key is None:
            info = f"unefois/key/v1|{self.subject}|{self.version}|{purpose}".encode()
            key = HKDF(SHA256(), 32, salt=None, info=info).derive(self._value)
            self._derived[purpose] = key
        return key


class Keys:
    """Unwraps secrets, caches them for 60 s at most, forgets them when notified (invariant 8)."""

    channel = CHANNEL

    def __init__(
        self, database: Database, provider: KeyProvider, state: PartState | None = None
    ) -> None:
        self._database = database
        self.provider = provider
        self.state = state or PartState("keys")
        self._cache: OrderedDict[str, Secret] = OrderedDict()
        self._forget_count = 0

    async def owner(self, owner_id: UUID, connection: Transaction | None = None) -> Secret:
        """The secret of an owner. Raises `KeyDestroyed` when there is none."""
        cached = self._cached(str(owner_id))
        if cached is not None:
            return cached
        forget_count = self._forget_count
        if connection is None:
            async with self._database.separate_transaction() as tx:
                row = await fetch_one(tx, records.owner_key(owner_id))
        else:
            row = await fetch_one(connection, records.owner_key(owner_id))
        return await self._unwrap_and_cache(str(owner_id), row, forget_count)

    async def service(self, use: str) -> Secret:
        """The service's secret for one use, created when first needed; raises `KeyMissing` for one
        that is made once (`create_once`)."""
        cached = self._cached(use)
        if cached is not None:
            return cached
        forget_count = self._forget_count
        async with self._database.separate_transaction() as connection:
            row = await records.service_key(connection, use)
            if row is None and use in MADE_ONCE:
                raise KeyMissing
            if row is None:
                await self._add(connection, records.SERVICE, None, use)
                row = await records.service_key(connection, use)
        return await self._unwrap_and_cache(use, row, forget_count)

    async def create_once(self, connection: AsyncConnection, use: str) -> bool:
        """Make a secret of the service that is never made again, in the caller's transaction; False
        when it is there already."""
        if await records.service_key(connection, use) is not None:
            return False
        await self._add(connection, records.SERVICE, None, use)
        return True

    async def recall(self, connection: AsyncConnection, use: str) -> None:
        """Use a secret of the service for a minute, as the caller's transaction reads it: one that
        `create_once` made there is not committed yet, and `service` would not find it. The caller
        MUST end its process if the transaction does not commit."""
        row = await records.service_key(connection, use)
        await self._unwrap_and_cache(use, row, self._forget_count)

    async def uncached(self, owner_id: UUID | None, connection: AsyncConnection) -> Secret:
        """The secret of an owner, or of the service's rows for None, read and unwrapped without the
        cache, so that the time it takes reveals nothing about the owner or the last use.

        Raises `KeyDestroyed` when there is none.
        """
        if owner_id is None:
            await self.service(FIELDS)  # creates it if needed
            row, subject = await records.service_key(connection, FIELDS), FIELDS
        else:
            row = await fetch_one(connection, records.owner_key(owner_id))
            subject = str(owner_id)
        return await self._read_secret(subject, row)

    async def create_owner(self, connection: AsyncConnection, owner_id: UUID) -> None:
        """Make an owner's secret, in the caller's transaction."""
        await self._add(connection, records.OWNER, owner_id, None)

    async def destroy_owner(self, connection: AsyncConnection, owner_id: UUID) -> None:
        """Destroy an owner's secret; every process forgets it when the transaction commits."""
        await records.destroy_owner_key(connection, owner_id)
        await notify(connection, CHANNEL, str(owner_id))

    def forget(self, subject: str) -> None:
        """Drop one cached secret."""
        self._forget_count += 1
        self._cache.pop(subject, None)

    def forget_all(self) -> None:
        """Drop every cached secret, for example after a lost notification connection."""
        self._forget_count += 1
        self._cache.clear()

    def _cached(self, subject: str) -> Secret | None:
        secret = self._cache.get(subject)
        if secret is None:
            return None
        if clock.monotonic() - secret.read_at >= CACHE_SECONDS:
            del self._cache[subject]
            return None
        return secret

    async def _unwrap_and_cache(
        self, subject: str, row: Row[Any] | None, forget_count: int
    ) -> Secret:
        """Unwrap a row and cache it for a minute.

        It is not cached if any secret was forgotten since the caller read `forget_count`: it may be
        this one, read just before it was destroyed, and there is no second notification.
        """
        secret = await self._read_secret(subject, row)
        if forget_count == self._forget_count:
            self._cache[subject] = secret
        while len(self._cache) > CACHE_SIZE:
            self._cache.popitem(last=False)
        return secret

    async def _read_secret(self, subject: str, row: Row[Any] | None) -> Secret:
        read_at = clock.monotonic()
        if row is None:
            raise KeyDestroyed
        version: int = row.version
        bound_to = context(subject, version)
        with noted(self.state):
            value = await self.provider.unwrap(row.root_version, row.wrapped, bound_to)
        return Secret(subject, version, value, read_at)

    async def _add(
        self, connection: AsyncConnection, kind: str, owner_id: UUID | None, use: str | None
    ) -> None:
        root = await self._root(connection)
        subject = use if owner_id is None else str(owner_id)
        assert subject is not None  # noqa: S101  (a constraint of the table)
        with noted(self.state):
            wrapped = await self.provider.wrap(root, secrets.token_bytes(32), context(subject, 1))
        await records.add_key(
            connection,
            key_id=new_id(),
            kind=kind,
            owner_id=owner_id,
            use=use,
            root_version=root,
            wrapped=wrapped,
        )

    async def _root(self, connection: AsyncConnection) -> str:
        """The active root. It stays active until the transaction ends: a rotation waits for us and
        leaves nothing under the former root."""
        await locks.hold_shared(connection, locks.ROOT_VERSIONS)
        root = await records.active_root(connection)
        if root is None:
            raise RuntimeError("no root key version yet: run `unefois init`")
        return root


def context(subject: str, version: int) -> dict[str, str]:
    """What a wrap is bound to: its row, its purpose, its version."""
    return {"purpose": "unefois/secret/v1", "subject": subject, "version": str(version)}
