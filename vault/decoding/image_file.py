"""WebP, HEIC and TIFF files: their images, and what they say besides. Runs only inside a child."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pillow_heif
from PIL import Image, TiffImagePlugin

from vault.decoding import exif, strip, webp_structure
from vault.decoding.media import Limits, MediaType, Note, Undecodable

_MAKE, _MODEL, _ORIENTATION, _DATE, _SUBFILE, _XMP, _GPS = 271, 272, 274, 306, 254, 700, 0x8825
_ORIENTATIONS = range(1, 9)


@dataclass(frozen=True)
class Details:
    """What an image says about itself besides its pixels."""

    orientation: int = 1
    located: bool = False
    detailed: bool = False

    @property
    def notes(self) -> tuple[Note, ...]:
        place = (Note.PHOTO_LOCATION_REMOVED,) if self.located else ()
        return (*place, Note.PHOTO_DETAILS_REMOVED) if self.detailed else place


@dataclass(frozen=True)
class OpenedImage:
    """`image` may be decoded or not yet; of a TIFF it is its first page."""

    image: Image.Image
    frames: int
    details: Details


@contextmanager
def opened(data: bytes, kind: MediaType, limits: Limits) -> Iterator[OpenedImage]:
    """The first image, of an allowed size. Its EXIF never reaches pillow's own reader, which fails
    on nonsense."""
    if kind in {MediaType.HEIC, MediaType.HEIF}:
        yield _heif(data, limits)
        return
    details = Details()
    if kind is MediaType.WEBP:
        webp = webp_structure.read(data)
        data, details = webp.data, _in_exif(webp.exif, webp.xmp)
    with Image.open(io.BytesIO(data), formats=(kind.name,)) as image:
        if isinstance(image, TiffImagePlugin.TiffImageFile):
            image.getexif = Image.Exif  # type: ignore[method-assign]  # its pointers may lead nowhere
            details = _in_tiff(image)
        check_size(*image.size, bytes_per_pixel(image.mode), limits)
        yield OpenedImage(image, getattr(image, "n_frames", 1), details)


def _heif(data: bytes, limits: Limits) -> OpenedImage:
    """Its orientation is applied by libheif."""
    file = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True, remove_stride=False)
    frame = file[file.primary_index]
    check_size(*frame.size, bytes_per_pixel(frame.mode), limits)
    frame.load()
    size, mode = frame.size, frame.mode
    image = Image.frombytes(mode, size, frame.data, "raw", mode, frame.stride)
    info: dict[str, Any] = frame.info
    image.info = {"icc_profile": info.get("icc_profile")}
    details = _in_exif(info.get("exif") or b"", info.get("xmp") or b"")
    return OpenedImage(image, len(file), replace(details, orientation=1))


def _in_exif(block: bytes, xmp: bytes) -> Details:
    tags = exif.read(block.removeprefix(b"Exif\x00\x00"))
    located = tags.located or strip.XMP_PLACE in xmp
    return Details(tags.orientation, located, detailed=bool(block or xmp))


def _in_tiff(image: TiffImagePlugin.TiffImageFile) -> Details:
    """Of a TIFF's own tags only camera and date are details; a GPS position is a place."""
    tags = image.tag_v2
    xmp = tags.get(_XMP, b"")
    located = _GPS in tags or strip.XMP_PLACE in (xmp if isinstance(xmp, bytes) else b"")
    return Details(tiff_orientation(image), located, bool({_MAKE, _MODEL, _DATE} & set(tags)))


def tiff_orientation(image: Image.Image) -> int:
    """Of the page that is open; 1 when it is absent or invalid."""
    orientation = getattr(image, "tag_v2", {}).get(_ORIENTATION)
    return orientation if isinstance(orientation, int) and orientation in _ORIENTATIONS else 1


def is_thumbnail(image: Image.Image) -> bool:
    """Whether a TIFF's page is a smaller edition of another (TIFF 6.0, NewSubfileType)."""
    kind = getattr(image, "tag_v2", {}).get(_SUBFILE, 0)
    return isinstance(kind, int) and bool(kind & 1)


# --- sizes ---


def bytes_per_pixel(mode: str) -> int:
    """As pillow holds them."""
    if mode in {"1", "L", "P"}:
        return 1
    return 2 if mode.startswith("I;16") else 4


def check_size(width: int, height: int, bytes_per_pixel: int, limits: Limits) -> None:
    """Raises `Undecodable` when the decoded image would take too much memory."""
    if width * height * bytes_per_pixel > limits.image_bytes:
        raise Undecodable("too_many_pixels")
