"""Settings from the environment."""

import pytest

from base.settings import Settings


@pytest.mark.parametrize("name", ["S3_PARTS_FOLDER", "S3_ENDPOINT_URL", "CLAMD_ADDRESS"])
def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A compose file sets what was not given to ''; an empty path would be the current folder."""
    monkeypatch.setenv("UNEFOIS_MODE", "demo")
    monkeypatch.setenv(f"UNEFOIS_{name}", "")
    assert getattr(Settings(), name.lower()) is None
