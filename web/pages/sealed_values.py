"""Values that a browser carries from one page to the next, in a field or a cookie: sealed under the
service's key, for one session or visit alone, and until a moment: a browser may keep a cookie for
longer than it was told to."""

import base64
import binascii
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from base import clock
from storage.field_encryption import DecryptionError
from vault.services import Services

LONGEST = 3600
"""Browsers keep 4096 characters of a cookie, with its name and attributes."""
_UNTIL = "sealed_until"


async def seal(
    services: Services, use: str, secret: str, values: dict[str, Any], until: datetime
) -> str:
    """`secret`: of the session or the visit, which nobody else has."""
    writer = await services.field_encryption.writer(None)
    dated = {**values, _UNTIL: until.isoformat()}
    return base64.urlsafe_b64encode(writer.seal(use, _row(secret), dated)).decode()


async def opened(services: Services, use: str, secret: str, text: str) -> dict[str, Any] | None:
    """The values; None for those of another use or secret, that are over, or of nobody."""
    if not text or len(text) > LONGEST:
        return None
    try:
        raw = base64.b64decode(text.encode(), b"-_", validate=True)
        reader = await services.field_encryption.reader(None)
        values: dict[str, Any] = reader.open(use, _row(secret), raw)
    except (binascii.Error, ValueError, DecryptionError):
        return None
    until = values.pop(_UNTIL, None)
    return None if until is None or datetime.fromisoformat(until) <= clock.now() else values


def _row(secret: str) -> UUID:
    return UUID(bytes=sha256(secret.encode()).digest()[:16])
