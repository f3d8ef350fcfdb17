"""Somebody who takes their papers away."""

import pytest

from tests.fixtures import MakePerson, SomePerson
from vault.exports import archives


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    """With an empty vault."""
    return await make_person()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of which a small export has many, some of them within an entry."""
    monkeypatch.setattr(archives, "PIECE_BYTES", 30_000)
    monkeypatch.setattr(archives, "SAFE_BYTES", 8_000)
