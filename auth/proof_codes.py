"""A code sent to the phone that a vault has, which confirms a change of its means.

It is a sign-in's, with the same limits, and other words in its message. It is used up by the change
that it confirms: one that is refused for another reason asks for no other message.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import session_start, sign_in_codes
from auth.one_time_codes import PendingSignIn, begun_by, check_code, count_try, record_failure
from auth.one_time_codes import send_code as send_sign_in_code
from auth.records import sign_ins
from auth.services import CoreServices
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor


async def send_code(
    services: CoreServices,
    person: Person,
    phone: str,
    visitor: Visitor = UNKNOWN,
    secret: str | None = None,
) -> PendingSignIn:
    """Send a code to the phone of a vault."""
    language = person.language
    return await send_sign_in_code(
        services, phone=phone, language=language, visitor=visitor, secret=secret, use="change"
    )


async def check(
    services: CoreServices,
    person: Person,
    sign_in_id: UUID,
    *,
    secret: str,
    code: str,
    visitor: Visitor = UNKNOWN,
) -> Any:
    """The row of the sign-in whose code is right, which was sent for a change to the phone that
    this vault has, alone and without a PIN; None otherwise. A wrong code counts, and is in the
    log."""
    begun = await begun_by(services, sign_in_id, secret)
    if begun is None or begun[2] != "change":
        # Its holder was told that it lets in, and nothing of a change.
        return None
    row, address, _ = begun
    async with services.database.transaction() as tx:
        account = await session_start.lock_account(services, tx, address)
        if account.vault != person.id:
            return None
        checked = await check_code(services, tx, row, account, code)
        if checked.refused is None:
            return row
        await count_try(services, tx, checked, row, succeeded=False)
        await record_failure(services, tx, account, checked.refused.reason, checked, visitor)
    return None


async def is_unused(services: CoreServices, tx: AsyncConnection, row: Any) -> bool:
    """Whether the code of `check` still serves. The caller MUST hold the vault's lock."""
    return not (await sign_in_codes.code_of(services, tx, row)).used


async def use_up(tx: AsyncConnection, row: Any) -> None:
    """The code of `check` serves no more, once the caller's transaction commits."""
    number = await sign_ins.tries_of(tx, row.id) + 1
    await sign_ins.add_try(
        tx, sign_in_id=row.id, number=number, code_id=row.code_id, succeeded=True
    )
