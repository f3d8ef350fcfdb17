"""A witness of one log (C2SP tlog-witness): it cosigns what continues what it cosigned before.

Its state is one file, replaced and flushed before any cosignature leaves. It *is* trusted: not to
cosign two histories. It is *not* trusted with anything else, and can at most refuse to answer.
"""

import base64
import binascii
import fcntl
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog.checkpoint import Checkpoint, InvalidCheckpoint
from audit.tlog.merkle import EMPTY_ROOT, HASH, InvalidProof, verify_consistency
from audit.tlog.notes import (
    COSIGNATURE,
    MOST_BYTES,
    InvalidNote,
    LocalSigner,
    Note,
    Verifier,
    cosign,
    split_line,
)
from base import clock
from base.files import write_private

MOST_BODY = MOST_BYTES + 64 * 1024
_MOST_PROOF = 63
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = "text/x.tlog.size"
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, content type and body of an HTTP answer."""

    status: int
    type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _State:
    """The latest checkpoint cosigned."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that is well-formed."""

    old: int
    proof: list[bytes]
    note: Note


class _Refused(Exception):
    def __init__(self, status: int, type_: str = _TEXT, body: str = "") -> None:
        super().__init__(status)
        self.answer = Answer(status, type_, body.encode())


class Witness:
    """One witness, for one log. Several processes may share its folder."""

    def __init__(self, folder: Path, name: str, log: Verifier, origin: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._log = log
        self._origin = origin
        self._lock = threading.Lock()
        self._signer = LocalSigner(name, _key(folder / "witness.key"), COSIGNATURE)
        origin_hash = sha256(origin.encode()).hexdigest()
        self._file = folder / f"{origin_hash}.json"
        self.monitored = origin_hash

    @property
    def verifier(self) -> Verifier:
        """What others configure."""
        return self._signer.verifier

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer `add-checkpoint`, in the specification's order. Blocks: it flushes a file."""
        try:
            return self._answer(_parsed(body))
        except _Refused as refused:
            return refused.answer

    def latest(self, origin_hash: str) -> Answer:
        """Answer the monitor: the latest checkpoint of that log, cosigned."""
        state = self._state() if origin_hash == self.monitored else None
        if state is None:
            return Answer(404, _TEXT, b"")
        return Answer(200, _TEXT, state.note.encode())

    def _answer(self, asked: _Asked) -> Answer:
        # 1. The log, its signature, the sizes.
        checkpoint = self._verified_checkpoint(asked.note)
        if asked.old > checkpoint.size:
            raise _Refused(400)
        # 2. What is compared with and what is kept are one: nobody comes in between.
        with self._alone():
            self._check(asked, checkpoint)
            return self._cosigned(asked.note, checkpoint)

    def _verified_checkpoint(self, note: Note) -> Checkpoint:
        lines = note.text.split("\n")
        if lines[0] != self._origin:
            raise _Refused(404)
        try:
            note.verified([self._log])
        except InvalidNote:
            raise _Refused(403) from None
        empty = base64.b64encode(EMPTY_ROOT).decode()
        if len(lines) > 3 and lines[1] == "0" and lines[2] != empty:
            raise _Refused(422)
        try:
            return Checkpoint.of_text(note.text)
        except InvalidCheckpoint:
            raise _Refused(400) from None

    def _check(self, asked: _Asked, checkpoint: Checkpoint) -> None:
        state = self._state()
        size, root = (0, EMPTY_ROOT) if state is None else (state.size, state.root)
        if asked.old != size:
            raise _Refused(409, _SIZE, f"{size}\n")
        try:
            verify_consistency(size, checkpoint.size, root, checkpoint.root, asked.proof)
        except InvalidProof:
            raise _Refused(422) from None

    def _cosigned(self, note: Note, checkpoint: Checkpoint) -> Answer:
        line = cosign(note.text, self._signer, int(clock.now().timestamp()))
        signed = [one for one in note.lines if _by(one, self._log)]
        kept = {
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "note": Note(note.text, (*signed, line)).encode().decode(),
        }
        write_private(self._file, json.dumps(kept))
        # A crash here leaves a checkpoint that is kept and not answered: asked again with its own
        # size as the old one, it is cosigned anew.
        return Answer(200, _TEXT, f"{line}\n".encode())

    def _state(self) -> _State | None:
        """Raises `ValueError` when the file is damaged: a witness that forgot cosigns nothing."""
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return _State(int(kept["size"]), bytes.fromhex(kept["root"]), str(kept["note"]))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)


def _parsed(body: bytes) -> _Asked:
    head, separator, note = body.partition(b"\n\n")
    try:
        if not separator or len(body) > MOST_BODY:
            raise _Refused(400)
        first, *lines = head.decode("ascii").split("\n")
        old = _OLD.fullmatch(first)
        if old is None or len(lines) > _MOST_PROOF:
            raise _Refused(400)
        proof = [base64.b64decode(line, validate=True) for line in lines]
        if any(len(one) != HASH for one in proof):
            raise _Refused(400)
        return _Asked(int(old[1]), proof, Note.parse(note))
    except (UnicodeDecodeError, binascii.Error, ValueError, InvalidNote):
        raise _Refused(400) from None


def _by(line: str, verifier: Verifier) -> bool:
    """Whether a signature line, verified already, is of that key."""
    name, raw = split_line(line)
    return (name, raw[: len(verifier.key_id)]) == (verifier.name, verifier.key_id)


def _key(file: Path) -> Ed25519PrivateKey:
    """The witness's key: made at its first start. A crash leaves none, or the key."""
    if not file.exists():
        made = Ed25519PrivateKey.generate()
        write_private(file, made.private_bytes_raw().hex() + "\n")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read_text().strip()))
