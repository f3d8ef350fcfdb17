"""Signed notes (C2SP signed-note): a text, and Ed25519 signatures under named keys. Pure.

Two types of signature are supported: 0x01, Ed25519 over the text; 0x04, a witness's timestamped
cosignature (C2SP tlog-cosignature, `cosignature/v1`).
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
# At least sixteen signatures MUST be accepted, and a post-quantum one takes nearly 7 kB here.
MAX_BYTES = 256 * 1024
MAX_SIGNATURES = 32
_PUBLIC = 32
_SIGNATURE = 64
_KEY_ID = 4
_TIME = 8
_MAX_TIME = (1 << 63) - 1
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,200}")
_LINE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/]+={0,2})")


class InvalidNote(Exception):
    """Not a signed note, or not signed by a key that is trusted here. `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key and its name, as in a `vkey` line."""

    name: str
    type: int
    public_key: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public_key) != _PUBLIC:
            raise InvalidNote("vkey")
        if self.type not in {ED25519, COSIGNATURE}:
            raise InvalidNote("vkey")

    @classmethod
    def parse(cls, vkey: str) -> "Verifier":
        """Read `name+hex(id)+base64(type ‖ key)`. Raises `InvalidNote("vkey")`."""
        name, _, rest = vkey.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        material = _base64(encoded, "vkey")
        if not material:
            raise InvalidNote("vkey")
        verifier = cls(name, material[0], material[1:])
        if key_id != verifier.key_id.hex():
            raise InvalidNote("vkey")
        return verifier

    @property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name ‖ newline ‖ type ‖ key)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public_key).digest()[
            :_KEY_ID
        ]

    @property
    def vkey(self) -> str:
        """The line by which others configure this key."""
        material = base64.b64encode(bytes([self.type]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    def time_of(self, text: str, signature: bytes) -> int | None:
        """Check a signature over a text; its POSIX time when it is a cosignature, else None.

        Raises `InvalidNote("signature")`.
        """
        stamped = self.type == COSIGNATURE
        if len(signature) != _SIGNATURE + (_TIME if stamped else 0):
            raise InvalidNote("signature")
        at = int.from_bytes(signature[:_TIME], "big") if stamped else None
        if at is not None and at > _MAX_TIME:
            raise InvalidNote("signature")
        message = text.encode() if at is None else cosigned_message(text, at)
        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(signature[_TIME if stamped else 0 :], message)
        except InvalidSignature:
            raise InvalidNote("signature") from None
        return at


class Signer(Protocol):
    """Signs under a verifier that others know; the private key is wherever it is."""

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """A bare Ed25519 signature, 64 bytes."""
        ...


class LocalSigner:
    """A signer whose Ed25519 key is in this process."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey, type_: int = ED25519) -> None:
        self._private_key = private_key
        self._verifier = Verifier(name, type_, private_key.public_key().public_bytes_raw())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return self._verifier

    def sign(self, message: bytes) -> bytes:
        """A bare Ed25519 signature, 64 bytes."""
        return self._private_key.sign(message)


@dataclass(frozen=True, slots=True)
class SignedBy:
    """A valid signature by a known key; `at` is a cosignature's POSIX time."""

    verifier: Verifier
    at: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note, not yet verified: its text, and its signature lines unchanged."""

    text: str
    lines: tuple[str, ...]

    @classmethod
    def parse(cls, raw: bytes) -> "Note":
        """Read a note strictly. Raises `InvalidNote`: `size`, `form`."""
        if len(raw) > MAX_BYTES:
            raise InvalidNote("size")
        try:
            whole = raw.decode()
        except UnicodeDecodeError:
            raise InvalidNote("form") from None
        if any(character < " " and character != "\n" for character in whole):
            raise InvalidNote("form")
        text, separator, block = whole.rpartition("\n\n")
        lines = block.removesuffix("\n").split("\n")
        if not separator or not block.endswith("\n"):
            raise InvalidNote("form")
        if len(lines) > MAX_SIGNATURES:
            raise InvalidNote("size")
        for line in lines:
            split_line(line)
        return cls(text + "\n", tuple(lines))

    def encode(self) -> bytes:
        """The note as bytes."""
        return (self.text + "\n" + "".join(f"{line}\n" for line in self.lines)).encode()

    def verified(self, trusted: Iterable[Verifier]) -> list[SignedBy]:
        """The signatures by trusted keys, which must all be valid; those by others are ignored.

        Raises `InvalidNote`: `signature` when one by a trusted key is invalid, `unsigned` when
        there is none.
        """
        known = {(verifier.name, verifier.key_id): verifier for verifier in trusted}
        valid: dict[tuple[str, bytes], SignedBy] = {}
        for line in self.lines:
            name, raw = split_line(line)
            verifier = known.get((name, raw[:_KEY_ID]))
            if verifier is not None:
                at = verifier.time_of(self.text, raw[_KEY_ID:])
                valid[name, verifier.key_id] = SignedBy(verifier, at)
        if not valid:
            raise InvalidNote("unsigned")
        return list(valid.values())

    def with_lines(self, lines: Sequence[str]) -> "Note":
        """The same note with more signatures; a line already there is not repeated."""
        return Note(self.text, (*self.lines, *(line for line in lines if line not in self.lines)))


def sign_note(text: str, signer: Signer) -> Note:
    """A note signed by the log's own key. Raises `ValueError` for a text that readers reject."""
    if not text.endswith("\n") or any(char < " " and char != "\n" for char in text):
        raise ValueError("a note's text is whole lines without control characters")
    return Note(text, (_line(signer.verifier, signer.sign(text.encode())),))


def cosign(text: str, signer: Signer, at: int) -> str:
    """A witness's signature line over a checkpoint's text, at a POSIX time."""
    signature = signer.sign(cosigned_message(text, at))
    return _line(signer.verifier, at.to_bytes(_TIME, "big") + signature)


def cosigned_message(text: str, at: int) -> bytes:
    """What a `cosignature/v1` signs."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def split_line(line: str) -> tuple[str, bytes]:
    """A signature line's key name and its bytes: key id, then signature."""
    match = _LINE.fullmatch(line)
    raw = b"" if match is None else _base64(match["signature"], "form")
    if match is None or len(raw) <= _KEY_ID:
        raise InvalidNote("form")
    return match["name"], raw


def _line(verifier: Verifier, signature: bytes) -> str:
    return f"— {verifier.name} {base64.b64encode(verifier.key_id + signature).decode()}"


def _base64(text: str, reason: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidNote(reason) from None
    if not hmac.compare_digest(base64.b64encode(raw).decode(), text):
        raise InvalidNote(reason)
    return raw
