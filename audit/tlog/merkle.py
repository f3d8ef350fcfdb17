"""Merkle trees, RFC 6962 §2.1: hashes, compact ranges, inclusion and consistency proofs. Pure.

A tree is known by its size (in leaves) and its root (32 bytes). A *hash reader* gives the hash of
any complete subtree: `read(level, index)` covers leaves `[index << level, (index + 1) << level)`.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

HASH = 32
EMPTY_ROOT = sha256(b"").digest()

HashReader = Callable[[int, int], bytes]


class InvalidProof(Exception):
    """A proof that does not prove what it claims."""


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class CompactRange:
    """The right edge of a tree: enough to append to it and to compute its root.

    `hashes` are the roots of the largest complete subtrees, left to right: one per bit of `size`.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len(self.hashes) != self.size.bit_count() or any(len(h) != HASH for h in self.hashes):
            raise ValueError("a compact range has one hash a bit of its size")

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add one leaf hash; returns the subtrees it completes, as `(level, index, hash)`."""
        completed = [(0, self.size, leaf)]
        level, index, current = 0, self.size, leaf
        while index & 1:
            current = node_hash(self.hashes.pop(), current)
            level, index = level + 1, index >> 1
            completed.append((level, index, current))
        self.hashes.append(current)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.hashes:
            return EMPTY_ROOT
        current = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            current = node_hash(left, current)
        return current

    def copy(self) -> "CompactRange":
        """An independent copy."""
        return CompactRange(self.size, list(self.hashes))


def compact_range(size: int, read: HashReader) -> CompactRange:
    """The right edge of a tree of `size` leaves, read from its stored hashes."""
    return CompactRange(size, [read(level, index) for level, index in _subtrees(0, size)])


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes, in constant memory."""
    edge = CompactRange()
    for leaf in leaves:
        edge.append(leaf)
    return edge.root()


def inclusion_proof(index: int, size: int, read: HashReader) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise IndexError("no such leaf in that tree")
    return list(_path(index, 0, size, read))


def consistency_proof(first: int, second: int, read: HashReader) -> list[bytes]:
    """The proof that the tree of `second` leaves continues that of `first` (RFC 6962 §2.1.2)."""
    if not 0 <= first <= second:
        raise IndexError("the first tree is not smaller")
    if first in {0, second}:
        return []
    return list(_subproof(first, 0, second, True, read))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check an audit path (RFC 9162 §2.1.3.2). Raises `InvalidProof`."""
    if not 0 <= index < size or any(len(node) != HASH for node in proof):
        raise InvalidProof("inclusion")
    at, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InvalidProof("inclusion")
        if at & 1 or at == last:
            current = node_hash(sibling, current)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        at, last = at >> 1, last >> 1
    if last or not hmac.compare_digest(current, root):
        raise InvalidProof("inclusion")


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the second tree continues the first (RFC 9162 §2.1.4.2). Raises `InvalidProof`."""
    if not 0 <= first <= second or any(len(node) != HASH for node in proof):
        raise InvalidProof("consistency")
    if first in {0, second}:
        same = first == 0 or hmac.compare_digest(first_root, second_root)
        if proof or not same or (first == 0 and first_root != EMPTY_ROOT):
            raise InvalidProof("consistency")
        return
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        raise InvalidProof("consistency")
    old, new = _both_roots(first - 1, second - 1, path)
    if not (hmac.compare_digest(old, first_root) and hmac.compare_digest(new, second_root)):
        raise InvalidProof("consistency")


def _both_roots(at: int, last: int, path: list[bytes]) -> tuple[bytes, bytes]:
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            raise InvalidProof("consistency")
        if at & 1 or at == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, node)
        at, last = at >> 1, last >> 1
    if last:
        raise InvalidProof("consistency")
    return old, new


def _subtrees(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The largest complete subtrees of `[start, stop)`, left to right. `start` must be aligned to
    every power of two below its length, as are the halves into which RFC 6962 splits a tree."""
    while start < stop:
        level = (stop - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _hash_of(start: int, stop: int, read: HashReader) -> bytes:
    """The hash of the leaves `[start, stop)`, complete or not."""
    parts = [read(level, index) for level, index in _subtrees(start, stop)]
    return CompactRange(stop - start, parts).root()


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def _path(index: int, start: int, stop: int, read: HashReader) -> Iterator[bytes]:
    if stop - start == 1:
        return
    middle = start + _split(stop - start)
    if index < middle:
        yield from _path(index, start, middle, read)
        yield _hash_of(middle, stop, read)
    else:
        yield from _path(index, middle, stop, read)
        yield _hash_of(start, middle, read)


def _subproof(first: int, start: int, stop: int, whole: bool, read: HashReader) -> Iterator[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2, over `[start, stop)`; `first` counts from `start`."""
    if first == stop - start:
        if not whole:
            yield _hash_of(start, stop, read)
        return
    half = _split(stop - start)
    if first <= half:
        yield from _subproof(first, start, start + half, whole, read)
        yield _hash_of(start + half, stop, read)
    else:
        yield from _subproof(first - half, start + half, stop, False, read)
        yield _hash_of(start, start + half, read)
