"""One vault ends in another of the same person, in the caller's transaction: its means and papers
are those of the other from then on, and what it had given ends.

Who decides it, by which yes, is the caller's: a join, or a recovery.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import anchors, joined_means, sessions
from auth.joined_means import JOIN, Manner
from auth.means_changes import NotChanged
from auth.pins import TypedChoice
from auth.records import joins as records
from auth.subjects import Person
from base.db_time import instant
from vault.consent import ended_consents
from vault.consent.consent_acts import ConsentAct
from vault.consent.meeting_erasure import leave_meetings
from vault.decisions import AccessAttempt, record_allowed
from vault.documents.moves import moved_papers
from vault.documents.moves.moved_papers import Moved
from vault.representation.representation_ends import leave_representations
from vault.services import Services
from vault.trusted.trusted_ends import leave_trusted


@dataclass(frozen=True, slots=True)
class United:
    """What became of a vault that ended: its papers; what the log is `told` of its means; and its
    sessions, which are `out`."""

    moved: Moved
    told: Mapping[str, str | int]
    out: tuple[UUID, ...]


async def unite(
    services: Services,
    tx: AsyncConnection,
    stays: Person,
    ended: Person,
    chosen: TypedChoice | None,
    tags: Mapping[UUID, bytes],
    said: ConsentAct | None,
    manner: Manner = JOIN,
) -> United | NotChanged:
    """Give the vault that stays what the other has. `chosen`: the PIN, as `joined_means.choose`
    gives it; `tags`: of `moved_papers.possible_doubles`; `said`: how the yes was said.

    The caller MUST hold both vaults and their phones, and then make the join, `lead_on` and
    `record_left`. Raises `RowAltered`.
    """
    # 1. The means: the last thing that may refuse.
    told = await joined_means.move_means(services, tx, stays, ended, chosen, manner)
    if isinstance(told, NotChanged):
        return told
    # 2. What ends with the other vault, each with its line, as its person ended it.
    await ended_consents.end_all(services, tx, ended, said)
    await leave_meetings(services, tx, ended.id)
    await anchors.leave(services, tx, ended)
    await leave_trusted(services, tx, ended, erased=False)
    await leave_representations(services, tx, ended, stays=stays.id)
    out = await sessions.end_with_account(tx, "person", ended.id)
    await sessions.end_all(services, tx, stays, but_this=True)
    # 3. The papers.
    moved = await moved_papers.move_papers(services, tx, stays, ended.id, tags)
    return United(moved, told, tuple(out))


async def lead_on(services: Services, tx: AsyncConnection, ended: UUID, stays: UUID) -> None:
    """Joins that were made into a vault that ended lead into the one that stays; those that were
    not made are there no more. Raises `RowAltered`."""
    macs = await services.field_encryption.row_macs()
    for former in await records.joins_into(tx, macs, ended):
        await records.change_join(tx, macs, former, stays_id=stays)
    await records.drop_unmade(tx, ended)


async def record_left(
    services: Services, tx: AsyncConnection, ended: Person, united: United
) -> None:
    """The last line of the vault that ended: the papers that the other held already, and the
    sessions that ended."""
    named = {"ended": " ".join(str(one) for one in united.out)} if united.out else {}
    left = AccessAttempt(
        action=Action.VAULT_LEFT,
        actor=ended.actor(),
        person=ended.id,
        documents=united.moved.doubles,
        details={"papers": united.moved.papers, **named},
    )
    await record_allowed(services, tx, await instant(tx), left)
