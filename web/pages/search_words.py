"""What was looked for, as an address holds it: sealed, and open to the session that wrote it alone.

An address stays in the browser's history, and at a desk the next one reads it. The words are sent
by a form; its answer leads to a page whose address says nothing, and to which one comes back.
"""

import base64
import binascii
from hashlib import sha256
from uuid import UUID

from base.key_names import SEARCH
from storage.field_encryption import DecryptionError
from web.pages.page import Page

_LONGEST = 2000


async def seal(page: Page, words: str) -> str:
    """The words, as a value of an address that this session's pages can open."""
    writer = await page.services.field_encryption.writer(None)
    sealed = writer.seal(SEARCH, _session_of(page), {"words": words})
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


async def words_of(page: Page, value: str) -> str:
    """The words in such a value; none where another session wrote it, or nobody."""
    if not value or len(value) > _LONGEST:
        return ""
    try:
        raw = base64.b64decode(value.encode() + b"=" * (-len(value) % 4), b"-_", validate=True)
        reader = await page.services.field_encryption.reader(None)
        return str(reader.open(SEARCH, _session_of(page), raw)["words"])
    except (binascii.Error, ValueError, DecryptionError):
        return ""


def _session_of(page: Page) -> UUID:
    """The row that a search belongs to: of the session's secret, which nobody else has."""
    return UUID(bytes=sha256(page.secret.encode()).digest()[:16])
