"""Means that are too new to give a whole vault away: whoever took a session over may have added
them. Its holder was told, and has a week to see it.

As for an erasure: a phone that was added, and a PIN that was chosen, as with each new card. The
phone that opened the vault is as old as that.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.means_changes import NotChanged
from auth.person_contact import person_contact
from auth.pins import chosen_at
from auth.services import CoreServices
from base.db_time import instant
from base.errors import ErrorKind, ServiceError

WAIT = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewMeans:
    """Which means is too new, and from when on none is. `days`: until then, the last one begun."""

    reason: Literal["phone_too_new", "card_too_new"]
    possible_at: datetime
    days: int


async def new_means_of(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> NewMeans | None:
    """What of a vault is too new; None where all of it is a week old. Raises `RowAltered`."""
    pin_at = await chosen_at(services, tx, person_id)
    phone_at = (await person_contact(services, tx, person_id)).phone_added_at
    last = max((one for one in (pin_at, phone_at) if one is not None), default=None)
    at = await instant(tx)
    if last is None or at - last >= WAIT:
        return None
    possible_at = last + WAIT
    days = math.ceil((possible_at - at) / _DAY)
    return NewMeans("card_too_new" if last == pin_at else "phone_too_new", possible_at, days)


async def judge_age(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> NotChanged | None:
    """`means_too_new`, with the days that are left, while a means of a vault is."""
    new = await new_means_of(services, tx, person_id)
    if new is None:
        return None
    error = ServiceError(ErrorKind.CONFLICT, "means_too_new", days=new.days)
    return NotChanged(new.reason, error)
