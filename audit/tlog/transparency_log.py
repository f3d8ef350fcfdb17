"""The log as one process uses it: its name, its checkpoints, proofs, and what is degraded."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx

from audit.audit_log import AuditLog
from audit.padding_events import Padding
from audit.tlog import records
from audit.tlog.checkpoint import InvalidCheckpoint, Policy, verify_checkpoint
from audit.tlog.keys import LogKeys, log_policy, log_witnesses
from audit.tlog.merkle import InvalidProof, leaf_hash, verify_inclusion
from audit.tlog.notes import Verifier
from audit.tlog.prover import Prover
from audit.tlog.publisher import Filling, Publisher, published_in
from audit.tlog.sequencer import end_of
from audit.tlog.sequencer_loop import Pace, SequencerLoop
from audit.tlog.store import LogStore
from audit.tlog.tiles import InvalidTile, Tile
from audit.tlog.witness_client import WitnessClient
from base import clock
from base.database import Database
from base.errors import ErrorKind, ServiceError
from base.settings import Settings
from storage.blobs import BlobStore
from storage.field_encryption import FieldEncryption

_MAX_LAG = timedelta(seconds=5)
_CACHE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The proof that an event's leaf is in a signed tree."""

    index: int
    entry: bytes
    path: list[bytes]
    checkpoint: bytes


class TransparencyLog:
    """Reads the log; creates the sequencer in a process that runs one."""

    def __init__(
        self, settings: Settings, database: Database, fields: FieldEncryption, blobs: BlobStore
    ) -> None:
        self._settings = settings
        self._database = database
        self._fields = fields
        self.keys = LogKeys(settings, database, fields)
        self.store = LogStore(blobs)
        self.prover = Prover(self.store)
        self._public: tuple[float, bytes | None] = (float("-inf"), None)
        self._sequencing: SequencerLoop | None = None

    @property
    def policy(self) -> Policy:
        """The witnesses, and how many of them a public checkpoint needs."""
        return log_policy(self._settings)

    async def verifier(self) -> Verifier:
        """The log's name and public key."""
        return await self.keys.verifier()

    def sequencing(self, client: httpx.AsyncClient, pace: Pace | None = None) -> SequencerLoop:
        """A sequencer for this process, with its publisher; `client` sends to the witnesses."""
        witnesses = WitnessClient(log_witnesses(self._settings), client)
        publisher = Publisher(
            self._database,
            self.store,
            self.prover,
            witnesses,
            self._settings.log_cadence,
            self._filling(),
        )
        self._sequencing = SequencerLoop(self._database, self.store, self.keys, publisher, pace)
        return self._sequencing

    def _filling(self) -> Filling | None:
        """What fills each publication; None when the settings say that nothing does."""
        if not self._settings.log_padding:
            return None
        audit_log = AuditLog(self._database, self._fields)
        return Filling(Padding(self._database, audit_log, self._settings.log_padding), self.keys)

    async def inclusion(self, event_id: UUID) -> Inclusion | None:
        """The proof of an event under the public checkpoint, which carries the witnesses'
        cosignatures; until that covers it, under the first one that was signed over it. None before
        that. Raises `ServiceError` when the tiles do not prove it.

        Not the newest: who asks again for the same proof would see the tree grow. It serves only
        where a store that was restored lacks the partial tiles of the others.
        """
        async with self._database.transaction() as tx:
            leaf = await records.leaf_of(tx, event_id)
            first = None if leaf is None else await records.first_checkpoint_over(tx, leaf[0])
            newest = await records.newest_checkpoint(tx)
        if leaf is None or first is None or newest is None:
            return None
        index, entry = leaf
        trees = [(tree.size, tree.root, tree.note) for tree in (first, newest)]
        raw = await self.public_checkpoint()
        public = published_in(raw)
        if raw is not None and public is not None and public.size > index:
            trees[0] = public.size, public.root, raw
        for size, root, note in trees:
            with suppress(InvalidTile, InvalidProof):
                path = await self.prover.inclusion(index, size)
                verify_inclusion(leaf_hash(entry), index, size, path, root)
                return Inclusion(index, entry, path, note)
        raise ServiceError(ErrorKind.UNAVAILABLE, "log_broken")

    async def public_checkpoint(self) -> bytes | None:
        """The published checkpoint, at most a second old."""
        at, raw = self._public
        if clock.monotonic() - at >= _CACHE_SECONDS:
            raw = await self.store.checkpoint()
            self._public = (clock.monotonic(), raw)
        return raw

    async def public_tile(self, tile: Tile) -> bytes | None:
        """A tile of the published tree; None for a tile that it does not have yet."""
        public = published_in(await self.public_checkpoint())
        if public is None or end_of(tile) > public.size:
            return None
        return await self.store.read_public(tile)

    async def degraded(self) -> list[str]:
        """The names of the faults with which the service goes on."""
        faults = []
        if self._sequencing is not None and self._sequencing.broken is not None:
            faults.append(f"log_broken:{self._sequencing.broken}")
        async with self._database.transaction() as tx:
            if await records.lag(tx) > _MAX_LAG:
                faults.append("log_lag")
        raw = await self.public_checkpoint()
        if raw is None:
            return [*faults, "log_unpublished"]
        try:
            cosigned = verify_checkpoint(
                raw, await self.verifier(), Policy(self.policy.witnesses)
            ).witnesses
        except InvalidCheckpoint as broken:
            return [*faults, f"log_checkpoint:{broken.reason}"]
        names = [witness.name for witness in self.policy.witnesses]
        faults += [f"log_witness:{name}" for name in names if name not in cosigned]
        if len(cosigned) < self.policy.needed:
            faults.append("log_witnesses")
        return faults

    async def state(self) -> tuple[int, float]:
        """The number of leaves under the newest checkpoint, and the lag in seconds."""
        async with self._database.transaction() as tx:
            signed = await records.newest_checkpoint(tx)
            lag = await records.lag(tx)
        return (0 if signed is None else signed.size), lag.total_seconds()
