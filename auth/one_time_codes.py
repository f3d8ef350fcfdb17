"""Signing in by a code: people by their phone, workers by their work e-mail.

The same is written and done whether or not the account exists (invariant 7): the answer, the rows,
the sealing, the log entry.
"""

import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import messages, notifications, session_start
from auth.records import sign_ins
from auth.services import CoreServices
from auth.session_start import Account, Address, NewSession, OnVaultOpened, SignInRefused
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, invalid, not_found
from base.ids import new_id
from base.key_names import SIGN_IN, SIGN_IN_CODE

CODE_LIFE = timedelta(minutes=10)
MAX_ATTEMPTS = 5
MAX_WRONG_CODES = 20
HOUR = timedelta(hours=1)
# An attempt comes at most one CODE_LIFE after its sign-in, so that any 24 hours hold at most
# MAX_WRONG_CODES wrong codes.
WRONG_WINDOW = timedelta(hours=24) + CODE_LIFE
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in whose code is on its way."""

    id: UUID
    expires_at: datetime


async def send_code(
    services: CoreServices,
    *,
    phone: str | None = None,
    email: str | None = None,
    language: str = "fr",
) -> PendingSignIn:
    """Send a code to a phone (a person) or to a work e-mail (a worker).

    Raises `ServiceError`: INVALID `one_address`, `phone_invalid`, `email_invalid`; TOO_MANY
    `too_many_codes`, counted by address whether or not it has an account.
    """
    address = await _typed_address(services, phone, email)
    async with services.database.transaction() as tx:
        # 1. One sign-in of an address at a time: the counts below are exact.
        account = await session_start.lock_account(services, tx, address)
        pending = await _queue_code(services, tx, account, language)
    # A crash from here on leaves a code on its way, and a sign-in that expires by itself.
    if isinstance(pending, SignInRefused):
        await session_start.record_refusal(services, account, Action.SIGN_IN_CODE, pending.reason)
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_codes", retry_after=pending.retry_after)
    return pending


async def redeem_code(
    services: CoreServices,
    sign_in_id: UUID,
    *,
    code: str,
    language: str = "fr",
    on_vault_opened: OnVaultOpened | None = None,
) -> NewSession:
    """Exchange a right code for a session; the first one for a phone opens an empty vault.

    `on_vault_opened(services, tx, person_id, phone_tag)` runs in the same transaction as the
    opening. Raises `ServiceError`: NOT_FOUND for an unknown sign-in; UNAUTHENTICATED `code_wrong`
    for a wrong, late, exhausted or used code alike; REFUSED `vault_asleep` for a right code that no
    longer suffices (a number unused for six months may be another person's).
    """
    async with services.database.transaction() as tx:
        row = await sign_ins.sign_in(tx, sign_in_id)
        address = None if row is None else await _address_of(services, row)
    if row is None or address is None:
        await session_start.record_refusal(services, None, Action.SIGN_IN_FAILED, "not_found")
        raise not_found()
    async with services.database.transaction() as tx:
        # 1. One attempt on an address at a time, across all its sign-ins.
        account = await session_start.lock_account(services, tx, address)
        # 2. The attempt is counted before the code is compared, for any code.
        result: NewSession | SignInRefused | None
        result = await _try_code(services, tx, row, code, account)
        # 3. The code is right, and used up: a session, maybe a vault, and the log entry.
        if result is None:
            await sign_ins.use_sign_in(tx, row.id)
            result = await session_start.start_session(
                services, tx, account, language=language, on_vault_opened=on_vault_opened
            )
        if isinstance(result, SignInRefused):
            # The counted attempt and its log entry commit together: a refusal undoes neither.
            await session_start.record_attempt(
                services, tx, account, Action.SIGN_IN_FAILED, result.reason
            )
    # A crash from here on leaves a session whose token nobody holds; it expires by itself.
    if isinstance(result, NewSession):
        return result
    if result.reason == "vault_asleep":
        raise ServiceError(ErrorKind.REFUSED, "vault_asleep")
    raise ServiceError(ErrorKind.UNAUTHENTICATED, "code_wrong")


async def _typed_address(services: CoreServices, phone: str | None, email: str | None) -> Address:
    if phone is not None and email is None:
        return await session_start.phone_address(services, phone)
    if email is not None and phone is None:
        return await session_start.email_address(services, email)
    raise invalid("one_address")


async def _address_of(services: CoreServices, row: Any) -> Address:
    """The address of a sign-in under way."""
    reader = await services.field_encryption.reader(None)
    values = reader.open(SIGN_IN, row.id, row.sealed)
    return Address(row.kind, values["to"], row.address_tag)


async def _queue_code(
    services: CoreServices, tx: AsyncConnection, account: Account, language: str
) -> PendingSignIn | SignInRefused:
    """Store a sign-in and queue its message, unless this hour's codes are used up."""
    address = account.address
    at = await instant(tx)
    recent = await sign_ins.recent(tx, address.tag, sent_within=HOUR, tried_within=WRONG_WINDOW)
    if recent.sent >= services.settings.sign_ins_per_hour:
        wait = ceil((recent.oldest + HOUR - at).total_seconds())
        return SignInRefused("too_many_codes", max(wait, 1))
    pending = PendingSignIn(new_id(), at + CODE_LIFE)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    writer = await services.field_encryption.writer(None)
    await sign_ins.add_sign_in(
        tx,
        id=pending.id,
        kind=address.kind,
        address_tag=address.tag,
        sealed=writer.seal(SIGN_IN, pending.id, {"to": address.value}),
        code_tag=await _code_tag(services, pending.id, code),
        expires_at=pending.expires_at,
    )
    locked = recent.wrong >= MAX_WRONG_CODES
    await _notify(services, tx, account, language, None if locked else code)
    await session_start.record_attempt(services, tx, account, Action.SIGN_IN_CODE)
    return pending


async def _notify(
    services: CoreServices, tx: AsyncConnection, account: Account, language: str, code: str | None
) -> None:
    """Queue the code, or a notice that none is accepted for now; in the vault's language if any."""
    address = account.address
    if account.vault:
        language = account.row.language
    if code is None:
        text = notifications.codes_locked(services, language)
    else:
        text = notifications.sign_in_code(services, language, code)
    await messages.queue(
        services,
        tx,
        channel="sms" if address.kind == "person" else "email",
        to=address.value,
        text=text,
        subject=notifications.sign_in_subject(services, language),
        life=CODE_LIFE,
        # A phone without a vault gets a real code: it opens one. An unknown e-mail gets nothing.
        send=address.kind == "person" or account.row is not None,
    )


async def _try_code(
    services: CoreServices, tx: AsyncConnection, row: Any, code: str, account: Account
) -> SignInRefused | None:
    """Count one attempt and compare; None when the code is right and names an account."""
    recent = await sign_ins.recent(tx, row.address_tag, sent_within=HOUR, tried_within=WRONG_WINDOW)
    if recent.wrong >= MAX_WRONG_CODES:
        return SignInRefused("too_many_wrong_codes")
    usable = await sign_ins.count_attempt(tx, row.id, MAX_ATTEMPTS)
    tag = await _code_tag(services, row.id, _digits_of(code))
    right = hmac.compare_digest(tag, row.code_tag)
    # A person's first code opens their vault; a worker who was never added or is barred has none.
    unknown_worker = account.row is None and account.address.kind == "worker"
    return None if right and usable and not unknown_worker else SignInRefused("code_wrong")


async def _code_tag(services: CoreServices, sign_in_id: UUID, code: str) -> bytes:
    """A code's tag under a key of the service: six digits could be guessed from a plain hash."""
    return await services.field_encryption.tag(SIGN_IN_CODE, sign_in_id.bytes, code)


def _digits_of(code: str) -> str:
    """The digits of a code as people type it: `123 456`, or in the digits of another script."""
    digits = (unicodedata.decimal(character, None) for character in code)
    return "".join(str(digit) for digit in digits if digit is not None)
