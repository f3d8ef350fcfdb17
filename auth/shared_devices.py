"""Sessions on a device that others use: short, and over once nobody touches it.

The token itself says that its session is one: its prefix is hashed with it, so that a row changed
in the database makes no such session longer (docs/adr/0047-entering.md).
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import sessions
from auth.services import CoreServices
from base.db_time import instant

IDLE = timedelta(minutes=15)
AT_MOST = timedelta(hours=2)
"""However busy it is: a page that asks again and again by itself keeps nothing open."""
_STEP = timedelta(seconds=30)
"""The end is written again no more often."""


def is_shared(token: str | None) -> bool:
    """Whether a token is of a session on a device that others use: a worker's is one of them."""
    return token is not None and token.partition("_")[0].endswith(("s", "a"))


def first_end(opened_at: datetime) -> datetime:
    """When a session ends that is not used again."""
    return opened_at + IDLE


async def postpone_end(services: CoreServices, tx: AsyncConnection, row: Any) -> datetime:
    """Move the end of a live session that is used, in the caller's transaction; returns the end.

    `row`: of `live_session`, checked. A crash before the commit leaves the end as it was. A session
    that is ended meanwhile stays so.
    """
    end: datetime = min(await instant(tx) + IDLE, row.session_created_at + AT_MOST)
    if end - row.session_expires_at < _STEP:
        return row.session_expires_at  # type: ignore[no-any-return]  # a row's column
    values = {name: getattr(row, f"session_{name}") for name in sessions.SESSION_ROW.columns}
    macs = await services.field_encryption.row_macs()
    mac = macs.of(sessions.SESSION_ROW, {**values, "expires_at": end})
    await sessions.move_end(tx, row.session_id, end, mac)
    return end
