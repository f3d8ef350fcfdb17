"""What of a file is the PDF: bytes before its header and after its end are cut, a missing end is
mended by the reader, and a file that is cut short or is also another file is refused."""

import re
from dataclasses import dataclass

from vault.decoding import sniff
from vault.decoding.media import Undecodable

_BLANK = b"\x00\t\n\x0c\r "
_END = b"%%EOF"
_OBJECT = re.compile(rb"\d\s+obj\b")
_WHOLE_END = re.compile(rb"startxref\s+\d+\s*(?:%(?:%(?:E(?:O)?)?)?)?\s*\Z")


@dataclass(frozen=True)
class Body:
    """The PDF inside a file. `endless`: its end-of-file marker is missing."""

    data: bytes
    before: bool
    after: bool
    endless: bool

    @property
    def alone(self) -> bool:
        """Whether the file holds nothing else."""
        return not (self.before or self.after)


def body(data: bytes) -> Body:
    """Cuts what is before and after. Raises `Undecodable` for a file cut short or a polyglot."""
    start = sniff.pdf_start(data[: sniff.PREFIX_BYTES])
    if start is None or (start > 0 and ends_as_zip(data)):
        raise Undecodable
    end = data.rfind(_END)
    tail = data[max(end, 0) + len(_END) :] if end >= start else data[start:]
    if end < start or _OBJECT.search(tail):
        # What follows the last marker is a whole revision without its own marker, or is cut.
        if not _WHOLE_END.search(data[-64:]) and not _has_every_object(tail):
            raise Undecodable
        if ends_as_zip(data):
            raise Undecodable
        return Body(data[start:].rstrip(_BLANK) + b"\n", start > 0, after=False, endless=True)
    end += len(_END)
    after = bool(tail.strip(_BLANK))
    if ends_as_zip(data[: end + 1]) or (not after and ends_as_zip(data)):
        raise Undecodable
    # One copy of the file, and no second one for the end of its last line.
    whole = data[start : end + 1] if data[end : end + 1] == b"\n" else data[start:end] + b"\n"
    return Body(whole, start > 0, after, endless=False)


def _has_every_object(tail: bytes) -> bool:
    """Whether a file that lost its end still has its trailer, and no object is cut."""
    last = tail.rfind(b"endobj")
    rest = tail[last + len(b"endobj") :] if last >= 0 else tail
    return b"trailer" in rest and b"/Root" in rest and not _OBJECT.search(rest)


def ends_as_zip(data: bytes) -> bool:
    """An end-of-central-directory record whose comment runs to the end (APPNOTE §4.3.16)."""
    start = max(0, len(data) - 65_557)
    while (at := data.find(b"PK\x05\x06", start)) >= 0:
        if abs(at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") - len(data)) <= 4:
            return True
        start = at + 1
    return False
