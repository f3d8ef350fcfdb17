"""Signing in by a code: people by their phone, workers by their work e-mail.

The same is written and done whether or not the account exists (invariant 7): the answer, the rows,
the sealing, the log entry. Who begins a sign-in gets a secret that finishing it needs, so that
strangers spend no try of someone else's. How many codes are sent and tried: `auth/code_limits.py`.
"""

import hmac
import math
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import code_limits, pin_sign_ins, session_start, sign_in_codes
from auth.closings import service_closed
from auth.pin_sign_ins import PendingPin, PinAsked
from auth.records import sign_ins
from auth.records.sign_ins import SIGN_IN_ROW
from auth.services import CoreServices
from auth.session_start import (
    Account,
    Address,
    NewSession,
    OnVaultOpened,
    SignInRefused,
    record_attempt,
)
from auth.visitor import UNKNOWN, Visitor
from auth.wrong_codes import count_wrong_code, wrong_codes
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, about, invalid
from base.ids import new_id
from base.key_names import NETWORK, SIGN_IN
from base.phone_numbers import gets_sms
from base.user_text import digits_of
from storage.row_macs import RowAltered

_FAILED = Action.SIGN_IN_FAILED

T = TypeVar("T")
Start = Callable[[AsyncConnection, Account], Awaitable[T | SignInRefused]]
"""What a right code leads to."""


class SignInWarning(StrEnum):
    """Why a code may not arrive."""

    PHONE_LANDLINE = "phone_landline"


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """A sign-in whose code is on its way, or was sent already; `secret` is shown this once.
    `warnings`: why it may not arrive, as the number alone tells."""

    id: UUID
    secret: str = field(repr=False)
    expires_at: datetime
    warnings: tuple[SignInWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class SentTo:
    """Where a code was sent: the phone or the e-mail, when another one may be asked for, and what
    is warned of. `address` is empty once the code is late: nobody waits for it any more."""

    address: str = field(repr=False)
    again_at: datetime
    at: datetime
    warnings: tuple[SignInWarning, ...]

    @property
    def seconds_to_wait(self) -> int:
        """Until another code may be asked for."""
        return max(math.ceil((self.again_at - self.at).total_seconds()), 0)


async def send_code(
    services: CoreServices,
    *,
    phone: str | None = None,
    email: str | None = None,
    language: str = "fr",
    visitor: Visitor = UNKNOWN,
    secret: str | None = None,
    use: str = "enter",
) -> PendingSignIn:
    """Send a code to a phone (a person) or to a work e-mail (a worker).

    `secret`: what the visitor holds already, 128 random bits or more; a new one when None. `use`:
    what the message says of it; a code serves for that alone. Raises `ServiceError`
    INVALID `one_address`, `phone_invalid`, `email_invalid`.

    A landline is warned of, not refused: some have their messages read aloud, and vaults were
    opened so. Refusing only those without a vault would tell which have one.
    """
    address = await _typed_address(services, phone, email)
    async with services.database.transaction() as tx:
        # 1. One sign-in of an address at a time: the counts are exact.
        account = await session_start.lock_account(services, tx, address)
        at = await instant(tx)
        network = await services.field_encryption.tag(NETWORK, address.tag, visitor.network)
        # 2. The code: the asker's own, or the one that many askers share.
        issued = await sign_in_codes.issue(
            services, tx, account, visitor, network, at, language, use
        )
        # 3. The sign-in, bound to that code and to who holds the secret.
        pending = PendingSignIn(
            new_id(),
            secret or secrets.token_urlsafe(32),
            at + code_limits.CODE_LIFE,
            _warnings(address),
        )
        await _add_sign_in(services, tx, pending, address, at, network, issued, use)
        await record_attempt(services, tx, account, Action.SIGN_IN_CODE, visitor=visitor)
    # A crash from here on leaves a code on its way, and a sign-in that expires by itself.
    return pending


async def redeem_code(
    services: CoreServices,
    sign_in_id: UUID,
    *,
    secret: str,
    code: str,
    language: str = "fr",
    on_vault_opened: OnVaultOpened | None = None,
    visitor: Visitor = UNKNOWN,
) -> NewSession:
    """Exchange a right code for a session; the first one for a phone opens an empty vault.

    `on_vault_opened`: as for `start_session`. Raises `ServiceError` UNAUTHENTICATED `code_wrong`,
    the same for an unknown sign-in, another one's secret, a wrong, late, exhausted or used code,
    and a right one for a vault that nobody used for six months; REFUSED `service_closed` where none
    opens any more. Raises `PinAsked` after a right code, where a PIN decides which vault opens.
    """

    async def start(
        tx: AsyncConnection, account: Account
    ) -> NewSession | PendingPin | SignInRefused:
        if account.behind_pin:
            to = {"to": account.address.forms[0]}
            return await pin_sign_ins.add_step(services, tx, sign_in_id, secret, "phone", to)
        return await session_start.start_session(
            services,
            tx,
            account,
            visitor=visitor,
            language=language,
            on_vault_opened=on_vault_opened,
        )

    result: NewSession | PendingPin = await redeem_for(
        services, sign_in_id, start, secret=secret, code=code, visitor=visitor
    )
    # A crash from here on leaves a session whose token nobody holds; it expires by itself.
    if isinstance(result, PendingPin):
        raise PinAsked(result)
    return result


async def redeem_for(
    services: CoreServices,
    sign_in_id: UUID,
    start: Start[T],
    *,
    secret: str,
    code: str,
    visitor: Visitor = UNKNOWN,
    also: Sequence[bytes] = (),
    use: str = "enter",
) -> T:
    """Exchange a right code for what `start` makes of its address's account, in the transaction
    that uses the code up. `also`: as for `lock_account`. One that was sent for another `use` is as
    an unknown sign-in: its holder was told of that one alone. Raises as `redeem_code`."""
    begun = await begun_by(services, sign_in_id, secret)
    if begun is None or begun[2] != use:
        await session_start.record_refusal(services, None, _FAILED, "not_found", visitor)
        raise _code_wrong()
    row, address, _ = begun
    async with services.database.transaction() as tx:
        # 1. One try on an address at a time, across all its sign-ins.
        account = await session_start.lock_account(services, tx, address, also)
        # 2. The code is compared, unless its tries or those of the address are spent.
        checked = await check_code(services, tx, row, account, code)
        result: T | SignInRefused | None = checked.refused
        # 3. The code is right: a session, maybe a vault, and the log entry.
        if result is None:
            result = await start(tx, account)
        # 4. The try counts, and a right code is used up, in the same commit. A refusal undoes none.
        refused = isinstance(result, SignInRefused)
        await count_try(services, tx, checked, row, succeeded=not refused)
        if isinstance(result, SignInRefused):
            await record_failure(services, tx, account, result.reason, checked, visitor)
    if result is None or isinstance(result, SignInRefused):
        raise service_closed() if result and result.reason == "closed" else _code_wrong()
    return result


async def sent_to(services: CoreServices, sign_in_id: UUID, secret: str) -> SentTo | None:
    """Where the code of a sign-in was sent, for who began it and holds its secret; None for anyone
    else. The same whether or not there is an account."""
    begun = await begun_by(services, sign_in_id, secret)
    if begun is None:
        return None
    return await _sent_to(services, *begun[:2])


async def send_again(
    services: CoreServices,
    sign_in_id: UUID,
    *,
    secret: str,
    language: str = "fr",
    visitor: Visitor = UNKNOWN,
) -> PendingSignIn | None:
    """Another code to where the last one was sent, for who began that sign-in; None for anyone
    else, and for one of the desk, which has its own pace. It is a sign-in of its own, within the
    same limits as any other.

    Raises `ServiceError` TOO_MANY `code_just_sent` for `AGAIN_AFTER` after the last one.
    """
    begun = await begun_by(services, sign_in_id, secret)
    if begun is None or begun[2] == "recover":
        return None
    row, address, use = begun
    last = await _sent_to(services, row, address)
    if last.seconds_to_wait:
        raise _just_sent(last.seconds_to_wait)
    name = "phone" if address.kind == "person" else "email"
    to = {name: address.value}
    return await send_code(
        services, **to, language=language, visitor=visitor, secret=secret, use=use
    )


async def _sent_to(services: CoreServices, row: Any, address: Address) -> SentTo:
    async with services.database.transaction() as tx:
        at = await instant(tx)
    shown = address.value if at < row.expires_at else ""
    again_at = row.created_at + code_limits.AGAIN_AFTER
    return SentTo(shown, again_at, at, _warnings(address))


async def _typed_address(services: CoreServices, phone: str | None, email: str | None) -> Address:
    if phone is not None and email is None:
        with about("phone"):
            return await session_start.phone_address(services, phone)
    if email is not None and phone is None:
        with about("email"):
            return await session_start.email_address(services, email)
    raise invalid("one_address", fields=[("phone",), ("email",)])


def _warnings(address: Address) -> tuple[SignInWarning, ...]:
    if address.kind == "worker" or gets_sms(address.value):
        return ()
    return (SignInWarning.PHONE_LANDLINE,)


async def _add_sign_in(
    services: CoreServices,
    tx: AsyncConnection,
    pending: PendingSignIn,
    address: Address,
    at: datetime,
    network_tag: bytes,
    issued: sign_in_codes.IssuedCode,
    use: str,
) -> None:
    writer = await services.field_encryption.writer(None)
    macs = await services.field_encryption.row_macs()
    values = {
        "id": pending.id,
        "kind": address.kind,
        "address_tag": address.tag,
        # As it is looked for, of which its normal form is made again.
        "sealed": writer.seal(SIGN_IN, pending.id, {"to": address.forms[0], "use": use}),
        "created_at": at,
        "expires_at": pending.expires_at,
        "network_tag": network_tag,
        "secret_hash": _secret_hash(pending.id, pending.secret),
        "code_id": issued.code_id,
        "tries": issued.tries,
    }
    await sign_ins.add_sign_in(tx, **macs.add(SIGN_IN_ROW, values))


async def begun_by(
    services: CoreServices, sign_in_id: UUID, secret: str
) -> tuple[Any, Address, str] | None:
    """The sign-in that the holder of `secret` began, its address and use; None for anyone else.

    The address is the one that was sealed, and its tags are made from it: a sign-in's tag that is
    pointed at another account opens nothing. Raises `RowAltered`.
    """
    async with services.database.transaction() as tx:
        row = await sign_ins.sign_in(tx, sign_in_id)
    expected = bytes(32) if row is None else row.secret_hash
    if not hmac.compare_digest(expected, _secret_hash(sign_in_id, secret)) or row is None:
        return None
    macs = await services.field_encryption.row_macs()
    macs.check(SIGN_IN_ROW, row)
    reader = await services.field_encryption.reader(None)
    begun = reader.open(SIGN_IN, row.id, row.sealed)
    find = session_start.phone_address if row.kind == "person" else session_start.email_address
    address = await find(services, begun["to"])
    if not any(hmac.compare_digest(tag, row.address_tag) for tag in address.tags):
        raise RowAltered("sign_in")
    # One of before, which lives ten minutes, says nothing of its use.
    return row, address, begun.get("use", "enter")


@dataclass(frozen=True, slots=True)
class CheckedCode:
    """What a try came to: `compared` with `code` (a row), or not; and why it is refused, if so."""

    code: Any = field(repr=False)
    number: int
    at: datetime
    compared: bool
    refused: SignInRefused | None

    def spent(self) -> dict[str, str | int]:
        """In which budget it counts when it opened nothing."""
        if not self.compared:
            return {}
        return {"lane": code_limits.budget_lane(self.code.lane), "digits": self.code.digits}


async def check_code(
    services: CoreServices, tx: AsyncConnection, row: Any, account: Account, typed: str
) -> CheckedCode:
    """Compare a code, unless it is late or used, or its tries or those of its length are spent."""
    at = await instant(tx)
    code = await sign_in_codes.code_of(services, tx, row)
    wrong = await wrong_codes(services, tx, row.address_tag, at)
    tried = await sign_ins.tries_of(tx, row.id)
    lane = code_limits.budget_lane(code.lane)
    spent = code_limits.is_spent(lane, code.digits, wrong)
    late = at >= min(row.expires_at, code.expires_at)
    compared = not (spent or late or code.used or tried >= row.tries)
    tag = await sign_in_codes.code_tag(services, code.id, digits_of(typed))
    right = hmac.compare_digest(tag, code.code_tag)
    # A person's first code opens their vault; a worker who was never added or is barred has none.
    unknown_worker = account.row is None and account.address.kind == "worker"
    refused = None
    if not (compared and right) or unknown_worker:
        refused = SignInRefused("too_many_wrong_codes" if spent else "code_wrong")
    return CheckedCode(code, tried + 1, at, compared, refused)


async def count_try(
    services: CoreServices, tx: AsyncConnection, checked: CheckedCode, row: Any, *, succeeded: bool
) -> None:
    """Keep a try that was compared; one that opened nothing counts as wrong."""
    if not checked.compared:
        return
    code = checked.code
    await sign_ins.add_try(
        tx, sign_in_id=row.id, number=checked.number, code_id=code.id, succeeded=succeeded
    )
    if not succeeded:
        lane = code_limits.budget_lane(code.lane)
        await count_wrong_code(services, tx, row.address_tag, lane, code.digits, checked.at)


async def record_failure(
    services: CoreServices,
    tx: AsyncConnection,
    account: Account,
    reason: str,
    checked: CheckedCode,
    visitor: Visitor,
) -> None:
    """In the log, with the budget that the try counts in if it was compared."""
    spent = checked.spent()
    await record_attempt(services, tx, account, _FAILED, reason, visitor=visitor, spent=spent)


def _secret_hash(sign_in_id: UUID, secret: str) -> bytes:
    """Of random bits, so SHA-256 is enough; with the sign-in, so that the table does not show which
    ones one browser began."""
    return sha256(sign_in_id.bytes + secret.encode()).digest()


def _just_sent(seconds: int) -> ServiceError:
    return ServiceError(ErrorKind.TOO_MANY, "code_just_sent", retry_after=seconds, seconds=seconds)


def _code_wrong() -> ServiceError:
    return ServiceError(ErrorKind.UNAUTHENTICATED, "code_wrong")
