"""Pages of a PDF as they are seen, with its forms' values, ticked boxes and stamps."""

import ctypes
import mmap
from typing import cast

import pypdfium2
from PIL import Image

from vault.decoding.media import Undecodable

_HUGE_PAGE = 2 * 1024 * 1024
_PIXEL_BYTES = 4


def first_page(data: bytes, width: int) -> Image.Image:
    """At most `width` wide and twice as high, RGBX. Raises when it cannot be drawn."""
    return page(data, 1, width)


def page(data: bytes, number: int, width: int) -> Image.Image:
    """Page `number`, from 1, as `first_page` draws the first. Raises `Undecodable` "no_such_page"
    when there are not so many."""
    document = pypdfium2.PdfDocument(data)
    try:
        # Before any page is loaded: a page that is loaded earlier shows no field.
        document.init_forms()
        if not 1 <= number <= len(document):
            raise Undecodable("no_such_page")
        drawing = document[number - 1]
        across, down = drawing.get_size()
        if not (across > 0 and down > 0):
            raise Undecodable
        scale = min(width / across, 2 * width / down)
        drawn = drawing.render(
            scale=scale, rev_byteorder=True, prefer_bgrx=True, bitmap_maker=_bitmap
        )
        return cast("Image.Image", drawn.to_pil())  # in the bitmap's own memory
    finally:
        document.close()


def count(data: bytes) -> int:
    """How many pages there are to draw."""
    document = pypdfium2.PdfDocument(data)
    try:
        return len(document)
    finally:
        document.close()


def _bitmap(
    width: int,
    height: int,
    format: int,  # noqa: A002  (pypdfium2 calls it so)
    rev_byteorder: bool,
) -> pypdfium2.PdfBitmap:
    """A bitmap in huge pages: a child has no memory yet, and asks the kernel for each small page of
    it at the price of copying it."""
    size = width * height * _PIXEL_BYTES
    whole = -(-size // _HUGE_PAGE) * _HUGE_PAGE
    memory = mmap.mmap(-1, whole + _HUGE_PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    start = -ctypes.addressof(ctypes.c_ubyte.from_buffer(memory)) % _HUGE_PAGE
    buffer = (ctypes.c_ubyte * size).from_buffer(memory, start)
    return pypdfium2.PdfBitmap.new_native(
        width,
        height,
        format,
        rev_byteorder=rev_byteorder,
        buffer=buffer,
        stride=width * _PIXEL_BYTES,
    )
