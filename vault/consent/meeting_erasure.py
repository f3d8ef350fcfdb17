"""What is left of meetings and invitations when the vault of their person is erased, or ends in
another: nothing of them, for the hour that their workers still see that one is over."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import MEETING
from vault.consent.meeting_rules import ENTERS
from vault.consent.records import meetings as records
from vault.consent.records.meetings import MEETING_ROW


async def leave_meetings(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """End the meetings of a vault that is erased, or ends, and leave nothing of its person in them:
    their workers see what they see of one that was ended, and not that a vault is gone. A code that
    nobody typed yet serves no more. The caller MUST hold the vault's lock."""
    await records.delete_unmet(tx, person_id)
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    reader = await services.field_encryption.reader(None)
    for row in await records.met_workers(tx, person_id):
        if not macs.holds(MEETING_ROW, row):
            continue  # nobody's: it goes with the person's row
        # An invitation stays one for its worker, to whom it is over.
        values = reader.open(MEETING, row.id, row.sealed)
        left = {name: values[name] for name in (ENTERS,) if name in values}
        await records.change_meeting(
            tx,
            macs,
            row,
            person_id=None,
            code_tag=None,
            ended_at=row.ended_at or row.at,
            sealed=writer.seal(MEETING, row.id, left),
        )
