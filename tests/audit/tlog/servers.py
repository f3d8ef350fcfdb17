"""A small log in the layout that is served, made by the pure modules alone."""

import base64
import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog import merkle
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint
from audit.tlog.merkle import leaf_hash
from audit.tlog.notes import COSIGNATURE, LocalSigner, cosign
from audit.tlog.tiles import ENTRIES, WIDTH, TileReader, bundle, tiles_of

ORIGIN = "log.example/one"
AT = 1_700_000_000


def entry(index: int) -> bytes:
    """A leaf entry: a commitment and the hash of a sealed event."""
    return sha256(b"commitment %d" % index).digest() + sha256(b"sealed %d" % index).digest()


@dataclass(slots=True)
class Served:
    """A log's keys and entries, and the folders that it was written to."""

    log: LocalSigner = field(
        default_factory=lambda: LocalSigner(ORIGIN, Ed25519PrivateKey.generate())
    )
    witness: LocalSigner = field(
        default_factory=lambda: LocalSigner(
            "witness.example/w1", Ed25519PrivateKey.generate(), COSIGNATURE
        )
    )
    entries: list[bytes] = field(default_factory=list)
    _levels: list[list[bytes]] = field(default_factory=list)

    def grow(self, size: int) -> None:
        """Add entries up to a size, and the hash of every complete subtree."""
        self.entries = [entry(index) for index in range(size)]
        self._hash()

    def put(self, index: int, one: bytes) -> None:
        """Replace the entry at an index."""
        self.entries[index] = one
        self._hash()

    def _hash(self) -> None:
        self._levels = [[leaf_hash(one) for one in self.entries]]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = range(0, len(below) - 1, 2)
            self._levels.append([merkle.node_hash(below[at], below[at + 1]) for at in pairs])

    def read(self, level: int, index: int) -> bytes:
        """A `merkle.HashReader`."""
        return self._levels[level][index]

    def root(self, size: int) -> bytes:
        """The root at a size."""
        return merkle.compact_range(size, self.read).root()

    def write(self, folder: Path, size: int) -> Path:
        """Write the log as it is served at a size, with its proofs in `proofs.json`."""
        checkpoint = Checkpoint(self.log.verifier.name, size, self.root(size))
        note = sign_checkpoint(checkpoint, self.log)
        note = note.with_lines([cosign(note.text, self.witness, AT)])
        _put(folder / "checkpoint", note.encode())
        keys = (self.log.verifier.vkey, self.witness.verifier.vkey)
        _put(folder / "vkey", "".join(f"{one}\n" for one in keys).encode())
        for tile in tiles_of(size):
            first = tile.index * WIDTH
            if tile.level == ENTRIES:
                data = bundle(self.entries[first : first + tile.width])
            else:
                data = b"".join(self._levels[8 * tile.level][first : first + tile.width])
            _put(folder / tile.path, data)
        _put(folder / "proofs.json", json.dumps(self._proofs(folder, size)).encode())
        return folder

    def _proofs(self, folder: Path, size: int) -> dict[str, Any]:
        """Proofs read from the tiles, as the service makes them."""
        read = TileReader(size, lambda tile: (folder / tile.path).read_bytes()).read
        picked = sorted({0, 1, size // 3, size // 2, size - 1} & set(range(size)))
        older = sorted({1, size // 3, size // 2, 255, 256, 257, size - 1, size})
        return {
            "inclusion": [
                {
                    "index": index,
                    "leaf": _text(leaf_hash(self.entries[index])),
                    "proof": [_text(one) for one in merkle.inclusion_proof(index, size, read)],
                }
                for index in picked
            ],
            "consistency": [
                {
                    "size": first,
                    "root": _text(self.root(first)),
                    "proof": [_text(one) for one in merkle.consistency_proof(first, size, read)],
                }
                for first in older
                if 1 <= first <= size
            ],
        }


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
