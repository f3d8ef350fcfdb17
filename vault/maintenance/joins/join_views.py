"""A join as its two vaults see it; and, in the one that stays, what would happen."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import sessions
from auth.joined_means import ComingMeans, coming_means
from auth.subjects import Person
from base.key_names import JOIN
from vault.consent import ended_consents
from vault.consent.ended_consents import EndedConsents
from vault.documents.quotas import vault_room
from vault.maintenance.joins.join_rules import JoinFacts, JoinState, state_of_join
from vault.services import Services


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What a yes would do. `papers`: those in the trash included; one that both hold comes once.
    `seen_by`: who has an access to the vault that stays, later papers included."""

    papers: int
    means: ComingMeans
    consents: EndedConsents
    seen_by: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def asks_pin(self) -> bool:
        """Whether a PIN is chosen with the yes: something comes that asks it."""
        return bool(self.means.coming)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinView:
    """`side`: of the vault that ends or of the one that stays. `code`: in the one that ends, while
    it serves. `plan`: in the one that stays, until it is made or over."""

    id: UUID
    side: Literal["ends", "stays"]
    state: JoinState
    ends_at: datetime
    joined_at: datetime | None = None
    code: str | None = field(default=None, repr=False)
    plan: JoinPlan | None = field(default=None, repr=False)


def facts_of(row: Row[Any]) -> JoinFacts:
    """A join's row, as its rules read it."""
    return JoinFacts(
        at=row.at,
        person_id=row.person_id,
        stays_id=row.stays_id,
        created_at=row.created_at,
        answered_at=row.answered_at,
        joined_at=row.joined_at,
    )


async def asking_session(services: Services, row: Row[Any]) -> UUID | None:
    """The session that asked; none of a row of before, which did not say it."""
    values = (await services.field_encryption.reader(None)).open(JOIN, row.id, row.sealed)
    return UUID(values["asked_in"]) if "asked_in" in values else None


async def is_asked(services: Services, tx: AsyncConnection, row: Row[Any]) -> bool:
    """Whether what was asked still holds: in a session that is over, it was withdrawn with it."""
    asked_in = await asking_session(services, row)
    return asked_in is not None and await sessions.lives(services, tx, row.person_id, asked_in)


async def view_of_join(
    services: Services, tx: AsyncConnection, row: Row[Any], person: Person
) -> JoinView:
    """A join from its row, which was checked, to one of its two vaults."""
    facts = facts_of(row)
    state = state_of_join(facts)
    if state in ("open", "answered") and not await is_asked(services, tx, row):
        state = "over"
    code, plan = None, None
    if row.person_id == person.id and state == "open":
        reader = await services.field_encryption.reader(None)
        code = reader.open(JOIN, row.id, row.sealed)["code"]
    if row.stays_id == person.id and state == "answered":
        plan = await plan_of(services, tx, person.id, row.person_id)
    return JoinView(
        id=row.id,
        side="ends" if row.person_id == person.id else "stays",
        state=state,
        ends_at=facts.ends_at,
        joined_at=row.joined_at,
        code=code,
        plan=plan,
    )


async def plan_of(services: Services, tx: AsyncConnection, stays: UUID, ended: UUID) -> JoinPlan:
    """What would happen now."""
    return JoinPlan(
        papers=(await vault_room(services, tx, ended)).documents,
        means=await coming_means(services, tx, stays, ended),
        consents=await ended_consents.of_vault(services, tx, ended),
        seen_by=await ended_consents.seeing_later(services, tx, stays),
    )
