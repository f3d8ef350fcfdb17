"""One page of a PDF, drawn in a child: small, bounded, and nothing where there is none."""

import io

import pytest
from PIL import Image

from base.errors import ErrorKind, ServiceError
from tests.vault.decoding import corpus
from tests.vault.decoding.inputs import ACCOUNT, source
from vault.decoding.decoder import Decoder
from vault.decoding.media import Limits


def with_a_slow_second_page() -> bytes:
    """A few kilobytes whose second page takes minutes to draw: a pattern of patterns."""
    with corpus.blank_pdf(2) as pdf:
        content = b"q 0.5 w " + b"".join(
            b"%d %d m %d %d %d %d %d %d c S " % (n % 600, n % 800, n, 1, 1, n, n % 599, n % 797)
            for n in range(2_000_000)
        )
        pdf.pages[1].Contents = pdf.make_stream(content + b"Q")
        return corpus.pdf_bytes(pdf, compress_streams=True)


async def test_each_page_is_small(decoder: Decoder) -> None:
    data = corpus.pdf(3)
    drawn = [await decoder.page(source(data), number, account=ACCOUNT) for number in (1, 2, 3)]
    for page in drawn:
        picture = Image.open(io.BytesIO(page))
        assert (picture.format, picture.width, dict(picture.getexif())) == ("JPEG", 1000, {})
        assert len(page) <= 300 * 1024


@pytest.mark.parametrize("number", [0, -1, 4, 10**9])
async def test_a_page_that_is_not_there_is_not_found(decoder: Decoder, number: int) -> None:
    with pytest.raises(ServiceError) as refused:
        await decoder.page(source(corpus.pdf(3)), number, account=ACCOUNT)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.NOT_FOUND, "not_found")


async def test_a_photo_has_no_pages(decoder: Decoder) -> None:
    with pytest.raises(ServiceError) as refused:
        await decoder.page(source(corpus.phone_jpeg()), 1, account=ACCOUNT)
    assert refused.value.code == "not_found"


async def test_a_page_that_is_slow_to_draw_is_ended_and_the_others_are_drawn() -> None:
    slow = with_a_slow_second_page()
    decoder = Decoder(Limits(cpu_seconds=1, wall_seconds=10, children=1))
    await decoder.start()
    try:
        with pytest.raises(ServiceError) as refused:
            await decoder.page(source(slow), 2, account=ACCOUNT)
        assert refused.value.code == "too_dear"
        assert await decoder.page(source(slow), 1, account=ACCOUNT)
    finally:
        await decoder.stop()
