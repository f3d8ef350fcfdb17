"""The code on the slip that the first agent gives: by it the second one goes on.

It opens nothing: who types it must be an agent, and see the person too.
"""

import secrets

from auth.services import CoreServices
from base.key_names import RECOVERY_CODE
from base.user_text import digits_of
from vault.recovery import records

DIGITS = 10
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
