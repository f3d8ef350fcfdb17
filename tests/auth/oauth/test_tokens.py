"""Our access tokens as other software reads them; joserfc is the second implementation."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from auth.oauth.jws import Reason
from auth.oauth.tokens import AccessTokens, SigningKey, TokenRefused

ISSUER = "https://vault.example"
AUDIENCE = "https://vault.example/v1"
NOW = datetime(2031, 5, 4, 12, 0, 0, 900_000, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


@pytest.fixture(scope="module")
def tokens(key: SigningKey) -> AccessTokens:
    return AccessTokens(ISSUER, AUDIENCE, [key])


def test_what_is_issued_is_accepted(tokens: AccessTokens) -> None:
    issued = tokens.issue("caf-93", "evidence consent-requests", NOW)
    assert issued.expires_in == 300
    checked = tokens.check(issued.token, NOW)
    assert (checked.client_id, checked.scope) == ("caf-93", "evidence consent-requests")
    assert checked.jti == issued.jti
    assert checked.expires_at == datetime.fromtimestamp(EPOCH + 300, UTC)


def test_no_two_tokens_share_a_name(tokens: AccessTokens) -> None:
    assert (
        tokens.issue("caf-93", "evidence", NOW).jti != tokens.issue("caf-93", "evidence", NOW).jti
    )


def test_the_wall_clock_has_no_say(tokens: AccessTokens) -> None:
    for now in (datetime(1999, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)):
        assert tokens.check(tokens.issue("caf-93", "evidence", now).token, now)


def test_another_time_zone_is_the_same_moment(tokens: AccessTokens) -> None:
    token = tokens.issue("caf-93", "evidence", NOW).token
    assert tokens.check(token, NOW.astimezone(timezone(timedelta(hours=11))))


def test_a_naive_time_is_a_defect_of_the_caller(tokens: AccessTokens) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        tokens.issue("caf-93", "evidence", naive)
    with pytest.raises(ValueError, match="aware"):
        tokens.check(tokens.issue("caf-93", "evidence", NOW).token, naive)


def test_a_shorter_life_is_kept(key: SigningKey) -> None:
    tokens = AccessTokens(ISSUER, AUDIENCE, [key], lifetime=timedelta(seconds=30))
    issued = tokens.issue("caf-93", "evidence", NOW)
    assert issued.expires_in == 30
    with pytest.raises(TokenRefused) as caught:
        tokens.check(issued.token, NOW + timedelta(seconds=30))
    assert caught.value.reason is Reason.EXPIRED


def test_joserfc_reads_what_we_issue_with_what_we_publish(tokens: AccessTokens) -> None:
    issued = tokens.issue("caf-93", "evidence", NOW)
    published = KeySet.import_key_set(json.loads(json.dumps(tokens.jwks())))
    read = jwt.decode(issued.token, published, algorithms=["ES256"])
    assert read.header == {"alg": "ES256", "typ": "at+jwt", "kid": published.keys[0].kid}
    assert read.claims == {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "caf-93",
        "client_id": "caf-93",
        "scope": "evidence",
        "jti": issued.jti,
        "iat": EPOCH,
        "exp": EPOCH + 300,
    }


def test_we_read_what_joserfc_signs_with_our_key_and_only_with_it(
    key: SigningKey, tokens: AccessTokens
) -> None:
    issued = tokens.issue("caf-93", "evidence", NOW)
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    claims = jwt.decode(issued.token, ECKey.import_key({**key.public_jwk()})).claims
    ours = jwt.encode(header, claims, ECKey.import_key(key.to_pem()))
    assert tokens.check(ours, NOW).jti == issued.jti
    theirs = jwt.encode(header, claims, ECKey.generate_key("P-256"))
    with pytest.raises(TokenRefused) as caught:
        tokens.check(theirs, NOW)
    assert caught.value.reason is Reason.SIGNATURE


def test_rotation_never_refuses_a_living_token(key: SigningKey) -> None:
    following = SigningKey.generate()
    before = AccessTokens(ISSUER, AUDIENCE, [key])
    announced = AccessTokens(ISSUER, AUDIENCE, [key, following])
    turned = AccessTokens(ISSUER, AUDIENCE, [following, key])
    dropped = AccessTokens(ISSUER, AUDIENCE, [following])
    old = before.issue("caf-93", "evidence", NOW).token
    new = turned.issue("caf-93", "evidence", NOW).token
    assert announced.check(new, NOW)
    assert turned.check(old, NOW)
    assert dropped.check(new, NOW)
    with pytest.raises(TokenRefused) as caught:
        dropped.check(old, NOW)
    assert caught.value.reason is Reason.KEY
    published = turned.jwks()["keys"]
    assert published == [following.public_jwk(), key.public_jwk()]


def test_the_published_key_is_public_and_named_by_its_thumbprint(key: SigningKey) -> None:
    jwk = key.public_jwk()
    assert jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (jwk["kty"], jwk["crv"], jwk["use"], jwk["alg"]) == ("EC", "P-256", "sig", "ES256")
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert key.kid == jwk["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def test_a_coordinate_that_starts_with_zeros_keeps_its_32_bytes() -> None:
    """RFC 7518 §6.2.1.2; one key in 256 has such a coordinate, and other libraries refuse a
    shortened one."""
    for secret in range(1, 2000):
        key = SigningKey.of(ec.derive_private_key(secret, ec.SECP256R1()))
        if key.private_key.public_key().public_numbers().x >> 248 == 0:
            break
    else:
        pytest.fail("no such key found")
    assert len(key.public_jwk()["x"]) == 43


def test_a_key_survives_its_pem(key: SigningKey) -> None:
    again = SigningKey.from_pem(key.to_pem())
    assert again == key
    token = AccessTokens(ISSUER, AUDIENCE, [again]).issue("caf-93", "evidence", NOW).token
    assert AccessTokens(ISSUER, AUDIENCE, [key]).check(token, NOW)


def test_nothing_secret_can_be_printed(key: SigningKey, tokens: AccessTokens) -> None:
    issued = tokens.issue("caf-93", "evidence", NOW)
    assert issued.token not in repr(issued)
    assert "private" not in repr(key)
    assert repr(key) == f"SigningKey(kid={key.kid!r})"
    assert key.kid not in repr(tokens)


OTHER_KEYS = [
    ec.generate_private_key(ec.SECP384R1()),
    ec.generate_private_key(ec.SECP256K1()),
    ed25519.Ed25519PrivateKey.generate(),
    rsa.generate_private_key(65537, 2048),
]


@pytest.mark.parametrize("private", OTHER_KEYS, ids=["p384", "k256", "ed25519", "rsa"])
def test_only_p_256_signs(private: ec.EllipticCurvePrivateKey) -> None:
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="P-256"):
        SigningKey.from_pem(pem)


def test_a_pem_that_is_not_a_plain_private_key(key: SigningKey) -> None:
    sealed = key.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    for pem in (b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", sealed):
        with pytest.raises(ValueError, match=r"^not an unencrypted private key in PEM$"):
            SigningKey.from_pem(pem)


def test_a_key_cannot_take_anothers_name(key: SigningKey) -> None:
    with pytest.raises(ValueError, match="thumbprint"):
        SigningKey(key.kid, SigningKey.generate().private_key)


def test_unsafe_settings_are_refused(key: SigningKey) -> None:
    with pytest.raises(ValueError, match="keys"):
        AccessTokens(ISSUER, AUDIENCE, [])
    with pytest.raises(ValueError, match="keys"):
        AccessTokens(ISSUER, AUDIENCE, [key, SigningKey.of(key.private_key)])
    for lifetime in (timedelta(0), timedelta(seconds=-1), timedelta(minutes=5, seconds=1)):
        with pytest.raises(ValueError, match="five minutes"):
            AccessTokens(ISSUER, AUDIENCE, [key], lifetime=lifetime)
    for issuer, audience in (("", AUDIENCE), (ISSUER, ""), (ISSUER + "\n", AUDIENCE)):
        with pytest.raises(ValueError, match="issuer"):
            AccessTokens(issuer, audience, [key])


@pytest.mark.parametrize(
    ("client_id", "scope"),
    [("", "a"), ("a b", "a"), ("é", "a"), ("a" * 257, "a"), ("a", ""), ("a", "a  b"), ("a", '"')],
)
def test_a_malformed_client_or_scope_is_never_signed(
    tokens: AccessTokens, client_id: str, scope: str
) -> None:
    with pytest.raises(ValueError, match="malformed"):
        tokens.issue(client_id, scope, NOW)


def test_whatever_is_issued_is_small_enough_to_be_accepted(key: SigningKey) -> None:
    longest = AccessTokens("i" * 256, "a" * 256, [key])
    token = longest.issue("c" * 256, "s" * 1024, NOW).token
    assert longest.check(token, NOW)
    escaped = AccessTokens('"' * 256, '"' * 256, [key])
    with pytest.raises(ValueError, match="too long"):
        escaped.issue('"' * 256, "s" * 1024, NOW)


def test_python_jose_signs_and_verifies_by_cryptography(tokens: AccessTokens) -> None:
    """Never by python-ecdsa, whose signing time depends on the key."""
    engines = [tokens._signer, *tokens._verifiers.values()]
    assert all(
        type(engine).__module__ == "jose.backends.cryptography_backend" for engine in engines
    )
    assert all(
        isinstance(engine.prepared_key, ec.EllipticCurvePublicKey)
        for engine in tokens._verifiers.values()
    )
