"""How a representation ends before its day: by its person, with a proof of now; by whoever
represents them, at any time; or with the vault of one of the two."""

from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import assistance, means_log, sessions
from auth.holder_proofs import Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.means_changes import NotChanged, change
from auth.records import representations as records
from auth.records.representations import REPRESENTATION_ROW
from auth.subjects import Person
from base.errors import not_found
from vault.representation import representatives
from vault.representation.representation_views import values_of
from vault.representation.representatives import SOMEBODY, record_other, unknown, without_code
from vault.services import Services

_ENDED = Action.REPRESENTATION_ENDED


async def end_mine(
    services: Services, person: Person, representation_id: UUID, proof: Proof
) -> None:
    """Be represented by somebody no more, or not after all; a second time changes nothing. What
    they have open in the vault stops.

    Raises as `auth.means_changes.change`; `ServiceError` NOT_FOUND, which is recorded.
    """
    await assistance.check_alone(services, person, _ENDED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> NotChanged | None:
        macs = await services.field_encryption.row_macs()
        row = await records.representation_to_change(tx, macs, representation_id)
        if row is None or row.person_id != person.id:
            return NotChanged("not_found", not_found())
        if row.ended_at is None:
            await _end(services, tx, row)
            await means_log.record(services, tx, person, _ENDED, representation=str(row.id))
            if row.representative_id is not None:
                await record_other(services, tx, row.representative_id, SOMEBODY, row, _ENDED)
        return None

    await change(services, person, _ENDED, proof, act)


async def end_for(services: Services, person: Person, representation_id: UUID) -> None:
    """Represent somebody no more, or not after all; a second time changes nothing. The person's
    phone is told, if they have one.

    Raises `ServiceError` NOT_FOUND, REFUSED `not_when_represented`, recorded.
    """
    await assistance.check_self(services, person, _ENDED)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row = await records.representation_to_change(tx, macs, representation_id)
        known = row is not None and row.representative_id == person.id
        if row is not None and known and row.ended_at is None:
            actor = await actor_of(services, row)
            await _end(services, tx, row)
            await means_log.record(services, tx, person, _ENDED, representation=str(row.id))
            if row.person_id is not None:
                await record_other(services, tx, row.person_id, actor, row, _ENDED)
    if not known:
        raise await unknown(services, person, _ENDED)


async def leave_representations(
    services: Services, tx: AsyncConnection, person: Person, *, stays: UUID | None
) -> None:
    """What a vault has on either side, as it is erased (`stays` is None) or ends in another, in the
    caller's transaction, which MUST hold both. Nobody represents the person of a vault that is no
    more; whoever represented others does so from the vault that stays, or no more."""
    macs = await services.field_encryption.row_macs()
    for row in await records.unended_of(tx, person.id):
        if not macs.holds(REPRESENTATION_ROW, row):
            continue  # nobody's: it goes with the person's row
        if row.representative_id == person.id and stays is not None and row.person_id != stays:
            await records.change_representation(tx, macs, row, representative_id=stays)
            continue
        await _end(services, tx, row, but=person.id)
        other = row.representative_id if row.person_id == person.id else row.person_id
        if other is not None:
            actor = SOMEBODY if row.person_id == person.id else await actor_of(services, row)
            await record_other(services, tx, other, actor, row, _ENDED)
        if stays is not None:
            await means_log.record(services, tx, person, _ENDED, representation=str(row.id))


async def actor_of(services: Services, row: Row[Any]) -> Actor:
    """Whoever represents, in the log of the person: by the name on the judgement, once it was
    read."""
    named = (await values_of(services, row)).get("representative")
    return SOMEBODY if named is None else Actor(ActorKind.REPRESENTATIVE, row.id, str(named))


async def _end(
    services: Services, tx: AsyncConnection, row: Row[Any], but: UUID | None = None
) -> None:
    """Mark it, stop what it has open, and tell its person unless it is `but`, of whom nothing is
    left to tell. The digits serve no more."""
    values = without_code(await values_of(services, row))
    await representatives.change(services, tx, row, values, code_tag=None, ended_at=row.at)
    if row.began_at is None or row.person_id == but:
        return
    await sessions.end_of_representative(services, tx, row.person_id, row.representative_id)
    await means_log.tell(services, tx, row.person_id, _ENDED)
