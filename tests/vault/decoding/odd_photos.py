"""WebP, HEIC and TIFF as phones, scanners and programs write them, all of the small scene; and cut
ones."""

import io
import struct
from collections.abc import Callable

import pillow_heif
from PIL import Image, ImageCms, TiffImagePlugin

from tests.vault.decoding import corpus, profiles
from tests.vault.decoding.odd_jpegs import saved, scene
from tests.vault.decoding.odd_pngs import see_through
from vault.decoding.media import MediaType

NONSENSE = b"Exif\x00\x00II*\x00\xff\xff\xff\xff" + corpus.MAKER


# --- WebP ---


def webp(image: Image.Image | None = None, **options: object) -> bytes:
    return saved(image or scene(), "WEBP", **({"quality": 90} | options))


def _resized(data: bytes, change: int) -> bytes:
    """The size that its head announces is wrong."""
    (size,) = struct.unpack_from("<I", data, 4)
    return data[:4] + struct.pack("<I", size + change) + data[8:]


def odd_webp() -> bytes:
    """An image of an odd number of bytes, so that one of padding follows."""
    data = webp()
    (length,) = struct.unpack_from("<I", data, 16)
    longer = data[:16] + struct.pack("<I", length + 1) + data[20:] + bytes(2)
    return _resized(longer, 2)


WEBP: dict[str, Callable[[], bytes]] = {
    "lossy": webp,
    "lossless": lambda: webp(lossless=True),
    "see-through": lambda: webp(see_through()),
    "see-through, lossless": lambda: webp(see_through(), lossless=True),
    "an animation": lambda: webp(
        save_all=True, append_images=[scene().rotate(180)], duration=100, minimize_size=False
    ),
    "turned": lambda: webp(exif=corpus.exif(6)),
    "details that are nonsense": lambda: webp(exif=NONSENSE),
    "a profile": lambda: webp(icc_profile=profiles.talkative(profiles.srgb())),
    "bytes after it": lambda: webp() + corpus.MAKER,
    "padding not counted": lambda: _resized(odd_webp(), -1),
    "padding missing": lambda: odd_webp()[:-1],
    "a size too large": lambda: _resized(webp(), 2),
    "a size of nothing": lambda: _resized(webp(), 4 - struct.unpack_from("<I", webp(), 4)[0]),
}


# --- HEIC ---


def heic(image: Image.Image | None = None, **options: object) -> bytes:
    pillow_heif.register_heif_opener()
    return saved(image or scene(size=(128, 96)), "HEIF", **({"quality": 90} | options))


def _grid() -> bytes:
    """As phones write it: tiles."""
    before = pillow_heif.options.GRID_TILE_SIZE
    pillow_heif.options.GRID_TILE_SIZE = 64
    try:
        return heic(scene(size=(256, 192)))
    finally:
        pillow_heif.options.GRID_TILE_SIZE = before


def _ten_bits() -> bytes:
    raw = b"".join(struct.pack("<H", value * 257) for value in scene(size=(128, 96)).tobytes())
    return saved_heif(pillow_heif.from_bytes("RGB;16", (128, 96), raw))


def saved_heif(made: pillow_heif.HeifFile) -> bytes:
    out = io.BytesIO()
    made.save(out, quality=90)
    return out.getvalue()


HEIC: dict[str, Callable[[], bytes]] = {
    "one image": heic,
    "tiles": _grid,
    "10 bits": _ten_bits,
    "grey": lambda: heic(scene("L", (128, 96))),
    "see-through": lambda: heic(see_through().resize((128, 96))),
    "turned": lambda: heic(exif=corpus.exif(6)),
    "details that are nonsense": lambda: heic(exif=NONSENSE),
    "details that end early": lambda: heic(exif=corpus.exif(1)[:60]),
    "a place": lambda: heic(exif=corpus.exif(1)),
    "a profile": lambda: heic(icc_profile=profiles.talkative(profiles.srgb())),
    "several images": lambda: heic(save_all=True, append_images=[scene(size=(64, 64))]),
    "another brand": corpus.heif,
}


# --- TIFF ---


def tiff(mode: str = "RGB", **options: object) -> bytes:
    return saved(scene(mode), "TIFF", **options)


def _tags(**values: object) -> TiffImagePlugin.ImageFileDirectory_v2:
    made = TiffImagePlugin.ImageFileDirectory_v2()
    made[0x010F] = corpus.MAKER.decode()
    for name, value in values.items():
        made[{"orientation": 0x0112, "xmp": 700}[name]] = value
    return made


def lost_pointer(tag: int) -> bytes:
    """A TIFF whose pointer to EXIF or GPS data leads nowhere."""
    entries = [(256, 4, 8), (257, 4, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 134)]
    entries += [(277, 3, 1), (278, 4, 8), (279, 4, 64), (tag, 4, 0xFFFFFF00)]
    written = b"".join(
        struct.pack("<HHI", number, kind, 1)
        + (struct.pack("<I", value) if kind == 4 else struct.pack("<HH", value, 0))
        for number, kind, value in entries
    )
    head = b"II*\x00" + struct.pack("<IH", 8, len(entries)) + written + bytes(4)
    return head + bytes((200,)) * (134 - len(head) + 64)


def _lab() -> bytes:
    screen, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(scene(), screen, lab, outputMode="LAB")
    assert image is not None
    return saved(image, "TIFF")


def _paged(*, thumbnail: bool = False) -> bytes:
    """Two pages, the second turned or small."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254 if thumbnail else 0x0112] = 1 if thumbnail else 6
    second = scene()
    second.encoderinfo = {"tiffinfo": tags}
    return saved(scene(), "TIFF", save_all=True, append_images=[second])


_COMPRESSIONS = {
    "RGB": ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "zstd"),
    "L": ("tiff_lzw", "jpeg", "packbits"),
    "1": ("group3", "group4", "tiff_ccitt", "packbits"),
    "CMYK": ("raw", "tiff_lzw", "jpeg"),
    "YCbCr": ("raw",),
    "RGBA": ("tiff_lzw",),
    "LA": ("raw",),
    "P": ("tiff_lzw", "packbits"),
    "I;16": ("raw", "tiff_lzw"),
}


def _deep(compression: str) -> bytes:
    return saved(corpus.deep_grey(), "TIFF", compression=compression)


TIFF: dict[str, Callable[[], bytes]] = {
    f"{mode}, {compression}": (
        (lambda compression=compression: _deep(compression))  # type: ignore[misc]
        if mode == "I;16"
        else (lambda mode=mode, compression=compression: tiff(mode, compression=compression))  # type: ignore[misc]
    )
    for mode, compressions in _COMPRESSIONS.items()
    for compression in compressions
} | {
    "large": lambda: tiff(big_tiff=True),
    "large, packed": lambda: tiff(big_tiff=True, compression="tiff_lzw"),
    "Lab": _lab,
    "fractions": lambda: tiff("F"),
    "turned": lambda: tiff(tiffinfo=_tags(orientation=6)),
    "large, turned": lambda: tiff(big_tiff=True, tiffinfo=_tags(orientation=6)),
    "a place in XMP": lambda: tiff(tiffinfo=_tags(xmp=b"<x GPSLatitude='48'/>")),
    "EXIF that leads nowhere": lambda: lost_pointer(0x8769),
    "a place that leads nowhere": lambda: lost_pointer(0x8825),
    "inks with a profile": lambda: tiff("CMYK", icc_profile=profiles.cmyk(b"mAB ")),
    "a profile": lambda: tiff(icc_profile=profiles.talkative(profiles.srgb())),
    "two pages": _paged,
    "a page and its thumbnail": lambda: _paged(thumbnail=True),
    "pages of fax": lambda: saved(
        scene("1"), "TIFF", save_all=True, append_images=[scene("1")], compression="group4"
    ),
    "most significant first": corpus.deep_tiff,
}
KINDS = {MediaType.WEBP: WEBP, MediaType.HEIC: HEIC, MediaType.TIFF: TIFF}
CUT: dict[str, Callable[[], bytes]] = {
    "webp, 3 %": lambda: webp(lossless=True)[: -len(webp(lossless=True)) // 20],
    "webp, 20 %": lambda: webp()[: int(len(webp()) * 0.8)],
    "webp, 20 %, its size mended": lambda: _resized(
        webp()[: int(len(webp()) * 0.8)], int(len(webp()) * 0.8) - len(webp())
    ),
    "heic, 3 %": lambda: heic()[: int(len(heic()) * 0.97)],
    "heic, 20 %": lambda: heic()[: int(len(heic()) * 0.8)],
    "tiff, 3 %": lambda: tiff()[: int(len(tiff()) * 0.97)],
    "tiff, 20 %": lambda: tiff()[: int(len(tiff()) * 0.8)],
    "pages, 20 %": lambda: _paged()[: int(len(_paged()) * 0.8)],
}
