"""Checkpoints (C2SP tlog-checkpoint): a log's name, size and root, as a signed note. Pure."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from audit.tlog.merkle import EMPTY_ROOT, HASH
from audit.tlog.notes import COSIGNATURE, InvalidNote, Note, Signer, Verifier, sign_note

_SIZE_LIMIT = 1 << 62


class InvalidCheckpoint(Exception):
    """Not a valid checkpoint of this log. `reason` is one word of a closed list:
    `form`, `origin`, `size`, `signature`, `unsigned`, `witnesses`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The log `origin` had `size` leaves under `root`."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note's text: three lines, no extension."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def of_text(cls, text: str) -> "Checkpoint":
        """Read a note's text; extension lines are ignored. Raises `InvalidCheckpoint`."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not all(lines):
            raise InvalidCheckpoint("form")
        origin, size, encoded = lines[:3]
        if not size.isascii() or not size.isdecimal() or str(int(size[:20])) != size:
            raise InvalidCheckpoint("size")
        try:
            root = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidCheckpoint("form") from None
        if len(root) != HASH or base64.b64encode(root).decode() != encoded:
            raise InvalidCheckpoint("form")
        if int(size) >= _SIZE_LIMIT or (int(size) == 0 and root != EMPTY_ROOT):
            raise InvalidCheckpoint("size")
        return cls(origin, int(size), root)


@dataclass(frozen=True, slots=True)
class Policy:
    """How many of these witnesses must have cosigned; with 0, the log's signature suffices."""

    witnesses: tuple[Verifier, ...] = ()
    needed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.needed <= len(self.witnesses):
            raise ValueError("more witnesses are needed than there are")
        if any(witness.type != COSIGNATURE for witness in self.witnesses):
            raise ValueError("a witness is known by a cosignature key")
        # One organisation under two names, or one name with two keys, must not count twice.
        for field in ("name", "public_key"):
            if len({getattr(one, field) for one in self.witnesses}) != len(self.witnesses):
                raise ValueError("a witness is there twice")


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """A valid checkpoint, and the witnesses that cosigned it with their POSIX times."""

    checkpoint: Checkpoint
    witnesses: dict[str, int]


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> Note:
    """A checkpoint signed by the log. The caller MUST ensure that it continues all earlier ones."""
    return sign_note(checkpoint.text(), signer)


def verify_checkpoint(
    raw: bytes, log: Verifier, policy: Policy | None = None
) -> VerifiedCheckpoint:
    """Read a checkpoint and check, in order: form; origin and the log's signature; witnesses.

    Raises `InvalidCheckpoint`. The caller MUST still check that it continues the one it had before.
    """
    policy = policy or Policy()
    note = _note(raw)
    # 1. The form, and that it is of this log.
    checkpoint = Checkpoint.of_text(note.text)
    if checkpoint.origin != log.name:
        raise InvalidCheckpoint("origin")
    # 2. Every signature by a key we trust is valid, and the log's is present.
    try:
        signed = note.verified([log, *policy.witnesses])
    except InvalidNote as broken:
        raise InvalidCheckpoint(broken.reason) from None
    if not any(signature.verifier == log for signature in signed):
        raise InvalidCheckpoint("unsigned")
    # 3. Enough witnesses, each counted once.
    cosigned = {
        signature.verifier.name: signature.at
        for signature in signed
        if signature.at is not None and signature.verifier in policy.witnesses
    }
    if len(cosigned) < policy.needed:
        raise InvalidCheckpoint("witnesses")
    return VerifiedCheckpoint(checkpoint, cosigned)


def cosignatures_in(lines: Sequence[str], text: str, trusted: Iterable[Verifier]) -> list[str]:
    """The lines of a witness's answer that are valid under a trusted key; others are dropped.

    Raises `InvalidCheckpoint` when none is.
    """
    valid = []
    for line in lines:
        try:
            Note(text, (line,)).verified(trusted)
        except InvalidNote:
            continue
        valid.append(line)
    if not valid:
        raise InvalidCheckpoint("signature")
    return valid


def _note(raw: bytes) -> Note:
    try:
        return Note.parse(raw)
    except InvalidNote as broken:
        raise InvalidCheckpoint("size" if broken.reason == "size" else "form") from None
