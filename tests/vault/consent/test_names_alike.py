"""A worker under another writing of their name is the same one; others are others."""

from uuid import uuid4

import pytest

from auth.levels import Level
from base.errors import ServiceError
from vault.consent.consent_acts import Beside, EvidenceKind, HeardBy, checked, names_alike

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
        "Moreau",
        "Mme Moreau",
        "Chloé Moreau",
        "Chloé M.",
        "C. Moreau",
        "Dr C. M.",
        "Chıoé Moreau-Diaz",
    ],
)
def test_another_writing_is_the_same_name(written: str) -> None:
    assert names_alike(WORKER, written)


@pytest.mark.parametrize(
    "written",
    ["Nadia Diaz", "Paul Moreau", "Chloé Martin", "Mme Diop", "Анна Диас", "李明", "Mme"],
)
def test_another_name_is_another(written: str) -> None:
    assert not names_alike(WORKER, written)


def test_nobody_is_like_nobody_named() -> None:
    assert not names_alike("", "Nadia Benali")
    assert not names_alike(WORKER, "")


def test_one_word_alone_is_many_peoples() -> None:
    """A worker who goes by one name has namesakes."""
    assert not names_alike("Moreau", "Paul Moreau")
    assert names_alike("Moreau", "mor\u00adéau")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "N",
        "…",
        "\u3164",
        "\u115f\u115f",
        "\uffa0",
        "\u034f\u034f",
        "\ufe0f",
        "\u2800\u2800",
        "Moreau".replace("o", "\u0585"),  # Armenian
        "Mor\u0435au",  # Cyrillic
        "More\u0251u",  # of phonetics
        "Morea\u1d1c",
        "\u1d04amille",
        "\u13dfamille",  # Cherokee
    ],
)
def test_a_name_that_nobody_sees_or_that_looks_like_another_is_none(written: str) -> None:
    heard = HeardBy("witness", written)
    with pytest.raises(ServiceError, match="heard_by_wrong"):
        checked(Beside(EvidenceKind.SPOKEN, uuid4(), heard), Level.PHONE_CODE)


@pytest.mark.parametrize(
    "written",
    [
        "Nadia Benali",
        "O\u02bcBrien",
        "Əliyev",
        "Mawulɔ Ɖo",
        "Анна Диас",
        "李明",
        "נָדְיָה",
        "ณัฐ",
    ],
)
def test_names_of_all_scripts_are_names(written: str) -> None:
    heard = HeardBy("witness", written)
    kept = checked(Beside(EvidenceKind.SPOKEN, uuid4(), heard), Level.PHONE_CODE).heard_by
    assert kept is not None
    assert kept.name
