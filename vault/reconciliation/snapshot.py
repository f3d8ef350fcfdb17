"""One moment of the database: rows and log are read in the same one, so that a service that goes on
running makes no difference between them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, text, tuple_
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.database import SCHEMA, Base
from base.db_time import instant
from vault.services import Services

_PAGE = 1000


@dataclass(slots=True)
class Snapshot:
    """`at`: the database's clock in it. `forgotten`: the last year whose part of the log may have
    been destroyed, as announced; what was made in it or before is not judged by the log."""

    connection: AsyncConnection
    at: datetime
    forgotten: int

    def is_forgotten(self, moment: datetime) -> bool:
        """Whether the log of that moment may be unreadable, as announced."""
        return moment.year <= self.forgotten

    async def pages(self, table: Table) -> AsyncIterator[Sequence[Row[Any]]]:
        """Every row of a table, in the order of its key, page by page."""
        key = tuple(table.primary_key.columns)
        query = select(table).order_by(*key).limit(_PAGE)
        rows = (await self.connection.execute(query)).all()
        while rows:
            yield rows
            last = [getattr(rows[-1], column.name) for column in key]
            after = query.where(tuple_(*key) > tuple_(*last))
            rows = (await self.connection.execute(after)).all()


@asynccontextmanager
async def open_snapshot(services: Services) -> AsyncIterator[Snapshot]:
    """A transaction that reads one moment, and writes nothing."""
    async with services.database.transaction() as tx:
        await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        at = await instant(tx)
        yield Snapshot(tx, at, at.year - 1 - services.settings.log_retention_years)


def table_named(name: str) -> Table:
    """The table of that name, as its `records` declare it."""
    return Base.metadata.tables[f"{SCHEMA}.{name}"]
