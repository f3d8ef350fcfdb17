"""Recording events in the caller's transaction, and reading the log back.

Recording needs only the person's audit *public* key: it unwraps nothing, except for the first event
of a person's year, which makes the key pair of that year and seals its private half.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit import records, sealing
from audit.events import Actor, ActorKind, Event, as_values
from audit.records import AUDIT_KEY_ROW, EVENT_ROW, OUTCOME_ROW
from base import clock
from base.database import Database
from base.ids import new_id
from base.key_names import AUDIT_KEY, LOG_ACTOR, LOG_PERSON
from base.pipeline import Transaction, fetch_one, write
from storage.errors import KeyDestroyed
from storage.field_encryption import FieldEncryption
from storage.row_macs import RowMacs

PrivateKeys = dict[UUID, X25519PrivateKey | None]

_CACHE_SECONDS = 60.0
_CACHE_SIZE = 10_000


@dataclass(frozen=True, slots=True)
class _PublicKey:
    id: UUID
    key: X25519PublicKey
    read_at: float


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """An event as read back and opened. `values` is None once its key is destroyed, and for a row
    that the service did not write (`forged`)."""

    id: UUID
    values: dict[str, Any] | None
    state: str | None
    k_event: bytes | None = field(default=None, repr=False)
    forged: bool = False


class AuditLog:
    """Appends events and opens them for those who may read them."""

    def __init__(self, database: Database, field_encryption: FieldEncryption) -> None:
        self._database = database
        self._field_encryption = field_encryption
        self._public_keys: OrderedDict[tuple[UUID | None, int], _PublicKey] = OrderedDict()

    async def record(self, tx: Transaction, event: Event) -> UUID:
        """Append an event in the caller's transaction; nothing is revealed before it commits.

        A crash before the commit leaves neither the entry nor the act. Raises `RowNotWritten`, here
        or at the end of a pipeline's block, if the database dropped the entry without a word.
        """
        key = await self._public_key(tx, event.person, event.at.year)
        sealed = sealing.seal(
            as_values(event), key_id=key.id, event_id=event.id, public_key=key.key
        )
        values = {
            "id": event.id,
            "at": event.at,
            "key_id": key.id,
            "person_tag": await self.person_tag(event.person),
            "actor_tag": await self.actor_tag(event.actor),
            "sealed": sealed.sealed,
            "commitment": sealed.commitment,
        }
        macs = await self._field_encryption.row_macs()
        await write(tx, records.insert_event(**macs.add(EVENT_ROW, values)))
        return event.id

    async def person_tag(self, person_id: UUID | None) -> bytes | None:
        """The keyed tag by which a person's entries are found."""
        if person_id is None:
            return None
        return await self._field_encryption.tag(LOG_PERSON, person_id.bytes)

    async def actor_tag(self, actor: Actor) -> bytes | None:
        """The keyed tag by which an actor's entries are found; None for the owner."""
        if actor.id is None or actor.kind is ActorKind.OWNER:
            return None
        return await self._field_encryption.tag(LOG_ACTOR, actor.kind.value, actor.id.bytes)

    async def open_entries(
        self,
        connection: AsyncConnection,
        rows: Sequence[Row[Any]],
        private: PrivateKeys | None = None,
    ) -> list[AccessLogEntry]:
        """Open rows of the log. A destroyed key leaves an entry without values.

        `private`: keys by id that were read before in the same snapshot, and those read now.
        """
        private = {} if private is None else private
        macs = await self._field_encryption.row_macs()
        entries = []
        for row in rows:
            if not macs.holds(EVENT_ROW, row):
                # Not written by the service: anyone can seal to a public key.
                entries.append(AccessLogEntry(row.id, None, None, forged=True))
                continue
            if row.key_id not in private:
                private[row.key_id] = await self._private_key(connection, row.key_id)
            entries.append(_open_entry(macs, row, private[row.key_id]))
        return entries

    async def prepare(self, connection: AsyncConnection, owner_id: UUID, year: int) -> None:
        """Create an owner's key pair for a year, in the transaction that creates the vault."""
        await self._create_key(connection, owner_id, year)

    def forget(self, owner_id: UUID | None) -> None:
        """Drop an owner's cached public keys (after erasure)."""
        for key in [key for key in self._public_keys if key[0] == owner_id]:
            del self._public_keys[key]

    async def _public_key(self, tx: Transaction, owner_id: UUID | None, year: int) -> _PublicKey:
        cached = self._public_keys.get((owner_id, year))
        if cached is not None and clock.monotonic() - cached.read_at < _CACHE_SECONDS:
            return cached
        row = await fetch_one(tx, records.audit_key(owner_id, year))
        if row is None:
            # Committed at once, separately: if the caller's transaction created the key, a rollback
            # would delete it while the cached public key goes on sealing events.
            async with self._database.separate_transaction() as separate:
                await self._create_key(separate, owner_id, year)
                row = await fetch_one(separate, records.audit_key(owner_id, year))
        assert row is not None  # noqa: S101  (just created, here or by another process)
        (await self._field_encryption.row_macs()).check(AUDIT_KEY_ROW, row)
        public = X25519PublicKey.from_public_bytes(row.public_key)
        key = _PublicKey(row.id, public, clock.monotonic())
        self._public_keys[(owner_id, year)] = key
        while len(self._public_keys) > _CACHE_SIZE:
            self._public_keys.popitem(last=False)
        return key

    async def _create_key(
        self, connection: AsyncConnection, owner_id: UUID | None, year: int
    ) -> None:
        pair = X25519PrivateKey.generate()
        key_id = new_id()
        writer = await self._field_encryption.writer(owner_id, connection)
        private = pair.private_bytes_raw().hex()
        values = {
            "id": key_id,
            "owner_id": owner_id,
            "year": year,
            "public_key": pair.public_key().public_bytes_raw(),
        }
        macs = await self._field_encryption.row_macs()
        await records.add_audit_key(
            connection,
            **macs.add(AUDIT_KEY_ROW, values),
            sealed_private_key=writer.seal(AUDIT_KEY, key_id, {"private_key": private}),
        )

    async def _private_key(
        self, connection: AsyncConnection, key_id: UUID
    ) -> X25519PrivateKey | None:
        row = await records.private_key(connection, key_id)
        if row is None:
            return None
        (await self._field_encryption.row_macs()).check(AUDIT_KEY_ROW, row)
        try:
            reader = await self._field_encryption.reader(row.owner_id, connection)
        except KeyDestroyed:
            return None
        values = reader.open(AUDIT_KEY, row.id, row.sealed_private_key)
        return X25519PrivateKey.from_private_bytes(bytes.fromhex(values["private_key"]))


def _open_entry(
    macs: RowMacs, row: Row[Any], private_key: X25519PrivateKey | None
) -> AccessLogEntry:
    state = (
        row.state
        if row.state
        and macs.equals(OUTCOME_ROW, {"event_id": row.id, "state": row.state}, row.outcome_mac)
        else None
    )
    if private_key is None:
        return AccessLogEntry(row.id, None, state)
    opened = sealing.open_(
        row.sealed,
        row.commitment,
        key_id=row.key_id,
        event_id=row.id,
        private_key=private_key,
    )
    return AccessLogEntry(row.id, opened.values, state, opened.k_event)
