"""Expiry notices: a person is told, once and without saying which, that a paper ends soon."""

from datetime import UTC, datetime, time
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import notifications
from auth.messages import queue
from auth.records import people
from base.key_names import PERSON
from vault.catalogue.types import by_code
from vault.document_view import DocumentMetadata
from vault.documents import records
from vault.durations import before
from vault.services import Services

_BATCH = 200


def notice_at(metadata: DocumentMetadata) -> datetime | None:
    """When the person is to be told, by the type's notice period; None where nothing ends."""
    known = by_code(metadata.type)
    if known is None or known.notice_period is None or metadata.expires_on is None:
        return None
    end = datetime.combine(metadata.expires_on, time(), UTC)
    try:
        return before(end, known.notice_period)
    except (OverflowError, ValueError):  # before the year 1: nobody waits for that notice
        return None


async def remind(services: Services) -> int:
    """Tell everyone whose papers end soon; how many people.

    The message and the mark that it was said are one commit: a crash tells nobody twice, nor never.
    """
    told = 0
    while True:
        async with services.database.transaction() as tx:
            due = await records.due_for_notice(tx, _BATCH)
            for person_id in dict.fromkeys(row.person_id for row in due):
                phone, language = await _reach(services, tx, person_id)
                if phone is not None:
                    text = notifications.paper_expires(services, language)
                    await queue(services, tx, channel="sms", to=phone, text=text)
                    told += 1
            for row in due:
                await records.change_document(tx, row.person_id, row.id, notice_at=None)
        if len(due) < _BATCH:
            return told


async def _reach(
    services: Services, tx: AsyncConnection, person_id: UUID
) -> tuple[str | None, str]:
    """The person's phone and language."""
    row = await people.person(tx, person_id)
    if row is None:
        return None, "fr"
    reader = await services.field_encryption.reader(person_id, tx)
    values = reader.open(PERSON, row.id, row.sealed)
    return values.get("phone"), row.language
