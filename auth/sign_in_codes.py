"""The codes of sign-ins: made, sent or shared, and found again.

Each call writes the same rows and does the same work, whatever code the asker gets and whether or
not there is an account (invariant 7).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth import browsers, code_limits, messages, notifications
from auth.code_limits import Asked, Choice, WrongCodes
from auth.records import sign_ins
from auth.records.sign_ins import SIGN_IN_CODE_ROW
from auth.services import CoreServices
from auth.session_start import Account
from auth.visitor import Visitor
from auth.wrong_codes import wrong_codes
from base.ids import new_id
from base.key_names import SIGN_IN_CODE
from storage.row_macs import RowAltered


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """The code that a sign-in is finished with, and how often it may be tried."""

    code_id: UUID
    tries: int


async def issue(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account,
    visitor: Visitor,
    network_tag: bytes,
    at: datetime,
    language: str,
    use: str = "enter",
) -> IssuedCode:
    """A code for who asks: one of their own, or one that they share with others. Its message is in
    the language that they chose, else in the vault's, else in `language`.

    One that a worker asks for (`recover`) is its own: digits that are shared would also be those of
    a sign-in that the worker began. The caller MUST have got `account` from `lock_account` in `tx`.
    """
    address = account.address
    wrong = await wrong_codes(services, tx, address.tag, at)
    row = await sign_ins.asked(tx, address.tag, network_tag, at - code_limits.HOUR)
    known = await browsers.is_known_to_any(services, tx, address.kind, account.holders, visitor)
    choice = code_limits.choose(
        known,
        Asked(row.known, row.new, row.from_network),
        wrong,
        services.settings.sign_ins_per_hour,
    )
    shared = await _living_shared(services, tx, address.tag, at, wrong)
    if use == "recover" and choice.lane == "shared":
        choice = Choice("new", choice.digits, choice.tries)
    joins = choice.lane == "shared" and shared is not None
    if joins:
        # Nothing new is sent: what is written instead is a code that no sign-in refers to.
        choice = Choice("spare", choice.digits, choice.tries)
    code_id, code = await _add_code(services, tx, address.tag, choice, at)
    spoken = account.row.language if account.vault else language
    await _send(services, tx, account, visitor.language or spoken, code, choice, use)
    return IssuedCode(shared.id if joins else code_id, choice.tries)


async def code_of(services: CoreServices, tx: AsyncConnection, sign_in: Any) -> Any:
    """The code of a sign-in, whatever its state, and whether it is `used`. Raises `RowAltered`."""
    row = await sign_ins.code(tx, sign_in.code_id)
    if row is None or row.address_tag != sign_in.address_tag:
        raise RowAltered("sign_in_code")
    macs = await services.field_encryption.row_macs()
    macs.check(SIGN_IN_CODE_ROW, row)
    return row


async def code_tag(services: CoreServices, code_id: UUID, code: str) -> bytes:
    """A code's tag under a key of the service: few digits could be guessed from a plain hash."""
    return await services.field_encryption.tag(SIGN_IN_CODE, code_id.bytes, code)


async def _living_shared(
    services: CoreServices, tx: AsyncConnection, address_tag: bytes, at: datetime, wrong: WrongCodes
) -> Any:
    """The shared code that the next asker may join, or None when a new one is due: the last one is
    old, or used, or strangers have spent the tries on its length."""
    row = await sign_ins.shared_code(tx, address_tag, at - code_limits.SHARED_CODE_EVERY)
    if row is None or row.used or code_limits.is_spent("new", row.digits, wrong):
        return None
    macs = await services.field_encryption.row_macs()
    macs.check(SIGN_IN_CODE_ROW, row)
    return row


async def _add_code(
    services: CoreServices, tx: AsyncConnection, address_tag: bytes, choice: Choice, at: datetime
) -> tuple[UUID, str]:
    """A new random code; returns its row's id and its digits."""
    code_id = new_id()
    code = f"{secrets.randbelow(10**choice.digits):0{choice.digits}}"
    shared = choice.lane == "shared"
    macs = await services.field_encryption.row_macs()
    values = {
        "id": code_id,
        "address_tag": address_tag,
        "lane": choice.lane,
        "digits": choice.digits,
        "code_tag": await code_tag(services, code_id, code),
        "created_at": at,
        "expires_at": at + (code_limits.SHARED_CODE_LIFE if shared else code_limits.CODE_LIFE),
    }
    await sign_ins.add_code(tx, **macs.add(SIGN_IN_CODE_ROW, values))
    return code_id, code


_WORDS = {
    "enter": notifications.sign_in_code,
    "change": notifications.means_code,
    "recover": notifications.recovery_code,
}
"""What a code is asked for: to enter, to change how a vault is entered, or to show at the desk that
a phone is still reached."""


async def _send(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account,
    language: str,
    code: str,
    choice: Choice,
    use: str,
) -> None:
    """Queue the code."""
    address = account.address
    words = _WORDS[use]
    if choice.lane not in ("known", "new"):
        # Whoever joins has it for a use of their own: the message of a phone names both.
        both = notifications.shared_phone_code
        words = both if address.kind == "person" else notifications.shared_code
    await messages.queue(
        services,
        tx,
        channel="sms" if address.kind == "person" else "email",
        to=address.value,
        text=words(services, language, code),
        subject=notifications.sign_in_subject(services, language),
        life=code_limits.CODE_LIFE,
        # A phone without a vault gets a real code: it opens one. An unknown e-mail gets nothing.
        send=choice.lane != "spare" and (address.kind == "person" or account.row is not None),
    )
