"""Assertions signed by the keys of an invented client, and the reasons of their refusal."""

import base64
import json
from datetime import UTC, datetime
from typing import cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth.oauth.client_assertions import (
    Assertion,
    AssertionRefused,
    ClientKey,
    check_assertion,
    public_keys_from_jwks,
)
from auth.oauth.jws import Reason
from base.errors import ErrorKind

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
    """Signed by hand with the EC key, with any header; a part given as `bytes` is used as it is."""
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


def jwk(key: ECKey | OKPKey | RSAKey, **changes: object) -> dict[str, object]:
    members = dict(key.as_dict(private=False)) | changes
    return {name: value for name, value in members.items() if value is not ...}
