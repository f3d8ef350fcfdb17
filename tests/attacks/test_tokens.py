"""Forged access tokens: each is a good token except for the one defect that its test names."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth.oauth.jws import Reason
from auth.oauth.tokens import SigningKey
from tests.attacks.forged_tokens import (
    AUDIENCE,
    CLAIMS,
    EPOCH,
    HEADER,
    ISSUER,
    KEY,
    NOW,
    TOKENS,
    es256,
    forge,
    refusal,
)


def test_a_token_forged_without_a_defect_is_accepted() -> None:
    """The rest of this file relies on this: only the named defect makes the difference."""
    assert TOKENS.check(forge(), NOW).client_id == "caf-93"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "none ", None, 0, ["ES256"]])
def test_alg_none_in_any_spelling(alg: object) -> None:
    header = HEADER | {"alg": alg}
    assert refusal(forge(header)) is Reason.ALGORITHM
    assert refusal(forge(header, sign=lambda _: b"\0")) is Reason.ALGORITHM
    assert refusal(forge(header, sign=lambda _: b"")) is Reason.FORM


def test_alg_absent() -> None:
    assert refusal(forge({"typ": "at+jwt", "kid": KEY.kid})) is Reason.ALGORITHM


PUBLIC = KEY.private_key.public_key()


@pytest.mark.parametrize(
    "secret",
    [
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        PUBLIC.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        json.dumps(KEY.public_jwk()).encode(),
        json.dumps(TOKENS.jwks()).encode(),
    ],
    ids=["pem", "pem-stripped", "der", "point", "openssh", "jwk", "jwks"],
)
def test_hmac_keyed_with_the_public_key(secret: bytes) -> None:
    def sign(signing_input: bytes) -> bytes:
        return hmac.digest(secret, signing_input, hashlib.sha256)

    assert refusal(forge(HEADER | {"alg": "HS256"}, sign=sign)) is Reason.ALGORITHM
    assert refusal(forge(sign=sign)) is Reason.SIGNATURE


@pytest.mark.parametrize("alg", ["ES384", "ES512", "ES256K", "RS256", "PS256", "es256", "ES", "E"])
def test_another_algorithm(alg: str) -> None:
    assert refusal(forge(HEADER | {"alg": alg})) is Reason.ALGORITHM


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jwk", SigningKey.generate().public_jwk()),
        ("jku", "https://attacker.example/jwks.json"),
        ("x5u", "https://attacker.example/chain.pem"),
        ("x5c", ["MIIB"]),
        ("x5t", "AAAA"),
        ("x5t#S256", "AAAA"),
        ("b64", False),
        ("b64", True),
        ("zip", "DEF"),
        ("cty", "JWT"),
        ("enc", "A256GCM"),
        ("unheard-of", 1),
    ],
)
def test_a_header_that_brings_more(name: str, value: object) -> None:
    assert refusal(forge(HEADER | {name: value})) is Reason.HEADER


def test_an_embedded_key_that_signed_the_token() -> None:
    other = SigningKey.generate()
    header = HEADER | {"jwk": other.public_jwk(), "kid": other.kid}
    assert refusal(forge(header, sign=lambda m: es256(m, other))) is Reason.HEADER


@pytest.mark.parametrize("crit", [["unheard-of"], ["exp"], ["b64"], [], None, "exp", {}, False])
def test_crit_whatever_it_holds(crit: object) -> None:
    assert refusal(forge(HEADER | {"crit": crit, "exp": 1})) is Reason.CRITICAL
    assert refusal(forge(HEADER | {"crit": crit})) is Reason.CRITICAL


@pytest.mark.parametrize(
    "typ",
    ["JWT", "AT+JWT", "At+jwt", "application/at+jwt", "dpop+jwt", "", "at+jwt ", None, ["at+jwt"]],
)
def test_a_type_not_written_as_ours(typ: object) -> None:
    assert refusal(forge(HEADER | {"typ": typ})) is Reason.TYPE


def test_a_type_absent() -> None:
    assert refusal(forge({"alg": "ES256", "kid": KEY.kid})) is Reason.TYPE


UNKNOWN_KEYS = ["unknown", "", KEY.kid.swapcase(), None, 1, [], {}, [KEY.kid]]


@pytest.mark.parametrize("kid", UNKNOWN_KEYS, ids=range(len(UNKNOWN_KEYS)))
def test_an_unknown_key(kid: object) -> None:
    assert refusal(forge(HEADER | {"kid": kid})) is Reason.KEY


def test_no_key_named() -> None:
    assert refusal(forge({"alg": "ES256", "typ": "at+jwt"})) is Reason.HEADER


def test_another_key_under_the_same_name() -> None:
    other = SigningKey.generate()
    assert refusal(forge(sign=lambda m: es256(m, other))) is Reason.SIGNATURE


@pytest.mark.parametrize("name", sorted(CLAIMS))
def test_a_claim_absent(name: str) -> None:
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    assert refusal(forge(claims=claims)) is Reason.CLAIMS


@pytest.mark.parametrize("name", ["nbf", "cnf", "azp", "roles"])
def test_a_claim_we_never_issue(name: str) -> None:
    assert refusal(forge(claims=CLAIMS | {name: EPOCH - 5})) is Reason.CLAIMS


@pytest.mark.parametrize("name", ["exp", "iat"])
@pytest.mark.parametrize(
    "value", [str(EPOCH + 60), EPOCH + 60.0, 1e300, True, False, None, [EPOCH + 60], {}]
)
def test_a_time_that_is_not_whole_seconds(name: str, value: object) -> None:
    assert refusal(forge(claims=CLAIMS | {name: value})) is Reason.CLAIMS


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_a_time_that_is_no_number(number: bytes) -> None:
    claims = json.dumps(CLAIMS).encode().replace(str(EPOCH + 300).encode(), number)
    assert refusal(forge(claims=claims)) is Reason.JSON


@pytest.mark.parametrize("exp", [EPOCH + 301, 2**31, 2**63, 2**64, 10**400])
def test_a_life_longer_than_five_minutes(exp: int) -> None:
    assert refusal(forge(claims=CLAIMS | {"exp": exp})) is Reason.LIFETIME
    assert refusal(forge(claims=CLAIMS | {"iat": -(10**18)})) is Reason.LIFETIME


def test_a_number_of_five_thousand_digits_costs_nothing() -> None:
    claims = json.dumps(CLAIMS).encode().replace(str(EPOCH + 300).encode(), b"9" * 5000)
    assert refusal(forge(claims=claims)) is Reason.SIZE
    assert refusal(forge(claims=b'{"exp":1e999}')) is Reason.CLAIMS


def test_an_end_before_the_start() -> None:
    assert refusal(forge(claims=CLAIMS | {"iat": EPOCH + 2, "exp": EPOCH + 2})) is Reason.LIFETIME
    assert refusal(forge(claims=CLAIMS | {"exp": EPOCH - 1})) is Reason.LIFETIME


def test_an_expired_token_judged_by_the_given_clock() -> None:
    token = forge()
    assert TOKENS.check(token, NOW + timedelta(seconds=299))
    assert refusal(token, NOW + timedelta(seconds=300)) is Reason.EXPIRED
    assert refusal(token, NOW + timedelta(days=365)) is Reason.EXPIRED


def test_a_token_from_the_future() -> None:
    assert TOKENS.check(forge(), NOW - timedelta(seconds=5))
    assert refusal(forge(), NOW - timedelta(seconds=6)) is Reason.EARLY
    far = {"iat": 10**400, "exp": 10**400 + 1}
    assert refusal(forge(claims=CLAIMS | far)) is Reason.EARLY


@pytest.mark.parametrize(
    ("claim", "values", "reason"),
    [
        ("iss", ["https://other.example", ISSUER + "/", [ISSUER], None], Reason.ISSUER),
        ("aud", [ISSUER, AUDIENCE + "/", [AUDIENCE], [AUDIENCE, ISSUER], None], Reason.AUDIENCE),
        ("sub", ["caf-94", "CAF-93", None, ["caf-93"]], Reason.SUBJECT),
    ],
)
def test_for_or_from_somebody_else(claim: str, values: list[object], reason: Reason) -> None:
    for value in values:
        assert refusal(forge(claims=CLAIMS | {claim: value})) is reason


@pytest.mark.parametrize("name", ["client_id", "jti", "scope"])
@pytest.mark.parametrize(
    "value",
    ["", " ", "a\0", "a\n", "cаf-93", "\ud800", "\u202eb", "x" * 1025, 3, None, ["a"], {"a": 1}],
)
def test_a_name_that_is_not_plain(name: str, value: object) -> None:
    """Among them a Cyrillic а, a lone surrogate and a right-to-left override."""
    claims = CLAIMS | {name: value}
    assert refusal(forge(claims=claims | {"sub": claims["client_id"]})) is Reason.CLAIMS


@pytest.mark.parametrize("scope", ["a  b", " a", "a ", "a\tb", 'a"b', "a\\b", "a,\u00e9"])
def test_a_scope_outside_its_grammar(scope: str) -> None:
    assert refusal(forge(claims=CLAIMS | {"scope": scope})) is Reason.CLAIMS
