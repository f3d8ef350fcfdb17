"""The paper of a mandate: on which form it is printed, and the codes by which a scan of it is known
again. Pure.

A page's code names the mandate, the page, and how many there are: a scan of another paper, or one
that lacks a page, is told. Its keyed tag (`mandate_codes.py`) says that we made it; whoever has the
paper has it, and it opens nothing.
"""

import base64
import re
from collections.abc import Collection
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
TAG_BYTES = 9
"""With the 16 of the id, 40 characters of base32 in their only spelling."""
_CODE = re.compile(r"UNEFOIS MANDATE 1 ([A-Z2-7]{40}) ([0-9]{1,2})/([0-9]{1,2})")


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


@dataclass(frozen=True, slots=True)
class PageCode:
    """Of which mandate a page is, which one it is, and of how many."""

    mandate_id: UUID
    page: int
    pages: int

    def text(self, tag: bytes) -> str:
        """What its QR code says: capitals and digits, which make a small drawing."""
        made = base64.b32encode(self.mandate_id.bytes + tag).decode()
        return f"UNEFOIS MANDATE 1 {made} {self.page}/{self.pages}"


def read_code(text: str) -> tuple[PageCode, bytes] | None:
    """The page that a code names, and its tag, not compared yet; None of another code."""
    found = _CODE.fullmatch(text)
    if found is None:
        return None
    raw = base64.b32decode(found[1])
    return PageCode(UUID(bytes=raw[:16]), int(found[2]), int(found[3])), raw[16:]


def check_scan(mandate_id: UUID, read: Collection[PageCode]) -> None:
    """Whether the codes that were read, and that we made, are those of every page of this mandate.
    Raises `ServiceError` INVALID: `mandate_scan_unread` when there is none, `mandate_scan_other`
    when one is of another, `mandate_scan_incomplete` when a page is missing."""
    if not read:
        raise invalid("mandate_scan_unread", fields=_SCAN)
    if {code.mandate_id for code in read} != {mandate_id}:
        raise invalid("mandate_scan_other", fields=_SCAN)
    counts = {code.pages for code in read}
    pages = {code.page for code in read}
    if len(counts) > 1 or not any(counts) or pages != set(range(1, max(counts) + 1)):
        raise invalid("mandate_scan_incomplete", fields=_SCAN)
