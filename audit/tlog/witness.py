"""A witness of one log (C2SP tlog-witness): cosigns only what continues what it cosigned before.

Its state is one file, replaced and flushed before any cosignature leaves. It *is* trusted not to
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
    MAX_BYTES,
    InvalidNote,
    LocalSigner,
    Note,
    Verifier,
    cosign,
    split_line,
)
from base import clock
from base.files import write_private

MAX_BODY = MAX_BYTES + 64 * 1024
_MAX_PROOF = 63
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
    """The latest cosigned checkpoint."""

    size: int
    root: bytes
    note: str


@dataclass(frozen=True, slots=True)
class _Request:
    """A well-formed request."""

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
        self.origin_hash = sha256(origin.encode()).hexdigest()
        self._file = folder / f"{self.origin_hash}.json"

    @property
    def verifier(self) -> Verifier:
        """The public key, for others to configure."""
        return self._signer.verifier

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer `add-checkpoint`, in the specification's order. Blocks: it flushes a file."""
        try:
            return self._answer(_parse(body))
        except _Refused as refused:
            return refused.answer

    def latest(self, origin_hash: str) -> Answer:
        """Answer the monitor: the latest checkpoint of that log, cosigned."""
        state = self._state() if origin_hash == self.origin_hash else None
        if state is None:
            return Answer(404, _TEXT, b"")
        return Answer(200, _TEXT, state.note.encode())

    def _answer(self, request: _Request) -> Answer:
        # 1. The log, its signature, the sizes.
        checkpoint = self._verified_checkpoint(request.note)
        if request.old > checkpoint.size:
            raise _Refused(400)
        # 2. Under the lock, so that the state does not change between the check and the write.
        with self._locked():
            self._check(request, checkpoint)
            return self._cosign(request.note, checkpoint)

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

    def _check(self, request: _Request, checkpoint: Checkpoint) -> None:
        state = self._state()
        size, root = (0, EMPTY_ROOT) if state is None else (state.size, state.root)
        if request.old != size:
            raise _Refused(409, _SIZE, f"{size}\n")
        try:
            verify_consistency(size, checkpoint.size, root, checkpoint.root, request.proof)
        except InvalidProof:
            raise _Refused(422) from None

    def _cosign(self, note: Note, checkpoint: Checkpoint) -> Answer:
        cosignature = cosign(note.text, self._signer, int(clock.now().timestamp()))
        signed = [line for line in note.lines if _is_signed_by(line, self._log)]
        state = {
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "note": Note(note.text, (*signed, cosignature)).encode().decode(),
        }
        write_private(self._file, json.dumps(state))
        # A crash here leaves a checkpoint that is stored and not answered: when asked again with
        # its size as the old one, the witness cosigns it again.
        return Answer(200, _TEXT, f"{cosignature}\n".encode())

    def _state(self) -> _State | None:
        """Raises `ValueError` for a damaged file: a witness that lost its state cosigns nothing."""
        try:
            state = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return _State(int(state["size"]), bytes.fromhex(state["root"]), str(state["note"]))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
            finally:
                os.close(descriptor)


def _parse(body: bytes) -> _Request:
    head, separator, note = body.partition(b"\n\n")
    try:
        if not separator or len(body) > MAX_BODY:
            raise _Refused(400)
        first, *lines = head.decode("ascii").split("\n")
        old = _OLD.fullmatch(first)
        if old is None or len(lines) > _MAX_PROOF:
            raise _Refused(400)
        proof = [base64.b64decode(line, validate=True) for line in lines]
        if any(len(node) != HASH for node in proof):
            raise _Refused(400)
        return _Request(int(old[1]), proof, Note.parse(note))
    except (UnicodeDecodeError, binascii.Error, ValueError, InvalidNote):
        raise _Refused(400) from None


def _is_signed_by(line: str, verifier: Verifier) -> bool:
    """Whether a signature line, verified already, is by that key."""
    name, raw = split_line(line)
    return (name, raw[: len(verifier.key_id)]) == (verifier.name, verifier.key_id)


def _key(file: Path) -> Ed25519PrivateKey:
    """The witness's key, created at its first start. A crash leaves none, or the key."""
    if not file.exists():
        key = Ed25519PrivateKey.generate()
        write_private(file, key.private_bytes_raw().hex() + "\n")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(file.read_text().strip()))
