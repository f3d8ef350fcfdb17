"""Expiry reminders: a person is informed once that a document expires soon, not which one."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import notifications
from auth.messages import queue
from auth.records import people
from base.key_names import PERSON
from vault.documents import records
from vault.services import Services

_BATCH = 200


async def remind(services: Services) -> int:
    """Remind everyone whose documents expire soon; returns how many people.

    The message and the reset of `notice_at` are one commit: a crash neither repeats nor loses one.
    """
    reminded = 0
    while True:
        async with services.database.transaction() as tx:
            due = await records.due_for_notice(tx, _BATCH)
            for person_id in dict.fromkeys(row.person_id for row in due):
                phone, language = await _contact(services, tx, person_id)
                if phone is not None:
                    text = notifications.document_expires(services, language)
                    await queue(services, tx, channel="sms", to=phone, text=text)
                    reminded += 1
            for row in due:
                await records.clear_notice(tx, row.person_id, row.id)
        if len(due) < _BATCH:
            return reminded


async def _contact(
    services: Services, tx: AsyncConnection, person_id: UUID
) -> tuple[str | None, str]:
    """The person's phone and language."""
    row = await people.person(tx, await services.field_encryption.row_macs(), person_id)
    if row is None:
        return None, "fr"
    reader = await services.field_encryption.reader(person_id, tx)
    values = reader.open(PERSON, row.id, row.sealed)
    return values.get("phone"), row.language
