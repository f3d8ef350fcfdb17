"""Messages are queued: sealed in the transaction that causes them, and sent once it commits."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.messengers import Channel
from auth.records import messages
from auth.services import CoreServices
from base.database import notify
from base.ids import new_id
from base.key_names import MESSAGE

CHANNEL = "unefois_messages"


async def queue(
    services: CoreServices,
    tx: AsyncConnection,
    *,
    channel: Channel,
    to: str,
    text: str,
    subject: str = "",
    life: timedelta = timedelta(days=1),
    send: bool = True,
) -> UUID:
    """Queue a message, sent once `tx` commits; dropped when not sent within `life`.

    Without `send`: the same row and the same work, deleted unsent, so that neither the response
    time nor the table shows who has an account. A crash after the commit only delays sending.
    """
    writer = await services.field_encryption.writer(None)
    message_id = new_id()
    values = {"to": to, "subject": subject, "text": text, "send": int(send)}
    await messages.add_message(
        tx,
        id=message_id,
        channel=channel,
        sealed=writer.seal(MESSAGE, message_id, values),
        life=life,
    )
    await notify(tx, CHANNEL, "")
    return message_id


async def still_waiting(tx: AsyncConnection, ids: Sequence[UUID]) -> bool:
    """Whether one of these was neither sent nor dropped yet."""
    return await messages.any_waits(tx, ids)
