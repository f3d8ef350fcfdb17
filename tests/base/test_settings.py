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
    "trusted_proxies": "10.0.0.2",
}


@pytest.mark.parametrize("address", ["", "equipe", "equipe@localhost", "a@b.fr, c@d.fr"])
def test_an_operator_that_no_report_reaches_is_refused(address: str) -> None:
    Settings(**SAFE)
    with pytest.raises(ValueError, match="UNEFOIS_OPERATOR_EMAIL"):
        Settings(**SAFE | {"operator_email": address})


@pytest.mark.parametrize(
    "address",
    [
        "http://meteo.example",
        "javascript:x//https://meteo.example",
        "https://meteo.example\r\nX: y",
    ],
)
def test_a_neutral_page_is_an_address_and_nothing_else(address: str) -> None:
    Settings(**SAFE | {"quick_exit_url": "https://meteo.example/lille"})
    with pytest.raises(ValueError, match="quick_exit_url"):
        Settings(**SAFE | {"quick_exit_url": address})


def test_production_asks_which_proxy_is_in_front() -> None:
    with pytest.raises(ValueError, match=r"UNEFOIS_TRUSTED_PROXIES is missing: write .* or `none`"):
        Settings(**{name: value for name, value in SAFE.items() if name != "trusted_proxies"})
    assert Settings(**SAFE | {"trusted_proxies": "none"}).proxies == ()
    assert [str(one) for one in Settings(mode="demo").proxies] == ["127.0.0.1/32", "::1/128"]


@pytest.mark.parametrize("given", ["10.0.0.2,10.1.0.0/24", " 10.0.0.2  10.1.0.0/24 "])
def test_proxies_are_addresses_and_networks(given: str) -> None:
    proxies = Settings(**SAFE | {"trusted_proxies": given}).proxies
    assert [str(one) for one in proxies] == ["10.0.0.2/32", "10.1.0.0/24"]


@pytest.mark.parametrize(
    "given", ["*", "proxy", "10.0.0.1/8", "10.0.0.2, none", "0.0.0.0/0", "::/0", " , ", "10.0.0"]
)
@pytest.mark.parametrize("mode", ["demo", "production"])
def test_proxies_that_cannot_be_told_are_refused(given: str, mode: str) -> None:
    """A word that is no address would list nobody without a word; `*` would believe everybody."""
    with pytest.raises(ValueError, match="must be addresses and networks, such as"):
        Settings(**SAFE | {"trusted_proxies": given, "mode": mode})
