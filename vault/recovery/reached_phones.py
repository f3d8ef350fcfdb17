"""A phone that answers at the desk: a code in words of its own, which lets nobody in, and a sealed
note that says for half an hour, to the worker who asked alone, that it was right.
"""

import base64
import binascii
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import one_time_codes, session_start
from auth.one_time_codes import PendingSignIn
from auth.rate_buckets import Rate, SharedBuckets
from auth.services import CoreServices
from auth.session_start import Account
from auth.subjects import Worker
from auth.visitor import UNKNOWN, Visitor
from base.db_time import instant
from base.errors import ServiceError, invalid
from base.ids import new_id
from base.key_names import REACHED_PHONE
from storage.field_encryption import DecryptionError
from vault.recovery import recovery_agents

LIFE = timedelta(minutes=30)
_SENT = Rate(5, timedelta(minutes=12))
"""How many codes one worker has sent: each rings at somebody's."""
_LONGEST = 2_000
_ID = 16


async def send(
    services: CoreServices,
    worker: Worker,
    phone: str,
    visitor: Visitor = UNKNOWN,
    *,
    language: str = "fr",
    secret: str | None = None,
) -> PendingSignIn:
    """Send a code to a phone, whether or not a vault has it. `secret`: as for
    `one_time_codes.send_code`.

    Raises as `recovery_agents.check`; `ServiceError` INVALID `phone_invalid`.
    """
    await session_start.phone_address(services, phone)  # a mistyped one costs no turn
    buckets = SharedBuckets(services, "recovery-phone", _SENT)
    await recovery_agents.check(services, worker, Action.RECOVERY_MEANS, buckets)
    return await one_time_codes.send_code(
        services,
        phone=phone,
        language=language,
        visitor=visitor,
        secret=secret,
        use="recover",
    )


async def confirm(
    services: CoreServices,
    worker: Worker,
    sign_in_id: UUID,
    *,
    secret: str,
    code: str,
    visitor: Visitor = UNKNOWN,
) -> str:
    """Exchange a right code for the note that `reached` reads. Raises `ServiceError`
    UNAUTHENTICATED `code_wrong`, the same for every code that does not serve."""

    async def start(tx: AsyncConnection, account: Account) -> str:
        return await _note(services, worker, account.address.forms[0], await instant(tx))

    return await one_time_codes.redeem_for(
        services, sign_in_id, start, secret=secret, code=code, visitor=visitor, use="recover"
    )


async def reached(services: CoreServices, worker: Worker, note: str) -> tuple[bytes, ...]:
    """The tags of the phone that answered. Raises `ServiceError` INVALID `phone_not_reached` for a
    note of another worker, of before, or of nobody."""
    try:
        raw = base64.b64decode(note[:_LONGEST].encode(), b"-_", validate=True)
        reader = await services.field_encryption.reader(None)
        values = reader.open(REACHED_PHONE, UUID(bytes=raw[:_ID]), raw[_ID:])
    except (binascii.Error, ValueError, DecryptionError):
        raise _not_reached() from None
    async with services.database.transaction() as tx:
        at = await instant(tx)
    if values["worker"] != str(worker.id) or at >= datetime.fromisoformat(values["until"]):
        raise _not_reached()
    return (await session_start.phone_address(services, values["phone"])).tags


async def _note(services: CoreServices, worker: Worker, phone: str, at: datetime) -> str:
    writer, note_id = await services.field_encryption.writer(None), new_id()
    values = {"worker": str(worker.id), "phone": phone, "until": (at + LIFE).isoformat()}
    sealed = writer.seal(REACHED_PHONE, note_id, values)
    return base64.urlsafe_b64encode(note_id.bytes + sealed).decode()


def _not_reached() -> ServiceError:
    return invalid("phone_not_reached")
