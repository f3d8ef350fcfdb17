"""Whether the earlier revisions inside a PDF show something that the last one does not. Signing
appends a revision: what it only adds hides nothing."""

import io
from collections.abc import Container

import pikepdf

from vault.decoding.media import Undecodable
from vault.decoding.pdf_objects import Objects, StreamDictionary, Value

_END = b"%%EOF"
_MOST = 20
_LINEARIZED_WITHIN = 1024
_OF_SIGNING = frozenset(
    {"/Annots", "/Fields", "/AcroForm", "/SigFlags", "/DSS", "/Extensions", "/Perms", "/Metadata"}
    | {"/Version", "/ModDate", "/Producer"}
)
_OF_SIGNATURE_FIELDS = frozenset({"/AP", "/F", "/Lock", "/MK", "/DA"})
_UNSEEN = frozenset({"/XRef", "/ObjStm", "/Metadata"})


def count(data: bytes) -> int:
    """How often the file was saved; a file arranged for the web has two ends but one revision."""
    ends = data.count(b"startxref")
    return ends - 1 if _is_linearized(data) and ends > 1 else ends


def hide(data: bytes, last: Objects, kept: Container[str]) -> bool:
    """Whether an earlier revision holds anything that the last one replaced or removed. `kept`: the
    references of what pages show, whatever it says that it is."""
    ends, at = list[int](), data.find(_END)
    while at >= 0:
        ends.append(at + len(_END))
        at = data.find(_END, ends[-1])
    earlier = ends[1:-1] if _is_linearized(data) else ends[:-1]
    if len(earlier) != count(data) - 1 or len(earlier) > _MOST:
        return True
    try:
        return any(_differs(data[:end] + b"\n", last, kept) for end in earlier)
    except (pikepdf.PdfError, Undecodable, KeyError):
        return True


def _is_linearized(data: bytes) -> bool:
    return b"/Linearized" in data[:_LINEARIZED_WITHIN]


def _differs(data: bytes, last: Objects, kept: Container[str]) -> bool:
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
        earlier = Objects(pdf)
        for reference, value in earlier.by_reference.items():
            if reference not in kept and _is_unseen(earlier, reference, value):
                continue
            if not _only_grew(value, last.by_reference.get(reference)):
                return True
            if isinstance(value, StreamDictionary) and _data(earlier, reference) != _data(
                last, reference
            ):
                return True
    return False


def _is_unseen(objects: Objects, reference: str, value: Value) -> bool:
    kind = value.get("/Type") if isinstance(value, dict) else None
    return kind in _UNSEEN or reference == objects.trailer.get("/Info")


def _data(objects: Objects, reference: str) -> bytes:
    return objects.opened(reference).read_raw_bytes()


def _only_grew(earlier: Value, last: Value) -> bool:
    if isinstance(earlier, list) and isinstance(last, list):
        return last[: len(earlier)] == earlier
    if not isinstance(earlier, dict) or type(earlier) is not type(last):
        return bool(earlier == last)
    replaceable = _OF_SIGNING
    if earlier.get("/FT") == "/Sig" and "/V" not in earlier:
        replaceable = _OF_SIGNING | _OF_SIGNATURE_FIELDS
    return all(key in replaceable or last.get(key) == value for key, value in earlier.items())
