"""Rows that no code of the service changes that way, changed as if it did."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.records import OUTCOME_COLUMNS, AccessEvent, AccessOutcome
from auth.services import CoreServices
from base.database import Base, Database
from storage.row_macs import RowFormat


async def change_row(
    services: CoreServices,
    as_owner: Database,
    table: type[Base],
    row_format: RowFormat,
    row_id: UUID,
    **values: Any,
) -> None:
    """Change columns of a row, as the tables' owner, and write its MAC anew."""
    macs = await services.field_encryption.row_macs()
    columns = table.__table__.c
    async with as_owner.transaction() as tx:
        found = await tx.execute(select(table.__table__).where(columns.id == row_id))
        changed = {**found.mappings().one(), **values}
        await tx.execute(
            update(table)
            .where(columns.id == row_id)
            .values(**values, mac=macs.of(row_format, changed))
        )


async def last_events(tx: AsyncConnection, limit: int) -> Sequence[Row[Any]]:
    """The events of the last transactions, of anyone, newest first, whatever their ids."""
    found = await tx.execute(
        select(AccessEvent.__table__, *OUTCOME_COLUMNS)
        .outerjoin(AccessOutcome, AccessOutcome.event_id == AccessEvent.id)
        .order_by(text("access_event.xmin::text::bigint DESC"), AccessEvent.id.desc())
        .limit(limit)
    )
    return found.all()
