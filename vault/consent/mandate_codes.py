"""The codes of a mandate's pages that this service made: each has a keyed tag, so that a sheet that
somebody else drew, with fewer pages than were printed, is no page of it."""

import hmac
from collections.abc import Iterable
from uuid import UUID

from auth.services import CoreServices
from base.key_names import MANDATE_PAGE
from vault.consent.mandate_papers import TAG_BYTES, PageCode, read_code


async def codes_of(services: CoreServices, mandate_id: UUID, pages: int) -> list[str]:
    """What the QR code of each page says, of a mandate of so many."""
    codes = [PageCode(mandate_id, page, pages) for page in range(1, pages + 1)]
    return [code.text(await _tag(services, code)) for code in codes]


async def made_here(services: CoreServices, texts: Iterable[str]) -> list[PageCode]:
    """Those of the texts that are codes which we made; what is no such code is left out."""
    found = []
    for code, tag in filter(None, map(read_code, texts)):
        if hmac.compare_digest(tag, await _tag(services, code)):
            found.append(code)
    return found


async def _tag(services: CoreServices, code: PageCode) -> bytes:
    page = f"{code.page}/{code.pages}"
    tag = await services.field_encryption.tag(MANDATE_PAGE, code.mandate_id.bytes, page)
    return tag[:TAG_BYTES]
