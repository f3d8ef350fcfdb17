"""A naming as its two sides see it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row

from audit.events import Action
from auth import assistance
from auth.subjects import Person
from base.key_names import TRUSTED
from vault.services import Services
from vault.trusted import records
from vault.trusted.trusted_rules import TrustedFacts, TrustedState, may_vouch, state_of_trusted


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedView:
    """`side`: whether the caller `trusts` the other one or `is_trusted` by them. `name`: what they
    call the other one. `code`: of the naming, or of vouching, while it serves, in the session that
    asked for it; `code_ends_at`: until when. `ends_at`: of what is not accepted yet."""

    id: UUID
    side: Literal["trusts", "is_trusted"]
    state: TrustedState
    name: str = field(repr=False)
    created_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    ends_at: datetime | None
    vouches_from: datetime | None
    may_vouch: bool
    code: str | None = field(default=None, repr=False)
    code_ends_at: datetime | None = None


def facts_of(row: Row[Any]) -> TrustedFacts:
    """A naming's row, as its rules read it."""
    return TrustedFacts(
        at=row.at,
        person_id=row.person_id,
        trusted_id=row.trusted_id,
        created_at=row.created_at,
        answered_at=row.answered_at,
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
    )


async def values_of(services: Services, row: Row[Any]) -> dict[str, str]:
    """What is sealed in a row, which was checked: `label`, `own_name`; of digits that may serve
    `code`, `asked_in`, and of those that vouch `until`."""
    reader = await services.field_encryption.reader(None)
    return {name: str(one) for name, one in reader.open(TRUSTED, row.id, row.sealed).items()}


def code_end(facts: TrustedFacts, values: dict[str, str]) -> datetime | None:
    """Until when the digits of a naming serve; None where there are none, or they are over."""
    if "code" not in values:
        return None
    until = datetime.fromisoformat(values["until"]) if "until" in values else facts.ends_at
    living = state_of_trusted(facts) in ("open", "accepted")
    return until if living and until is not None and facts.at < until else None


async def view_of_trusted(services: Services, row: Row[Any], person: Person) -> TrustedView:
    """A naming from its row, which was checked, to one of its two sides."""
    facts, values = facts_of(row), await values_of(services, row)
    mine = row.person_id == person.id
    until = code_end(facts, values)
    # The digits of a naming are for its person, those that vouch for whoever vouches.
    shown = mine == (facts.accepted_at is None) and values.get("asked_in") == str(person.session_id)
    return TrustedView(
        id=row.id,
        side="trusts" if mine else "is_trusted",
        state=state_of_trusted(facts),
        name=values["label"] if mine else values["own_name"],
        created_at=row.created_at,
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
        ends_at=facts.ends_at,
        vouches_from=facts.vouches_from,
        may_vouch=not mine and may_vouch(facts),
        code=values["code"] if shown and until is not None else None,
        code_ends_at=until if shown else None,
    )


async def list_mine(services: Services, person: Person) -> list[TrustedView]:
    """Whom the caller trusts, or named, the last first; those that ended too, for a month. Raises
    `ServiceError` REFUSED `not_when_represented`, recorded."""
    await assistance.check_self(services, person, Action.TRUSTED_SEEN)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.trusted_by(tx, macs, person.id)
    return await _views(services, rows, person)


async def list_for_me(services: Services, person: Person) -> list[TrustedView]:
    """By whom the caller is trusted, or was asked, the last first. Raises as `list_mine`."""
    await assistance.check_self(services, person, Action.TRUSTED_SEEN)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        rows = await records.trusting(tx, macs, person.id)
    return await _views(services, rows, person)


async def _views(services: Services, rows: Sequence[Row[Any]], person: Person) -> list[TrustedView]:
    views = [await view_of_trusted(services, row, person) for row in rows]
    return [one for one in views if one.state != "over"]
