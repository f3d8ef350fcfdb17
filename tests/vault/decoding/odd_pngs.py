"""PNGs as programs and broken transfers leave them, all of the small scene; and cut ones."""

import struct
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

from tests.vault.decoding import corpus, profiles
from tests.vault.decoding.odd_jpegs import SIZE, saved, scene

_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(image: Image.Image | None = None, **options: object) -> bytes:
    return saved(image or scene(), "PNG", **options)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def rebuilt(data: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """The file with each chunk as `change` writes it."""
    return SIGNATURE + b"".join(change(kind, payload) for kind, payload in chunks(data))


def _broken_sum(kind: bytes, payload: bytes) -> bytes:
    return corpus.chunk(kind, payload)[:-4] + b"\x00\x01\x02\x03"


def bad_sum(kind: bytes, data: bytes) -> bytes:
    """The checksum of the chunks of one kind is wrong."""
    return rebuilt(
        data, lambda name, payload: (_broken_sum if name == kind else corpus.chunk)(name, payload)
    )


def pixels_changed(change: Callable[[bytes], bytes], data: bytes | None = None) -> bytes:
    """The compressed rows as `change` leaves them, with a right checksum."""
    return rebuilt(
        data or png(),
        lambda kind, payload: corpus.chunk(kind, change(payload) if kind == b"IDAT" else payload),
    )


def without(kind: bytes, data: bytes) -> bytes:
    return rebuilt(data, lambda name, payload: b"" if name == kind else corpus.chunk(name, payload))


def interlaced() -> bytes:
    """Adam7, which pillow cannot write."""
    image = scene()
    rows = b""
    for left, top, across, down in (*_PASSES, (0, 1, 1, 2)):
        for y in range(top, SIZE[1], down):
            line = [image.getpixel((x, y)) for x in range(left, SIZE[0], across)]
            rows += b"\x00" + b"".join(bytes(pixel) for pixel in line)  # type: ignore[arg-type]  # RGB
    return _written(8, 2, rows, interlace=1)


def deep_colour() -> bytes:
    """16 bits a sample, in colour: pillow cannot write it either."""
    raw = scene().tobytes()
    step = SIZE[0] * 3
    lines = (raw[at : at + step] for at in range(0, len(raw), step))
    rows = b"".join(b"\x00" + b"".join(bytes((value, value)) for value in line) for line in lines)
    return _written(16, 2, rows)


def _written(depth: int, colour: int, rows: bytes, *, interlace: int = 0) -> bytes:
    head = struct.pack(">IIBBBBB", *SIZE, depth, colour, 0, 0, interlace)
    body = corpus.chunk(b"IHDR", head) + corpus.chunk(b"IDAT", zlib.compress(rows))
    return SIGNATURE + body + corpus.chunk(b"IEND", b"")


def see_through() -> Image.Image:
    image = scene("RGBA")
    image.putalpha(128)
    return image


def palette_with_a_hole() -> bytes:
    """The paper is a colour that is not painted: viewers show the white behind it."""
    image = scene().quantize(8)
    return png(image, transparency=image.getpixel((SIZE[0] // 2, SIZE[1] - 2)))


ENDLESS: dict[str, Callable[[], bytes]] = {
    "no end": lambda: without(b"IEND", png()),
    "no end, half of it": lambda: png()[:-6],
    "no checksum of the rows": lambda: png()[:-16],
    "no checksum inside the rows": lambda: png()[:-20],
    "bytes after the end": lambda: png() + corpus.MAKER,
    "garbage for an end": lambda: without(b"IEND", png()) + corpus.MAKER * 3,
}


def after_header(data: bytes, chunk: bytes) -> bytes:
    return data[:33] + chunk + data[33:]


BAD_SUMS: dict[str, Callable[[], bytes]] = {
    "a profile's checksum": lambda: bad_sum(b"iCCP", png(icc_profile=profiles.srgb())),
    "a density's checksum": lambda: bad_sum(b"pHYs", png(dpi=(300, 300))),
    "a time's checksum": lambda: bad_sum(
        b"tIME", after_header(png(), corpus.chunk(b"tIME", bytes(7)))
    ),
    "the end's checksum": lambda: bad_sum(b"IEND", png()),
    "the rows' checksum": lambda: bad_sum(b"IDAT", png()),
}
HIDING: dict[str, Callable[[], bytes]] = {
    "bytes after the rows": lambda: pixels_changed(lambda data: data + corpus.MAKER),
    "rows that nobody sees": lambda: pixels_changed(
        lambda data: zlib.compress(zlib.decompress(data) + corpus.MAKER * 9)
    ),
    "texts": corpus.talkative_png,
    "a compressed text": lambda: after_header(
        png(), corpus.chunk(b"zTXt", b"Author\x00\x00" + zlib.compress(corpus.MAKER))
    ),
    "a density of any length": lambda: after_header(
        png(), corpus.chunk(b"pHYs", bytes(9) + corpus.MAKER)
    ),
    "a talkative profile": lambda: png(icc_profile=profiles.talkative(profiles.srgb())),
    "a profile that is none": lambda: png(icc_profile=corpus.MAKER * 9),
}
KINDS: dict[str, Callable[[], bytes]] = {
    "interlaced": interlaced,
    "16 bits of colour": deep_colour,
    "16 bits of grey": corpus.deep_png,
    "1 bit": lambda: png(scene("1")),
    "grey": lambda: png(scene("L")),
    "grey and see-through": lambda: png(see_through().convert("LA")),
    "see-through": lambda: png(see_through()),
    "palette": lambda: png(scene().quantize(8)),
    "palette with a hole": palette_with_a_hole,
    "palette with a profile": lambda: png(scene().quantize(8), icc_profile=profiles.wide_rgb()),
    "grey with a colour profile": lambda: png(scene("L"), icc_profile=profiles.wide_rgb()),
    "grey with a grey profile": lambda: png(scene("L"), icc_profile=profiles.grey(1.0)),
    "other primaries": lambda: png(icc_profile=profiles.wide_rgb()),
    "an animation": lambda: png(
        save_all=True, append_images=[scene().rotate(180)], duration=100, default_image=False
    ),
}
TAKEN = ENDLESS | BAD_SUMS | HIDING | KINDS
CUT: dict[str, Callable[[], bytes]] = {
    "3 %": lambda: png()[: int(len(png()) * 0.97) - 20],
    "a half": lambda: png()[: len(png()) // 2],
    "rows missing": lambda: pixels_changed(lambda data: zlib.compress(zlib.decompress(data)[:-1])),
    "rows damaged": lambda: pixels_changed(lambda data: data[:20] + b"\x00\x00" + data[22:]),
    "a bad checksum, and bad rows": lambda: bad_sum(
        b"IDAT", pixels_changed(lambda data: data[:-1] + bytes((data[-1] ^ 1,)))
    ),
    "no palette": lambda: bad_sum(b"PLTE", png(scene().quantize(8))),
}
