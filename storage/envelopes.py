"""The envelope of a sealed file: its key and its length, sealed under the owner's key.

`nonce (12) ‖ AES-256-GCM(key (32) ‖ plaintext length (8, big-endian))`, under the key
derived from the owner's secret for this role; the associated data names the role and the file. See
docs/formats/sealed-file.md.
"""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage import floe
from storage.keys import Secret

FILES = "files"
"""The first segment of the blob keys of sealed files."""

_NONCE = 12
_LENGTH = 8


class InvalidEnvelope(Exception):
    """An envelope does not open: altered, or of another file, role or owner."""


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """The content of an envelope: the file's key, and its plaintext length in bytes."""

    dek: bytes = field(repr=False)
    length: int

    @property
    def blob_length(self) -> int:
        """The length of the sealed file in the store, in bytes."""
        return floe.ciphertext_length(self.length)


class EnvelopeWriter:
    """Seals the envelopes of one owner's files, and opens none (invariant 15)."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def seal(self, role: str, file_id: UUID, dek: bytes, length: int) -> bytes:
        """Seal a file's key and length for its owner."""
        nonce = secrets.token_bytes(_NONCE)
        plain = dek + length.to_bytes(_LENGTH, "big")
        return nonce + _cipher(self._secret, role).encrypt(nonce, plain, _aad(role, file_id))


class EnvelopeReader:
    """Opens the envelopes of one owner's files."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def open(self, role: str, file_id: UUID, envelope: bytes) -> OpenedEnvelope:
        """Open an envelope. Raises `InvalidEnvelope`."""
        nonce, sealed = envelope[:_NONCE], envelope[_NONCE:]
        try:
            plain = _cipher(self._secret, role).decrypt(nonce, sealed, _aad(role, file_id))
        except (InvalidTag, ValueError):
            raise InvalidEnvelope from None
        length = int.from_bytes(plain[floe.KEY_LENGTH :], "big")
        return OpenedEnvelope(plain[: floe.KEY_LENGTH], length)


def _cipher(secret: Secret, role: str) -> AESGCM:
    return AESGCM(secret.derive(f"envelope/{role}"))


def _aad(role: str, file_id: UUID) -> bytes:
    return f"unefois/envelope/v1|{role}|{file_id}".encode()
