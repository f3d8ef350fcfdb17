"""Forged access tokens: each one is a good token but for the single defect its test names."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.oauth.jws import Reason
from auth.oauth.tokens import AccessTokens, SigningKey, TokenRefused
from base.errors import ErrorKind

ISSUER = "https://vault.example"
AUDIENCE = "https://vault.example/v1"
NOW = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())
KEY = SigningKey.generate()
TOKENS = AccessTokens(ISSUER, AUDIENCE, [KEY])
HEADER: dict[str, object] = {"alg": "ES256", "typ": "at+jwt", "kid": KEY.kid}
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "caf-93",
    "client_id": "caf-93",
    "scope": "evidence",
    "jti": "4b6c",
    "iat": EPOCH,
    "exp": EPOCH + 300,
}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw_json(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def es256(signing_input: bytes, key: SigningKey = KEY) -> bytes:
    r, s = decode_dss_signature(key.private_key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def forge(
    header: object = HEADER,
    claims: object = CLAIMS,
    sign: Callable[[bytes], bytes] = es256,
) -> str:
    """A token made by hand; `bytes` instead of an object go in as they are."""
    signing_input = f"{b64(raw_json(header))}.{b64(raw_json(claims))}"
    return f"{signing_input}.{b64(sign(signing_input.encode()))}"


def refusal(token: str, now: datetime = NOW) -> Reason:
    """The reason of the refusal, after making sure that the outside learns nothing from it."""
    with pytest.raises(TokenRefused) as caught:
        TOKENS.check(token, now)
    failure = caught.value
    assert (failure.kind, failure.code, failure.values) == (
        ErrorKind.UNAUTHENTICATED,
        "token_invalid",
        {},
    )
    assert str(failure) == "unauthenticated: token_invalid"
    return failure.reason


def test_a_token_forged_without_a_defect_is_accepted() -> None:
    """What the rest of this file rests on: only the named defect makes the difference."""
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


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize(
    "extra", ["=", "==", " ", "\n", "\t", "\r\n", "+", "/", "*", "%3D", "é", "\0"]
)
def test_base64_with_a_foreign_character(part: int, extra: str) -> None:
    parts = forge().split(".")
    for place in (0, len(parts[part]) // 2, len(parts[part])):
        spoilt = parts.copy()
        spoilt[part] = parts[part][:place] + extra + parts[part][place:]
        assert refusal(".".join(spoilt)) is Reason.FORM


@pytest.mark.parametrize("part", [0, 1, 2])
def test_base64_with_stray_trailing_bits(part: int) -> None:
    """The same bytes in a second spelling: it would make two tokens of one."""
    claims = raw_json(CLAIMS)
    header = raw_json(HEADER)
    parts = forge(header + b" " * (1 - len(header) % 3), claims + b" " * (1 - len(claims) % 3))
    spoilt = parts.split(".")
    last = ALPHABET.index(spoilt[part][-1])
    spoilt[part] = spoilt[part][:-1] + ALPHABET[last + 1]
    assert base64.urlsafe_b64decode(spoilt[part] + "==") == base64.urlsafe_b64decode(
        parts.split(".")[part] + "=="
    )
    assert refusal(".".join(spoilt)) is Reason.ENCODING


def test_the_standard_base64_alphabet() -> None:
    signature = b"\xfb\xff" * 32
    token = forge(sign=lambda _: signature)
    assert "-" in token.split(".")[2]
    assert refusal(token) is Reason.SIGNATURE
    assert refusal(token.replace("-", "+").replace("_", "/")) is Reason.FORM


def test_base64_of_an_impossible_length() -> None:
    header, claims, signature = forge().split(".")
    assert refusal(f"{header}.{claims}.{signature[:-1]}") is Reason.ENCODING


def test_a_der_signature() -> None:
    def sign(signing_input: bytes) -> bytes:
        return KEY.private_key.sign(signing_input, ec.ECDSA(hashes.SHA256()))

    assert refusal(forge(sign=sign)) is Reason.SIGNATURE


@pytest.mark.parametrize(
    "signature",
    [
        bytes(64),
        bytes(32) + b"\x01" * 32,
        b"\x01" * 32 + bytes(32),
        bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") * 2,
        b"\xff" * 64,
        b"\x01" * 63,
        b"\x01" * 65,
        b"\x01",
    ],
    ids=["zeros", "r-zero", "s-zero", "order", "ones", "short", "long", "one-byte"],
)
def test_a_degenerate_signature(signature: bytes) -> None:
    assert refusal(forge(sign=lambda _: signature)) is Reason.SIGNATURE


def test_a_good_signature_lengthened() -> None:
    assert refusal(forge(sign=lambda m: es256(m) + b"\0")) is Reason.SIGNATURE
    assert refusal(forge(sign=lambda m: b"\0" + es256(m))) is Reason.SIGNATURE


def test_a_changed_byte_anywhere() -> None:
    parts = forge().split(".")
    for part, text in enumerate(parts):
        for place in range(0, len(text), 7):
            letter = "A" if text[place] != "A" else "B"
            changed = parts.copy()
            changed[part] = text[:place] + letter + text[place + 1 :]
            refusal(".".join(changed))


def test_a_member_twice() -> None:
    doubled = json.dumps(HEADER).encode()[:-1] + b',"alg":"ES256"}'
    assert refusal(forge(doubled)) is Reason.JSON
    escaped = json.dumps(HEADER).encode()[:-1] + b',"\\u0061lg":"ES256"}'
    assert refusal(forge(escaped)) is Reason.JSON
    doubled = json.dumps(CLAIMS).encode()[:-1] + b',"scope":"everything"}'
    assert refusal(forge(claims=doubled)) is Reason.JSON


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'"ES256"',
        b"1",
        b"{",
        b"{}{}",
        b"{'alg':'ES256'}",
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b'{"a":"\xc0\xaf"}',
        '{"alg":"ES256"}'.encode("utf-16"),
        b"[" * 2600,
        b'{"a":' * 520,
    ],
)
def test_what_is_not_a_json_object(raw: bytes) -> None:
    assert refusal(forge(raw)) in {Reason.JSON, Reason.FORM}
    assert refusal(forge(claims=raw)) in {Reason.JSON, Reason.FORM}


def test_letters_that_only_look_alike() -> None:
    token = forge()
    fullwidth = token.replace("A", "\uff21").replace("e", "\uff45")
    assert refusal(fullwidth) is Reason.FORM
    assert refusal(token.replace(".", "\u3002")) is Reason.FORM
    assert refusal("\ufeff" + token) is Reason.FORM
    assert refusal(token + "\u200b") is Reason.FORM
    assert refusal(forge(HEADER | {"typ": "at\uff0bjwt"})) is Reason.TYPE
    assert refusal(forge(HEADER | {"alg": "\uff25S256"})) is Reason.ALGORITHM


def test_another_number_of_parts() -> None:
    """python-jose splits at the first and the last dot and drops the others: five parts pass."""
    header, claims, signature = forge().split(".")
    for text in (
        "",
        ".",
        "..",
        "...",
        header,
        f"{header}.{claims}",
        f"{header}.{claims}.",
        f"{header}..{signature}",
        f".{claims}.{signature}",
        f"{header}.{claims}.{signature}.",
        f".{header}.{claims}.{signature}",
        f"{header}.{claims}.{claims}.{claims}.{signature}",
        f"{header}.{claims[:8]}.{claims[8:16]}.{claims[16:]}.{signature}",
    ):
        assert refusal(text) is Reason.FORM


def test_five_parts_signed_as_such() -> None:
    header, claims, _ = forge().split(".")
    signing_input = f"{header}.{claims[:8]}.{claims[8:16]}.{claims[16:]}"
    assert refusal(f"{signing_input}.{b64(es256(signing_input.encode()))}") is Reason.FORM


def test_a_token_longer_than_4_kib() -> None:
    size = 4096 - len(forge().split(".")[0]) - 88
    largest = (size // 4) * 3 - len(raw_json(CLAIMS))
    padded = forge(claims=raw_json(CLAIMS) + b" " * largest)
    assert 4090 < len(padded) <= 4096
    assert TOKENS.check(padded, NOW)
    assert refusal(forge(claims=raw_json(CLAIMS) + b" " * (largest + 6))) is Reason.SIZE
    assert refusal("a" * 10_000_000) is Reason.SIZE


@settings(max_examples=150, deadline=None, database=None)
@given(st.text(max_size=200) | st.from_regex(r"[\w.=+/-]{0,200}", fullmatch=True))
def test_any_text_is_refused_and_nothing_else_happens(text: str) -> None:
    refusal(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, database=None)
@given(st.sampled_from(sorted(HEADER)), st.sampled_from(sorted(CLAIMS)), JSON)
def test_any_value_in_any_place_is_refused(member: str, claim: str, value: object) -> None:
    refusal(forge(HEADER | {member: value}))
    if claim in {"iat", "exp"} and type(value) is int and 0 <= value - EPOCH <= 300:
        return
    if claim in {"jti", "scope"} and isinstance(value, str):
        return
    refusal(forge(claims=CLAIMS | {claim: value}))
