"""Replaying the log: what must be true now by what it says, compared with what the rows say.

A MAC tells a row that the service did not write; it holds for an older row put back whole. The log
only grows, and its tree would show a missing event: so each subject folds the events into the last
state of what is alive, and names the rows that say something else.

Events are read in the order of their ids. No fold relies on it: the time of each event decides, and
ids of one millisecond, or of two machines, may stand the other way round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.engine import Row

from audit.audit_log import AccessLogEntry, PrivateKeys
from audit.events import Actor, ActorKind
from audit.records import OUTCOME_COLUMNS, AccessEvent, AccessOutcome
from audit.sealing import InvalidEvent
from base.clock import rfc3339
from base.errors import ServiceError
from storage.providers import KeyProviderError
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.replayed_accounts import ReplayedAccounts
from vault.reconciliation.replayed_anchors import ReplayedAnchors
from vault.reconciliation.replayed_bindings import ReplayedBindings
from vault.reconciliation.replayed_closings import ReplayedClosings
from vault.reconciliation.replayed_documents import ReplayedDocuments
from vault.reconciliation.replayed_erasures import ReplayedErasures
from vault.reconciliation.replayed_grants import ReplayedGrants
from vault.reconciliation.replayed_limits import ReplayedLimits
from vault.reconciliation.replayed_means import ReplayedMeans
from vault.reconciliation.replayed_recoveries import ReplayedRecoveries
from vault.reconciliation.replayed_reports import ReplayedReports
from vault.reconciliation.replayed_representations import ReplayedRepresentations
from vault.reconciliation.replayed_requests import ReplayedRequests
from vault.reconciliation.replayed_roots import ReplayedRoots
from vault.reconciliation.replayed_sessions import ReplayedSessions
from vault.reconciliation.replayed_trust import ReplayedTrust
from vault.reconciliation.replayed_vaults import ReplayedVaults
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services

Progress = Callable[[int, int], None]

_PAGE = 1000
_MAX_KEYS = 20_000
_UNOPENED = (InvalidEvent, ServiceError, KeyProviderError, ValueError)
_EVENTS = (
    select(AccessEvent.__table__, *OUTCOME_COLUMNS)
    .outerjoin(AccessOutcome, AccessOutcome.event_id == AccessEvent.id)
    .order_by(AccessEvent.id)
    .limit(_PAGE)
)


class Fold(Protocol):
    """One subject of the replay."""

    async def load(self, snapshot: Snapshot) -> None:
        """Read the rows that are there."""
        ...

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        ...

    async def compare(self, services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name the rows that say something else than the log, once it is read."""
        ...


@dataclass(slots=True)
class ReplayCounts:
    """How many events opened, and how many have no key any more."""

    opened: int = 0
    destroyed: int = 0


class Replay:
    """Reads the whole log once, in one snapshot."""

    def __init__(self, services: Services, snapshot: Snapshot, faults: Faults) -> None:
        self._services = services
        self._snapshot = snapshot
        self._faults = faults
        self._vaults = ReplayedVaults()
        self._folds: tuple[Fold, ...] = (
            self._vaults,
            ReplayedAccounts(),
            ReplayedBindings(),
            ReplayedSessions(),
            ReplayedMeans(),
            ReplayedAnchors(),
            ReplayedTrust(),
            ReplayedRepresentations(),
            ReplayedRecoveries(),
            ReplayedDocuments(),
            ReplayedRequests(),
            ReplayedGrants(),
            ReplayedReports(),
            ReplayedErasures(),
            ReplayedClosings(),
            ReplayedRoots(),
            ReplayedLimits(self._faults),
        )
        self._private: PrivateKeys = {}
        self.counts = ReplayCounts()

    async def run(self, progress: Progress) -> ReplayCounts:
        """Replay; calls `progress(events read, total)` on the way."""
        tx = self._snapshot.connection
        await self._vaults.tag_people(self._services, self._snapshot)
        for fold in self._folds:
            await fold.load(self._snapshot)
        total = (await tx.execute(select(func.count()).select_from(AccessEvent))).scalar_one()
        done = 0
        rows = (await tx.execute(_EVENTS)).all()
        while rows:
            for row, entry in zip(rows, await self._open(rows), strict=True):
                if entry is not None:
                    await self._read(row, entry)
            done += len(rows)
            progress(done, total)
            rows = (await tx.execute(_EVENTS.where(AccessEvent.id > rows[-1].id))).all()
        for fold in self._folds:
            await fold.compare(self._services, self._snapshot, self._faults)
        return self.counts

    async def _open(self, rows: Sequence[Row[Any]]) -> list[AccessLogEntry | None]:
        """The entries of a page; None for one that does not open, which is named."""
        audit_log, tx = self._services.audit_log, self._snapshot.connection
        if len(self._private) > _MAX_KEYS:
            self._private.clear()
        try:
            return list(await audit_log.open_entries(tx, rows, self._private))
        except _UNOPENED:
            return [await self._open_one(row) for row in rows]

    async def _open_one(self, row: Row[Any]) -> AccessLogEntry | None:
        tx = self._snapshot.connection
        try:
            return (await self._services.audit_log.open_entries(tx, [row]))[0]
        except _UNOPENED:
            self._faults.add("does_not_open", "access_event", row.id)
            return None

    async def _read(self, row: Row[Any], entry: AccessLogEntry) -> None:
        if entry.forged:
            self._faults.add("forged", "access_event", row.id)
        elif entry.values is None:
            self.counts.destroyed += 1
            self._vaults.see_unreadable(row.person_tag, row.at)
        elif not await self._columns_agree(row, entry.values):
            self._faults.add("columns", "access_event", row.id)
        else:
            self.counts.opened += 1
            act = LoggedAct.of(row.at, entry.values)
            if act.action == "keys.destroy" and "log_of" in act.details:
                self._snapshot.forgotten = max(self._snapshot.forgotten, int(act.details["log_of"]))
            for fold in self._folds:
                fold.see(act)

    async def _columns_agree(self, row: Row[Any], values: dict[str, Any]) -> bool:
        """Whether the row's time and tags are those of the event: readers find it by them."""
        if values["id"] != str(row.id) or values["at"] != rfc3339(row.at):
            return False
        person = UUID(values["person"]) if "person" in values else None
        known = self._vaults.person_of(row.person_tag)
        if known is None or known != person:
            expected = await self._services.audit_log.person_tag(person)
            if expected != row.person_tag:
                return False
        actor_tag = await _actor_tag(self._services, values["actor"])
        return bool(actor_tag == row.actor_tag)


async def _actor_tag(services: Services, actor: dict[str, str]) -> bytes | None:
    named = UUID(actor["id"]) if "id" in actor else None
    return await services.audit_log.actor_tag(Actor(ActorKind(actor["kind"]), named))
