"""Every file of the corpus, decoded inside the sandbox and beside it, gives the same.

What a library loads, opens or asks of the system only when it meets a certain file is refused in
there: it must have happened before.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from base.errors import ServiceError
from tests.vault.decoding import corpus, hostile_pdfs, odd_jpegs
from tests.vault.decoding.inputs import ACCOUNT, source
from tests.vault.decoding.test_odd_images import CUT, TAKEN
from vault.decoding import child, sniff
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits, Undecodable

Maker = Callable[[], bytes]
PLAIN = ("plain_jpeg", "phone_jpeg", "restart_jpeg", "jpeg_with_html", "plain_png", "deep_png")
PLAIN += ("see_through_png", "pixel_bomb_png", "pixel_bomb_tiff", "paged_tiff", "pdf")
HOSTILE = ("locked_pdf", "pdf_with_zip")
FILES: dict[str, Maker] = {
    **TAKEN,
    **CUT,
    "12 bits": odd_jpegs.twelve_bits,
    **{name: getattr(corpus, name) for name in PLAIN},
    **{name: getattr(hostile_pdfs, name) for name in HOSTILE},
}
_IDENTIFIER = re.compile(rb"/ID \[\s*<[0-9a-f]+>\s*<[0-9a-f]+>\s*\]")
"""Of a PDF that is written: made from the time."""


@pytest.fixture(scope="module", autouse=True)
def _ready() -> None:
    child.prepare()


def _beside(*files: bytes) -> tuple[Any, ...]:
    """The findings, the copy and the preview, in this process."""
    kinds = [sniff.media_type(data[: sniff.PREFIX_BYTES]) for data in files]
    order = {"job": "inspect", "types": [kind.value for kind in kinds if kind]}
    try:
        answer, (copy, preview, _) = child.run(order, list(files), Limits())
    except Undecodable as refused:
        return ("refused", refused.code, refused.values.get("part"))
    except Exception:  # noqa: BLE001  (as the sandbox does)
        return ("refused", "does_not_decode", None)
    parts = [tuple(part) for part in answer["parts"]]
    return parts, answer["rendition"], answer["notes"], _IDENTIFIER.sub(b"", copy), preview


async def _inside(decoder: Decoder, *files: bytes) -> tuple[Any, ...]:
    try:
        decoded = await decoder.inspect([source(data) for data in files], account=ACCOUNT)
    except ServiceError as refused:
        return ("refused", refused.code, refused.values.get("part"))
    async with decoded:
        copy = b"".join([piece async for piece in decoded.rendition()])
        found = decoded.inspection
        parts = [(part.media_type, part.pages, part.width, part.height) for part in found.parts]
        preview = decoded.preview or b""
        return parts, found.rendition, list(found.notes), _IDENTIFIER.sub(b"", copy), preview


@pytest.mark.parametrize("name", FILES)
async def test_a_file_gives_the_same_inside_the_sandbox_and_beside_it(
    decoder: Decoder, name: str
) -> None:
    data = FILES[name]()
    assert await _inside(decoder, data) == _beside(data)
    joined = await _inside(decoder, data, corpus.plain_jpeg())
    assert joined == _beside(data, corpus.plain_jpeg())
