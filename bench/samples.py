"""Sample documents: real PDF files of about a given size, which nothing can compress; pictures."""

import io
import secrets

import pikepdf
import pillow_heif
from PIL import Image

from bench import phone_heic

_WIDTH = 1024


def pdf(size: int) -> bytes:
    """One page with one grey image of random dots: about `size` bytes."""
    height = max(1, size // _WIDTH)
    with pikepdf.new() as document:
        dots = document.make_stream(
            secrets.token_bytes(_WIDTH * height),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=_WIDTH,
            Height=height,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        page = document.add_blank_page(page_size=(595, 842))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Dots=dots))
        page.Contents = document.make_stream(b"q 595 0 0 842 0 0 cm /Dots Do Q")
        out = io.BytesIO()
        document.save(out, compress_streams=False)
    return out.getvalue()


def jpeg(width: int, height: int) -> bytes:
    """A picture as a phone takes one: smooth, with some noise."""
    out = io.BytesIO()
    _picture(width, height).save(out, "JPEG", quality=85)
    return out.getvalue()


def heic(width: int, height: int) -> bytes:
    """The same as HEIC, in tiles."""
    pillow_heif.register_heif_opener()
    return phone_heic.grid(_picture(width, height), 50)


def varied(data: bytes, number: int) -> bytes:
    """The same document in other bytes: a comment of each format."""
    word = b"%016d" % number
    if data.startswith(b"\xff\xd8"):
        return data[:2] + b"\xff\xfe" + (len(word) + 2).to_bytes(2, "big") + word + data[2:]
    if data.startswith(b"%PDF"):
        return data + b"\n%" + word + b"\n"
    return data + (len(word) + 8).to_bytes(4, "big") + b"free" + word


def _picture(width: int, height: int) -> Image.Image:
    smooth = Image.linear_gradient("L").resize((width, height))
    noise = Image.effect_noise((width, height), 24)
    grey = Image.blend(smooth, noise, 0.3)
    return Image.merge("RGB", (grey, smooth, grey))
