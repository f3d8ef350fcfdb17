"""Access tokens encoded differently from ours: refused, each for its single defect."""

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.oauth.jws import Reason
from tests.attacks.forged_tokens import (
    CLAIMS,
    EPOCH,
    HEADER,
    KEY,
    NOW,
    TOKENS,
    b64,
    es256,
    forge,
    raw_json,
    refusal,
)

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


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
    """A second spelling of the same bytes would make two tokens out of one."""
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
    """python-jose splits at the first and last dot and drops the rest: it accepts five parts."""
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
