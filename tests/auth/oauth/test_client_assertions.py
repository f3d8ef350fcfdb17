"""Clients authenticate by signed assertions: who is let in, and everything that is turned away."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from auth.oauth.client_assertions import (
    Assertion,
    AssertionRefused,
    ClientKey,
    check_assertion,
    claimed_client_id,
    public_keys_from_jwks,
)
from auth.oauth.jws import Reason
from base.errors import ErrorKind, ServiceError

ISSUER = "https://vault.example"
ENDPOINT = "https://vault.example/oauth/token"
CLIENT = "caf-93"
NOW = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())

EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})


def public(*keys: ECKey | OKPKey | RSAKey) -> dict[str, object]:
    return {"keys": [dict(key.as_dict(private=False)) for key in keys]}


ALL = public_keys_from_jwks(public(EC, ED, RSA))
ONE = public_keys_from_jwks(public(EC))


def claims(**changes: object) -> dict[str, object]:
    base: dict[str, object] = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": ISSUER,
        "jti": "b7c1",
        "iat": EPOCH,
        "exp": EPOCH + 60,
    }
    return {name: value for name, value in (base | changes).items() if value is not ...}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(payload: object = None, **header: object) -> str:
    """Made by hand with the EC key, whatever the header says; `bytes` go in as they are."""
    head = {"alg": "ES256", "kid": "ec"} | header
    head = {name: value for name, value in head.items() if value is not ...}
    return sign_raw(json.dumps(head).encode(), payload)


def sign_raw(head: bytes, payload: object = None) -> str:
    body = claims() if payload is None else payload
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signing_input = f"{b64(head)}.{b64(raw)}"
    private = cast(ec.EllipticCurvePrivateKey, EC.private_key)
    r, s = decode_dss_signature(private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signing_input}.{b64(r.to_bytes(32) + s.to_bytes(32))}"


def check(
    assertion: str, keys: dict[str, ClientKey] = ALL, now: datetime = NOW, client: str = CLIENT
) -> Assertion:
    return check_assertion(
        assertion, keys=keys, client_id=client, issuer=ISSUER, token_endpoint=ENDPOINT, now=now
    )


def refusal(
    assertion: str, keys: dict[str, ClientKey] = ALL, now: datetime = NOW, client: str = CLIENT
) -> Reason:
    with pytest.raises(AssertionRefused) as caught:
        check(assertion, keys, now, client)
    failure = caught.value
    assert (failure.kind, failure.code) == (ErrorKind.UNAUTHENTICATED, "client_assertion_invalid")
    assert (str(failure), failure.values) == ("unauthenticated: client_assertion_invalid", {})
    return failure.reason


# Who is let in


def test_a_client_is_let_in_and_its_jti_handed_back_to_be_recorded() -> None:
    assertion = check(sign())
    assert assertion == Assertion(CLIENT, "b7c1", NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("key", "alg"),
    [(EC, "ES256"), (ED, "Ed25519"), (RSA, "PS256")],
    ids=["es256", "ed25519", "ps256"],
)
def test_each_kind_of_key(key: ECKey | OKPKey | RSAKey, alg: str) -> None:
    header = {"alg": alg, "kid": key.kid}
    assert check(jwt.encode(header, claims(), key, algorithms=[alg])).jti == "b7c1"


def test_eddsa_by_its_older_name() -> None:
    """RFC 8037 calls it EdDSA, RFC 9864 calls it Ed25519; the bytes are the same."""
    head = b64(b'{"alg":"EdDSA","kid":"ed"}')
    signing_input = f"{head}.{b64(json.dumps(claims()).encode())}"
    private = cast(ed25519.Ed25519PrivateKey, ED.private_key)
    assertion = f"{signing_input}.{b64(private.sign(signing_input.encode()))}"
    assert check(assertion).jti == "b7c1"


@pytest.mark.parametrize(
    "typ", [..., "JWT", "jwt", "client-authentication+jwt", "Client-Authentication+JWT"]
)
def test_each_type(typ: object) -> None:
    assert check(sign(typ=typ))


@pytest.mark.parametrize("aud", [ISSUER, ENDPOINT, [ISSUER], [ENDPOINT]])
def test_each_way_to_name_us(aud: object) -> None:
    assert check(sign(claims(aud=aud)))


def test_claims_beyond_ours_are_ignored() -> None:
    assert check(sign(claims(iat=..., nbf=EPOCH, org="CAF", nested={"a": [1]})))


def test_a_single_key_needs_no_name() -> None:
    assert check(sign(kid=...), ONE)
    assert refusal(sign(kid=...)) is Reason.KEY
    assert refusal(sign(kid=...), {}) is Reason.KEY


# The header


@pytest.mark.parametrize("kid", ["", "EC", "unknown", None, 1, ["ec"], {}])
def test_an_unknown_key(kid: object) -> None:
    assert refusal(sign(kid=kid)) is Reason.KEY
    assert refusal(sign(kid=kid), ONE) is Reason.KEY


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "", "JWT ", None, 1, ["JWT"], "JW\u017f"])
def test_another_type(typ: object) -> None:
    assert refusal(sign(typ=typ)) is Reason.TYPE


@pytest.mark.parametrize(
    "alg", ["none", "None", "HS256", "ES384", "RS256", "PS256", "EdDSA", "es256", "", None, [], ...]
)
def test_an_algorithm_other_than_the_keys(alg: object) -> None:
    assert refusal(sign(alg=alg)) is Reason.ALGORITHM


def test_a_key_does_not_verify_under_anothers_algorithm() -> None:
    private = cast(rsa.RSAPrivateKey, RSA.private_key)
    head = b64(b'{"alg":"RS256","kid":"rsa"}')
    signing_input = f"{head}.{b64(json.dumps(claims()).encode())}"
    signature = private.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert refusal(f"{signing_input}.{b64(signature)}") is Reason.ALGORITHM
    signing_input = signing_input.replace(head, b64(b'{"alg":"PS256","kid":"rsa"}'))
    signature = private.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())
    assert refusal(f"{signing_input}.{b64(signature)}") is Reason.SIGNATURE


def test_hmac_keyed_with_the_public_key() -> None:
    key = EC.public_key
    for secret in (
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(EC.as_dict(private=False)).encode(),
    ):
        signing_input = sign(alg="HS256").rpartition(".")[0]
        tag = hmac.digest(secret, signing_input.encode(), hashlib.sha256)
        assert refusal(f"{signing_input}.{b64(tag)}") is Reason.ALGORITHM


@pytest.mark.parametrize("crit", [["exp"], ["unheard-of"], ["b64"], [], None, "exp"])
def test_crit_whatever_it_holds(crit: object) -> None:
    assert refusal(sign(crit=crit)) is Reason.CRITICAL
    assert refusal(sign(crit=crit, b64=True)) is Reason.CRITICAL


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "b64", "zip", "cty", "unheard-of"])
def test_a_header_that_brings_more(name: str) -> None:
    assert refusal(sign(**{name: True})) is Reason.HEADER


def test_an_embedded_key_that_signed_it() -> None:
    jwk = EC.as_dict(private=False)
    other = public_keys_from_jwks(public(ECKey.generate_key("P-256", {"kid": "ec"})))
    assert refusal(sign(jwk=jwk), other) is Reason.HEADER
    assert refusal(sign(), other) is Reason.SIGNATURE


# Its claims


@pytest.mark.parametrize("name", ["iss", "sub"])
@pytest.mark.parametrize("value", [..., None, "caf-94", "CAF-93", "caf-93 ", ["caf-93"]])
def test_from_or_about_somebody_else(name: str, value: object) -> None:
    assert refusal(sign(claims(**{name: value}))) is Reason.SUBJECT


def test_one_client_cannot_speak_for_another() -> None:
    assert refusal(sign(), client="caf-94") is Reason.SUBJECT


@pytest.mark.parametrize(
    "aud",
    [
        ...,
        None,
        "",
        [],
        "https://other.example",
        ISSUER + "/",
        ENDPOINT + "?",
        [ISSUER, ENDPOINT],
        [ISSUER, "https://other.example"],
        [[ISSUER]],
        {"0": ISSUER},
    ],
)
def test_for_somebody_else(aud: object) -> None:
    assert refusal(sign(claims(aud=aud))) is Reason.AUDIENCE


@pytest.mark.parametrize("jti", [..., None, "", "a" * 257, 7, ["b7c1"], "a\0", "a\nb", "\ud800"])
def test_a_jti_that_cannot_be_recorded(jti: object) -> None:
    assert refusal(sign(claims(jti=jti))) is Reason.CLAIMS


def test_a_jti_of_256_characters() -> None:
    assert check(sign(claims(jti="a" * 256))).jti == "a" * 256


@pytest.mark.parametrize("value", [None, str(EPOCH + 60), EPOCH + 60.5, True, [EPOCH], {}])
@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_that_is_not_whole_seconds(name: str, value: object) -> None:
    assert refusal(sign(claims(**{name: value}))) is Reason.CLAIMS


def test_no_end() -> None:
    assert refusal(sign(claims(exp=...))) is Reason.CLAIMS


def test_its_end_is_after_now_and_at_most_ten_minutes_ahead() -> None:
    assert check(sign(claims(exp=EPOCH + 1)))
    assert refusal(sign(claims(exp=EPOCH))) is Reason.EXPIRED
    assert refusal(sign(claims(exp=-(10**30)))) is Reason.EXPIRED
    assert check(sign(claims(exp=EPOCH + 600)))
    for exp in (EPOCH + 601, 2**40, 10**400):
        assert refusal(sign(claims(exp=exp))) is Reason.LIFETIME
    assert refusal(sign(), now=NOW + timedelta(seconds=60)) is Reason.EXPIRED


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_its_start_is_not_beyond_a_minute_of_skew(name: str) -> None:
    assert check(sign(claims(**{name: EPOCH + 60})))
    assert refusal(sign(claims(**{name: EPOCH + 61}))) is Reason.EARLY
    assert refusal(sign(claims(**{name: 10**400}))) is Reason.EARLY


def test_a_naive_time_is_a_defect_of_the_caller() -> None:
    with pytest.raises(ValueError, match="aware"):
        check(sign(), now=NOW.replace(tzinfo=None))


# Its form


def test_an_assertion_longer_than_8_kib() -> None:
    assert check(sign(claims(note="n" * 5700)))
    assert refusal(sign(claims(note="n" * 6200))) is Reason.SIZE
    assert claimed_client_id(sign(claims(note="n" * 6200))) is None


@pytest.mark.parametrize(
    "spoil", ["{}=", " {}", "{}\n", "{}.", ".{}", "{}.AA.AA", "\ufeff{}", "+{}"]
)
def test_another_form(spoil: str) -> None:
    text = spoil.format(sign())
    assert refusal(text) is Reason.FORM
    assert claimed_client_id(text) is None


def test_stray_trailing_bits() -> None:
    assertion = sign()
    spoilt = assertion[:-1] + chr(ord(assertion[-1]) + 1)
    assert assertion[-1] in "AQgw"
    assert refusal(spoilt) is Reason.ENCODING


def test_a_member_twice() -> None:
    assert refusal(sign_raw(b'{"alg":"none","alg":"ES256","kid":"ec"}')) is Reason.JSON
    doubled = json.dumps(claims()).encode()[:-1] + b',"sub":"caf-93"}'
    assert refusal(sign(doubled)) is Reason.JSON
    assert claimed_client_id(sign(doubled)) is None


@pytest.mark.parametrize("raw", [b"null", b"[]", b"{", b"\xff", b'{"exp":NaN}', b"[" * 5000])
def test_what_is_not_a_json_object(raw: bytes) -> None:
    assert refusal(sign(raw)) is Reason.JSON
    assert refusal(sign_raw(raw)) is Reason.JSON
    assert claimed_client_id(sign(raw)) is None


def test_a_changed_byte_anywhere() -> None:
    assertion = sign()
    for place in range(0, len(assertion), 5):
        letter = "A" if assertion[place] != "A" else "B"
        refusal(assertion[:place] + letter + assertion[place + 1 :])


# Finding the client


def test_the_claimed_client_is_read_without_a_signature() -> None:
    assert claimed_client_id(sign()) == CLIENT
    assert claimed_client_id(sign()[:-4] + "AAAA") == CLIENT


@pytest.mark.parametrize("value", [..., None, "", 1, ["caf-93"], "a" * 257, "a\0b", "\ud800", "é"])
def test_a_claimed_client_that_could_not_be_one(value: object) -> None:
    assert claimed_client_id(sign(claims(sub=value, iss=value))) is None
    assert claimed_client_id(sign(claims(sub=value))) is None


def test_a_claimed_client_that_speaks_about_another() -> None:
    assert claimed_client_id(sign(claims(sub="caf-94"))) is None


@settings(max_examples=150, deadline=None, database=None)
@given(st.text(max_size=200) | st.from_regex(r"[\w.=+/-]{0,200}", fullmatch=True))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    assert claimed_client_id(text) is None
    refusal(text)


# Registering keys


def refused_keys(jwks: object) -> None:
    with pytest.raises(ServiceError) as caught:
        public_keys_from_jwks(jwks)
    failure = caught.value
    assert (failure.kind, failure.code) == (ErrorKind.INVALID, "client_key_not_allowed")
    assert failure.values == {}


def jwk(key: ECKey | OKPKey | RSAKey, **changes: object) -> dict[str, object]:
    members = dict(key.as_dict(private=False)) | changes
    return {name: value for name, value in members.items() if value is not ...}


def test_a_key_without_a_name_gets_its_thumbprint() -> None:
    keys = public_keys_from_jwks({"keys": [jwk(EC, kid=...)]})
    assert list(keys) == [EC.thumbprint()]


def test_what_a_key_set_may_also_say() -> None:
    said = {"use": "sig", "key_ops": ["verify"], "x5u": "http://attacker.example", "note": 1}
    assert public_keys_from_jwks({"keys": [jwk(EC, alg="ES256", **said)], "more": 1})
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
    nothings: list[object] = [None, [], {}, "", 1, {"keys": []}, {"keys": {}}, {"keys": [None]}]
    for nothing in [*nothings, jwk(EC)]:
        refused_keys(nothing)


def test_the_longest_key_name_still_verifies() -> None:
    name = "k" * 256
    keys = public_keys_from_jwks({"keys": [jwk(EC, kid=name)]})
    assert check(sign(kid=name, typ="client-authentication+jwt"), keys)
