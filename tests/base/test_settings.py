"""Settings from the environment."""

from typing import Any

import pytest

from base.settings import Settings


@pytest.mark.parametrize("name", ["S3_PARTS_FOLDER", "S3_ENDPOINT_URL", "CLAMD_ADDRESS"])
def test_an_empty_variable_is_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A compose file sets what was not given to ''; an empty path would be the current folder."""
    monkeypatch.setenv("UNEFOIS_MODE", "demo")
    monkeypatch.setenv(f"UNEFOIS_{name}", "")
    assert getattr(Settings(), name.lower()) is None


SAFE: dict[str, Any] = {
    "mode": "production",
    "public_url": "https://coffre.example",
    "sms_gateway_url": "https://sms.example",
    "operator_email": "equipe@coffre.example",
}


@pytest.mark.parametrize("address", ["", "equipe", "equipe@localhost", "a@b.fr, c@d.fr"])
def test_an_operator_that_no_report_reaches_is_refused(address: str) -> None:
    Settings(**SAFE)
    with pytest.raises(ValueError, match="UNEFOIS_OPERATOR_EMAIL"):
        Settings(**SAFE | {"operator_email": address})
