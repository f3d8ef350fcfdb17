"""Grants as the log tells them: given, revoked, narrowed. The history of each says the same."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from audit.events import Action
from vault.consent.type_tags import type_tag
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services
from vault.tables import Grant, GrantHistory

_GRANTS = (
    select(
        Grant.id,
        Grant.person_id,
        Grant.given_at,
        Grant.revoked_at,
        Grant.type_tags,
        Grant.document_ids,
        func.array_agg(GrantHistory.step).label("steps"),
        func.array_agg(GrantHistory.by_kind)
        .filter(GrantHistory.step == "revoked")
        .label("ended_by"),
        func.max(GrantHistory.at).label("last_step_at"),
    )
    .outerjoin(GrantHistory, GrantHistory.grant_id == Grant.id)
    .group_by(Grant.id)
)


_MOMENT = timedelta(minutes=1)


@dataclass(slots=True)
class _State:
    """`given`: None while only later events were read. `ended_by`: the kind of actor. `left`: types
    that it lost; `joined`: papers that it names one by one."""

    given: str | None = None
    revoked_at: datetime | None = None
    ended_by: str = ""
    narrowed: bool = False
    left: set[str] = field(default_factory=set)
    joined: set[UUID] = field(default_factory=set)


class ReplayedGrants:
    """Grants given and approved, revoked and given back, narrowings."""

    def __init__(self) -> None:
        self._rows: dict[UUID, Any] = {}
        self._states: dict[UUID, _State] = {}

    async def load(self, snapshot: Snapshot) -> None:
        """Read every grant, with its history."""
        found = await snapshot.connection.execute(_GRANTS)
        self._rows = {row.id: row for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if not act.allowed or act.grant is None:
            return
        if act.action in {Action.GIVE, Action.APPROVE}:
            state = self._states.setdefault(act.grant, _State())
            state.given = "given" if act.action == Action.GIVE else "approved"
        elif act.action in {Action.REVOKE, Action.GIVE_BACK}:
            state = self._states.setdefault(act.grant, _State())
            state.revoked_at, state.ended_by = act.at, act.actor_kind
        elif act.action == Action.NARROW:
            state = self._states.setdefault(act.grant, _State())
            state.narrowed = True
            state.left.update(act.words("document_types"))
            state.joined.update(act.documents)

    async def compare(self, services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name each grant that is not as the log tells it."""
        for grant in self._states.keys() - self._rows.keys():
            faults.add("missing", "grant", grant)
        for grant, row in self._rows.items():
            state = self._states.get(grant, _State())
            if state.given is None and not snapshot.is_forgotten(row.given_at):
                faults.add("not_in_log", "grant", grant)
            _compare_revocation(row, state, snapshot, faults)
            if await _is_wider(services, row, state):
                faults.add("not_narrowed", "grant", grant)


def _compare_revocation(row: Any, state: _State, snapshot: Snapshot, faults: Faults) -> None:
    steps = [step for step in row.steps if step is not None]
    in_history = "revoked" in steps
    if state.revoked_at is not None and not (
        in_history and _then(row.revoked_at, row, state) and _then(row.last_step_at, row, state)
    ):
        faults.add("revoked", "grant", row.id)
    if state.revoked_at is None and (row.revoked_at is not None or in_history):
        moment: datetime = row.revoked_at or row.last_step_at
        if not snapshot.is_forgotten(moment):
            faults.add("not_revoked", "grant", row.id)
    first = [step for step in steps if step in {"given", "approved"}]
    other_start = len(first) != 1 or (state.given is not None and first != [state.given])
    other_end = state.ended_by and in_history and set(row.ended_by) != {state.ended_by}
    if other_start or other_end or (state.narrowed and "narrowed" not in steps):
        faults.add("history", "grant_history", f"of grant {row.id}")


def _then(at: datetime | None, row: Any, state: _State) -> bool:
    """Whether a time is that of the revocation: the row's, the history's and the event's are read
    one after the other. A clock that was set back gives the time at which the grant was given."""
    assert state.revoked_at is not None  # noqa: S101  (the caller checked)
    told = max(state.revoked_at, row.given_at)
    return at is not None and abs(max(at, row.given_at) - told) < _MOMENT


async def _is_wider(services: Services, row: Any, state: _State) -> bool:
    """Whether it still names a type that it lost, or does not name a paper that it must."""
    if not state.joined <= set(row.document_ids):
        return True
    tags = set(row.type_tags)
    return any([await type_tag(services, row.person_id, code) in tags for code in state.left])
