"""Images: decodes each once, for the findings, the copy for recipients and the preview. Runs only
inside a child."""

import io
from dataclasses import dataclass

import pillow_heif
from PIL import Image, ImageFile

from vault.decoding import image_colours, jpeg_end, png_structure, strip
from vault.decoding.image_file import (
    Details,
    bytes_per_pixel,
    check_size,
    is_thumbnail,
    opened,
    tiff_orientation,
)
from vault.decoding.jpeg_structure import Frame
from vault.decoding.media import Limits, MediaType, Note, Part, Undecodable
from vault.decoding.preview_jpeg import PREVIEW_WIDTH

_FIRST: tuple[tuple[MediaType, str, dict[str, object]], ...] = (
    (MediaType.JPEG, "CMYK", {}),
    (MediaType.JPEG, "L", {"progressive": True}),
    (MediaType.PNG, "P", {}),
    (MediaType.PNG, "RGBA", {}),
    (MediaType.PNG, "I;16", {}),
    (MediaType.WEBP, "RGBA", {"lossless": True}),
    (MediaType.TIFF, "1", {"compression": "group4"}),
    (MediaType.TIFF, "RGB", {"compression": "tiff_lzw"}),
    (MediaType.TIFF, "RGB", {"compression": "jpeg"}),
    (MediaType.TIFF, "LAB", {}),
)
"""Examined once at the start, so that no decoder or conversion runs for the first time later."""
_QUALITY = 92
_HEIF_THREADS = 2
_REDUCING_GAP = 1.0
"""A box first, then a fine filter for the rest: a preview shows no difference."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image upright, by its EXIF orientation."""


@dataclass(frozen=True)
class Picture:
    """An image that decodes: one JPEG or PNG per page, its orientation either applied or kept."""

    part: Part
    pages: tuple[bytes, ...]
    media_type: MediaType
    unchanged: bool
    notes: tuple[Note, ...]
    preview: Image.Image
    """The first page as recipients get it, upright, small, in sRGB."""


def prepare() -> None:
    """Loads the decoders. The size of images is checked by `Limits`, not by pillow's warnings."""
    Image.MAX_IMAGE_PIXELS = None
    pillow_heif.register_heif_opener(
        decode_threads=_HEIF_THREADS, thumbnails=False, depth_images=False, aux_images=False
    )
    Image.init()
    for kind, mode, options in _FIRST:
        data = _saved(Image.new(mode, (16, 16)), kind.name, **options)
        examine(data, kind, Limits())
    jpeg = _saved(Image.new("RGB", (16, 16)), "JPEG", icc_profile=image_colours.screen_profile())
    for data in (jpeg, jpeg[:-2], jpeg[:-2] + b"end"):
        examine(data, MediaType.JPEG, Limits())


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def examine(data: bytes, media_type: MediaType, limits: Limits) -> Picture:
    """Decodes every row. Raises `Undecodable`, or any exception of the decoder."""
    try:
        if media_type is MediaType.JPEG:
            return _jpeg(data, limits)
        if media_type is MediaType.PNG:
            return _png(data, limits)
        return _converted(data, media_type, limits)
    except MemoryError:
        raise Undecodable("too_many_pixels") from None


def preview(data: bytes, media_type: MediaType, limits: Limits, width: int) -> Image.Image:
    """The first image, upright, small, in sRGB."""
    if media_type in {MediaType.JPEG, MediaType.PNG}:
        return examine(data, media_type, limits).preview
    with opened(data, media_type, limits) as file:
        shown = image_colours.as_browsers_show(file.image)
        return _small(shown, file.details.orientation, width)


# --- JPEG and PNG: their own bytes, if browsers show them ---


def _jpeg(data: bytes, limits: Limits) -> Picture:
    """The coded rows are read to the end, but at the scale of the preview: that is enough to see
    that they are there. A coding that browsers do not show becomes a usual one."""
    stripped = strip.jpeg(data)
    frame = stripped.frame
    assert frame is not None  # noqa: S101  (every JPEG has one)
    if frame.precision != 8:
        raise Undecodable("unusual_image")
    unusual = frame.arithmetic or frame.lossless or frame.components not in {1, 3}
    _check_jpeg_size(frame, limits, whole=unusual or not stripped.ended)
    if not stripped.ended and (frame.arithmetic or frame.lossless):
        raise Undecodable  # nothing tells whether such a scan is whole
    copy = stripped.data if stripped.ended else jpeg_end.ended(stripped.data)
    with Image.open(io.BytesIO(copy), formats=("JPEG",)) as image:
        if not unusual:
            image.draft(None, _preview_size(image.size, stripped.orientation, PREVIEW_WIDTH))
        shown = image_colours.as_browsers_show(image)
        if stripped.ended and _may_lack_data(frame, copy, image):
            _check_jpeg_size(frame, limits, whole=True)
            if jpeg_end.lacks_rows(copy):
                raise Undecodable
    found = Details(stripped.orientation, stripped.located, len(copy) < len(data))
    small = _small(shown, found.orientation, PREVIEW_WIDTH)
    if unusual:
        copy = encode(upright(shown, found.orientation))
    part = _part(MediaType.JPEG, (frame.width, frame.height), found)
    return Picture(part, (copy,), MediaType.JPEG, copy == data, found.notes, small)


def _may_lack_data(frame: Frame, copy: bytes, image: Image.Image) -> bool:
    """What is missing of rows in order is at the bottom, of others anywhere."""
    if frame.sequential:
        return jpeg_end.may_lack_rows(image)
    return not (frame.arithmetic or frame.lossless or jpeg_end.is_sound(copy))


def _check_jpeg_size(frame: Frame, limits: Limits, *, whole: bool) -> None:
    """`whole`: every pixel will be held. If not, only those of the preview, and half of the limit
    is enough for what one coding or another keeps of the others."""
    colour = 4 if whole or not frame.sequential else 2
    check_size(frame.width, frame.height, 1 if frame.components == 1 else colour, limits)


def _png(data: bytes, limits: Limits) -> Picture:
    head = png_structure.header(next(png_structure.chunks(data), png_structure.NOTHING))
    check_size(head.width, head.height, head.bytes_per_pixel, limits)
    stripped = strip.png(data)
    with Image.open(io.BytesIO(stripped.data), formats=("PNG",)) as image:
        shown = image_colours.as_browsers_show(image)
    unchanged = stripped.data == data
    found = Details(stripped.orientation, stripped.located, len(stripped.data) < len(data))
    notes = (*found.notes, Note.FIRST_IMAGE_ONLY) if b"acTL" in data[:4096] else found.notes
    part = _part(MediaType.PNG, (head.width, head.height), found)
    small = _small(shown, found.orientation, PREVIEW_WIDTH)
    return Picture(part, (stripped.data,), MediaType.PNG, unchanged, notes, small)


def _part(kind: MediaType, size: tuple[int, int], found: Details) -> Part:
    return Part(kind, 1, *(size[::-1] if found.orientation >= 5 else size))


# --- WebP, HEIC and TIFF: a JPEG for each page ---


def _converted(data: bytes, kind: MediaType, limits: Limits) -> Picture:
    pages: list[bytes] = []
    sizes: list[tuple[int, int]] = []
    with opened(data, kind, limits) as file:
        image, found = file.image, file.details
        numbers = range(file.frames if kind is MediaType.TIFF else 1)
        if len(numbers) > limits.pages:
            raise Undecodable("too_many_pages", limit=limits.pages)
        for number in numbers:
            turn = found.orientation
            if number:
                image.seek(number)
                if is_thumbnail(image):
                    continue
                check_size(*image.size, bytes_per_pixel(image.mode), limits)
                turn = tiff_orientation(image)
            shown = image_colours.as_browsers_show(image)
            if number == 0:
                small = _small(shown, turn, PREVIEW_WIDTH)
            page = upright(shown, turn)
            sizes.append(page.size)
            pages.append(encode(page, lossless_bilevel=len(numbers) > 1))
    notes = found.notes
    if kind is not MediaType.TIFF and file.frames > 1:
        notes = (*notes, Note.FIRST_IMAGE_ONLY)
    part = Part(kind, len(pages), *sizes[0])
    return Picture(part, tuple(pages), MediaType.JPEG, unchanged=False, notes=notes, preview=small)


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image turned as its EXIF orientation says; the same one if it says nothing."""
    turn = _TURNS.get(orientation)
    if turn is None:
        return image
    turned = image.transpose(turn)
    turned.info = dict(image.info)
    return turned


def _preview_size(size: tuple[int, int], orientation: int, width: int) -> tuple[int, int]:
    """Before it is turned: upright it is at most `width` wide and twice as high."""
    across, down = size[::-1] if orientation >= 5 else size
    scale = min(1.0, width / across, 2 * width / down)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _small(shown: Image.Image, orientation: int, width: int) -> Image.Image:
    """Upright, at most `width` wide and twice as high, in sRGB."""
    size = _preview_size(shown.size, orientation, width)
    plain = shown.convert("L") if shown.mode == "1" else shown
    small = plain.resize(size, Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP)
    small.info = dict(shown.info)
    return image_colours.in_srgb(upright(small, orientation))


def encode(image: Image.Image, *, lossless_bilevel: bool = False) -> bytes:
    """JPEG with its profile and no other metadata; a fax page for a PDF stays 1-bit, as PNG."""
    out = io.BytesIO()
    # Saving an image that was opened asks for the working directory, which a child may not.
    plain = image.copy() if isinstance(image, ImageFile.ImageFile) else image
    if image.mode == "1" and lossless_bilevel:
        plain.save(out, "PNG")
        return out.getvalue()
    sharp = plain.convert("L") if plain.mode == "1" else plain
    profile = image.info.get("icc_profile")
    sharp.save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0", icc_profile=profile)
    return out.getvalue()
