"""Sessions as the log tells them: none is live that it says ended, or that no sign-in opened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services

_OPENING = (Action.SIGN_IN, Action.REPRESENTATION_ENTERED)


class ReplayedSessions:
    """Sign-ins and their ends. Sessions that ended or expired are not read: they open nothing."""

    def __init__(self) -> None:
        self._live: dict[UUID, datetime] = {}
        self._opened: set[UUID] = set()
        self._ended: set[UUID] = set()
        self._named_since: datetime | None = None
        """The first sign-in that named its session: earlier releases did not."""

    async def load(self, snapshot: Snapshot) -> None:
        """Read the live sessions."""
        session = table_named("session").c
        found = await snapshot.connection.execute(
            select(session.id, session.created_at).where(
                session.revoked_at.is_(None), session.expires_at > snapshot.at
            )
        )
        self._live = {row.id: row.created_at for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if not act.allowed:
            return
        named = act.named("session")
        if act.action in _OPENING and named is not None:
            if self._named_since is None or act.at < self._named_since:
                self._named_since = act.at
            if named in self._live:
                self._opened.add(named)
        elif act.action in (Action.SIGN_OUT, Action.MEANS_STOPPED, Action.VAULT_LEFT):
            ended = {named} if named is not None else set(act.all_named("ended"))
            self._ended |= ended & self._live.keys()

    async def compare(self, _services: Services, _snapshot: Snapshot, faults: Faults) -> None:
        """Name each live session that must not be."""
        for session in self._ended:
            faults.add("ended", "session", session)
        if self._named_since is None:
            return
        for session, created_at in self._live.items():
            if session not in self._opened and created_at >= self._named_since:
                faults.add("not_in_log", "session", session)
