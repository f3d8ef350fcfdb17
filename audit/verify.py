"""Verifying a log from outside, with only what it publishes and its public key. Pure.

Each failure is one sentence that names the checkpoint, the tile or the entry it is about.
"""

import base64
import binascii
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.events import canonical, commitment
from audit.tlog.checkpoint import (
    Checkpoint,
    InvalidCheckpoint,
    Policy,
    VerifiedCheckpoint,
    verify_checkpoint,
)
from audit.tlog.merkle import (
    HASH,
    CompactRange,
    InvalidProof,
    consistency_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from audit.tlog.notes import Verifier
from audit.tlog.right_edge import cut, edge_tiles
from audit.tlog.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    InvalidTile,
    Tile,
    entries_in,
    hashes_in,
    root_of_tile,
)

Fetch = Callable[[str], bytes | None]
"""The bytes at a path below the log's prefix (`checkpoint`, `tile/…`); None when it is missing."""
Progress = Callable[[int, int], None]

CHECKPOINT = "checkpoint"
MAX_RECEIPT = 256 * 1024
_MAX_CACHED = 64
_MAX_PATH = 64

_CHECKPOINT_WORDS = {
    "form": "is not a signed checkpoint",
    "origin": "is of another log",
    "size": "has an impossible size",
    "signature": "has a signature that does not hold",
    "unsigned": "is not signed by the log's key",
    "witnesses": "is not cosigned by enough of the witnesses",
}
_TILE_WORDS = {
    "missing": "is missing",
    "width": "has not the length that its name says",
    "truncated": "is truncated",
    "hash": "is not the tile that the tree was signed with",
    "entry": "is not the entry that the tree was signed with",
}


class NotVerified(Exception):
    """Something is wrong. `subject` names it (`checkpoint`, `remembered`, `receipt`, a tile's path,
    `entry N`), `reason` is one word; as text, one sentence."""

    def __init__(self, subject: str, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.subject = subject
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Published:
    """The public checkpoint, verified."""

    raw: bytes
    verified: VerifiedCheckpoint

    @property
    def checkpoint(self) -> Checkpoint:
        return self.verified.checkpoint


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """A receipt whose event is in the tree of its checkpoint."""

    event: dict[str, Any]
    index: int
    checkpoint: Checkpoint


def check_published(fetch: Fetch, log: Verifier, policy: Policy | None = None) -> Published:
    """Check the public checkpoint: signed by the log, cosigned by enough witnesses.

    Raises `NotVerified`. The caller MUST still check that it continues the one it had before.
    """
    raw = fetch(CHECKPOINT)
    if raw is None:
        raise NotVerified(CHECKPOINT, "missing", "the log publishes no checkpoint")
    return Published(
        raw, _verified_checkpoint(raw, log, policy, CHECKPOINT, "the published checkpoint")
    )


def check_remembered(raw: bytes, log: Verifier) -> Checkpoint:
    """Check a checkpoint kept from an earlier verification. Raises `NotVerified`."""
    return _verified_checkpoint(
        raw, log, None, "remembered", "the remembered checkpoint"
    ).checkpoint


def check_continues(
    fetch: Fetch, now: Checkpoint, before: Checkpoint, *, name: str = "remembered"
) -> None:
    """Check that the tree of `now` is that of `before` with leaves added. Raises `NotVerified`."""
    if now.size < before.size:
        raise NotVerified(
            CHECKPOINT,
            "smaller",
            f"the published tree has {now.size} entries, the {name} one has {before.size}:"
            " the log shrank, or an old checkpoint is being served",
        )
    if before.size in {0, now.size}:
        proof: list[bytes] = []
    else:
        proof = consistency_proof(before.size, now.size, AuthenticTiles(fetch, now).read)
    try:
        verify_consistency(before.size, now.size, before.root, now.root, proof)
    except InvalidProof:
        raise NotVerified(
            CHECKPOINT,
            "forked",
            f"the published tree of {now.size} entries does not continue the {name} one"
            f" of {before.size}: the log was forked",
        ) from None


def check_receipt(raw: bytes, log: Verifier, policy: Policy | None = None) -> InclusionReceipt:
    """Check a receipt by itself: no network, only the log's key. Raises `NotVerified`.

    The caller MAY also check that its checkpoint is of the tree that everyone sees.
    """
    # 1. Its form.
    values = _receipt_values(raw)
    # 2. The event is the one committed to.
    committed = _bytes_of(values, "commitment", HASH)
    if not hmac.compare_digest(
        commitment(_bytes_of(values, "k_event", HASH), values["encoded"]), committed
    ):
        raise NotVerified(
            "receipt",
            "event",
            "the receipt's event is not the one that was recorded: it was edited",
        )
    # 3. Its checkpoint is the log's.
    note = str(values["checkpoint"]).encode()
    verified = _verified_checkpoint(note, log, policy, "receipt", "the receipt's checkpoint")
    # 4. Its leaf is in that tree.
    path = [_decoded(item) for item in values["inclusion"]]
    leaf = leaf_hash(committed + _bytes_of(values, "sealed_sha256", HASH))
    tree = verified.checkpoint
    try:
        verify_inclusion(leaf, values["index"], tree.size, path, tree.root)
    except InvalidProof:
        raise NotVerified(
            "receipt",
            "inclusion",
            f"the receipt does not prove that its event is entry {values['index']} of the log",
        ) from None
    return InclusionReceipt(values["event"], values["index"], tree)


def check_whole(fetch: Fetch, checkpoint: Checkpoint, progress: Progress) -> None:
    """Check every tile and every entry of the tree, in constant memory. Raises `NotVerified`.

    Calls `progress(entries checked, total)` on the way.
    """
    tiles = AuthenticTiles(fetch, checkpoint)
    total = checkpoint.size
    for start in range(0, total, WIDTH):
        tile = Tile(0, start // WIDTH, min(WIDTH, total - start))
        hashes = tiles.hashes(tile)
        entries = _read_entries(fetch, _bundle_of(tile))
        for at, (entry, expected) in enumerate(zip(entries, hashes, strict=True), start):
            if leaf_hash(entry) != expected:
                raise NotVerified(
                    f"entry {at}",
                    "entry",
                    f"entry {at} ({_bundle_of(tile).path}) {_TILE_WORDS['entry']}",
                )
        progress(start + tile.width, total)


class AuthenticTiles:
    """The tiles of a tree, each checked against the one above it, and the top against the root.

    Raises `NotVerified` naming the first tile that is not the one the tree was signed with.
    """

    def __init__(self, fetch: Fetch, checkpoint: Checkpoint) -> None:
        self._fetch = fetch
        self._size = checkpoint.size
        self._edge = {
            tile: self._read(tile) for tile in edge_tiles(checkpoint.size) if tile.level != ENTRIES
        }
        self._cache: OrderedDict[Tile, list[bytes]] = OrderedDict()
        if self._root() != checkpoint.root:
            raise self._root_failure()

    def hashes(self, tile: Tile) -> list[bytes]:
        """A tile's hashes, checked."""
        if tile in self._edge:
            return self._edge[tile]
        cached = self._cache.get(tile)
        if cached is None:
            above = self.hashes(self._tile(tile.level + 1, tile.index // WIDTH))
            cached = self._read(tile)
            if root_of_tile(cached) != above[tile.index % WIDTH]:
                raise _tile_failure(InvalidTile(tile.path, "hash"))
            self._cache[tile] = cached
            while len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)
        return cached

    def read(self, level: int, index: int) -> bytes:
        """A `merkle.HashReader`."""
        tile_level, inner = divmod(level, HEIGHT)
        first = index << inner
        hashes = self.hashes(self._tile(tile_level, first // WIDTH))
        return _subtree_root(hashes[first % WIDTH : first % WIDTH + (1 << inner)])

    def _tile(self, level: int, index: int) -> Tile:
        width = (self._size >> (HEIGHT * level)) - index * WIDTH
        return Tile(level, index, min(width, WIDTH))

    def _read(self, tile: Tile) -> list[bytes]:
        try:
            return hashes_in(tile, _tile_bytes(self._fetch, tile))
        except InvalidTile as broken:
            failure = _tile_failure(broken)
        raise failure

    def _root(self) -> bytes:
        """From the partial tiles alone: each holds the subtrees of its own bits of the size."""
        parts: list[bytes] = []
        for tile in sorted(self._edge, key=lambda tile: -tile.level):
            parts += _subtrees(self._edge[tile])
        return CompactRange(self._size, parts).root()

    def _root_failure(self) -> NotVerified:
        """Which partial tile does not match what is below it; if none, the checkpoint."""
        for tile in self._edge:
            for at, expected in enumerate(self._below(tile)):
                if expected != self._edge[tile][at]:
                    return _tile_failure(InvalidTile(tile.path, "hash"))
        return NotVerified(
            CHECKPOINT,
            "root",
            f"the tiles give another tree of {self._size} entries than the checkpoint was signed"
            " for: they are stale, or the log was forked",
        )

    def _below(self, tile: Tile) -> Iterator[bytes]:
        """What a partial tile's hashes should be, from the entries or the tiles below it."""
        if tile.level == 0:
            entries = _read_entries(self._fetch, _bundle_of(tile))
            yield from (leaf_hash(entry) for entry in entries)
            return
        for at in range(tile.width):
            yield root_of_tile(self._read(Tile(tile.level - 1, tile.index * WIDTH + at)))


def _subtrees(hashes: list[bytes]) -> list[bytes]:
    """The largest complete subtrees of a partial tile, left to right."""
    roots, at = [], 0
    while at < len(hashes):
        width = 1 << (len(hashes) - at).bit_length() - 1
        roots.append(_subtree_root(hashes[at : at + width]))
        at += width
    return roots


def _subtree_root(hashes: list[bytes]) -> bytes:
    """The root of a complete subtree of 1, 2, 4… hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def _bundle_of(tile: Tile) -> Tile:
    return Tile(ENTRIES, tile.index, tile.width)


def _tile_bytes(fetch: Fetch, tile: Tile) -> bytes:
    """A tile's bytes, or its part of the full tile's. Raises `InvalidTile`."""
    data = fetch(tile.path)
    if data is None and tile.width < WIDTH:
        full = fetch(tile.full.path)
        data = None if full is None else cut(full, tile)
    if data is None:
        raise InvalidTile(tile.path, "missing")
    return data


def _read_entries(fetch: Fetch, bundle: Tile) -> list[bytes]:
    try:
        return entries_in(bundle, _tile_bytes(fetch, bundle))
    except InvalidTile as broken:
        failure = _tile_failure(broken)
    raise failure


def _tile_failure(broken: InvalidTile) -> NotVerified:
    words = _TILE_WORDS.get(broken.reason, broken.reason)
    return NotVerified(broken.path, broken.reason, f"{broken.path} {words}")


def _verified_checkpoint(
    raw: bytes, log: Verifier, policy: Policy | None, subject: str, name: str
) -> VerifiedCheckpoint:
    try:
        return verify_checkpoint(raw, log, policy)
    except InvalidCheckpoint as broken:
        words = _CHECKPOINT_WORDS[broken.reason]
        failure = NotVerified(subject, broken.reason, f"{name} {words}")
    raise failure


def _receipt_values(raw: bytes) -> dict[str, Any]:
    """A receipt's values, their form checked; `encoded` is its event in canonical form."""
    if len(raw) > MAX_RECEIPT:
        raise _malformed()
    try:
        values = json.loads(raw)
        encoded = canonical(values["event"])
        values["checkpoint"].encode()
        well_formed = isinstance(values["event"], dict) and type(values["index"]) is int
        well_formed = well_formed and isinstance(values["inclusion"], list)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _malformed() from None
    if not well_formed or len(values["inclusion"]) > _MAX_PATH:
        raise _malformed()
    return {**values, "encoded": encoded}


def _bytes_of(values: dict[str, Any], name: str, length: int) -> bytes:
    raw = _decoded(values.get(name))
    if len(raw) != length:
        raise _malformed()
    return raw


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed() from None


def _malformed() -> NotVerified:
    return NotVerified("receipt", "form", "the receipt is not a receipt of a log: it is damaged")
