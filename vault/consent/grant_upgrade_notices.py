"""Tells both sides that a grant shows less than before, without saying which papers or types."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import notifications
from auth.messages import queue
from auth.person_contact import contact_to_tell
from auth.records import recipients
from auth.services import CoreServices
from auth.subjects import Party
from base.contact import normal_email
from base.errors import ServiceError
from base.key_names import CLIENT, ORGANISATION, WORKER
from storage.row_macs import RowAltered

_LIFE = timedelta(days=7)
_LANGUAGE = "fr"
_log = structlog.get_logger()


async def tell_person(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> None:
    """Queue a text message. A person without a phone learns it at the desk, from the log."""
    contact = await contact_to_tell(services, tx, person_id)
    if contact.phone is not None:
        text = notifications.grant_narrowed(services, contact.language)
        await queue(services, tx, channel="sms", to=contact.phone, text=text, life=_LIFE)


async def tell_recipient(services: CoreServices, tx: AsyncConnection, recipient: Party) -> None:
    """Queue an e-mail to a worker; for a client, to its contact if that is an e-mail address."""
    try:
        address = await _address(services, tx, recipient)
    except RowAltered:
        _log.warning("recipient_row_altered")
        return
    if address is not None:
        await queue(
            services,
            tx,
            channel="email",
            to=address,
            subject=notifications.grants_narrowed_subject(services, _LANGUAGE),
            text=notifications.grants_narrowed(services, _LANGUAGE),
            life=_LIFE,
        )


async def _address(services: CoreServices, tx: AsyncConnection, recipient: Party) -> str | None:
    macs = await services.field_encryption.row_macs()
    reader = await services.field_encryption.reader(None)
    if recipient.kind == "worker":
        worker = await recipients.worker(tx, macs, recipient.id)
        return None if worker is None else reader.open(WORKER, worker.id, worker.sealed)["email"]
    client = await recipients.client_by_id(tx, macs, recipient.id)
    if client is None:
        return None
    own = reader.open(CLIENT, client.id, client.sealed)["contact"]
    organisation = reader.open(ORGANISATION, client.organisation_id, client.organisation_sealed)
    return _email_in(own) or _email_in(organisation["contact"])


def _email_in(contact: str) -> str | None:
    """The contact, if it is an e-mail address and nothing else."""
    try:
        return normal_email(contact)
    except ServiceError:
        return None
