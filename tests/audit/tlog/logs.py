"""A separate, empty log for one test, on the PostgreSQL that only the log tests use."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
from pydantic import SecretStr

from audit.tlog import records as tlog_records
from audit.tlog.merkle import CompactRange, leaf_hash
from audit.tlog.pending_events import Looks
from audit.tlog.sequencer import Sequencer
from audit.tlog.sequencer_loop import Pace, SequencerLoop
from audit.tlog.transparency_log import TransparencyLog
from base.database import Database
from base.embedded.server import Addresses
from base.ids import new_id
from base.settings import Settings
from storage.blobs import BlobStore
from storage.field_encryption import FieldEncryption
from storage.key_rotation import initialise
from storage.keys import Keys
from storage.providers.local import LocalKeyring

ORIGIN = "log.test/log"
EAGER = Pace(poll=0.02, signing=0.1, idle=0.3, sleep=0.1, retry=0.05, scan=Looks(full_every=0.5))
"""Short pauses, so that tests are short."""

_TABLES = ("access_outcome", "access_event", "log_leaf", "log_checkpoint", "log_key")


@dataclass(frozen=True)
class SomeLog:
    """A log, its database and store, and its tables' owner, with more rights than the service."""

    log: TransparencyLog
    database: Database
    blobs: BlobStore
    addresses: Addresses
    settings: Settings

    @property
    def owner_url(self) -> str:
        return self.addresses.owner_url.replace("+psycopg", "")

    @property
    def service_url(self) -> str:
        return self.addresses.service_url.replace("+psycopg", "")

    def owner(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection of the tables' owner, who may disable the triggers."""
        return psycopg.connect(self.owner_url, autocommit=True)

    @asynccontextmanager
    async def sequencer(self) -> AsyncIterator[Sequencer]:
        """A sequencer that holds the lock; the test calls its three steps."""
        async with self.database.listening() as connection:
            async with asyncio.timeout(10):  # PostgreSQL needs a moment to end a closed connection
                while not await tlog_records.take_lock(connection):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            made = Sequencer(connection, self.log.store, await self.log.keys.signer())
            try:
                yield made
            finally:
                await made.leave()

    @asynccontextmanager
    async def sequencing(self, pace: Pace = EAGER) -> AsyncIterator[SequencerLoop]:
        """A sequencer that runs during the block."""
        async with httpx.AsyncClient(trust_env=False) as client:
            made = self.log.sequencing(client, pace)
            await made.start()
            try:
                yield made
            finally:
                await made.stop()

    async def integrate(self, events: Sequence[UUID]) -> None:
        """Integrate these events and sign, even if others wait."""
        async with self.sequencer() as sequencer:
            await sequencer.take_up()
            for start in range(0, len(events), 256):
                await sequencer.integrate(events[start : start + 256])
            await sequencer.sign()


@asynccontextmanager
async def open_log(
    addresses: Addresses, keyring: Path, blobs: BlobStore, **settings: object
) -> AsyncIterator[SomeLog]:
    """A log on a database in its current state."""
    chosen = Settings.model_validate(
        {
            "mode": "demo",
            "home": keyring.parent,
            "database_url": addresses.service_url,
            "log_origin": ORIGIN,
            **settings,
        }
    )
    assert chosen.database_url is not None
    database = Database(SecretStr(addresses.service_url), pool=5)
    provider = LocalKeyring(keyring)
    await initialise(database, provider)
    fields = FieldEncryption(Keys(database, provider))
    try:
        log = TransparencyLog(chosen, database, fields, blobs)
        yield SomeLog(log, database, blobs, addresses, chosen)
    finally:
        await database.close()


def empty(addresses: Addresses) -> None:
    """Delete all events, leaves, checkpoints and keys: only the owner of the tables can."""
    with psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection:
        for table in _TABLES:
            connection.execute(f"ALTER TABLE unefois.{table} DISABLE TRIGGER USER".encode())
        names = ", ".join(f"unefois.{table}" for table in _TABLES)
        connection.execute(f"TRUNCATE {names}".encode())
        for table in _TABLES:
            connection.execute(f"ALTER TABLE unefois.{table} ENABLE TRIGGER USER".encode())


def add_events(
    connection: "psycopg.Connection[tuple[object, ...]]",
    count: int,
    *,
    ago: timedelta = timedelta(),
) -> list[UUID]:
    """Insert events of random bytes in the caller's transaction; returns their ids, in order."""
    at = datetime.now(UTC) - ago
    shift = int(ago.total_seconds() * 1000) << 80
    ids = sorted(UUID(int=new_id().int - shift) for _ in range(count))
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY unefois.access_event (id, at, key_id, sealed, commitment) FROM STDIN"
        ) as copy,
    ):
        for one in ids:
            copy.write_row([one, at, one, secrets.token_bytes(200), secrets.token_bytes(32)])
    return ids


def checkpoints_hold(some: SomeLog) -> list[int]:
    """Check every checkpoint ever stored against the leaves; returns their sizes.

    Each is the root of the first leaves, so each continues all the earlier ones.
    """
    with some.owner() as connection:
        roots: dict[int, bytes] = dict(
            connection.execute("SELECT size, root FROM unefois.log_checkpoint").fetchall()  # type: ignore[arg-type]  # (size, root)
        )
        leaves = connection.execute(
            "SELECT index, entry FROM unefois.log_leaf ORDER BY index"
        ).fetchall()
    edge = CompactRange()
    seen = []
    for at, entry in leaves:
        if edge.size in roots:
            assert edge.root() == roots[edge.size]
            seen.append(edge.size)
        assert at == edge.size
        assert isinstance(entry, bytes)
        edge.append(leaf_hash(entry))
    if edge.size in roots:
        assert edge.root() == roots[edge.size]
        seen.append(edge.size)
    assert seen == sorted(roots)
    return seen


def leaves_of_events(some: SomeLog) -> Iterator[tuple[object, ...]]:
    """The number of leaves of each event that does not have exactly one."""
    with some.owner() as connection:
        yield from connection.execute(
            "SELECT e.id, count(l.index) FROM unefois.access_event e"
            " LEFT JOIN unefois.log_leaf l ON l.event_id = e.id"
            " GROUP BY e.id HAVING count(l.index) <> 1"
        ).fetchall()
