"""A second verifier of the public log, written from `docs/formats/log.md` alone: none of our code.

python second_verifier.py VKEY RECEIPT
"""

import base64
import hmac
import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Tree = tuple[int, bytes]


class Wrong(Exception):
    """The input is wrong; the message is one word."""


def check(condition: object, word: str) -> None:
    if not condition:
        raise Wrong(word)


def b64(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    check(base64.b64encode(raw).decode() == text, "base64")
    return raw


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def key(vkey: str) -> tuple[str, bytes, int, bytes]:
    """Name, id, type and public key."""
    name, identity, rest = vkey.strip().split("+", 2)
    material = b64(rest)
    known = sha256(name.encode() + b"\n" + material).digest()[:4]
    check(name and known.hex() == identity and len(material) == 33, "key")
    return name, known, material[0], material[1:]


def holds(text: str, kind: int, public: bytes, signature: bytes) -> bool:
    signed = text.encode()
    if kind == 4:
        at, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        signed = f"cosignature/v1\ntime {at}\n".encode() + signed
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def checkpoint(note: str, log: str, witnesses: list[str] = [], needed: int = 0) -> Tree:  # noqa: B006  (never changed)
    """The size and root of a checkpoint, once its signatures are verified."""
    text, _, block = note.rpartition("\n\n")
    text += "\n"
    check(block.endswith("\n") and not re.search(r"[\x00-\x09\x0b-\x1f]", note), "note")
    known = {verifier[:2]: verifier for verifier in map(key, [log, *witnesses])}
    seen = set()
    for line in block[:-1].split("\n"):
        shape = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
        check(shape, "note")
        assert shape
        raw = b64(shape[2])
        if (shape[1], raw[:4]) in known:
            name, _, kind, public = known[shape[1], raw[:4]]
            check(holds(text, kind, public, raw[4:]), "signature")
            seen.add(name)
    origin, size, root, *_ = text.split("\n")
    check(origin == key(log)[0] and origin in seen, "log")
    check(len(seen) - 1 >= needed, "witnesses")
    check(re.fullmatch(r"0|[1-9][0-9]*", size) and len(b64(root)) == 32, "checkpoint")
    return int(size), b64(root)


def included(leaf: bytes, index: int, tree: Tree, proof: list[bytes]) -> None:
    f, s, r = index, tree[0] - 1, leaf
    check(0 <= index < tree[0], "inclusion")
    for p in proof:
        check(s, "inclusion")
        if f % 2 or f == s:
            r = node(p, r)
            while f and f % 2 == 0:
                f, s = f // 2, s // 2
        else:
            r = node(r, p)
        f, s = f // 2, s // 2
    check(s == 0 and r == tree[1], "inclusion")


def continues(old: Tree, new: Tree, proof: list[bytes]) -> None:
    check(old[0] <= new[0], "smaller")
    if old[0] in {0, new[0]}:
        check(not proof and (old[0] == 0 or old[1] == new[1]), "fork")
        return
    path = [old[1], *proof] if old[0] & (old[0] - 1) == 0 else proof
    check(path, "fork")
    f, s = old[0] - 1, new[0] - 1
    while f % 2:
        f, s = f // 2, s // 2
    a = b = path[0]
    for p in path[1:]:
        check(s, "fork")
        if f % 2 or f == s:
            a, b = node(p, a), node(p, b)
            while f and f % 2 == 0:
                f, s = f // 2, s // 2
        else:
            b = node(b, p)
        f, s = f // 2, s // 2
    check(s == 0 and (a, b) == (old[1], new[1]), "fork")


def receipt(proof: dict[str, Any], log: str, witnesses: list[str] = [], needed: int = 0) -> Tree:  # noqa: B006  (as above)
    """The tree that proves a receipt."""
    tree = checkpoint(proof["checkpoint"], log, witnesses, needed)
    canonical = json.dumps(
        proof["event"], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    commitment = b64(proof["commitment"])
    check(hmac.digest(b64(proof["k_event"]), canonical, sha256) == commitment, "event")
    leaf = sha256(b"\x00" + commitment + b64(proof["sealed_sha256"])).digest()
    included(leaf, proof["index"], tree, [b64(sibling) for sibling in proof["inclusion"]])
    return tree


def root(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root(hashes[:k]), root(hashes[k:]))


def named(level: object, index: int, width: int) -> str:
    digits = f"{index:0{-(-len(str(index)) // 3) * 3}}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


def whole(folder: Path, log: str) -> Tree:
    """Verify every entry and tile of a log, in a folder with the paths that are served."""
    tree = checkpoint((folder / "checkpoint").read_text(), log)
    leaves: list[bytes] = []
    for first in range(0, tree[0], 256):
        path = named("entries", first // 256, min(256, tree[0] - first))
        data, at = (folder / path).read_bytes(), 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            check(end - at == 66 and end <= len(data), path)
            leaves.append(sha256(b"\x00" + data[at + 2 : end]).digest())
            at = end
        check(len(leaves) == min(first + 256, tree[0]), path)
    level, hashes = 0, leaves
    while hashes:
        for first in range(0, len(hashes), 256):
            part = hashes[first : first + 256]
            path = named(level, first // 256, len(part))
            check((folder / path).read_bytes() == b"".join(part), path)
        full = range(0, len(hashes) - 255, 256)
        level, hashes = level + 1, [root(hashes[first : first + 256]) for first in full]
    check(root(leaves) == tree[1], "root")
    return tree


if __name__ == "__main__":
    size, _ = receipt(json.loads(Path(sys.argv[2]).read_text()), sys.argv[1])
    print(f"holds, in a tree of {size} leaves")
