"""Clients authenticate by signed assertions: which are accepted, and all that are refused."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth.oauth.client_assertions import Assertion, claimed_client_id, public_keys_from_jwks
from auth.oauth.jws import Reason
from tests.auth.oauth.signed_assertions import (
    CLIENT,
    EC,
    ED,
    ENDPOINT,
    EPOCH,
    ISSUER,
    NOW,
    ONE,
    RSA,
    b64,
    check,
    claims,
    public,
    refusal,
    sign,
    sign_raw,
)

# Accepted


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


# The claims


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


# The form


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


def test_the_claimed_client_is_the_subject_whoever_issued() -> None:
    assert claimed_client_id(sign(claims(sub="caf-94"))) == "caf-94"
    assert refusal(sign(claims(sub="caf-94")), client="caf-94") is Reason.SUBJECT


@settings(max_examples=150, deadline=None, database=None)
@given(st.text(max_size=200) | st.from_regex(r"[\w.=+/-]{0,200}", fullmatch=True))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    assert claimed_client_id(text) is None
    refusal(text)
