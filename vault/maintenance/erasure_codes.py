"""The code that confirms an erasure: sent to the person's own phone, so that a session that was
taken over erases nothing by itself.

A code serves once, within 10 minutes, in the session that asked for it. With 5 codes a day and 5
tries a code, a thief of the session guesses right with a chance of 2.5 in 100 000 a day.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import assistance, notifications
from auth.living_vaults import hold_living_vault
from auth.messages import queue
from auth.person_contact import person_contact
from auth.subjects import Person
from base.db_time import instant
from base.ids import new_id
from base.key_names import ERASURE_CODE
from base.user_text import digits_of
from vault.decisions import AccessAttempt, Denial, record_allowed, record_denial
from vault.maintenance import records
from vault.recovery import recovery_aftermath
from vault.rules import Reason
from vault.services import Services

CODE_LIFE = timedelta(minutes=10)
CODES_A_DAY = 5
MAX_TRIES = 5
DAY = timedelta(days=1)
WAIT = timedelta(days=7)
"""As an erasure waits. A phone that is newer receives no code: whoever took over a session may have
added it. Its holder was told on the former one."""
_DIGITS = 6


async def send_code(services: Services, person: Person) -> datetime:
    """Send a code to the person's phone; returns when it expires.

    Raises `ServiceError` TOO_MANY `too_many_erasure_codes`, CONFLICT `phone_too_new`, and
    `card_too_new` for a vault that was opened again within a week; CONFLICT `no_proof_code` for a
    vault of cards alone, which asks one of them and the PIN; REFUSED `not_when_assisted`.
    """
    await assistance.check_alone(services, person, Action.ERASE_CODE)
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        sent = await _queue_code(services, tx, person)
    # A crash from here on leaves a code on its way, which expires by itself.
    if isinstance(sent, Denial):
        raise await record_denial(services, sent)
    return sent


async def try_code(
    services: Services, tx: AsyncConnection, person: Person, code: str
) -> int | None:
    """Count one try of the last code; None when it is right, which uses it up, or how many tries
    are left. The caller MUST hold the vault's lock, and commit whatever the answer.

    Raises `storage.row_macs.RowAltered`.
    """
    row = await records.live_code(tx, person.id, _session_of(person), MAX_TRIES)
    if row is None:
        return 0
    (await services.field_encryption.row_macs()).check(records.ERASURE_CODE_ROW, row)
    await records.count_try(tx, row.id)
    tag = await _tag(services, person, row.id, digits_of(code))
    if not hmac.compare_digest(tag, row.code_tag):
        left: int = MAX_TRIES - row.attempts - 1
        return left
    await records.use_code(tx, row.id)
    return None


async def _queue_code(services: Services, tx: AsyncConnection, person: Person) -> datetime | Denial:
    """Store a code and queue its message, unless the day's are used up."""
    attempt = AccessAttempt(action=Action.ERASE_CODE, actor=person.actor(), person=person.id)
    at = await instant(tx)
    oldest = await records.nth_last_code(tx, person.id, CODES_A_DAY, within=DAY)
    if oldest is not None:
        wait = int((oldest + DAY - at).total_seconds()) + 1
        return Denial(attempt, Reason.TOO_MANY_CODES, retry_after=wait)
    contact = await person_contact(services, tx, person.id)
    if contact.phone is None:
        return Denial(attempt, Reason.NO_PHONE)
    if contact.phone_added_at is not None and at - contact.phone_added_at < WAIT:
        return Denial(attempt, Reason.PHONE_TOO_NEW)
    if await recovery_aftermath.is_kept(services, tx, person.id):
        return Denial(attempt, Reason.CARD_TOO_NEW)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    code_id = new_id()
    values = {
        "id": code_id,
        "person_id": person.id,
        "session_id": _session_of(person),
        "code_tag": await _tag(services, person, code_id, code),
        "created_at": at,
        "expires_at": at + CODE_LIFE,
    }
    macs = await services.field_encryption.row_macs()
    await records.add_code(tx, macs.add(records.ERASURE_CODE_ROW, values))
    text = notifications.erasure_code(services, contact.language, code)
    await queue(services, tx, channel="sms", to=contact.phone, text=text, life=CODE_LIFE)
    await record_allowed(services, tx, at, attempt)
    return at + CODE_LIFE


async def _tag(services: Services, person: Person, code_id: UUID, code: str) -> bytes:
    """Six digits could be guessed from a plain hash: a tag under a key of the service, bound to
    the person, the session and the row."""
    parts = (person.id.bytes, _session_of(person).bytes, code_id.bytes, code)
    return await services.field_encryption.tag(ERASURE_CODE, *parts)


def _session_of(person: Person) -> UUID:
    assert person.session_id is not None  # noqa: S101  (people call with a session)
    return person.session_id
