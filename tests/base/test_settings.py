"""Settings out of the environment."""

import pytest

from base.settings import Settings


@pytest.mark.parametrize("name", ["S3_PARTS_FOLDER", "S3_ENDPOINT_URL", "CLAMD_ADDRESS"])
def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As a compose file writes what was not given: an empty path would be the folder we are in."""
    monkeypatch.setenv("UNEFOIS_MODE", "demo")
    monkeypatch.setenv(f"UNEFOIS_{name}", "")
    assert getattr(Settings(), name.lower()) is None
