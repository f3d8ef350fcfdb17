"""The public keys that a client registers: which are accepted, and all that are refused."""

import base64

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from auth.oauth.client_assertions import public_keys_from_jwks
from base.errors import ErrorKind, ServiceError
from tests.auth.oauth.signed_assertions import ALL, EC, ED, RSA, b64, check, jwk, public, sign


def refused_keys(jwks: object) -> None:
    with pytest.raises(ServiceError) as caught:
        public_keys_from_jwks(jwks)
    failure = caught.value
    assert (failure.kind, failure.code) == (ErrorKind.INVALID, "client_key_not_allowed")
    assert failure.values == {}


def test_a_key_without_a_name_gets_its_thumbprint() -> None:
    keys = public_keys_from_jwks({"keys": [jwk(EC, kid=...)]})
    assert list(keys) == [EC.thumbprint()]


def test_what_a_key_set_may_also_say() -> None:
    extra = {"use": "sig", "key_ops": ["verify"], "x5u": "http://attacker.example", "note": 1}
    assert public_keys_from_jwks({"keys": [jwk(EC, alg="ES256", **extra)], "more": 1})
    assert public_keys_from_jwks({"keys": [jwk(ED, alg="EdDSA"), jwk(RSA, alg="PS256")]})


def test_nothing_of_a_key_but_its_name_is_printed() -> None:
    assert str(EC.as_dict(private=False)["x"]) not in repr(ALL)


@pytest.mark.parametrize("key", [EC, ED, RSA], ids=["ec", "ed", "rsa"])
def test_a_private_key_is_not_taken(key: ECKey | OKPKey | RSAKey) -> None:
    refused_keys({"keys": [dict(key.as_dict(private=True))]})
    refused_keys({"keys": [jwk(key, d="")]})
    refused_keys({"keys": [jwk(key, oth=[])]})


def test_a_shared_secret_is_not_a_key() -> None:
    refused_keys({"keys": [dict(OctKey.generate_key(256).as_dict(private=True))]})
    refused_keys({"keys": [{"kty": "oct"}]})
    refused_keys({"keys": [jwk(EC, k="AAAA")]})


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-384"),
        ECKey.generate_key("P-521"),
        ECKey.generate_key("secp256k1"),
        OKPKey.generate_key("Ed448"),
        OKPKey.generate_key("X25519"),
    ],
    ids=["p384", "p521", "k256", "ed448", "x25519"],
)
def test_another_curve(key: ECKey | OKPKey) -> None:
    refused_keys(public(key))
    refused_keys({"keys": [jwk(key, crv="P-256")]})


def decoded(key: ECKey, name: str) -> bytes:
    return base64.urlsafe_b64decode(str(key.as_dict()[name]) + "==")


def test_a_point_that_is_not_on_the_curve_or_not_in_32_bytes() -> None:
    refused_keys({"keys": [jwk(EC, x=EC.as_dict()["y"])]})
    refused_keys({"keys": [jwk(EC, x=b64(bytes(32)), y=b64(bytes(32)))]})
    refused_keys({"keys": [jwk(EC, x=b64(b"\0" + decoded(EC, "x")))]})
    refused_keys({"keys": [jwk(EC, x=str(EC.as_dict()["x"]) + "=")]})
    refused_keys({"keys": [jwk(ED, x=b64(bytes(31)))]})


def modulus(bits: int) -> str:
    number = (1 << bits) - 1
    return b64(number.to_bytes((bits + 7) // 8))


def test_a_weak_or_monstrous_rsa_key() -> None:
    assert public_keys_from_jwks({"keys": [jwk(RSA, n=modulus(4096))]})
    for bits in (512, 1024, 2040, 2047, 4097, 16384):
        refused_keys({"keys": [jwk(RSA, n=modulus(bits))]})
    refused_keys({"keys": [jwk(RSA, n=b64(b"\0" + b"\xff" * 256))]})
    for exponent in ("AQ", "Aw", "AAEAAQ", "", None, 65537):
        refused_keys({"keys": [jwk(RSA, e=exponent)]})


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"use": None},
        {"key_ops": ["sign"]},
        {"key_ops": ["sign", "verify"]},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"kid": ""},
        {"kid": None},
        {"kid": 1},
        {"kid": "a\0"},
        {"kid": "a" * 257},
        {"kty": "RSA"},
        {"kty": None},
        {"kty": ["EC"]},
        {"kty": ...},
        {"crv": ...},
        {"x": ...},
        {"y": None},
        {"y": 1},
    ],
)
def test_a_key_that_says_otherwise(change: dict[str, object]) -> None:
    refused_keys({"keys": [jwk(EC, **change)]})


def test_a_set_of_one_to_ten_different_keys() -> None:
    ten = [jwk(EC, kid=f"k{number}") for number in range(10)]
    assert len(public_keys_from_jwks({"keys": ten})) == 10
    refused_keys({"keys": [*ten, jwk(EC, kid="k10")]})
    refused_keys({"keys": [jwk(EC), jwk(ED, kid="ec")]})
    refused_keys({"keys": [jwk(EC, kid=...), jwk(EC, kid=...)]})
    empty_values: list[object] = [None, [], {}, "", 1, {"keys": []}, {"keys": {}}, {"keys": [None]}]
    for empty in [*empty_values, jwk(EC)]:
        refused_keys(empty)


def test_the_longest_key_name_still_verifies() -> None:
    name = "k" * 256
    keys = public_keys_from_jwks({"keys": [jwk(EC, kid=name)]})
    assert check(sign(kid=name, typ="client-authentication+jwt"), keys)
