"""SQL of the export for monitoring: the log in the order of its leaves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.log_records import LogLeaf
from audit.records import AccessEvent, AccessOutcome


async def integrated_events(
    connection: AsyncConnection, *, after: int, since: datetime | None, limit: int
) -> Sequence[Row[Any]]:
    """Events with a leaf beyond `after`, in the order of the leaves, each with its `leaf_index`."""
    query = (
        select(AccessEvent.__table__, AccessOutcome.state, LogLeaf.index.label("leaf_index"))
        .join(LogLeaf, LogLeaf.event_id == AccessEvent.id)
        .outerjoin(AccessOutcome, AccessOutcome.event_id == AccessEvent.id)
        .where(LogLeaf.index > after)
        .order_by(LogLeaf.index)
        .limit(limit)
    )
    if since is not None:
        query = query.where(AccessEvent.at >= since)
    return (await connection.execute(query)).all()
