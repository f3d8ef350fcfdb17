"""A receipt is checked by another library, and nothing of it can be altered."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jws
from joserfc.jwk import KeySet

from audit.events import canonical
from auth.oauth.tokens import SigningKey
from vault.consent.signed_receipts import MAX_RECEIPT, NotGenuine, signed, verified

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
KEYS = json.dumps({"keys": [OTHER.public_jwk(), KEY.public_jwk()]}).encode()
RECORD: dict[str, Any] = {
    "@type": "dpv:ConsentRecord",
    "who": {"name": "Camille « Çà » \u2028 王"},
    "types": ["rent_receipt", "payslip"],
    "later": False,
    "ends": None,
    "count": 3,
}


def receipt(**changes: Any) -> dict[str, Any]:
    return signed(RECORD | changes, KEY.private_key, KEY.kid)


def as_bytes(values: dict[str, Any], **layout: Any) -> bytes:
    return json.dumps(values, **layout).encode()


def refused(raw: bytes, keys: bytes = KEYS) -> str:
    with pytest.raises(NotGenuine) as failure:
        verified(raw, keys)
    return failure.value.reason.value


def test_another_library_verifies_it() -> None:
    values = receipt()
    compact = values.pop("jws")
    assert compact.split(".")[1] == ""
    keys = KeySet.import_key_set(json.loads(KEYS))
    found = jws.deserialize_compact(compact, keys, algorithms=["ES256"], payload=canonical(values))
    assert found.headers() == {"alg": "ES256", "kid": KEY.kid, "typ": "consent-record+jws"}
    assert json.loads(found.payload) == RECORD


def test_the_layout_of_the_file_counts_for_nothing() -> None:
    values = receipt()
    for raw in (
        as_bytes(values),
        as_bytes(values, indent=2),
        as_bytes(values, ensure_ascii=False, sort_keys=True),
        as_bytes(dict(reversed(values.items()))),
    ):
        assert verified(raw, KEYS) == RECORD


def test_each_byte_counts() -> None:
    """Each byte of the file changed in every bit that leaves another text: refused, or the same
    values as before (white space)."""
    raw = as_bytes(receipt(), ensure_ascii=False, separators=(",", ":"))
    for at in range(len(raw)):
        for bit in range(8):
            altered = raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]
            assert refused(altered), altered


def test_each_value_counts() -> None:
    values = receipt()
    changes: list[dict[str, Any]] = [
        {"later": True},
        {"ends": False},
        {"count": 3.0},
        {"count": "3"},
        {"types": ["payslip", "rent_receipt"]},
        {"more": 1},
        {"who": {}},
    ]
    for change in changes:
        assert refused(as_bytes(values | change)) == "signature", change
    for name in RECORD:
        assert refused(as_bytes({k: v for k, v in values.items() if k != name})) == "signature"


def test_a_signature_of_another_form_is_refused() -> None:
    values = receipt()
    header, _, signature = values["jws"].split(".")
    forms: dict[str, list[Any]] = {
        "form": ["", "..", f"{header}..", f"..{signature}", f"{header}.{signature}", 1, None,
                 f"{header}.e30.{signature}", f"{header}...{signature}", f"{header}..{signature}.",
                 f"{header}..{signature}=", f" {header}..{signature}", f"{header}..{signature}\n"],
        "signature": [f"{header}..{signature[:-2]}", f"{header}..{signature}A",
                      f"{header}..{'A' * 86}"],
        "encoding": [f"{header}..{signature[:-1]}", f"{header}..{signature[:-1]}-"],
    }  # fmt: skip
    for reason, found in forms.items():
        for one in found:
            assert refused(as_bytes(values | {"jws": one})) == reason, one
    assert refused(as_bytes(RECORD)) == "form"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": "none"}, "algorithm"),
        ({"alg": "HS256"}, "algorithm"),
        ({"typ": "at+jwt"}, "type"),
        ({"kid": OTHER.kid}, "signature"),
        ({"kid": "another"}, "key"),
        ({"kid": None}, "key"),
        ({"crit": ["exp"]}, "critical"),
        ({"jwk": KEY.public_jwk()}, "header"),
    ],
)
def test_a_header_of_another_kind_is_refused(header: dict[str, Any], reason: str) -> None:
    import base64

    values = receipt()
    ours = {"alg": "ES256", "kid": KEY.kid, "typ": "consent-record+jws"} | header
    first = base64.urlsafe_b64encode(canonical(ours)).rstrip(b"=").decode()
    _, _, signature = values["jws"].split(".")
    assert refused(as_bytes(values | {"jws": f"{first}..{signature}"})) == reason


def test_a_member_said_twice_is_refused() -> None:
    raw = as_bytes(receipt())
    assert refused(raw[:-1] + b', "later": false}') == "json"
    assert refused(raw[:-1] + b', "half": "\\ud800"}') == "json"
    assert refused(raw[:-1] + b', "no": NaN}') == "json"
    for other in (b"[]", b"1", b"", b"\xff", b"[" * 100_000):
        assert refused(other) == "json"
    assert refused(raw + b" " * MAX_RECEIPT) == "size"


def test_keys_of_another_form_are_refused() -> None:
    raw, jwk = as_bytes(receipt()), KEY.public_jwk()
    sets: list[Any] = [
        {}, {"keys": {}}, {"keys": []}, {"keys": [1, None]}, {"keys": [OTHER.public_jwk()]},
        {"keys": [jwk | {"crv": "P-384"}]}, {"keys": [jwk | {"kty": "oct"}]},
        {"keys": [{**jwk, "x": jwk["y"]}]},
        {"keys": [{name: value for name, value in jwk.items() if name != "y"}]},
    ]  # fmt: skip
    for one in sets:
        assert refused(raw, as_bytes(one)) in {"key", "encoding"}, one
    assert refused(raw, b"not JSON") == "json"
    swapped = OTHER.public_jwk() | {"kid": KEY.kid}
    assert refused(raw, as_bytes({"keys": [swapped]})) == "signature"


def test_what_is_signed_is_not_signed_again() -> None:
    with pytest.raises(ValueError, match="once"):
        signed(receipt(), KEY.private_key, KEY.kid)
    assert isinstance(KEY.private_key.curve, ec.SECP256R1)
