"""The JPEG of a preview, and of a thumbnail, at most so many bytes. Runs only inside a child."""

import io

from PIL import Image

PREVIEW_WIDTH = 1000
PREVIEW_BYTES = 300 * 1024
THUMBNAIL_WIDTH = 160
THUMBNAIL_BYTES = 6 * 1024

_QUALITIES = ((82, 1.0), (65, 0.7), (45, 0.55))
"""From the best one; and about how much each takes beside it."""
_STRIPS, _STRIP = 8, 16


def small_jpeg(image: Image.Image, max_bytes: int = PREVIEW_BYTES) -> bytes:
    """A good JPEG of at most `max_bytes`; fewer pixels when lower quality is not enough.

    What a quality takes is measured on strips of the page first: encoding a whole page of noise, as
    a scan of rough paper is, again and again took longer than all else.
    """
    while True:
        best = _bytes_a_pixel(image) * image.width * image.height
        for quality, share in _QUALITIES:
            if best * share > max_bytes:
                continue
            encoded = _jpeg(image, quality)
            if len(encoded) <= max_bytes:
                return encoded
        image = image.reduce(2)


def thumbnail_jpeg(image: Image.Image) -> bytes:
    """The JPEG of a thumbnail: at most 160 pixels wide and twice as high."""
    small = image.reduce(max(1, image.width // (2 * THUMBNAIL_WIDTH)))
    if small.mode not in {"RGB", "L"}:
        small = small.convert("RGB")
    small.thumbnail((THUMBNAIL_WIDTH, 2 * THUMBNAIL_WIDTH))
    return small_jpeg(small, THUMBNAIL_BYTES)


def _bytes_a_pixel(image: Image.Image) -> float:
    """What the best quality takes: of strips all over the page, or of the whole of a small one."""
    if image.height <= 2 * _STRIPS * _STRIP:
        return 0.0
    sample = Image.new(image.mode, (image.width, _STRIPS * _STRIP))
    for number in range(_STRIPS):
        top = number * (image.height - _STRIP) // (_STRIPS - 1)
        sample.paste(image.crop((0, top, image.width, top + _STRIP)), (0, number * _STRIP))
    return len(_jpeg(sample, _QUALITIES[0][0])) / (sample.width * sample.height)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
