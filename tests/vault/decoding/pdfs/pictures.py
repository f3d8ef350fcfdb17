"""What hides in the images, profiles and streams of a PDF, and between its objects."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from functools import cache

import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image

from tests.vault.decoding.corpus import segment
from tests.vault.decoding.pdfs.carriers import Carrier
from tests.vault.decoding.pdfs.rich import PLACES, colour_profile, image_of, photo


def exif_of(canary: str) -> bytes:
    """An EXIF block with the maker, a comment, and the place where someone lives."""
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x013B] = canary, canary, canary
    block[0x8825] = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 7.0), 29: canary}
    block[0x8769] = {0x927C: canary.encode() * 4, 0x9286: b"ASCII\0\0\0" + canary.encode()}
    return block.tobytes()


def profile_with(canary: str, kind: bytes = b"priv") -> bytes:
    """A profile with one more tag, or with the text of one of its own: `kind` is a signature."""
    base = colour_profile()
    count = int.from_bytes(base[128:132], "big")
    rows = [struct.unpack(">4sII", base[132 + 12 * n : 144 + 12 * n]) for n in range(count)]
    held = {sign: base[at : at + length] for sign, at, length in rows}
    held[kind] = b"text" + bytes(4) + canary.encode() + b"\0"
    at, table, body = 132 + 12 * len(held), b"", b""
    for sign, data in held.items():
        padded = data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", sign, at + len(body), len(data))
        body += padded
    whole = base[4:128] + struct.pack(">I", len(held)) + table + body
    return struct.pack(">I", len(whole) + 4) + whole


def _jpeg(extra: bytes, after: bytes = b"") -> bytes:
    return photo()[:2] + extra + photo()[2:] + after


_XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>%s</x:xmpmeta>"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + struct.pack(">II", 9, 0)

JPEG_HIDING: dict[str, Callable[[str], bytes]] = {
    "EXIF": lambda canary: _jpeg(segment(0xE1, exif_of(canary))),
    "EXIF twice": lambda canary: _jpeg(segment(0xE1, exif_of(canary)) * 2),
    "XMP": lambda canary: _jpeg(segment(0xE1, _XMP % canary.encode())),
    "extended XMP": lambda canary: _jpeg(segment(0xE1, _EXTENDED + canary.encode())),
    "IPTC": lambda canary: _jpeg(
        segment(
            0xED,
            b"Photoshop 3.0\x008BIM\x04\x04\0\0"
            + struct.pack(">I", len(canary) + 5)
            + b"\x1c\x02\x50"
            + struct.pack(">H", len(canary))
            + canary.encode(),
        )
    ),
    "a comment": lambda canary: _jpeg(segment(0xFE, canary.encode())),
    "a maker's segment": lambda canary: _jpeg(segment(0xE5, canary.encode())),
    "a second picture": lambda canary: _jpeg(b"", photo() + canary.encode()),
    "bytes after its end": lambda canary: _jpeg(b"", canary.encode()),
    "a thumbnail": lambda canary: _jpeg(segment(0xE0, b"JFXX\0\x10" + canary.encode() * 20)),
    "a profile with a private tag": lambda canary: _jpeg(
        segment(0xE2, b"ICC_PROFILE\0\1\1" + profile_with(canary))
    ),
    "a profile with its own name": lambda canary: _jpeg(
        segment(0xE2, b"ICC_PROFILE\0\1\1" + profile_with(canary, b"desc"))
    ),
}


@cache
def _jpeg2000() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).convert("RGB").save(out, "JPEG2000")
    return out.getvalue()


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _with_box(box: bytes) -> bytes:
    base = _jpeg2000()
    at = base.index(b"jp2c") - 4
    return base[:at] + box + base[at:]


_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def _jpeg2000_comment(canary: str) -> bytes:
    base = _jpeg2000()
    at = base.index(b"\xff\x5c")  # QCD: a comment segment (COM) may stand before it
    data = canary.encode()
    made = base[:at] + b"\xff\x64" + struct.pack(">HH", len(data) + 4, 1) + data + base[at:]
    start = made.index(b"jp2c") - 4
    return made[:start] + struct.pack(">I", len(made) - start) + made[start + 4 :]


JPEG2000_HIDING: dict[str, Callable[[str], bytes]] = {
    "XML": lambda canary: _with_box(_box(b"xml ", f"<a>{canary}</a>".encode())),
    "XMP": lambda canary: _with_box(_box(b"uuid", _XMP_BOX + canary.encode())),
    "an address": lambda canary: _with_box(
        _box(b"uinf", _box(b"url ", bytes(4) + canary.encode()))
    ),
    "a box of a vendor": lambda canary: _with_box(_box(b"vend", canary.encode())),
    "bytes after its end": lambda canary: _jpeg2000() + _box(b"free", canary.encode()),
    "a comment": _jpeg2000_comment,
}


def _replaced(data: Callable[[str], bytes], *, place: str = "page", coding: str = "DCT") -> Carrier:
    """The image of a page, of a drawing in it, of a look, of a tile or of a glyph."""

    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        image = image_of(pdf, data(canary))
        image.stream_dict.Filter = Name("/" + coding + "Decode")
        if coding == "JPX":
            del image.stream_dict["/ColorSpace"]
        holder = PLACES[place](pdf)
        resources = holder.Resources if "/Resources" in holder else holder
        resources.XObject = resources.get("/XObject", Dictionary())
        resources.XObject.Photo = image
        resources.XObject.X = image

    return plant


def _as_soft_mask(pdf: pikepdf.Pdf, canary: str) -> None:
    image = image_of(pdf, JPEG_HIDING["EXIF"](canary))
    image.stream_dict.ColorSpace = Name.DeviceGray
    PLACES["image"](pdf).SMask = image


def _in_two_steps(pdf: pikepdf.Pdf, canary: str) -> None:
    """The JPEG is deflated once more."""
    image = image_of(pdf, zlib.compress(JPEG_HIDING["EXIF"](canary)))
    image.stream_dict.Filter = Array([Name.FlateDecode, Name.DCTDecode])
    pdf.pages[0].obj.Resources.XObject.Photo = image


def _after_the_deflated(place: str) -> Carrier:
    """Bytes after the end of the deflated data, which no reader inflates."""

    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        held = {
            "content": pdf.pages[0].obj.Contents,
            "form": pdf.pages[0].obj.Resources.XObject.Form,
            "look": pdf.pages[0].obj.Annots[1].AP.N,
        }[place]
        assert isinstance(held, pikepdf.Stream)
        data = zlib.compress(held.read_bytes()) + canary.encode()
        held.write(data, filter=Name.FlateDecode)

    return plant


def _profile(kind: bytes) -> Carrier:
    def plant(pdf: pikepdf.Pdf, canary: str) -> None:
        held = pdf.pages[0].obj.Resources.ColorSpace.C[1]
        held.write(profile_with(canary, kind))

    return plant


def _inline(pdf: pikepdf.Pdf, canary: str) -> None:
    data = JPEG_HIDING["EXIF"](canary)
    head = b"q 24 0 0 16 9 9 cm BI /W 24 /H 16 /BPC 8 /CS /RGB /F /DCT ID "
    pdf.pages[0].contents_add(head + data + b"\nEI Q")


PICTURES: dict[str, Carrier] = {
    **{f"JPEG with {name}": _replaced(make) for name, make in JPEG_HIDING.items()},
    **{
        f"JPEG of the {place}": _replaced(JPEG_HIDING["EXIF"], place=place)
        for place in ("form", "look", "pattern", "glyph_resources", "mask_drawing")
    },
    **{
        f"JPEG 2000 with {name}": _replaced(make, coding="JPX")
        for name, make in JPEG2000_HIDING.items()
    },
    "JPEG as a soft mask": _as_soft_mask,
    "JPEG deflated": _in_two_steps,
    "JPEG inside the content": _inline,
    **{f"bytes after the {place}": _after_the_deflated(place) for place in ("content", "form")},
    "bytes after the look": _after_the_deflated("look"),
    "profile with a private tag": _profile(b"priv"),
    "profile with its own name": _profile(b"desc"),
    "profile with its own copyright": _profile(b"cprt"),
}


# --- between the objects: what is added to the bytes of a file ---


def _first_object(data: bytes, added: bytes) -> bytes:
    """Put before the last table, so that no offset of an object changes: qpdf rebuilds the rest."""
    at = data.rindex(b"xref\n", 0, data.rindex(b"startxref"))
    moved = data[:at] + added + data[at:]
    return re.sub(rb"startxref\s+\d+", b"startxref\n%d" % (at + len(added)), moved)


BETWEEN: dict[str, Callable[[bytes, bytes], bytes]] = {
    "a comment between objects": lambda data, canary: _first_object(data, b"%% %s\n" % canary),
    "bytes between objects": lambda data, canary: _first_object(data, b"\n%s\n" % canary),
    "an object in no table": lambda data, canary: _first_object(
        data, b"9999 0 obj\n(%s)\nendobj\n" % canary
    ),
    "a comment after the end": lambda data, canary: data + b"%% %s\n" % canary,
    "bytes after the end": lambda data, canary: data + canary,
    "an object after the end": lambda data, canary: data + b"9 0 obj\n(%s)\nendobj\n" % canary,
    "bytes before the head": lambda data, canary: canary + b"\n" + data,
}
"""Only for files that end in a table, not in a stream."""
