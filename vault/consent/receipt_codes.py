"""The code of a receipt, for who holds it on paper: is it genuine, and is its grant live?

A code is the grant's id and a keyed tag of it, in base32: who has no receipt guesses none, and a
false one costs no look-up. The answer has no name, no date and no content, says nothing of why a
grant ended, and nothing of a vault that was erased: its grants have ended.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from auth.services import CoreServices
from base.db_time import instant
from base.errors import not_found
from base.key_names import RECEIPT_CODE
from vault.consent.records import grants as records
from vault.rules import state_of

_ID, _TAG = 16, 9
_LENGTH = (_ID + _TAG) * 8 // 5
"""Characters of five bits, without padding."""


@dataclass(frozen=True, slots=True)
class ReceiptState:
    """What a code says, at `as_of`, by the database's clock."""

    state: Literal["live", "ended"]
    as_of: datetime


async def code_of(services: CoreServices, grant_id: UUID) -> str:
    """The code that stands on a grant's receipt: 40 letters and digits."""
    raw = grant_id.bytes + await _tag(services, grant_id)
    return base64.b32encode(raw).decode().lower()


async def state_behind(services: CoreServices, code: str) -> ReceiptState:
    """Whether the grant of a receipt is live. Raises `not_found` for a code that we did not make,
    and `RowAltered`."""
    # 1. Ours, before anything is looked up.
    raw = _bytes_of(code)
    grant_id = UUID(bytes=raw[:_ID])
    if not hmac.compare_digest(raw[_ID:], await _tag(services, grant_id)):
        raise not_found()
    # 2. The grant as it stands now, with its MAC checked.
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.grant(tx, grant_id)
        facts = records.grant_facts(macs, row)
        if facts is None:
            return ReceiptState("ended", await instant(tx))
    live = state_of(facts.revoked_at, facts.ends_at, facts.at) == "live"
    return ReceiptState("live" if live else "ended", facts.at)


def _bytes_of(code: str) -> bytes:
    """The bytes of a code in its only spelling. Raises `not_found`."""
    if len(code) != _LENGTH or not code.isascii() or code != code.lower():
        raise not_found()
    try:
        return base64.b32decode(code.upper())
    except binascii.Error:
        raise not_found() from None


async def _tag(services: CoreServices, grant_id: UUID) -> bytes:
    return (await services.field_encryption.tag(RECEIPT_CODE, grant_id.bytes))[:_TAG]
