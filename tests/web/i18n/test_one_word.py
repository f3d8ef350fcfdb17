"""What a person keeps here is called their papers, in every text and every language."""

from collections.abc import Iterator

import pytest

from web.tools.catalog import extracted, updated

FORMER = {
    "fr": "coffre",
    "falc": "coffre",
    "en": "vault",
    "es": "caja fuerte",
    "ar": "خزن",
    "uk": "сейф",
}
"""What it was called in some of them."""


def said_in(language: str) -> Iterator[str]:
    catalogue = extracted() if language == "fr" else updated(language)
    for message in catalogue:
        texts = message.id if language == "fr" else message.string
        yield from [texts] if isinstance(texts, str) else texts or ()


@pytest.mark.parametrize("language", FORMER)
def test_no_text_calls_it_otherwise(language: str) -> None:
    texts = list(said_in(language))
    assert len(texts) > 1000
    assert [text for text in texts if FORMER[language] in text.lower()] == []
