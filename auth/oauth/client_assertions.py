"""Client authentication by a signed assertion (`private_key_jwt`: RFC 7523 §2.2 and §3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from auth.oauth.jws import (
    CompactJws,
    InvalidJws,
    Reason,
    decode_base64url,
    is_name,
    is_seconds,
    read_compact,
    read_object,
    seconds_of,
)
from base.errors import ErrorKind, ServiceError, invalid

MAX_ASSERTION = 8192
# A `jti` must be remembered until its assertion expires: ten minutes limit that memory, and how
# long a stolen, unused assertion stays usable.
MAX_AHEAD = 600
# The client's clock is not ours (FAPI 2.0 §5.3.2.1 asks to refuse beyond 60 s).
LEEWAY = 60
MAX_KEYS = 10

_HEADER = frozenset({"alg", "typ", "kid"})
_TYPES = frozenset({"jwt", "client-authentication+jwt"})
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = range(2048, 4096 + 1)


class AssertionRefused(ServiceError):
    """The assertion is not valid; `reason` is for the log.

    `signed`: the signature holds, by a key of the client. Only then may the caller be told the
    reason: they hold the key, and see what their own claims say. Whatever was not signed by a
    client answers alike, a client that is unknown (`Reason.CLIENT`) included.
    """

    def __init__(self, reason: Reason, *, signed: bool = False) -> None:
        super().__init__(ErrorKind.UNAUTHENTICATED, "client_assertion_invalid")
        self.reason = reason
        self.signed = signed


@dataclass(frozen=True)
class Assertion:
    """A valid assertion; `(client_id, jti)` must be remembered until `expires_at`."""

    client_id: str
    jti: str
    expires_at: datetime


@dataclass(frozen=True)
class ClientKey:
    """A registered public key and the only `alg` names under which it verifies."""

    kid: str
    algorithms: frozenset[str]
    key: ECKey | OKPKey | RSAKey = field(repr=False, compare=False)


# joserfc is given these algorithms only: neither `none` nor any HMAC exists in the table. `EdDSA`
# and `Ed25519` are two names of one algorithm here (RFC 9864 §2.2), both tied to the curve.
_ALGORITHMS = {
    "ES256": jws.JWSRegistry.algorithms["ES256"],
    "PS256": jws.JWSRegistry.algorithms["PS256"],
    "EdDSA": jws.JWSRegistry.algorithms["Ed25519"],
    "Ed25519": jws.JWSRegistry.algorithms["Ed25519"],
}


def public_keys_from_jwks(jwks: object) -> dict[str, ClientKey]:
    """The keys of a client's JWK set (RFC 7517 §5), by `kid`; a key without one gets its RFC 7638
    thumbprint.

    Allowed: 1 to 10 public signing keys, EC P-256, OKP Ed25519, or RSA of 2048 to 4096 bits with
    the exponent 65537. Members beyond the key itself are ignored and no URL in them is fetched.
    Raises `ServiceError(INVALID, "client_key_not_allowed")` for anything else.
    """
    try:
        return _client_keys(jwks)
    except (InvalidJws, JoseError, ValueError):
        raise invalid("client_key_not_allowed") from None


def _client_keys(jwks: object) -> dict[str, ClientKey]:
    entries = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(entries, list) or not 1 <= len(entries) <= MAX_KEYS:
        raise InvalidJws(Reason.KEY)
    keys = [_client_key(entry) for entry in entries]
    by_kid = {key.kid: key for key in keys}
    if len(by_kid) != len(keys):
        raise InvalidJws(Reason.KEY)
    return by_kid


def _client_key(jwk: object) -> ClientKey:
    if not isinstance(jwk, dict) or jwk.keys() & _PRIVATE:
        raise InvalidJws(Reason.KEY)
    if jwk.get("use", "sig") != "sig" or jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise InvalidJws(Reason.KEY)
    key, algorithms = _public_key(jwk)
    if "alg" in jwk and jwk["alg"] not in list(algorithms):
        raise InvalidJws(Reason.KEY)
    kid = jwk.get("kid", key.thumbprint())
    if not is_name(kid):
        raise InvalidJws(Reason.KEY)
    return ClientKey(kid, algorithms, key)


def _public_key(jwk: dict[str, object]) -> tuple[ECKey | OKPKey | RSAKey, frozenset[str]]:
    """The key rebuilt from its own members only. Its type decides the algorithm, not a header."""
    match jwk.get("kty"), jwk.get("crv"):
        case "EC", "P-256":
            point = {name: _octets(jwk, name, 32) for name in ("x", "y")}
            return ECKey.import_key({"kty": "EC", "crv": "P-256", **point}), frozenset({"ES256"})
        case "OKP", "Ed25519":
            octets = _octets(jwk, "x", 32)
            okp = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": octets})
            return okp, frozenset({"EdDSA", "Ed25519"})
        case "RSA", None:
            modulus = _modulus(jwk)
            rsa = RSAKey.import_key({"kty": "RSA", "n": modulus, "e": "AQAB"})
            return rsa, frozenset({"PS256"})
        case _:
            raise InvalidJws(Reason.KEY)


def _octets(jwk: dict[str, object], name: str, length: int) -> str:
    value = jwk.get(name)
    if not isinstance(value, str) or len(decode_base64url(value)) != length:
        raise InvalidJws(Reason.KEY)
    return value


def _modulus(jwk: dict[str, object]) -> str:
    value = jwk.get("n")
    if not isinstance(value, str) or jwk.get("e") != "AQAB":
        raise InvalidJws(Reason.KEY)
    raw = decode_base64url(value)
    if raw[:1] == b"\0" or int.from_bytes(raw).bit_length() not in _RSA_BITS:
        raise InvalidJws(Reason.KEY)
    return value


def claimed_client_id(assertion: str) -> str | None:
    """The client that the assertion claims to be (`sub`), UNVERIFIED: only to find its keys.

    None when it is not a well-formed assertion of a client id (1 to 256 visible ASCII characters).
    The caller MUST then call `check_assertion`.
    """
    try:
        claims = read_object(read_compact(assertion, MAX_ASSERTION).payload)
    except InvalidJws:
        return None
    subject = claims.get("sub")
    return subject if is_name(subject) else None


def check_assertion(
    assertion: str,
    *,
    keys: Mapping[str, ClientKey],
    client_id: str,
    issuer: str,
    token_endpoint: str,
    now: datetime,
    parameter: str | None = None,
) -> Assertion:
    """The assertion by which `client_id` authenticates itself; raises `AssertionRefused`.

    `keys` are that client's own, from `public_keys_from_jwks`; `parameter`, the `client_id` beside
    the assertion, if there is one (RFC 7521 §4.2). The caller MUST still, before it issues
    anything, record `(client_id, jti)` until `expires_at`, committed and unique, refusing one
    already there.
    """
    moment = seconds_of(now)
    signed = False
    try:
        # 1. At most 8 KiB, three parts, canonical base64url, strict JSON, no `crit`.
        compact = read_compact(assertion, MAX_ASSERTION)
        # 2. The header may name one of this client's keys; the key decides the algorithm.
        key = _key_of(compact.header, keys)
        # 3. The signature, by that key and that algorithm only.
        _verify(assertion, compact, key)
        signed = True
        # 4. Only now the claims: from this client, about itself, to us.
        claims = read_object(compact.payload)
        _check_parties(claims, client_id, parameter, (issuer, token_endpoint))
        # 5. Usable once, in a short time that includes `now`.
        return Assertion(client_id, _jti(claims), _expiry(claims, moment))
    except InvalidJws as refusal:
        raise AssertionRefused(refusal.reason, signed=signed) from None


def _key_of(header: dict[str, object], keys: Mapping[str, ClientKey]) -> ClientKey:
    """The key for a header of `alg`, maybe `typ`, and `kid` unless the client has a single key."""
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidJws(Reason.TYPE)
    if not header.keys() <= _HEADER:
        raise InvalidJws(Reason.HEADER)
    if "kid" in header:
        kid = header["kid"]
        key = keys.get(kid) if isinstance(kid, str) else None
    else:
        key = next(iter(keys.values())) if len(keys) == 1 else None
    if key is None:
        raise InvalidJws(Reason.KEY)
    if header.get("alg") not in list(key.algorithms):
        raise InvalidJws(Reason.ALGORITHM)
    return key


def _verify(assertion: str, compact: CompactJws, key: ClientKey) -> None:
    registry = jws.JWSRegistry(algorithms=key.algorithms)
    registry.algorithms = _ALGORITHMS
    try:
        verified = jws.deserialize_compact(assertion, key.key, registry=registry)
    except (JoseError, ValueError):
        raise InvalidJws(Reason.SIGNATURE) from None
    if verified.payload != compact.payload:
        raise InvalidJws(Reason.SIGNATURE)


def _check_parties(
    claims: dict[str, object], client_id: str, parameter: str | None, audiences: tuple[str, str]
) -> None:
    if not (claims.get("iss") == claims.get("sub") == client_id) or parameter not in (
        None,
        client_id,
    ):
        raise InvalidJws(Reason.SUBJECT)
    audience = claims.get("aud")
    # One audience: with several, another of these servers could replay the assertion to us.
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience not in audiences:
        raise InvalidJws(Reason.AUDIENCE)


def _jti(claims: dict[str, object]) -> str:
    jti = claims.get("jti")
    if not is_name(jti):
        raise InvalidJws(Reason.CLAIMS)
    return jti


def _expiry(claims: dict[str, object], moment: float) -> datetime:
    """The required `exp`; `iat` and `nbf` are checked when present. Whole seconds only."""
    expires = claims.get("exp")
    if not is_seconds(expires):
        raise InvalidJws(Reason.CLAIMS)
    for name in ("iat", "nbf"):
        start = claims.get(name, 0)
        if not is_seconds(start):
            raise InvalidJws(Reason.CLAIMS)
        if start > moment + LEEWAY:
            raise InvalidJws(Reason.EARLY)
    if expires <= moment:
        raise InvalidJws(Reason.EXPIRED)
    if expires > moment + MAX_AHEAD:
        raise InvalidJws(Reason.LIFETIME)
    return datetime.fromtimestamp(expires, UTC)
