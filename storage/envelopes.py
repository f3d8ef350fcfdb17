"""The envelope of a sealed file: its key and its length, sealed under the owner's key.

`0x02 ‖ nonce (12) ‖ AES-256-GCM(key (32) ‖ plaintext length (8, big-endian))`, under the key
derived from the owner's secret for this role; the associated data is all that the file's row says:
role, file, version, position, blob. An envelope moved to another row, or whose row was changed,
does not open. See docs/formats/sealed-file.md.
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

_FORMAT = b"\x02"
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


@dataclass(frozen=True, slots=True)
class Address:
    """Where a sealed file is, which file of which version it is, and what opens it: its row."""

    id: UUID
    role: str
    version_id: UUID
    position: int
    blob_key: str
    envelope: bytes = field(default=b"", repr=False)


class EnvelopeWriter:
    """Seals the envelopes of one owner's files, and opens none (invariant 15)."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def seal(self, address: Address, dek: bytes, length: int) -> bytes:
        """Seal a file's key and length for its owner, bound to the rest of its row."""
        nonce = secrets.token_bytes(_NONCE)
        plain = dek + length.to_bytes(_LENGTH, "big")
        cipher = _cipher(self._secret, address.role)
        return _FORMAT + nonce + cipher.encrypt(nonce, plain, _aad(address))


class EnvelopeReader:
    """Opens the envelopes of one owner's files."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def open(self, address: Address) -> OpenedEnvelope:
        """Open the envelope of a file's row. Raises `InvalidEnvelope`."""
        if address.envelope[:1] != _FORMAT:
            raise InvalidEnvelope
        return self._open(address.role, address.envelope[1:], _aad(address))

    def open_unbound(self, address: Address) -> OpenedEnvelope:
        """Open an envelope of release 0.1, bound to role and file alone: only to bind it to the
        rest of its row, once. Raises `InvalidEnvelope`."""
        aad = f"unefois/envelope/v1|{address.role}|{address.id}".encode()
        return self._open(address.role, address.envelope, aad)

    def _open(self, role: str, envelope: bytes, aad: bytes) -> OpenedEnvelope:
        nonce, sealed = envelope[:_NONCE], envelope[_NONCE:]
        try:
            plain = _cipher(self._secret, role).decrypt(nonce, sealed, aad)
        except (InvalidTag, ValueError):
            raise InvalidEnvelope from None
        length = int.from_bytes(plain[floe.KEY_LENGTH :], "big")
        return OpenedEnvelope(plain[: floe.KEY_LENGTH], length)


def bound_envelope(secret: Secret, address: Address) -> bytes:
    """An envelope of release 0.1, sealed again and bound to all that its row says. Raises
    `InvalidEnvelope`."""
    opened = EnvelopeReader(secret).open_unbound(address)
    return EnvelopeWriter(secret).seal(address, opened.dek, opened.length)


def moved_envelope(former: Secret, new: Secret, address: Address) -> bytes:
    """The envelope of a file that gets another owner: the same key and length, for them. The file
    itself is bound to no owner, and stays as it is. Raises `InvalidEnvelope`."""
    opened = EnvelopeReader(former).open(address)
    return EnvelopeWriter(new).seal(address, opened.dek, opened.length)


def is_bound(secret: Secret, address: Address) -> bool:
    """Whether a file's envelope is bound to all that its row says."""
    try:
        EnvelopeReader(secret).open(address)
    except InvalidEnvelope:
        return False
    return True


def _cipher(secret: Secret, role: str) -> AESGCM:
    return AESGCM(secret.derive(f"envelope/{role}"))


def _aad(address: Address) -> bytes:
    names = (address.role, address.id, address.version_id, address.position, address.blob_key)
    return f"unefois/envelope/v2|{'|'.join(map(str, names))}".encode()
