"""The first bytes of a file decide its type."""

import pytest

from tests.vault.decoding import corpus
from vault.decoding.media import MediaType
from vault.decoding.sniff import media_type


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (corpus.plain_jpeg(), MediaType.JPEG),
        (corpus.phone_jpeg(), MediaType.JPEG),
        (corpus.cmyk_jpeg(), MediaType.JPEG),
        (corpus.plain_png(), MediaType.PNG),
        (corpus.webp(), MediaType.WEBP),
        (corpus.heic(), MediaType.HEIC),
        (corpus.heif(), MediaType.HEIF),
        (corpus.tiff(), MediaType.TIFF),
        (corpus.pdf(), MediaType.PDF),
    ],
)
def test_allowed_types_are_known_by_their_first_bytes(data: bytes, kind: MediaType) -> None:
    assert media_type(data[:4096]) is kind
    assert media_type(data) is kind


@pytest.mark.parametrize("name", corpus.REFUSED)
def test_everything_else_is_refused(name: str) -> None:
    assert media_type(corpus.REFUSED[name]) is None


def test_an_office_file_and_a_gif_with_an_archive_are_refused() -> None:
    assert media_type(corpus.zip_file()) is None
    assert media_type(corpus.gif_with_archive()) is None


def test_nothing_has_no_type() -> None:
    assert media_type(b"") is None
    assert media_type(b"\xff\xd8\xff") is None
