"""The wrong codes of a day, counted by address, lane and length; exact under the address's lock."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.code_limits import DAY, HOUR, CountedLane, WrongCodes
from auth.records import sign_ins
from auth.records.sign_ins import WRONG_CODES_ROW
from auth.services import CoreServices

WRONG_CODES_KEPT = DAY + 2 * HOUR


async def wrong_codes(
    services: CoreServices, tx: AsyncConnection, address_tag: bytes, at: datetime
) -> WrongCodes:
    """The counts of the last 24 hours and of the hour that they began in.

    Raises `RowAltered` for a count that was changed without the key.
    """
    counted: dict[tuple[str, int], int] = {}
    for row in await _rows(services, tx, address_tag, _hour_of(at) - DAY):
        counted[row.lane, row.digits] = counted.get((row.lane, row.digits), 0) + row.count
    return counted


async def seconds_until_fewer(
    services: CoreServices,
    tx: AsyncConnection,
    address_tag: bytes,
    lane: CountedLane,
    at: datetime,
) -> int:
    """When the oldest of a lane counts no more."""
    found = await _rows(services, tx, address_tag, _hour_of(at) - DAY)
    rows = [row for row in found if row.lane == lane]
    oldest = min((row.hour for row in rows), default=at)
    return max(int((oldest + DAY + HOUR - at).total_seconds()), 1)


async def count_wrong_code(
    services: CoreServices,
    tx: AsyncConnection,
    address_tag: bytes,
    lane: CountedLane,
    digits: int,
    at: datetime,
) -> None:
    """Count one more. The caller MUST hold the address's lock."""
    hour = _hour_of(at)
    rows = await _rows(services, tx, address_tag, hour)
    counted = [
        row.count for row in rows if (row.hour, row.lane, row.digits) == (hour, lane, digits)
    ]
    macs = await services.field_encryption.row_macs()
    values = {
        "address_tag": address_tag,
        "hour": hour,
        "lane": lane,
        "digits": digits,
        "count": sum(counted) + 1,
    }
    await sign_ins.put_wrong_codes(tx, **macs.add(WRONG_CODES_ROW, values))


async def _rows(
    services: CoreServices, tx: AsyncConnection, address_tag: bytes, since: datetime
) -> list[Any]:
    macs = await services.field_encryption.row_macs()
    rows = await sign_ins.wrong_codes(tx, address_tag, since)
    for row in rows:
        macs.check(WRONG_CODES_ROW, row)
    return list(rows)


def _hour_of(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
