"""The digits of a naming, and those for the desk: eight, which no other that serve are."""

import secrets
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.records import representations as records
from base.key_names import REPRESENTATION_CODE
from base.user_text import digits_of
from vault.representation.representation_views import code_end, facts_of, values_of
from vault.services import Services

DIGITS = 8
_DRAWS = 20
NAMING = "name"
DESK = "desk"
"""What digits are for: those of one never serve for the other."""


async def code_tag(services: Services, use: str, typed: str) -> bytes:
    """The keyed tag of digits as they are typed, for one use."""
    digits = digits_of(typed)[: DIGITS + 1]
    return await services.field_encryption.tag(REPRESENTATION_CODE, use, digits)


async def draw(services: Services, tx: AsyncConnection, use: str) -> tuple[str, bytes]:
    """Digits that no others serve as, and their tag. Those that serve no more are freed."""
    macs = await services.field_encryption.row_macs()
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        tag = await code_tag(services, use, code)
        if await records.representation_of_code(tx, tag) is None:
            return code, tag
        held = await records.representation_to_answer(tx, tag)
        if held is not None and not await serve(services, held):
            await records.change_representation(tx, macs, held, code_tag=None)
            return code, tag
    raise LookupError("no code is free")


async def serve(services: Services, row: Row[Any]) -> bool:
    """Whether the digits of a row serve now."""
    return code_end(facts_of(row), await values_of(services, row)) is not None
