"""The digits of a naming, and those that vouch: eight, which no other that serve are."""

import secrets
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from base.key_names import TRUSTED_CODE
from base.user_text import digits_of
from vault.services import Services
from vault.trusted import records
from vault.trusted.trusted_views import code_end, facts_of, values_of

DIGITS = 8
_DRAWS = 20
NAMING = "name"
VOUCHING = "vouch"
"""What digits are for: those of one never serve for the other."""


async def code_tag(services: Services, use: str, typed: str) -> bytes:
    """The keyed tag of digits as they are typed, for one use."""
    return await services.field_encryption.tag(TRUSTED_CODE, use, digits_of(typed)[: DIGITS + 1])


async def draw(services: Services, tx: AsyncConnection, use: str) -> tuple[str, bytes]:
    """Digits that no others serve as, and their tag. Those that serve no more are freed."""
    macs = await services.field_encryption.row_macs()
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        tag = await code_tag(services, use, code)
        if await records.naming_of_code(tx, tag) is None:
            return code, tag
        held = await records.naming_to_answer(tx, tag)
        if held is not None and not await serve(services, held):
            await records.change_naming(tx, macs, held, code_tag=None)
            return code, tag
    raise LookupError("no code is free")


async def serve(services: Services, row: Row[Any]) -> bool:
    """Whether the digits of a naming serve now."""
    return code_end(facts_of(row), await values_of(services, row)) is not None
