"""Who assists a person by the decision of a judge: noted by the person, who goes on acting.

A curator signs beside the person and does not act in their place (Code civil, articles 467 and
469): so nobody gets a way in here. Their name is sealed in the person's row, and stands in the
evidence of each act from then on and on its receipt, until the measure ends (articles 441 to 443).
Representation, which a tutelle is, has rows of its own. ADR:
docs/adr/0069-representatives.md.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, cast, get_args

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, means_log
from auth.holder_proofs import Proof, ShownProof
from auth.means_changes import NotChanged, change
from auth.person_values import open_values, read_values, write_values
from auth.services import CoreServices
from auth.subjects import Person
from base.clock import rfc3339
from base.db_time import instant
from base.errors import about, invalid, not_found
from base.time_zones import zone_of
from base.user_text import clean_title

ProtectionKind = Literal["curatorship", "reinforced_curatorship"]
"""Curatelle, and curatelle renforcée (article 472): words are only ever added."""
KINDS: tuple[ProtectionKind, ...] = get_args(ProtectionKind)
LONGEST = 120
"""Of the name: a person's, or an association's with a person's."""
LONGEST_YEARS = 20
"""No measure is renewed for longer (article 442)."""
_VALUE = "protection"


@dataclass(frozen=True, slots=True)
class Protection:
    """Who assists, until which day (its last one; None where the person does not know), and since
    when it is noted."""

    kind: ProtectionKind
    name: str = field(repr=False)
    until: date | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Assistance:
    """What the evidence of an act says of it."""

    kind: ProtectionKind
    name: str = field(repr=False)


async def noted(services: CoreServices, person: Person) -> Protection | None:
    """What the caller noted; also once it ended, so that they can say until when it lasts now."""
    async with services.database.transaction() as tx:
        return _protection(await read_values(services, tx, person.id))


async def note(
    services: CoreServices,
    person: Person,
    kind: ProtectionKind,
    name: str,
    until: date | None,
    proof: Proof,
) -> Protection:
    """Note who assists the caller, in the place of what was noted before.

    Raises as `auth.means_changes.change`; `ServiceError` INVALID `text_empty`, `text_too_long`,
    `protection_over`, `protection_too_long`. A crash before the commit leaves the former one.
    """
    await assistance.check_alone(services, person, Action.PROTECTION_NOTED)
    with about("name"):
        cleaned = clean_title(name, LONGEST)
        if cleaned is None:
            raise invalid("text_empty")

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> Protection:
        row, values = await open_values(services, tx, person.id)
        at = await instant(tx)
        _check_end(until, _today(values, at))
        values[_VALUE] = {"kind": kind, "name": cleaned, "noted_at": rfc3339(at)}
        if until is not None:
            values[_VALUE]["until"] = until.isoformat()
        await write_values(services, tx, row, values, row.phone_tag)
        await means_log.record(services, tx, person, Action.PROTECTION_NOTED, kind=kind)
        return Protection(kind, cleaned, until, at)

    return await change(services, person, Action.PROTECTION_NOTED, proof, act)


async def forget(services: CoreServices, person: Person, proof: Proof) -> None:
    """Note nobody any more. Raises as `note`; NOT_FOUND where nobody is noted."""
    await assistance.check_alone(services, person, Action.PROTECTION_ENDED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> NotChanged | None:
        row, values = await open_values(services, tx, person.id)
        if values.pop(_VALUE, None) is None:
            return NotChanged("not_found", not_found())
        await write_values(services, tx, row, values, row.phone_tag)
        await means_log.record(services, tx, person, Action.PROTECTION_ENDED)
        return None

    await change(services, person, Action.PROTECTION_ENDED, proof, act)


async def assistance_of(
    services: CoreServices, tx: AsyncConnection, person: Person
) -> Assistance | None:
    """Who assists a person today, for the evidence of an act; None once the measure ended, where
    the person is. Raises `RowAltered`."""
    values = await read_values(services, tx, person.id)
    found = _protection(values)
    if found is None or _is_over(found, _today(values, await instant(tx))):
        return None
    return Assistance(found.kind, found.name)


def _protection(values: dict[str, Any]) -> Protection | None:
    kept = values.get(_VALUE)
    if kept is None:
        return None
    until = date.fromisoformat(kept["until"]) if "until" in kept else None
    noted_at = datetime.fromisoformat(kept["noted_at"])
    return Protection(cast("ProtectionKind", kept["kind"]), kept["name"], until, noted_at)


def _today(values: dict[str, Any], at: datetime) -> date:
    """Which day it is where the person is."""
    return at.astimezone(zone_of(values.get("time_zone"), values.get("phone"))).date()


def _is_over(found: Protection, today: date) -> bool:
    return found.until is not None and found.until < today


def _check_end(until: date | None, today: date) -> None:
    """Raise INVALID where the last day has passed, or is later than a judge may say."""
    if until is None:
        return
    with about("until"):
        if until < today:
            raise invalid("protection_over")
        if (until.year - LONGEST_YEARS, until.month, until.day) > (
            today.year,
            today.month,
            today.day,
        ):
            raise invalid("protection_too_long")
