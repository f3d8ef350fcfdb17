"""The vault that a recovery opens now: the one that was found, or that in which it ended since; and
whether it may."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import joins, people
from auth.services import CoreServices
from vault.recovery import candidates, records
from vault.recovery.recovery_rules import REMEMBERED, RecoveryFacts
from vault.recovery.recovery_values import facts_of

_ASLEEP = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class JudgedRecovery:
    """A recovery as it stands. `former_id`: the vault that it opens; None where there is none."""

    facts: RecoveryFacts
    former_id: UUID | None


async def judged(services: CoreServices, tx: AsyncConnection, row: Any) -> JudgedRecovery:
    """The facts of a row, which was checked. Raises `RowAltered`."""
    former = await _former_of(services, tx, row)
    rival = former is not None and await _has_rival(services, tx, row, former)
    facts = facts_of(row, former=former is not None, rival=rival)
    return JudgedRecovery(facts, former)


async def _former_of(services: CoreServices, tx: AsyncConnection, row: Any) -> UUID | None:
    if row.former_id is None:
        return None
    macs = await services.field_encryption.row_macs()
    join = await joins.ended_in(tx, macs, row.former_id)
    former: UUID = row.former_id if join is None else join.stays_id
    there = former != row.waiting_id and await candidates.is_there(services, tx, former)
    return former if there else None


async def _has_rival(services: CoreServices, tx: AsyncConnection, row: Any, former: UUID) -> bool:
    """Whether another recovery that may open that vault lives: an agent alone bars nobody."""
    macs = await services.field_encryption.row_macs()
    for vault in {former, row.former_id}:
        for one in await records.of_former(tx, macs, vault, REMEMBERED):
            other = one.id != row.id and one.opens_at is not None
            if other and facts_of(one, former=True).lives:
                return True
    return False


async def leading_to(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> list[UUID]:
    """The vaults of which a recovery opens this one: its own, and those that ended in it. Raises
    `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    return [person_id, *(row.person_id for row in await joins.joins_into(tx, macs, person_id))]


async def slept(services: CoreServices, tx: AsyncConnection, former: UUID, row: Any) -> bool:
    """Whether the former vault was not used for six months when its recovery began, nor since."""
    macs = await services.field_encryption.row_macs()
    person = await people.person(tx, macs, former)
    return person is not None and bool(person.used_at < row.began_at - _ASLEEP)
