"""The code on the slip that the first agent gives, by which the second one goes on; and the digits
of the warnings, which stop it.

The code opens nothing: who types it must be an agent, and see the person too.
"""

import secrets

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from base.key_names import RECOVERY_CODE, RECOVERY_STOP
from base.user_text import digits_of
from vault.recovery import records

DIGITS = 10
STOP_DIGITS = 8
_DRAWS = 20


async def draw(services: CoreServices) -> str:
    """Digits that no recovery has."""
    async with services.database.transaction() as tx:
        for _ in range(_DRAWS):
            code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
            if await records.of_code(tx, await tag_of(services, code)) is None:
                return code
    raise LookupError("no code is free")


async def tag_of(services: CoreServices, typed: str) -> bytes:
    """The keyed tag of a code, as it is typed."""
    return await services.field_encryption.tag(RECOVERY_CODE, digits_of(typed))


async def draw_stop(services: CoreServices, tx: AsyncConnection) -> tuple[str, bytes]:
    """Digits that stop no other recovery, and their tag."""
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**STOP_DIGITS):0{STOP_DIGITS}}"
        tag = await stop_tag_of(services, code)
        if await records.of_stop(tx, tag) is None:
            return code, tag
    raise LookupError("no digits are free")


async def stop_tag_of(services: CoreServices, typed: str) -> bytes:
    """The keyed tag of digits that stop, as they are typed."""
    return await services.field_encryption.tag(RECOVERY_STOP, digits_of(typed))
