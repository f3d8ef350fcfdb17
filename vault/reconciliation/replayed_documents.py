"""The documents of each vault as the log tells them: there or not, in the trash or not, in which
state (`revision`), with how many versions, and which of these are infected."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services
from vault.tables import Document, DocumentVersion

_DOCUMENTS = (
    select(
        Document.id,
        Document.revision,
        Document.created_at,
        Document.deleted_at,
        func.array_agg(DocumentVersion.number).label("numbers"),
        func.array_agg(DocumentVersion.number)
        .filter(DocumentVersion.scan == "infected")
        .label("infected"),
    )
    .outerjoin(DocumentVersion, DocumentVersion.document_id == Document.id)
    .group_by(Document.id)
)
_CHANGES = frozenset(
    {
        Action.DEPOSIT,
        Action.NEW_VERSION,
        Action.CORRECT,
        Action.TYPE_SUGGESTED,
        Action.SUGGESTION_REFUSED,
        Action.DELETE,
        Action.RESTORE,
    }
)


@dataclass(slots=True)
class _State:
    """A document after the last event about it. `revision` is None for an event of release 0.1;
    `versions` is None when the log does not tell their number."""

    last: tuple[datetime, UUID]
    revision: str | None = None
    deleted: bool = False
    versions: int | None = None
    infected: set[int] = field(default_factory=set)
    some_infected: bool = False


class ReplayedDocuments:
    """Deposits, versions, corrections, deletions, purges and verdicts."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._states: dict[UUID, _State] = {}
        self._purged: set[UUID] = set()
        """Those that are there all the same."""

    async def load(self, snapshot: Snapshot) -> None:
        """Read every document, with the numbers of its versions."""
        rows = await snapshot.connection.execute(_DOCUMENTS)
        self._rows = {row.id: row for row in rows}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if not act.allowed or not act.documents:
            return
        (document, *_) = act.documents
        if act.action == Action.VAULT_LEFT:  # those that the other vault held already
            for one in act.documents:
                self._gone(one)
        elif act.action in _CHANGES:
            self._change(document, act)
        elif act.action == Action.INFECTED:
            state = self._states.setdefault(document, _State(act.place))
            state.some_infected = True
            if "version" in act.details:
                state.infected.add(int(act.details["version"]))
        elif act.action == Action.PURGE:
            self._gone(document)

    def _gone(self, document: UUID) -> None:
        self._states.pop(document, None)
        if document in self._rows:
            self._purged.add(document)

    def _change(self, document: UUID, act: LoggedAct) -> None:
        known = document in self._states
        if "held" in act.details or (
            # A deposit of a document held already, as release 0.1 recorded it.
            act.action == Action.DEPOSIT and known and "revision" not in act.details
        ):
            return
        state = self._states.setdefault(document, _State(act.place))
        if act.action in {Action.DEPOSIT, Action.NEW_VERSION}:
            state.versions = _versions(state.versions, act)
        if act.place >= state.last:
            state.last = act.place
            state.revision = act.word("revision")
            state.deleted = act.action == Action.DELETE

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each document that is not as the log tells it."""
        for document in self._purged:
            faults.add("back", "document", document)
        for document in self._states.keys() - self._rows.keys():
            faults.add("missing", "document", document)
        for document, row in self._rows.items():
            state = self._states.get(document)
            if state is not None:
                _compare(row, state, faults)
            elif document not in self._purged and not snapshot.is_forgotten(row.created_at):
                faults.add("not_in_log", "document", document)


def _versions(known: int | None, act: LoggedAct) -> int | None:
    """How many versions there are after a deposit or a new version."""
    told = act.details.get("version")
    if told is not None:
        return max(known or 0, int(told))
    if act.action == Action.DEPOSIT:
        return 1
    return None if known is None else known + 1


def _compare(row: Any, state: _State, faults: Faults) -> None:
    other_state = state.revision is not None and state.revision != str(row.revision)
    if other_state or state.deleted != (row.deleted_at is not None):
        faults.add("older", "document", row.id)
    numbers = sorted(number for number in row.numbers if number is not None)
    if state.versions is not None and numbers != list(range(1, state.versions + 1)):
        faults.add("versions", "document", row.id)
    infected = set(row.infected or ())
    if not state.infected <= infected or (state.some_infected and not infected):
        faults.add("infected", "document", row.id)
