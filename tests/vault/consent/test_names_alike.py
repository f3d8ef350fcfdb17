"""A worker under another writing of their name is the same one; others are others."""

import pytest

from vault.consent.consent_acts import names_alike

WORKER = "Chloé Moreau-Diaz"


@pytest.mark.parametrize(
    "written",
    [
        "MOREAU DIAZ chloe",
        "Mme Chloé Moreau-Diaz",
        "Chloé Moreau Diaz 2",
        "ChloéMoreauDiaz",
        "Chl\u200doé Moreau-Diaz",
        "Chl\u00adoé Moreau-Diaz",
        "Chl\u034foé Moreau-Diaz",
        "Chl\u3164oé Moreau-Diaz",
        "Chl\ufe0foé Moreau-Diaz",
        "\u0421hl\u043e\u0435 M\u043er\u0435\u0430u-Di\u0430z",
        "Chl0é M0reau-Diaz",
    ],
)
def test_another_writing_is_the_same_name(written: str) -> None:
    assert names_alike(WORKER, written)


@pytest.mark.parametrize("written", ["Moreau", "Nadia Diaz", "Chloé Moreau", "Анна Диас", "李明"])
def test_another_name_is_another(written: str) -> None:
    assert not names_alike(WORKER, written)


def test_nobody_is_like_nobody_named() -> None:
    assert not names_alike("", "Nadia Benali")


def test_one_word_alone_is_many_peoples() -> None:
    """A worker who goes by one name has namesakes."""
    assert not names_alike("Moreau", "Paul Moreau")
    assert names_alike("Moreau", "mor\u00adéau")
