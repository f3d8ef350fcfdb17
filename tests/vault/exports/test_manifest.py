"""The manifest: what is in an export, signed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from audit.events import canonical
from auth.oauth.tokens import SigningKey
from vault.consent.signed_receipts import NotGenuine, signed
from vault.exports.manifest import TYPE, InvalidManifest, ListedFile, manifest, verify
from vault.exports.zip_format import ZipEntry

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = SigningKey.generate()
KEYS = canonical({"keys": [KEY.public_jwk()]})
ENTRIES = [
    ZipEntry("papiers/001 Avis d’impôt/original-1.pdf", AT, 12, 14, 1, 0, "ab" * 32),
    ZipEntry("index.html", AT, 3, 5, 1, 90, "cd" * 32),
]


def _values(**changed: Any) -> dict[str, Any]:
    counts = {"papers": 1}
    made = manifest(ENTRIES, made_at=AT, origin="https://mes-papiers.example", counts=counts)
    return {**made, **changed}


def _signed(values: dict[str, Any], kind: str = TYPE) -> bytes:
    return json.dumps(signed(values, KEY.private_key, KEY.kid, kind=kind), indent=1).encode()


def test_what_was_signed_is_verified() -> None:
    found = verify(_signed(_values()), KEYS)
    assert (found.made_at, found.origin) == (AT, "https://mes-papiers.example")
    assert found.counts == {"papers": 1}
    assert found.files == tuple(ListedFile(one.path, one.size, one.digest) for one in ENTRIES)


def test_each_character_counts() -> None:
    raw = _signed(_values())
    for at in range(0, len(raw), 7):
        altered = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        if _is_the_same(altered, raw):
            continue
        with pytest.raises(NotGenuine):
            verify(altered, KEYS)


def _is_the_same(altered: bytes, raw: bytes) -> bool:
    try:
        return bool(json.loads(altered) == json.loads(raw))
    except ValueError:
        return False


def test_by_another_key_or_for_something_else() -> None:
    other = SigningKey.generate()
    with pytest.raises(NotGenuine):
        verify(_signed(_values()), canonical({"keys": [other.public_jwk()]}))
    with pytest.raises(NotGenuine):
        verify(_signed(_values(), kind="consent-record+jws"), KEYS)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"made_at": "yesterday"},
        {"made_at": "2026-11-28T12:00:00"},
        {"origin": 3},
        {"counts": []},
        {"counts": {"papers": -1}},
        {"counts": {"papers": True}},
        {"files": 3},
        {"files": [{"path": "../a", "size": 1, "sha256": "ab" * 32}]},
        {"files": [{"path": "a", "size": -1, "sha256": "ab" * 32}]},
        {"files": [{"path": "a", "size": True, "sha256": "ab" * 32}]},
        {"files": [{"path": "a", "size": 1, "sha256": "AB" * 32}]},
        {"files": [{"path": "a", "size": 1}]},
        {"files": ["a"]},
        {"files": [{"path": "a", "size": 1, "sha256": "ab" * 32}] * 2},
    ],
)
def test_signed_and_not_to_be_read(changed: dict[str, Any]) -> None:
    with pytest.raises(InvalidManifest):
        verify(_signed(_values(**changed)), KEYS)


def test_too_long_a_one_is_not_read() -> None:
    with pytest.raises(NotGenuine):
        verify(b" " * (24 * 1024 * 1024 + 1), KEYS)
