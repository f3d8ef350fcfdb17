"""A recovery's row as plain values: the facts that are judged, and what is sealed of its agents.

It is sealed under the service's key: two vaults read it, and each has only its own.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row

from auth.services import CoreServices
from auth.subjects import Worker, snapshot
from base.clock import rfc3339
from base.key_names import RECOVERY
from vault.recovery.identities import SeenTag
from vault.recovery.old_means import OldMeans
from vault.recovery.recovery_rules import (
    FLOOD,
    FLOOD_WITHIN,
    AnchorSeen,
    FoundBy,
    Look,
    MeansKind,
    RecoveryFacts,
    Shown,
    is_contested,
)


@dataclass(frozen=True, slots=True)
class Agent:
    """Who saw the person, as they were named on that day; what they read on the paper, and what
    their look came to."""

    worker_id: str
    organisation_id: str
    name: str = field(repr=False)
    job: str = field(repr=False)
    organisation: str = field(repr=False)
    contact: str = field(repr=False)
    email: str = field(repr=False)
    at: str
    kind: str
    end: str = field(repr=False)
    tag: str = field(repr=False)
    found_by: FoundBy | None = None
    anchor: AnchorSeen = "none"

    @property
    def look(self) -> Look:
        """As it is judged."""
        ids = UUID(self.worker_id), UUID(self.organisation_id)
        return Look(*ids, self.found_by, self.anchor)


def agent_of(
    worker: Worker, at: datetime, seen: SeenTag, found_by: FoundBy | None, anchor: AnchorSeen
) -> Agent:
    """A worker, with what they read and found."""
    return Agent(
        worker_id=str(worker.id),
        organisation_id=str(worker.organisation_id),
        **snapshot(worker),
        email=worker.email,
        at=rfc3339(at),
        kind=seen.kind,
        end=seen.end,
        tag=seen.tag.hex(),
        found_by=found_by,
        anchor=anchor,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is sealed of a recovery. `strong`: a gesture that proves nothing does not stop it.
    `means`: those shown that are of the vault that was found; `typed`: all that were shown, by
    which its agents are told when it opens (`told`). `asleep`: the vault was, when it was found.
    `stop_code`: the digits of its warnings; `warned`: one was sent; `warnings`: their messages."""

    agents: tuple[Agent, ...] = ()
    strong: bool = False
    means: tuple[MeansKind, ...] = ()
    typed: tuple[MeansKind, ...] = ()
    asleep: bool = False
    told: str = ""
    stop_code: str = field(default="", repr=False)
    warned: bool = False
    warnings: tuple[str, ...] = ()


async def seal(services: CoreServices, recovery_id: UUID, kept: Kept) -> bytes:
    """What is kept, under the service's key."""
    writer = await services.field_encryption.writer(None)
    return writer.seal(RECOVERY, recovery_id, asdict(kept))


async def kept_of(services: CoreServices, row: Row[Any]) -> Kept:
    """What is sealed of a recovery, which was checked."""
    reader = await services.field_encryption.reader(None)
    values = reader.open(RECOVERY, row.id, row.sealed)
    lists = {name: tuple(values[name]) for name in ("means", "typed", "warnings")}
    return Kept(**values | lists | {"agents": tuple(Agent(**one) for one in values["agents"])})


def facts_of(row: Row[Any], *, former: bool, rival: bool = False) -> RecoveryFacts:
    """The facts of a row. `former`: whether the vault that was found is there."""
    return RecoveryFacts(
        at=row.at,
        began_at=row.began_at,
        complete_at=row.complete_at,
        earliest_at=row.earliest_at,
        opens_at=row.opens_at,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        former=former,
        rival=rival,
    )


def shown_by(kept: Kept, old: OldMeans, others: Sequence[Row[Any]], at: datetime) -> Shown:
    """What is judged of a recovery. `old`: what the vault that was found has; `others`: the rows of
    the same vault, without its own. Only one that may open it is a rival: a single agent bars
    nobody's way."""
    stops = [(one.ended_by, one.ended_at) for one in others if one.ended_at is not None]
    living = [one for one in others if facts_of(one, former=True).lives]
    means = frozenset(kept.means)
    return Shown(
        looks=tuple(one.look for one in kept.agents),
        means=means,
        asleep=kept.asleep or old.asleep,
        warned=old.can_be_warned(means),
        contested=is_contested(stops, at),
        rival=any(one.opens_at is not None for one in living),
        flooded=is_flooded(others, at),
    )


def is_flooded(others: Sequence[Row[Any]], at: datetime) -> bool:
    """Whether so many were begun for a vault in a day that the next neither opens it nor rings."""
    lately = [one for one in others if at - one.began_at < FLOOD_WITHIN]
    return len(lately) >= FLOOD
