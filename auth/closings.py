"""The closing of the service: announced by its operator, cancelled, and what is over after it.

ADR: docs/adr/0068-closing.md.
"""

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Event, Outcome
from auth.administration import OPERATOR
from auth.closing_rules import day_of, earliest, end_of, last_day, may_announce
from auth.records import closings as records
from auth.services import CoreServices
from base import clock
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.locks import CLOSING, hold_tag
from base.outages import unavailable
from base.pipeline import Transaction, fetch_one
from storage.field_encryption import FieldEncryption
from storage.row_macs import RowAltered

_SHOWN_FOR, _WAIT = 60.0, 2.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Closing:
    """`closes_on`: the last day, in Paris. `is_over`: that day is past."""

    id: UUID
    closes_on: date
    is_over: bool


class ClosingRefused(ValueError):
    """It cannot be announced, or there is none to cancel; the message says why, to an operator."""


_shown: WeakKeyDictionary[FieldEncryption, tuple[float, Closing | None]] = WeakKeyDictionary()


async def current(services: CoreServices, tx: Transaction) -> Closing | None:
    """The closing that is announced. Raises `RowAltered`."""
    row = await fetch_one(tx, records.announced_closing())
    if row is None:
        return None
    (await services.field_encryption.row_macs()).check(records.CLOSING_ROW, row)
    return _closing(row)


async def is_over(services: CoreServices, tx: Transaction) -> bool:
    """Whether the service closed: nothing is added any more. What is there is read, taken away and
    erased until the operator stops it. Raises `RowAltered`."""
    closing = await current(services, tx)
    return closing is not None and closing.is_over


def service_closed() -> ServiceError:
    """What those are answered who would add something."""
    return ServiceError(ErrorKind.REFUSED, "service_closed")


async def check_open(services: CoreServices, tx: Transaction) -> None:
    """Raises REFUSED `service_closed` after the last day; and `RowAltered`."""
    if await is_over(services, tx):
        raise service_closed()


async def shown(services: CoreServices) -> Closing | None:
    """The closing as pages show it: up to a minute old, and as it was last seen while the database
    does not answer, or has one that the service did not write. No page waits long for it."""
    at, known = _shown.get(services.field_encryption, (None, None))
    if at is not None and clock.monotonic() - at < _SHOWN_FOR:
        return known
    try:
        async with asyncio.timeout(_WAIT), services.database.transaction() as tx:
            known = await current(services, tx)
    except RowAltered:
        _log.error("closing_altered")  # what would be added meanwhile is refused
    except TimeoutError:
        pass
    except Exception as error:
        if unavailable(error) is None:
            raise
    _shown[services.field_encryption] = (clock.monotonic(), known)
    return known


def forget(services: CoreServices) -> None:
    """Have the next page look again."""
    _shown.pop(services.field_encryption, None)


async def announce(services: CoreServices, closes_on: date) -> Closing:
    """Say from now on, everywhere, that the service closes at the end of that day. Raises
    `ClosingRefused` sooner than three months from today, and where another day was said.

    A crash before the commit says nothing.
    """
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await hold_tag(tx, CLOSING)
        there = await current(services, tx)
        if there is not None:
            raise ClosingRefused(
                f"it is announced for {there.closes_on}: cancel that first, and everyone is told"
            )
        at = await instant(tx)
        today = day_of(at)
        if not may_announce(closes_on, today):
            raise ClosingRefused(
                "people are told at least three months before (CPCE, article D.541): on"
                f" {earliest(today)} at the earliest"
            )
        closing = Closing(new_id(), closes_on, is_over=False)
        await records.add_closing(
            tx, macs, id=closing.id, ends_at=end_of(closes_on), announced_at=at
        )
        await _record(services, tx, Action.CLOSING_ANNOUNCED, closing)
    forget(services)
    return closing


async def cancel(services: CoreServices) -> Closing:
    """The service goes on. Raises `ClosingRefused` where nothing is announced."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await hold_tag(tx, CLOSING)
        row = await records.last_closing(tx, macs)
        if row is None or row.cancelled_at is not None:
            raise ClosingRefused("no closing is announced")
        await records.cancel_closing(tx, macs, row, row.at)
        closing = _closing(row)
        await _record(services, tx, Action.CLOSING_CANCELLED, closing)
    forget(services)
    return closing


def _closing(row: Any) -> Closing:
    return Closing(row.id, last_day(row.ends_at), is_over=row.at >= row.ends_at)


async def _record(
    services: CoreServices, tx: AsyncConnection, action: Action, closing: Closing
) -> None:
    details: dict[str, str | int] = {
        "closing": str(closing.id),
        "closes_on": closing.closes_on.isoformat(),
    }
    event = Event(new_id(), await instant(tx), action, Outcome.ALLOWED, OPERATOR, details=details)
    await services.audit_log.record(tx, event)
