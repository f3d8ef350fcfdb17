"""Sample documents: real PDF files of about a given size, which nothing can compress."""

import io
import secrets

import pikepdf

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
