"""The types of file inspection: media types, notes, limits and the findings about a file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

CLEANING = 1
"""The edition of the rules by which recipients' copies are made: raised when those held must be
made anew before anyone else reads them. 0: those of the first release."""

MAX_SIGNATURES = 20
MAX_SIGNATURE_NAME = 120
MAX_CODES = 24
MAX_CODE_LENGTH = 100


class MediaType(StrEnum):
    """Every type that a vault accepts; any other is refused."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"
    HEIF = "image/heif"
    TIFF = "image/tiff"


class Note(StrEnum):
    """What the owner (for some notes also the recipient) is informed of. Only ever add to them."""

    PHOTO_LOCATION_REMOVED = "photo_location_removed"
    PHOTO_DETAILS_REMOVED = "photo_details_removed"
    FIRST_IMAGE_ONLY = "first_image_only"
    PDF_ACTIVE_CONTENT_REMOVED = "pdf_active_content_removed"
    PDF_TRAILING_DATA_REMOVED = "pdf_trailing_data_removed"
    PDF_KEEPS_METADATA = "pdf_keeps_metadata"
    PDF_WAS_SIGNED = "pdf_was_signed"
    PDF_SIGNATURE_LOST = "pdf_signature_lost"
    PDF_ATTACHMENTS_REMOVED = "pdf_attachments_removed"
    PDF_EARLIER_REVISION_REMOVED = "pdf_earlier_revision_removed"
    PDF_EXTERNAL_REFERENCES_REMOVED = "pdf_external_references_removed"
    PDF_DETAILS_REMOVED = "pdf_details_removed"
    PDF_FORM_EMPTY = "pdf_form_empty"
    PDF_COVER_ONLY = "pdf_cover_only"


class Carries(StrEnum):
    """What a PDF holds beside what is seen on its pages; none of it reaches a recipient."""

    ACTIVE = "active"
    """Scripts, programs to start, forms that send, sounds and films."""
    ATTACHED = "attached"
    """Other files."""
    EXTERNAL = "external"
    """References that make a reader open something elsewhere."""
    EARLIER = "earlier"
    """An earlier revision, or objects that no page uses any more."""
    DETAILS = "details"
    """Who made it, when, with what; where a photo inside was taken."""


_MIB = 1024 * 1024
_LEAST_SECONDS, _SECONDS_A_MIB = 5.0, 2.0


@dataclass(frozen=True)
class Limits:
    """What one inspection may cost. Bytes, seconds and counts; all are enforced."""

    input_bytes: int = 50 * 1024 * 1024
    """All parts of one document together."""
    output_bytes: int = 128 * 1024 * 1024
    parts: int = 40
    pages: int = 500
    image_bytes: int = 400_000_000
    """Of one decoded image: four bytes a pixel in colour, one in grey, in a palette or in 1 bit."""
    stream_bytes: int = 64 * 1024 * 1024
    """Expanded size of one stream of a PDF that is not an image."""
    memory_bytes: int = 1024 * 1024 * 1024
    """Of one child, above what the decoders themselves map."""
    cpu_seconds: int = 20
    """Of the largest file; `cpu_seconds_for` gives a small one less."""
    wall_seconds: int = 40
    children: int = 2
    waiting: int = 256
    """Inspections that may wait for a child; one more gets "decoder_busy"."""
    waiting_each: int = 24
    """Of them, those of one account; one more gets "too_many_at_once"."""

    def cpu_seconds_for(self, size: int) -> float:
        """What a document of so many bytes may take: what is slow for its size is hostile, or
        broken. Four times and more what honest ones were seen to take (docs/adr/0033)."""
        return min(self.cpu_seconds, _LEAST_SECONDS + _SECONDS_A_MIB * size / _MIB)


@dataclass(frozen=True)
class Part:
    """The findings about one file. Pixels with the orientation applied; `None` for a PDF."""

    media_type: MediaType
    pages: int
    width: int | None
    height: int | None


class SignatureState(StrEnum):
    """What a signature says about the bytes that came in."""

    WHOLE = "whole"
    """It covers the whole file, which is as it was signed."""
    ADDED_TO = "added_to"
    """What it covers is as it was signed; something was added after it."""
    ALTERED = "altered"
    """It does not fit the file, or cannot be read."""


@dataclass(frozen=True)
class Signature:
    """One electronic signature of a PDF. `signer` and `signed_at` are what it states itself."""

    signer: str | None
    signed_at: datetime | None
    state: SignatureState


@dataclass(frozen=True)
class Inspection:
    """The findings about one document of one or more parts.

    `rendition` is the type of the recipient's copy, or "same" when that copy is the original,
    byte for byte; `rendition_length` is in bytes, 0 for "same". `carries`: what a PDF carries
    beside its pages. `signatures`: those of a PDF, in the order of signing.
    """

    parts: tuple[Part, ...]
    rendition: MediaType | Literal["same"]
    rendition_length: int
    notes: tuple[Note, ...]
    carries: frozenset[Carries] = frozenset()
    signatures: tuple[Signature, ...] = ()

    @property
    def media_type(self) -> MediaType:
        """The type of the original; of its first part if there are several."""
        return self.parts[0].media_type

    @property
    def pages(self) -> int:
        """Of the whole document."""
        return sum(part.pages for part in self.parts)

    @property
    def width(self) -> int | None:
        """Pixels of the only image; `None` for a PDF or a document of several parts."""
        return self.parts[0].width if len(self.parts) == 1 else None

    @property
    def height(self) -> int | None:
        """Pixels of the only image; `None` for a PDF or a document of several parts."""
        return self.parts[0].height if len(self.parts) == 1 else None


class Undecodable(Exception):
    """The file cannot be accepted: `code` says why, `values` are numbers for its message."""

    def __init__(self, code: str = "does_not_decode", **values: int) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
