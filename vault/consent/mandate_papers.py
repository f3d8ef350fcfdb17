"""The paper of a mandate: on which form it is printed, and the codes by which a scan of it is known
again. Pure.

A page's code names the mandate, the page, and how many there are: a scan of another paper, or one
that lacks a page, is told. The code is no secret: it opens nothing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from base.errors import Field, invalid
from vault import durations

MAX_AUTHORISATIONS = 5
_SCAN: tuple[Field, ...] = (("document_id",),)
UNSEEN = "P3M"
"""For how long what a mandate gave lasts without its person being seen again."""
_CODE = re.compile(r"UNEFOIS MANDATE 1 ([0-9A-F]{32}) ([0-9]{1,2})/([0-9]{1,2})")


@dataclass(frozen=True, slots=True)
class MandatePaper:
    """A mandate as it is printed: its requests, in the order of the page; the language beside the
    French; the form, and its digest."""

    request_ids: tuple[UUID, ...]
    language: str
    template: str
    template_hash: bytes

    @property
    def id(self) -> UUID:
        """The mandate's: that of its first request."""
        return self.request_ids[0]

    def values(self) -> dict[str, Any]:
        """JSON-serialisable, for the sealed rows of its requests. Fields are only ever added."""
        return {
            "requests": [str(one) for one in self.request_ids],
            "language": self.language,
            "template": self.template,
            "template_sha256": self.template_hash.hex(),
        }

    @classmethod
    def read(cls, values: dict[str, Any] | None) -> "MandatePaper | None":
        """From the values of an opened row; None of a request that is on no mandate."""
        if values is None:
            return None
        return cls(
            tuple(map(UUID, values["requests"])),
            values["language"],
            values["template"],
            bytes.fromhex(values["template_sha256"]),
        )


def asleep_from(seen_at: datetime) -> datetime:
    """When what a mandate gave ends, unless its person is seen again before."""
    return durations.end_of(seen_at, UNSEEN)


def code_of_page(mandate_id: UUID, page: int, pages: int) -> str:
    """What the QR code of a page says: capitals and digits, which make a small drawing."""
    return f"UNEFOIS MANDATE 1 {mandate_id.hex.upper()} {page}/{pages}"


def check_scan(mandate_id: UUID, codes: Iterable[str]) -> None:
    """Whether the codes that were read are those of every page of this mandate. Raises
    `ServiceError` INVALID: `mandate_scan_unread` when none is of a mandate, `mandate_scan_other`
    when one is of another, `mandate_scan_incomplete` when a page is missing."""
    read = [found for found in map(_CODE.fullmatch, codes) if found is not None]
    if not read:
        raise invalid("mandate_scan_unread", fields=_SCAN)
    if {found[1] for found in read} != {mandate_id.hex.upper()}:
        raise invalid("mandate_scan_other", fields=_SCAN)
    counts = {int(found[3]) for found in read}
    pages = {int(found[2]) for found in read}
    if len(counts) > 1 or not any(counts) or pages != set(range(1, max(counts) + 1)):
        raise invalid("mandate_scan_incomplete", fields=_SCAN)
