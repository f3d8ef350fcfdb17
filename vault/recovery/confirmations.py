"""« It is me »: from an old means of the vault, with a proof of now, what waits may be opened at
once."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import holder_proofs, means_log
from auth.holder_proofs import Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.means_changes import NotChanged
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, not_found
from vault.recovery import records, recovery_log
from vault.recovery.formers import leading_to
from vault.recovery.recovery_values import facts_of
from vault.services import Services


async def confirm(services: Services, person: Person, recovery_id: UUID, proof: Proof) -> None:
    """Let the vault that waits open the caller's now, whoever saw its person or did not. A second
    time changes nothing.

    Raises as `auth.holder_proofs.show`; `ServiceError` NOT_FOUND; CONFLICT `recovery_over` for one
    that was stopped, opened it, or is over. Refusals are recorded. A crash before the commit leaves
    it as it was.
    """
    action = Action.RECOVERY_CONFIRMED
    shown = await holder_proofs.show(services, person, action, proof, or_waited=False)
    async with services.database.transaction() as tx:
        refused = await _confirm(services, tx, person, recovery_id, shown)
        if refused is not None:
            await means_log.record(services, tx, person, action, reason=refused.reason)
    if refused is not None:
        raise refused.error


async def _confirm(
    services: Services, tx: AsyncConnection, person: Person, recovery_id: UUID, shown: ShownProof
) -> NotChanged | None:
    macs = await services.field_encryption.row_macs()
    await hold_living_vault(tx, person.id)
    row = await records.recovery_to_change(tx, macs, recovery_id)
    if row is None or row.former_id not in await leading_to(services, tx, person.id):
        return NotChanged("not_found", not_found())
    if not facts_of(row, former=True).lives:
        return NotChanged("recovery_over", ServiceError(ErrorKind.CONFLICT, "recovery_over"))
    if not await holder_proofs.serves(services, tx, person, shown):
        return NotChanged("proof_wrong", ServiceError(ErrorKind.REFUSED, "proof_wrong"))
    await holder_proofs.spend(services, tx, person, shown)
    if row.opens_at is not None and row.opens_at <= row.at:
        return None
    earliest = row.at if row.earliest_at is None else min(row.at, row.earliest_at)
    await records.change(
        tx,
        macs,
        row,
        complete_at=row.complete_at or row.at,
        earliest_at=earliest,
        opens_at=row.at,
    )
    tied = recovery_log.Tied(row.id, row.waiting_id, person.id)
    await recovery_log.record_confirmed(services, tx, person, tied)
    return None
