"""Whether a file is an export as its installation made it: each file there, with its hash. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from vault.consent.signed_receipts import MAX_KEYS
from vault.exports.manifest import MAX_MANIFEST, PATH, ListedFile, Manifest, verify
from vault.exports.zip_reader import FoundEntry, NotOurs, Wrong, ZipReader

KEYS = "reçus/keys.json"
"""The public keys of who made it, for whoever has none of their own: they prove that nothing was
changed since by somebody else than who wrote all of it."""


class Amiss(StrEnum):
    """What is wrong with a file of an export."""

    MISSING = "missing"
    ADDED = "added"
    """It is there and not listed."""
    ALTERED = "altered"


class NotAsMade(Exception):
    """An export of which a file is not as it was made: `path`, and what is `amiss`."""

    def __init__(self, path: str, amiss: Amiss) -> None:
        super().__init__(amiss)
        self.path = path
        self.amiss = amiss


def read_manifest(zipped: ZipReader, keys: bytes | None = None) -> Manifest:
    """The manifest, by these keys, or by those that the export brings along. Raises `NotOurs`
    where there is none, `NotGenuine`, `InvalidManifest`; `NotAsMade` for a file that is missing or
    was added."""
    entries = {entry.path: entry for entry in zipped.entries}
    raw = _read(zipped, entries, PATH, MAX_MANIFEST)
    found = verify(raw, _read(zipped, entries, KEYS, MAX_KEYS) if keys is None else keys)
    listed = {file.path for file in found.files}
    for path in sorted(listed ^ (entries.keys() - {PATH})):
        raise NotAsMade(path, Amiss.MISSING if path in listed else Amiss.ADDED)
    return found


def check_file(zipped: ZipReader, entry: FoundEntry, listed: ListedFile) -> None:
    """Read a file whole. Raises `NotAsMade` unless its bytes are those that the manifest lists."""
    digest = sha256()
    try:
        for data in zipped.read(entry):
            digest.update(data)
    except NotOurs:
        raise NotAsMade(listed.path, Amiss.ALTERED) from None
    if entry.size != listed.size or digest.hexdigest() != listed.digest:
        raise NotAsMade(listed.path, Amiss.ALTERED)


def check_all(zipped: ZipReader, keys: bytes | None = None) -> Manifest:
    """The manifest of an export of which each file was read and compared. Raises as the two
    above."""
    found = read_manifest(zipped, keys)
    entries = {entry.path: entry for entry in zipped.entries}
    for file in found.files:
        check_file(zipped, entries[file.path], file)
    return found


def _read(zipped: ZipReader, entries: Mapping[str, FoundEntry], path: str, limit: int) -> bytes:
    entry = entries.get(path)
    if entry is None:
        raise NotOurs(Wrong.UNKNOWN)
    if entry.size > limit:
        raise NotOurs(Wrong.TOO_LARGE)
    return b"".join(zipped.read(entry))
