"""Writes the objects of an open PDF as bytes in every form that ISO 32000 allows, which pikepdf
itself never writes: values by reference, escaped names, keys given twice, hybrid tables, revisions.
"""

import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pikepdf
from pikepdf import Array, Dictionary, Name, String

Objects = dict[int, bytes]
"""Bodies by object number; every generation is 0."""

_STRUCTURAL = frozenset({"/Type", "/Kids", "/Count", "/Parent", "/Length", "/Filter"})
"""Readers may look at these before anything is resolved: they stay direct."""
_TWICE = {"/S": b"/GoTo", "/A": b"null", "/AA": b"null", "/OpenAction": b"null", "/EF": b"null"}
_LOOKS = (Name.Transparency, Name.Luminosity, Name.P, Name.D)
_TWICE |= {"/AF": b"null", "/JS": b"null", "/XFA": b"null", "/Metadata": b"null", "/FS": b"null"}


@dataclass(frozen=True)
class Style:
    """How values are spelled."""

    containers_by_reference: bool = False
    all_by_reference: bool = False
    escaped: bool = False
    twice: str = ""
    """"first": a harmless value stands before the real one; "last": after it."""


@dataclass
class Spelling:
    """The bodies of a file's objects in one style; values that become objects are added."""

    style: Style
    next_number: int
    objects: Objects = field(default_factory=dict)

    def body(self, value: object) -> bytes:
        """One value; dictionaries, arrays and streams with all that is direct in them."""
        if isinstance(value, pikepdf.Stream):
            data = value.read_raw_bytes()
            head = self._dictionary(value.stream_dict, skip="/Length")
            return head[:-2] + b"/Length %d >>\nstream\n" % len(data) + data + b"\nendstream"
        if isinstance(value, Dictionary):
            return self._dictionary(value)
        if isinstance(value, Array):
            return b"[" + b" ".join(self._inside(one) for one in value) + b"]"
        return self._scalar(value)

    def _scalar(self, value: object) -> bytes:
        if isinstance(value, Name):
            return self._name(str(value))
        if isinstance(value, String):
            return b"<" + bytes(value).hex().encode() + b">"
        if isinstance(value, bool):
            return b"true" if value else b"false"
        if isinstance(value, int | Decimal):
            return str(value).encode()
        if value is None:
            return b"null"
        raise TypeError(repr(value))

    def _name(self, name: str) -> bytes:
        spelled = name[1:].encode()
        if self.style.escaped:
            return b"/" + b"".join(b"#%02x" % byte for byte in spelled)
        regular = re.compile(rb"[^!-~]|[#/%()<>\[\]{}]")
        return b"/" + regular.sub(lambda byte: b"#%02x" % byte[0][0], spelled)

    def _dictionary(self, value: Dictionary, skip: str = "") -> bytes:
        entries = []
        for key in value.keys():  # noqa: SIM118  (iterating a pikepdf dictionary is not by its keys)
            if key == skip:
                continue
            entry = self._name(key) + b" " + self._inside(value[key], key)
            harmless = self._name(key) + b" " + _TWICE.get(key, b"")
            twice = key in _TWICE and value[key] not in _LOOKS
            if self.style.twice == "first" and twice:
                entry = harmless + b" " + entry
            elif self.style.twice == "last" and twice:
                entry = entry + b" " + harmless
            entries.append(entry)
        return b"<< " + b"\n".join(entries) + b" >>"

    def _inside(self, value: object, key: str = "") -> bytes:
        """A value where it stands: as a reference if it is one, or if the style asks for it."""
        if isinstance(value, pikepdf.Object) and value.is_indirect:
            return b"%d 0 R" % value.objgen[0]
        container = isinstance(value, Dictionary | Array)
        apart = self.style.all_by_reference or (self.style.containers_by_reference and container)
        if not apart or key in _STRUCTURAL:
            return self.body(value)
        number = self.next_number
        self.next_number += 1
        self.objects[number] = self.body(value)
        return b"%d 0 R" % number


def spelled(pdf: pikepdf.Pdf, style: Style | None = None) -> Objects:
    """Every object of the file, written in that style."""
    numbered = {obj.objgen[0]: obj for obj in pdf.objects if obj is not None}
    spelling = Spelling(style or Style(), max(numbered) + 1)
    for number, obj in numbered.items():
        if isinstance(obj, pikepdf.Stream) and obj.stream_dict.get("/Type") in ("/ObjStm", "/XRef"):
            continue
        spelling.objects[number] = spelling.body(obj)
    return spelling.objects


def trailer(pdf: pikepdf.Pdf) -> bytes:
    """The entries of the trailer, without what the writer itself says."""
    kept = Dictionary(
        {
            key: pdf.trailer[key]
            for key in pdf.trailer.keys()  # noqa: SIM118
            if key not in {"/Size", "/Prev", "/XRefStm", "/Length", "/Filter", "/W", "/Index"}
            and key not in {"/Type", "/DecodeParms"}
        }
    )
    return Spelling(Style(), 0).body(kept)[2:-2]


# --- containers ---

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"


def _placed(start: int, objects: Objects) -> tuple[bytes, dict[int, int]]:
    """Objects one after the other, and where each begins in the file."""
    out, offsets = bytearray(), dict[int, int]()
    for number, body in sorted(objects.items()):
        offsets[number] = start + len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    return bytes(out), offsets


def _table(offsets: dict[int, int], free: frozenset[int] = frozenset()) -> bytes:
    rows = [b"0 1\n0000000000 65535 f \n"]
    for number in sorted({*offsets, *free}):
        if number in offsets:
            rows.append(b"%d 1\n%010d 00000 n \n" % (number, offsets[number]))
        else:
            rows.append(b"%d 1\n0000000000 00001 f \n" % number)
    return b"xref\n" + b"".join(rows)


def classic(objects: Objects, entries: bytes, before: bytes = b"", more: bytes = b"") -> bytes:
    """A table of offsets; `before` is an earlier revision, whole, that this one continues."""
    start = before or _HEADER
    written, offsets = _placed(len(start), objects)
    if before:
        more += b"/Prev %s " % re.findall(rb"startxref\s+(\d+)", before)[-1]
        size = max([*objects, int(re.findall(rb"/Size (\d+)", before)[-1]) - 1]) + 1
    else:
        size = max(objects) + 1
    table = _table(offsets)
    at = len(start) + len(written)
    tail = b"trailer\n<< %s %s/Size %d >>\nstartxref\n%d\n%%%%EOF\n" % (entries, more, size, at)
    return start + written + table + tail


def _object_stream(objects: Objects) -> bytes:
    heads, bodies = [], bytearray()
    for inner, body in sorted(objects.items()):
        heads.append(b"%d %d" % (inner, len(bodies)))
        bodies += body + b"\n"
    head = b" ".join(heads) + b"\n"
    data = zlib.compress(head + bodies)
    return (
        b"<< /Type /ObjStm /N %d /First %d /Filter /FlateDecode /Length %d >>\nstream\n"
        % (len(objects), len(head), len(data))
        + data
        + b"\nendstream"
    )


def _xref_stream(
    offsets: dict[int, int], packed: dict[int, tuple[int, int]], entries: bytes, size: int
) -> bytes:
    rows = bytearray()
    for number in range(size):
        if number in packed:
            rows += b"\x02" + packed[number][0].to_bytes(4, "big") + bytes([packed[number][1]])
        elif number in offsets:
            rows += b"\x01" + offsets[number].to_bytes(4, "big") + b"\x00"
        else:
            rows += b"\x00" + bytes(4) + b"\xff"
    data = zlib.compress(bytes(rows))
    return (
        b"<< /Type /XRef /W [1 4 1] /Size %d %s /Filter /FlateDecode /Length %d >>\nstream\n"
        % (size, entries, len(data))
        + data
        + b"\nendstream"
    )


def _split(objects: Objects) -> tuple[Objects, list[Objects]]:
    """What must stand in the file itself, and packets of at most 200 that object streams hold."""
    plain = {
        number: body
        for number, body in objects.items()
        if body.endswith(b"endstream") or re.search(rb"/Type /(Catalog|Pages?)\b", body)
    }
    rest = sorted(number for number in objects if number not in plain)
    packets = [rest[at : at + 200] for at in range(0, len(rest), 200)]
    return plain, [{number: objects[number] for number in packet} for packet in packets]


def _with_packets(objects: Objects) -> tuple[Objects, dict[int, tuple[int, int]]]:
    plain, packets = _split(objects)
    packed: dict[int, tuple[int, int]] = {}
    number = max(objects) + 1
    for packet in packets:
        plain[number] = _object_stream(packet)
        packed |= {inner: (number, index) for index, inner in enumerate(sorted(packet))}
        number += 1
    return plain, packed


def compressed(objects: Objects, entries: bytes) -> bytes:
    """Object streams, and a cross-reference stream instead of a table."""
    plain, packed = _with_packets(objects)
    written, offsets = _placed(len(_HEADER), plain)
    at, own = len(_HEADER) + len(written), max(plain) + 1
    offsets[own] = at
    table = _xref_stream(offsets, packed, entries, own + 1)
    tail = b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (own, table, at)
    return _HEADER + written + tail


def hybrid(objects: Objects, entries: bytes, *, free: bool = False) -> bytes:
    """A table for old readers, and a stream that only new ones look at (7.5.8.4). What only these
    see is absent from the table, or `free` in it: then some of the new ones do not see it either.
    """
    plain, packed = _with_packets(objects)
    written, offsets = _placed(len(_HEADER), plain)
    at, own = len(_HEADER) + len(written), max(plain) + 1
    stream = b"%d 0 obj\n%s\nendobj\n" % (own, _xref_stream({}, packed, b"", own + 1))
    table = _table({**offsets, own: at}, frozenset(packed if free else ()))
    tail = b"trailer\n<< %s /XRefStm %d /Size %d >>\n" % (entries, at, own + 1)
    end = b"startxref\n%d\n%%%%EOF\n" % (at + len(stream))
    return _HEADER + written + stream + table + tail + end


def _encrypted(revision: int) -> Callable[[pikepdf.Pdf, Objects], bytes]:
    def write(pdf: pikepdf.Pdf, base: Objects) -> bytes:
        out = io.BytesIO()
        aes = revision >= 4
        with pikepdf.open(io.BytesIO(classic(spelled(pdf), trailer(pdf)))) as again:
            method = pikepdf.Encryption(
                owner="owner",
                user="",
                R=revision,
                aes=aes,
                metadata=aes,  # type: ignore[arg-type]
            )
            again.save(out, encryption=method)
        return out.getvalue()

    return write


def _in(style: Style) -> Callable[[pikepdf.Pdf, Objects], bytes]:
    return lambda pdf, _: classic(spelled(pdf, style), trailer(pdf))


def _appended(pdf: pikepdf.Pdf, base: Objects) -> bytes:
    """A harmless file, then a revision that adds."""
    now = spelled(pdf)
    added = {number: body for number, body in now.items() if base.get(number) != body}
    number = pdf.Root.objgen[0]
    added = added or {number: base[number]}
    return classic(added, trailer(pdf), before=classic(base, b"/Root %d 0 R " % number))


def _earlier(pdf: pikepdf.Pdf, base: Objects) -> bytes:
    """A file whose last revision is harmless: what it replaced still stands in front."""
    now = spelled(pdf)
    back = {number: body for number, body in base.items() if now.get(number) != body}
    number = pdf.Root.objgen[0]
    back = back or {number: base[number]}
    return classic(back, b"/Root %d 0 R " % number, before=classic(now, trailer(pdf)))


FORMS: dict[str, Callable[[pikepdf.Pdf, Objects], bytes]] = {
    "direct": _in(Style()),
    "containers by reference": _in(Style(containers_by_reference=True)),
    "every value by reference": _in(Style(all_by_reference=True)),
    "object streams": lambda pdf, _: compressed(spelled(pdf), trailer(pdf)),
    "every value in object streams": lambda pdf, _: compressed(
        spelled(pdf, Style(all_by_reference=True)), trailer(pdf)
    ),
    "escaped names": _in(Style(escaped=True)),
    "escaped names in object streams": lambda pdf, _: compressed(
        spelled(pdf, Style(escaped=True)), trailer(pdf)
    ),
    "harmless key first": _in(Style(twice="first")),
    "harmless key last": _in(Style(twice="last")),
    "hybrid table": lambda pdf, _: hybrid(spelled(pdf), trailer(pdf)),
    "hybrid table of free entries": lambda pdf, _: hybrid(spelled(pdf), trailer(pdf), free=True),
    "appended revision": _appended,
    "earlier revision": _earlier,
    "encrypted R2": _encrypted(2),
    "encrypted R3": _encrypted(3),
    "encrypted R4": _encrypted(4),
    "encrypted R6": _encrypted(6),
}
"""How a planted file is written, given also the objects that it had before planting."""
