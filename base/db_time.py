"""The database's clock: the only one that decides (invariant 3). Tests replace `unefois.now()`."""

import time
from datetime import datetime
from typing import cast

from sqlalchemy import DateTime, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import func
from sqlalchemy.sql.functions import Function

from base import clock
from base.statements import Bound, Statement


def now() -> Function[datetime]:
    """The database's clock, in SQL: one value a statement."""
    return cast("Function[datetime]", func.unefois.now(type_=DateTime(timezone=True)))


_INSTANT = Statement(select(now().label("at")))


def instant_query() -> Bound:
    """`instant`, as a statement: one row with `at`."""
    return _INSTANT()


async def instant(connection: AsyncConnection) -> datetime:
    """The database's clock, read now. The process's own is set by it."""
    sent = time.monotonic()
    value: datetime = (await connection.execute(select(now()))).scalar_one()
    clock.learn(value, sent, time.monotonic())
    return value
