"""A receipt signed, and a signed receipt checked offline: a detached JWS (RFC 7515, appendix F),
ES256 (RFC 7518 §3.4), in the member `jws` of the receipt itself. Pure.

What is signed is the receipt without `jws` in its canonical encoding (RFC 8785, for values of which
none is a number with a fraction and whose member names are ASCII): the layout of a file and the
order of its members count for nothing, and every value counts.
"""

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from audit.events import canonical
from auth.oauth.jws import (
    InvalidJws,
    Reason,
    decode_base64url,
    read_compact,
    read_object,
)

ALGORITHM = "ES256"
TYPE = "consent-record+jws"
MEMBER = "jws"
MAX_RECEIPT = 256 * 1024
MAX_KEYS = 256 * 1024
_HEADER = frozenset({"alg", "typ", "kid"})
_HALF = 32
_ECDSA = ec.ECDSA(SHA256())


class NotGenuine(Exception):
    """A receipt that does not verify, or a file of keys that is none; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def signed(
    record: Mapping[str, Any],
    private_key: ec.EllipticCurvePrivateKey,
    kid: str,
    *,
    kind: str = TYPE,
) -> dict[str, Any]:
    """The record with its `jws`; `kind`: what it is, so that nothing passes for something else.
    `ValueError` for a record that is signed already."""
    if MEMBER in record:
        raise ValueError("a record is signed once")
    header = canonical({"alg": ALGORITHM, "kid": kid, "typ": kind})
    payload = canonical(dict(record))
    r, s = decode_dss_signature(private_key.sign(_signing_input(header, payload), _ECDSA))
    signature = r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
    return {**record, MEMBER: f"{_base64url(header)}..{_base64url(signature)}"}


def verified(
    receipt: bytes, keys: bytes, *, kind: str = TYPE, limit: int = MAX_RECEIPT
) -> dict[str, Any]:
    """The record of a receipt, or of another `kind`, that one of the keys (a JWK set) signed.
    `limit`: of its bytes. Raises `NotGenuine`.

    It says nothing of what happened since: the caller MUST NOT take it for the grant's state now.
    """
    try:
        return _verified(receipt, keys, kind, limit)
    except InvalidJws as refused:
        raise NotGenuine(refused.reason) from None


def _verified(receipt: bytes, keys: bytes, kind: str, limit: int) -> dict[str, Any]:
    # 1. Strict JSON, of a bounded size: no member twice.
    if len(receipt) > limit:
        raise InvalidJws(Reason.SIZE)
    record = dict(read_object(receipt))
    jws = record.pop(MEMBER, None)
    if not isinstance(jws, str) or jws.count(".") != 2 or ".." not in jws:
        raise InvalidJws(Reason.FORM)
    # 2. The payload put back between the dots, then all read in its only valid spelling.
    payload = _encoded(record)
    whole = jws.replace("..", f".{_base64url(payload)}.")
    compact = read_compact(whole, 2 * limit)
    # 3. The whole header: exactly ours; it chooses among the keys and decides nothing else.
    key = _key_of(compact.header, keys, kind)
    # 4. The signature, by that key.
    if len(compact.signature) != 2 * _HALF:
        raise InvalidJws(Reason.SIGNATURE)
    r, s = (int.from_bytes(half, "big") for half in _halves(compact.signature))
    header = decode_base64url(jws.partition(".")[0])
    try:
        key.verify(encode_dss_signature(r, s), _signing_input(header, payload), _ECDSA)
    except InvalidSignature:
        raise InvalidJws(Reason.SIGNATURE) from None
    return record


def _encoded(record: dict[str, Any]) -> bytes:
    try:
        return canonical(record)
    except (ValueError, RecursionError):
        # Half of a character in two parts: JSON can write it, UTF-8 cannot.
        raise InvalidJws(Reason.JSON) from None


def _key_of(header: dict[str, object], keys: bytes, kind: str) -> ec.EllipticCurvePublicKey:
    if header.get("alg") != ALGORITHM:
        raise InvalidJws(Reason.ALGORITHM)
    if header.get("typ") != kind:
        raise InvalidJws(Reason.TYPE)
    if header.keys() != _HEADER:
        raise InvalidJws(Reason.HEADER)
    listed = read_object(keys).get("keys") if len(keys) <= MAX_KEYS else None
    if not isinstance(listed, list):
        raise InvalidJws(Reason.KEY)
    for jwk in listed:
        if isinstance(jwk, dict) and jwk.get("kid") == header["kid"]:
            return _public_key(jwk)
    raise InvalidJws(Reason.KEY)


def _public_key(jwk: dict[str, Any]) -> ec.EllipticCurvePublicKey:
    """A key of a JWK set (RFC 7518 §6.2.1): on P-256, both coordinates in their full length."""
    x, y = (decode_base64url(str(jwk.get(name, ""))) for name in ("x", "y"))
    if (jwk.get("kty"), jwk.get("crv"), len(x), len(y)) != ("EC", "P-256", _HALF, _HALF):
        raise InvalidJws(Reason.KEY)
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    )
    try:
        return numbers.public_key()
    except ValueError:
        raise InvalidJws(Reason.KEY) from None


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    return signature[:_HALF], signature[_HALF:]


def _signing_input(header: bytes, payload: bytes) -> bytes:
    return f"{_base64url(header)}.{_base64url(payload)}".encode()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
