"""A representation as each of its two sides sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row

from audit.events import Action
from auth import assistance
from auth.records import representations as records
from auth.subjects import Person
from base.key_names import REPRESENTATION
from vault.representation.representation_rules import (
    RepresentationFacts,
    RepresentationState,
    state_of_representation,
)
from vault.services import Services


@dataclass(frozen=True, slots=True)
class RepresentationView:
    """`name`: what the caller's side calls the other one. `representative`, `court`, `decided_on`
    and `ends_on`: of the judgement, once a worker read it; `read_by`: who. `code`: digits that the
    caller shows, in the session that asked for them."""

    id: UUID
    side: Literal["represented", "represents"]
    state: RepresentationState
    name: str = field(repr=False)
    created_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    waits_until: datetime | None
    ends_at: datetime | None
    representative: str | None = field(repr=False)
    court: str | None = field(repr=False)
    decided_on: date | None
    ends_on: date | None
    read_by: dict[str, str] | None = field(repr=False)
    code: str | None = field(repr=False)
    code_ends_at: datetime | None


def facts_of(row: Row[Any]) -> RepresentationFacts:
    """A row, as the rules judge it."""
    return RepresentationFacts(
        at=row.at,
        person_id=row.person_id,
        representative_id=row.representative_id,
        created_at=row.created_at,
        answered_at=row.answered_at,
        began_at=row.began_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
    )


async def values_of(services: Services, row: Row[Any]) -> dict[str, Any]:
    """What is sealed in a row, which was checked: `label`, `own_name`; of digits that may serve
    `code`, `asked_in`, `until`; once a judgement was read, what it says and who read it."""
    reader = await services.field_encryption.reader(None)
    values: dict[str, Any] = reader.open(REPRESENTATION, row.id, row.sealed)
    return values


def code_end(facts: RepresentationFacts, values: dict[str, Any]) -> datetime | None:
    """Until when the digits of a row serve; None where there are none, or they are over."""
    if "until" not in values or state_of_representation(facts) in ("ended", "over"):
        return None
    until = datetime.fromisoformat(values["until"])
    return until if facts.at < until else None


async def view_of_representation(
    services: Services, row: Row[Any], person: Person
) -> RepresentationView:
    """One from its row, which was checked, to one of its two sides."""
    facts, values = facts_of(row), await values_of(services, row)
    mine = row.person_id == person.id
    until = code_end(facts, values)
    # The digits of a naming are for the person, those for the desk for whoever represents.
    own = mine == (facts.answered_at is None) and values.get("asked_in") == str(person.session_id)
    shown = own and until is not None
    return RepresentationView(
        id=row.id,
        side="represented" if mine else "represents",
        state=state_of_representation(facts),
        name=values.get("label" if mine else "own_name", ""),
        created_at=row.created_at,
        began_at=row.began_at,
        ended_at=row.ended_at,
        waits_until=facts.waits_until,
        ends_at=row.ends_at,
        representative=values.get("representative"),
        court=values.get("court"),
        decided_on=_day(values.get("decided_on")),
        ends_on=_day(values.get("ends_on")),
        read_by=values.get("read_by"),
        code=values["code"] if shown else None,
        code_ends_at=until if shown else None,
    )


async def list_mine(services: Services, person: Person) -> list[RepresentationView]:
    """Who represents the caller, or is named, the last first; those that ended too, for a month.
    Raises `ServiceError` REFUSED `not_when_represented`, recorded."""
    await assistance.check_self(services, person, Action.REPRESENTATION_SEEN)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.representing(tx, macs, person.id)
    return await _views(services, rows, person)


async def list_represented(services: Services, person: Person) -> list[RepresentationView]:
    """Whom the caller represents, or asks to, the last first. Raises as `list_mine`."""
    await assistance.check_self(services, person, Action.REPRESENTATION_SEEN)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.represented_by(tx, macs, person.id)
    return await _views(services, rows, person)


async def _views(
    services: Services, rows: Sequence[Row[Any]], person: Person
) -> list[RepresentationView]:
    views = [await view_of_representation(services, row, person) for row in rows]
    return [one for one in views if one.state != "over"]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
