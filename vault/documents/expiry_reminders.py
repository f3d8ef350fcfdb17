"""Expiry reminders: a person is informed once that a document expires soon, not which one."""

from auth import notifications
from auth.messages import queue
from auth.person_contact import contact_to_tell
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
                contact = await contact_to_tell(services, tx, person_id)
                if contact.phone is not None:
                    text = notifications.document_expires(services, contact.language)
                    await queue(services, tx, channel="sms", to=contact.phone, text=text)
                    reminded += 1
            for row in due:
                await records.clear_notice(tx, row.person_id, row.id)
        if len(due) < _BATCH:
            return reminded
