"""The note of erasures: a mark of each erased vault, signed by the log's key, kept elsewhere. Pure.

A signed note (C2SP signed-note), an empty line, then the marks, one a line, sorted: nothing tells
in what order they were erased, and only who has a vault's id knows its mark.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from audit.tlog.notes import InvalidNote, Note, Signer, Verifier, sign_note

_FORMAT = "unefois/erased/v1"
_HEX = 64
_LINES = 5
MAX_BYTES = 64 * 1024 * 1024
"""About a million marks."""


class InvalidErasureNote(ValueError):
    """Not a whole note of erasures, or not of this installation. Says which, for an operator."""


@dataclass(frozen=True, slots=True)
class ErasureNote:
    """Erasures as of `made_at` (RFC 3339); `signed` is not verified yet."""

    made_at: str
    marks: frozenset[bytes]
    signed: Note

    def check(self, log: Verifier) -> None:
        """Raise `InvalidErasureNote` unless the log's key signed it."""
        try:
            self.signed.verified([log])
        except InvalidNote:
            raise InvalidErasureNote(
                f"the note of erasures is not signed by the log of this database ({log.name}):"
                " nothing was erased"
            ) from None


def mark(person_id: UUID) -> bytes:
    """What stays of an erased vault: 74 random bits of its id are in it, so nobody guesses it."""
    return sha256(f"{_FORMAT}|".encode() + person_id.bytes).digest()


def encode(marks: Iterable[bytes], made_at: str, signer: Signer) -> bytes:
    """The note as a file."""
    lines = _lines(marks)
    count = lines.count(b"\n")
    head = [_FORMAT, signer.verifier.name, made_at, str(count), sha256(lines).hexdigest()]
    return sign_note("".join(f"{line}\n" for line in head), signer).encode() + b"\n" + lines


def read(raw: bytes) -> ErasureNote:
    """Read a file strictly. Raises `InvalidErasureNote`; the signature is for `check`."""
    if len(raw) > MAX_BYTES:
        raise InvalidErasureNote("the note of erasures is too long")
    text, _, rest = raw.partition(b"\n\n")
    signatures, parted, lines = rest.partition(b"\n\n")
    try:
        note = Note.parse(text + b"\n\n" + signatures + b"\n")
        head = note.text.splitlines()
        if not parted or len(head) != _LINES or head[0] != _FORMAT:
            raise InvalidErasureNote("this is not a note of erasures")
        marks = frozenset(bytes.fromhex(line) for line in lines.decode("ascii").splitlines())
    except (InvalidNote, ValueError) as error:
        if isinstance(error, InvalidErasureNote):
            raise
        raise InvalidErasureNote("this is not a note of erasures") from None
    whole = hmac.compare_digest(sha256(lines).hexdigest(), head[4]) and _lines(marks) == lines
    if not whole or str(len(marks)) != head[3]:
        raise InvalidErasureNote("the note of erasures was cut or changed")
    return ErasureNote(head[2], marks, note)


def _lines(marks: Iterable[bytes]) -> bytes:
    return "".join(f"{one}\n" for one in sorted(mark.hex() for mark in marks)).encode()
