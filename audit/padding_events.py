"""Padding events: what the public log grows by when fewer real events happened than were drawn.

They are events like the others, of the service and about nobody: sealed, recorded, with their leaf.
So nobody who reads the public tree tells them apart from the others, and `audit reconcile` opens
them. No person sees them, and no receipt needs them.
"""

from audit.audit_log import AuditLog
from audit.events import Action, Actor, ActorKind, Event, Outcome
from base.database import Database
from base.db_time import instant
from base.ids import new_id


class Padding:
    """Records padding events; `size` is the least number of leaves of a publication."""

    def __init__(self, database: Database, audit_log: AuditLog, size: int) -> None:
        self._database = database
        self._audit_log = audit_log
        self.size = size

    async def record(self, count: int) -> None:
        """Record `count` of them, in one transaction and one round trip: a crash leaves all or
        none."""
        service = Actor(ActorKind.SERVICE)
        async with self._database.transaction() as reading:
            at = await instant(reading)
        async with self._database.pipeline.transaction() as tx:
            for _ in range(count):
                event = Event(new_id(), at, Action.PADDING, Outcome.ALLOWED, service)
                await self._audit_log.record(tx, event)
