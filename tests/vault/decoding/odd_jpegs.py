"""JPEGs as phones, scanners and programs write them, all of one small scene; and cut ones."""

import base64
import io
import struct
from collections.abc import Callable

from PIL import Image, ImageDraw

from tests.vault.decoding import corpus, profiles

SIZE = (96, 64)
RED, BLUE, PAPER = (220, 20, 20), (20, 20, 220), (200, 200, 200)


def scene(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Grey paper whose top left quarter is red and whose top right quarter is blue."""
    width, height = size
    image = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 4 - 1, height // 4 - 1), fill=RED)
    draw.rectangle((3 * width // 4, 0, width, height // 4 - 1), fill=BLUE)
    if mode == "1":
        return image.convert("L").point(lambda level: 255 * (level > 128)).convert("1")
    return image.quantize(8) if mode == "P" else image.convert(mode)


def saved(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **({"quality": 90} if form == "JPEG" else {}) | options)
    return out.getvalue()


def busy(mode: str = "RGB") -> Image.Image:
    """The scene with something to see down to its last pixel, so that nothing can be missing."""
    image = scene()
    noise = Image.radial_gradient("L").resize((SIZE[0], SIZE[1] // 2)).rotate(180)
    image.paste(noise.convert("RGB"), (0, SIZE[1] // 2))
    return image.convert(mode)


# --- ends ---


def samsung_trailer() -> bytes:
    """What a maker writes after the picture, its own directory last."""
    entry = struct.pack("<HHI", 0, 0x0A01, 14) + b"Image_UTC_Data1527000000000"
    directory = b"SEFH" + struct.pack("<III", 107, 1, 0)
    return entry + corpus.MAKER + directory + struct.pack("<I", len(directory)) + b"SEFT"


def without_end(image: Image.Image | None = None, **options: object) -> bytes:
    whole = saved(image or busy(), **options)
    assert whole.endswith(b"\xff\xd9")
    return whole[:-2]


def with_picture_after() -> bytes:
    """The end is missing, and the trailer holds another picture that has one."""
    return without_end() + corpus.MAKER + saved(scene(size=(16, 16)))


ENDLESS: dict[str, Callable[[], bytes]] = {
    "no end": without_end,
    "no end, grey": lambda: without_end(busy("L")),
    "no end, progressive": lambda: without_end(progressive=True),
    "no end, restarts": lambda: without_end(restart_marker_blocks=2),
    "no end, whole of chroma": lambda: without_end(subsampling="4:4:4"),
    "no end, a maker's trailer": lambda: without_end() + samsung_trailer(),
    "no end, progressive, a trailer": lambda: without_end(progressive=True) + samsung_trailer(),
    "no end, a video after": lambda: without_end() + corpus.MOTION_PHOTO,
    "no end, a picture after": with_picture_after,
    "no end, one byte of it": lambda: without_end() + b"\xff",
}


def cut(share: float, *, ended: bool = False, **options: object) -> bytes:
    """The last `share` of the coded rows is missing; `ended`: some program has added an end."""
    whole = saved(busy(), **options)
    start = whole.index(b"\xff\xda")
    kept = len(whole) - max(3, int((len(whole) - start) * share))
    return whole[:kept] + (b"\xff\xd9" if ended else b"")


CUT: dict[str, Callable[[], bytes]] = {
    "a byte": lambda: cut(0.0),
    "3 %": lambda: cut(0.03),
    "20 %": lambda: cut(0.2),
    "20 %, then a trailer": lambda: cut(0.2) + samsung_trailer(),
    "20 %, then a picture": lambda: cut(0.2) + saved(scene()),
    "20 %, then an end": lambda: cut(0.2, ended=True),
    "60 %, then an end": lambda: cut(0.6, ended=True),
    "3 %, progressive": lambda: cut(0.03, progressive=True),
    "20 %, progressive": lambda: cut(0.2, progressive=True),
    "3 %, progressive, then an end": lambda: cut(0.03, progressive=True, ended=True),
    "20 %, progressive, then an end": lambda: cut(0.2, progressive=True, ended=True),
    "90 %, progressive, then an end": lambda: cut(0.9, progressive=True, ended=True),
}


# --- between the markers ---


def inserted(data: bytes, piece: bytes) -> bytes:
    """`piece` after the start of the image, where viewers look over it."""
    return data[:2] + piece + data[2:]


def before_tables(data: bytes, piece: bytes) -> bytes:
    at = data.index(b"\xff\xdb")
    return data[:at] + piece + data[at:]


MARKED: dict[str, Callable[[], bytes]] = {
    "fill bytes": lambda: before_tables(saved(scene()), b"\xff" * 7),
    "stray bytes": lambda: before_tables(saved(scene()), corpus.MAKER),
    "a length of nothing": lambda: inserted(saved(scene()), b"\xff\xe5\x00\x00" + corpus.MAKER),
    "a length too short": lambda: inserted(
        saved(scene()), b"\xff\xed\x00\x08" + b"8BIM  " + corpus.MAKER
    ),
    "restarts": lambda: saved(scene(), restart_marker_blocks=1),
    "progressive": lambda: saved(scene(), progressive=True),
    "narrow chroma": lambda: saved(scene(), subsampling="4:1:1"),
    "several pictures": corpus.phone_jpeg,
    "a profile": lambda: saved(scene(), icc_profile=profiles.talkative(profiles.srgb())),
}


# --- codings and colours that browsers do not show, or show each in its way ---

_ARITHMETIC = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZG"
    "NywtQFdBRkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09P"
    "T09PT09PT09PT09PT09PT09PT09PT09PT0//yQARCAAgADADASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIR"
    "AxEAPwD/ADci4I8XmTEy1w0PXRlI8paoS3M3fG2RkjCI+gFRjh0m13012Wm+ayAYbDnEnuwcwkKhSMwhIU+mdxtP"
    "UVwLYP/Z"
)


def arithmetic() -> bytes:
    """The scene of 48 x 32, by `jpegtran -arithmetic`: pillow cannot write one."""
    return base64.b64decode(_ARITHMETIC)


def without_adobe(data: bytes) -> bytes:
    """As scanners write CMYK: without the marker that says how its inks are counted."""
    at = data.index(b"\xff\xee")
    length = int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:at] + data[at + 2 + length :]


def lossless() -> bytes:
    """Grey, lossless (ITU-T T.81 annex H): every sample as its difference from the one before."""
    image = scene("L")
    width, height = image.size
    held = image.tobytes()
    bits = ""
    for at, value in enumerate(held):
        before = held[at - 1] if at % width else held[at - width] if at else 128
        change = value - before
        size = abs(change).bit_length()
        bits += f"{size:04b}"
        if size:
            bits += f"{change if change > 0 else change + (1 << size) - 1:0{size}b}"
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    table = b"\x00" + bytes((0, 0, 0, 10)) + bytes(12) + bytes(range(10))
    frame = struct.pack(">BHHB", 8, height, width, 1) + bytes((1, 0x11, 0))
    return (
        b"\xff\xd8"
        + corpus.segment(0xC3, frame)
        + corpus.segment(0xC4, table)
        + corpus.segment(0xDA, bytes((1, 1, 0, 1, 0, 0)))
        + scan
        + b"\xff\xd9"
    )


def twelve_bits() -> bytes:
    """A frame that says 12 bits a sample."""
    data = saved(scene())
    at = data.index(b"\xff\xc0")
    return data[:at] + b"\xff\xc1" + data[at + 2 : at + 4] + b"\x0c" + data[at + 5 :]


def _cmyk(**options: object) -> bytes:
    return saved(scene("CMYK"), quality=95, **options)


UNUSUAL: dict[str, Callable[[], bytes]] = {
    "arithmetic": arithmetic,
    "lossless": lossless,
    "inks": _cmyk,
    "inks, unmarked": lambda: without_adobe(_cmyk()),
    "inks with a profile": lambda: _cmyk(icc_profile=profiles.cmyk()),
    "inks, unmarked, with a profile": lambda: without_adobe(
        _cmyk(icc_profile=profiles.cmyk(b"mft2"))
    ),
    "inks, turned": lambda: _cmyk(exif=corpus.exif(6)),
}
COLOURED: dict[str, Callable[[], bytes]] = {
    "grey": lambda: saved(scene("L")),
    "grey with a colour profile": lambda: saved(scene("L"), icc_profile=profiles.wide_rgb()),
    "grey with a grey profile": lambda: saved(scene("L"), icc_profile=profiles.grey(1.0)),
    "colour with a grey profile": lambda: saved(scene(), icc_profile=profiles.grey(1.0)),
    "other primaries": lambda: saved(scene(), icc_profile=profiles.wide_rgb()),
}
TAKEN = ENDLESS | MARKED | UNUSUAL | COLOURED
