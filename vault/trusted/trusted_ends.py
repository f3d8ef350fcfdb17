"""How a trust ends: by its person, with a proof of now; by whom they trust, at any time; or with
the vault of one of the two, which the other one is told."""

from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, means_log
from auth.holder_proofs import Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.means_changes import NotChanged, change
from auth.subjects import Person
from base.errors import not_found
from base.key_names import TRUSTED
from vault.services import Services
from vault.trusted import records
from vault.trusted.naming import record_both, record_other, unknown
from vault.trusted.records import TRUSTED_PERSON_ROW
from vault.trusted.trusted_views import values_of

_ENDED = Action.TRUSTED_ENDED


async def end_mine(services: Services, person: Person, naming_id: UUID, proof: Proof) -> None:
    """Trust somebody no more, or not after all; a second time changes nothing. The caller's phone
    is told where it was accepted.

    Raises as `auth.means_changes.change`; `ServiceError` NOT_FOUND, which is recorded.
    """
    await assistance.check_alone(services, person, _ENDED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> NotChanged | None:
        macs = await services.field_encryption.row_macs()
        row = await records.naming_to_change(tx, macs, naming_id)
        if row is None or row.person_id != person.id:
            return NotChanged("not_found", not_found())
        if row.ended_at is None:
            await _end(services, tx, row)
            await record_both(services, tx, person, row, _ENDED)
        return None

    await change(services, person, _ENDED, proof, act)


async def end_for_me(services: Services, person: Person, naming_id: UUID) -> None:
    """Be trusted no more, or say no; a second time changes nothing. The other one's phone is told.

    Raises `ServiceError` NOT_FOUND, REFUSED `not_when_represented`, recorded.
    """
    await assistance.check_self(services, person, _ENDED)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row = await records.naming_to_change(tx, macs, naming_id)
        known = row is not None and row.trusted_id == person.id
        if row is not None and known and row.ended_at is None:
            await _end(services, tx, row)
            await record_both(services, tx, person, row, _ENDED)
    if not known:
        raise await unknown(services, person, _ENDED)


async def leave_trusted(
    services: Services, tx: AsyncConnection, person: Person, *, erased: bool
) -> None:
    """End what a vault has on either side, as it is `erased` or ends in another, in the caller's
    transaction, which MUST hold it. The other side has a line of it."""
    macs = await services.field_encryption.row_macs()
    for row in await records.living_of(tx, person.id):
        if not macs.holds(TRUSTED_PERSON_ROW, row):
            continue  # nobody's: it goes with the person's row
        await _end(services, tx, row, but=person.id)
        other: UUID | None = row.trusted_id if row.person_id == person.id else row.person_id
        if other is not None:
            await record_other(services, tx, other, row, _ENDED)
        if not erased:
            await means_log.record(services, tx, person, _ENDED, trusted=str(row.id))


async def _end(
    services: Services, tx: AsyncConnection, row: Row[Any], but: UUID | None = None
) -> None:
    """Mark it, and tell its person unless it is `but`, of whom nothing is left to tell. The digits
    serve no more."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    values = await values_of(services, row)
    kept = {word: values[word] for word in ("label", "own_name")}
    sealed = writer.seal(TRUSTED, row.id, kept)
    await records.change_naming(tx, macs, row, code_tag=None, ended_at=row.at, sealed=sealed)
    if row.accepted_at is not None and row.person_id != but:
        await means_log.tell(services, tx, row.person_id, _ENDED)
