"""Pages of a PDF as they are seen, with its forms' values, ticked boxes and stamps."""

from typing import cast

import pypdfium2
from PIL import Image

from vault.decoding.media import Undecodable


def first_page(data: bytes, width: int) -> Image.Image:
    """At most `width` wide and twice as high, RGB. Raises when it cannot be drawn."""
    document = pypdfium2.PdfDocument(data)
    try:
        # Before any page is loaded: a page that is loaded earlier shows no field.
        document.init_forms()
        page = document[0]
        across, down = page.get_size()
        if not (across > 0 and down > 0):
            raise Undecodable
        scale = min(width / across, 2 * width / down)
        return cast("Image.Image", page.render(scale=scale, rev_byteorder=True).to_pil())
    finally:
        document.close()
