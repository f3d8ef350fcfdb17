"""Our own access tokens: RFC 9068 JWTs signed ES256 by python-jose, limited to one narrow form.

python-jose by itself ignores `crit` and `typ`, lets `exp` be absent or a string, drops foreign
characters from base64, takes five parts for three, and follows the wall clock. So this file reads
the token strictly first and asks python-jose for one thing only: is this signature good for this
key? `jose.jwe` is never used, and no other file imports `jose`.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jose import jws

# The backend by name: if `cryptography` were missing, `jose.backends.ECKey` would silently be
# python-ecdsa, whose signing leaks its key through timing.
from jose.backends.cryptography_backend import CryptographyECKey
from jose.exceptions import JOSEError
from joserfc.jwk import ECKey

from auth.oauth.jws import (
    CompactJws,
    InvalidJws,
    Reason,
    is_name,
    is_seconds,
    read_compact,
    read_object,
    seconds_of,
)
from base.errors import ErrorKind, ServiceError

ALGORITHM = "ES256"
TYPE = "at+jwt"
MAX_TOKEN = 4096
MAX_LIFETIME = timedelta(minutes=5)
# Between our own machines; `now` is the database's clock, so a few seconds are plenty.
LEEWAY = 5

_HEADER = frozenset({"alg", "typ", "kid"})
_CLAIMS = frozenset({"exp", "aud", "iss", "iat", "jti", "sub", "client_id", "scope"})
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
_MAX_SCOPE = 1024


class TokenRefused(ServiceError):
    """The access token is not valid. The caller learns only that; `reason` is for the log."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(ErrorKind.UNAUTHENTICATED, "token_invalid")
        self.reason = reason


@dataclass(frozen=True)
class SigningKey:
    """A P-256 private key and its name, the RFC 7638 thumbprint of its public half."""

    kid: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.private_key.curve, ec.SECP256R1):
            raise ValueError("a signing key is on P-256")  # noqa: TRY004  (a wrong value, not type)
        if self.kid != _thumbprint(self.private_key):
            raise ValueError("a signing key is named by its thumbprint")

    @classmethod
    def of(cls, private_key: ec.EllipticCurvePrivateKey) -> "SigningKey":
        return cls(_thumbprint(private_key), private_key)

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls.of(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        """From an unencrypted PEM. `ValueError`, quoting nothing, for anything but a P-256 key."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValueError("not an unencrypted private key in PEM") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("a signing key is on P-256")  # noqa: TRY004  (a wrong value, not type)
        return cls.of(key)

    def to_pem(self) -> bytes:
        """PKCS#8, not encrypted: the caller MUST seal it before storing it."""
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def public_jwk(self) -> dict[str, str]:
        """The public half for `jwks.json` (RFC 7517 §4), never the private one."""
        public = ECKey.import_key(self.private_key.public_key()).as_dict(private=False)
        members = {name: str(public[name]) for name in ("kty", "crv", "x", "y")}
        return members | {"kid": self.kid, "use": "sig", "alg": ALGORITHM}


def _thumbprint(private_key: ec.EllipticCurvePrivateKey) -> str:
    return ECKey.import_key(private_key.public_key()).thumbprint()


@dataclass(frozen=True)
class IssuedToken:
    """A new token for the answer of `/oauth/token`; `expires_in` is in seconds."""

    token: str = field(repr=False)
    expires_in: int
    jti: str


@dataclass(frozen=True)
class AccessToken:
    """The content of a valid token: `scope` is the space-separated list that was granted."""

    client_id: str
    scope: str
    jti: str
    expires_at: datetime


class AccessTokens:
    """Issues and checks our access tokens under a few keys; the first signs, all verify.

    Rotation: add the new key last, so that it is published; once every process has it, move it
    first; drop the old one `MAX_LIFETIME` after that.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: Sequence[SigningKey],
        lifetime: timedelta = MAX_LIFETIME,
    ) -> None:
        if not keys or len({key.kid for key in keys}) != len(keys):
            raise ValueError("access tokens need one or more different keys")
        if not is_name(issuer) or not is_name(audience):
            raise ValueError("an issuer and an audience are short visible strings")
        if not timedelta(seconds=1) <= lifetime <= MAX_LIFETIME:
            raise ValueError("an access token lives from one second to five minutes")
        self._issuer = issuer
        self._audience = audience
        self._lifetime = int(lifetime.total_seconds())
        self._public = [key.public_jwk() for key in keys]
        self._kid = keys[0].kid
        self._signer = CryptographyECKey(keys[0].private_key, ALGORITHM)
        self._verifiers = {
            key.kid: CryptographyECKey(key.private_key.public_key(), ALGORITHM) for key in keys
        }

    def issue(self, client_id: str, scope: str, now: datetime) -> IssuedToken:
        """A new token for `client_id` with `scope` (RFC 6749 §3.3: words separated by a space).

        `ValueError` for a malformed client or scope. The caller MUST have authenticated the
        client, recorded its assertion's `jti`, and narrowed `scope` to what it is registered for.
        """
        if not is_name(client_id) or not _is_scope(scope):
            raise ValueError("a client id or a scope is malformed")
        issued_at = int(seconds_of(now))
        jti = secrets.token_urlsafe(16)
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": client_id,
            "client_id": client_id,
            "scope": scope,
            "jti": jti,
            "iat": issued_at,
            "exp": issued_at + self._lifetime,
        }
        header = {"typ": TYPE, "kid": self._kid}
        token = jws.sign(claims, self._signer, headers=header, algorithm=ALGORITHM)
        if len(token) > MAX_TOKEN:
            raise ValueError("the client id and the scope are too long for a token")
        return IssuedToken(token, self._lifetime, jti)

    def check(self, token: str, now: datetime) -> AccessToken:
        """The content of a token valid at `now`; raises `TokenRefused`, which quotes none of it.

        The caller MUST still ask the database, in the request's own transaction, whether the
        client is active and whether this scope covers the act; and MUST identify a token by its
        `jti`, never by its bytes, since an ECDSA signature has a second valid form.
        """
        moment = seconds_of(now)
        try:
            # 1. At most 4 KiB, three parts, canonical base64url, a header that is strict JSON
            #    without `crit`.
            compact = read_compact(token, MAX_TOKEN)
            # 2. The whole header, before python-jose sees the token: it chooses among our keys
            #    and decides nothing else.
            verifier = self._verifier_of(compact.header)
            # 3. The signature, by that key and ES256 only.
            _verify(token, compact, verifier)
            # 4. Only now the payload: strict JSON, exactly our claims, each of its type; issuer,
            #    audience, subject; lifetime, and both ends against `now`.
            return self._check_claims(read_object(compact.payload), moment)
        except InvalidJws as refusal:
            raise TokenRefused(refusal.reason) from None

    def jwks(self) -> dict[str, object]:
        """The JWK set for `jwks.json`: every public key, the signing one first."""
        return {"keys": [dict(key) for key in self._public]}

    def _verifier_of(self, header: dict[str, object]) -> CryptographyECKey:
        """The key named by a header of exactly `alg`, `typ` and `kid`.

        Media types compare without case (RFC 7515 §4.1.9), but only we write these tokens and we
        write one spelling, so `typ` is compared exactly, as is `alg`, which is case-sensitive.
        """
        if header.get("alg") != ALGORITHM:
            raise InvalidJws(Reason.ALGORITHM)
        if header.get("typ") != TYPE:
            raise InvalidJws(Reason.TYPE)
        if header.keys() != _HEADER:
            raise InvalidJws(Reason.HEADER)
        kid = header["kid"]
        verifier = self._verifiers.get(kid) if isinstance(kid, str) else None
        if verifier is None:
            raise InvalidJws(Reason.KEY)
        return verifier

    def _check_claims(self, claims: dict[str, object], moment: float) -> AccessToken:
        """Check that the claims are exactly those that we issue: a token bound to a key (`cnf`)
        must never pass as a bearer token on a process that predates binding."""
        if claims.keys() != _CLAIMS:
            raise InvalidJws(Reason.CLAIMS)
        issued_at, expires = claims["iat"], claims["exp"]
        client_id, scope, jti = claims["client_id"], claims["scope"], claims["jti"]
        if not (is_seconds(issued_at) and is_seconds(expires)):
            raise InvalidJws(Reason.CLAIMS)
        if not (is_name(client_id) and is_name(jti) and _is_scope(scope)):
            raise InvalidJws(Reason.CLAIMS)
        if claims["iss"] != self._issuer:
            raise InvalidJws(Reason.ISSUER)
        if claims["aud"] != self._audience:
            raise InvalidJws(Reason.AUDIENCE)
        if claims["sub"] != client_id:
            raise InvalidJws(Reason.SUBJECT)
        if not 0 < expires - issued_at <= MAX_LIFETIME.total_seconds():
            raise InvalidJws(Reason.LIFETIME)
        if issued_at > moment + LEEWAY:
            raise InvalidJws(Reason.EARLY)
        if expires <= moment:
            raise InvalidJws(Reason.EXPIRED)
        return AccessToken(client_id, scope, jti, datetime.fromtimestamp(expires, UTC))


def _verify(token: str, compact: CompactJws, verifier: CryptographyECKey) -> None:
    """Verify the signature by python-jose, given a key object and a list, so it guesses neither."""
    if len(compact.signature) != 64:
        raise InvalidJws(Reason.SIGNATURE)
    try:
        payload = jws.verify(token, verifier, algorithms=[ALGORITHM])
    except JOSEError:
        raise InvalidJws(Reason.SIGNATURE) from None
    if payload != compact.payload:
        raise InvalidJws(Reason.SIGNATURE)


def _is_scope(value: object) -> TypeGuard[str]:
    return (
        isinstance(value, str) and len(value) <= _MAX_SCOPE and _SCOPE.fullmatch(value) is not None
    )
