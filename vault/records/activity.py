"""SQL of an organisation's own activity: whose doings they are, and these doings in a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import literal, null, select, union_all
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import ActorKind
from audit.records import AccessEvent
from auth.records.recipients import Client, Worker


async def accounts_of(
    connection: AsyncConnection, organisation_id: UUID
) -> Sequence[Row[str, UUID]]:
    """The accounts that an organisation has or had: `kind`, `id`."""
    found = await connection.execute(
        union_all(
            *(
                select(literal(kind.value).label("kind"), table.id).where(
                    table.organisation_id == organisation_id
                )
                for kind, table in ((ActorKind.WORKER, Worker), (ActorKind.CLIENT, Client))
            )
        )
    )
    return found.all()


async def doings_between(
    connection: AsyncConnection,
    actor_tags: Sequence[bytes],
    start: datetime,
    end: datetime,
    *,
    after: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Lines of these actors on people's vaults, in `[start, end)`, in the order of their ids."""
    query = (
        select(AccessEvent.__table__, null().label("state"))
        .where(
            AccessEvent.actor_tag.in_(actor_tags),
            AccessEvent.person_tag.is_not(None),
            AccessEvent.at >= start,
            AccessEvent.at < end,
        )
        .order_by(AccessEvent.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(AccessEvent.id > after)
    return (await connection.execute(query)).all()
