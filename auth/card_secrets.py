"""The keys that a card's code gives. Pure.

The database holds a card's public key. What proves a PIN is sealed to it (HPKE, as events are), so
that a new PIN reaches every card of its holder, and no PIN is compared without the card: whoever
has the database and the keyring, and not the card, has nothing to compare a guess with. The code
is sealed under the longer secret of the QR, so that both open the same. See docs/adr/0051.
"""

import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_NONCE = 12


def private_key(code: str) -> X25519PrivateKey:
    """The private key of a card's code."""
    return X25519PrivateKey.from_private_bytes(_derived(code, b"unefois/card/v1|key"))


def public_key(code: str) -> bytes:
    """The public key of a card's code: 32 bytes."""
    return private_key(code).public_key().public_bytes_raw()


def seal_verifier(public: bytes, card_id: UUID, edition: int, verifier: bytes) -> bytes:
    """What proves a PIN, sealed to a card."""
    key = X25519PublicKey.from_public_bytes(public)
    return _SUITE.encrypt(verifier, key, _info(card_id, edition))


def open_verifier(code: str, card_id: UUID, edition: int, sealed: bytes) -> bytes | None:
    """What was sealed to the card of a code; None when it was not."""
    try:
        return _SUITE.decrypt(sealed, private_key(code), _info(card_id, edition))
    except (InvalidTag, ValueError):
        return None


def seal_code(secret: str, card_id: UUID, code: str) -> bytes:
    """A card's code, under the secret of its QR."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + _cipher(secret).encrypt(nonce, code.encode(), card_id.bytes)


def open_code(secret: str, card_id: UUID, sealed: bytes) -> str | None:
    """The code of the card that a QR is of; None when it is of another."""
    try:
        return _cipher(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], card_id.bytes).decode()
    except (InvalidTag, ValueError):
        return None


def _cipher(secret: str) -> AESGCM:
    return AESGCM(_derived(secret, b"unefois/card/v1|qr"))


def _derived(text: str, info: bytes) -> bytes:
    """Of 80 random bits or more, so HKDF is enough."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(text.encode())


def _info(card_id: UUID, edition: int) -> bytes:
    return b"unefois/card-pin/v1|" + card_id.bytes + edition.to_bytes(4, "big")
