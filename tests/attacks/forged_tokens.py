"""A good access token, forged with one defect at a time, and the reason of its refusal."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

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
    """A token made by hand; a part given as `bytes` is used as it is."""
    signing_input = f"{b64(raw_json(header))}.{b64(raw_json(claims))}"
    return f"{signing_input}.{b64(sign(signing_input.encode()))}"


def refusal(token: str, now: datetime = NOW) -> Reason:
    """The reason of the refusal, after checking that the caller's answer does not reveal it."""
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
