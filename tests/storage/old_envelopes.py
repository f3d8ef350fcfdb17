"""Envelopes as release 0.1 wrote them."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.envelopes import Address, EnvelopeReader
from storage.keys import Secret


def old_envelope(secret: Secret, address: Address) -> bytes:
    """The same key and length, bound to the file and the role alone."""
    opened, nonce = EnvelopeReader(secret).open(address), bytes(12)
    plain = opened.dek + opened.length.to_bytes(8, "big")
    bound = f"unefois/envelope/v1|{address.role}|{address.id}".encode()
    return nonce + AESGCM(secret.derive(f"envelope/{address.role}")).encrypt(nonce, plain, bound)
