"""Whether a file is an export as its installation made it: each file there, with its hash; each
receipt signed; each line of the log proved. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from audit.tlog.notes import Verifier
from audit.verify import MAX_RECEIPT as MAX_LINE
from audit.verify import NotVerified, check_receipt
from vault.consent.signed_receipts import MAX_KEYS, MAX_RECEIPT, NotGenuine, verified
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
    UNSIGNED = "not signed by these keys"
    """A receipt."""
    UNPROVED = "not proved by this log"
    """A line of the log: somebody changed it, or it is of another log."""


VKEY = "journal/vkey"
_RECEIPTS, _JSON = "reçus/", ".json"
_LOG, _LINES = "journal/", "/events.ndjson"
_MAX_VKEY = 1024


@dataclass(frozen=True, slots=True)
class CheckedLog:
    """How many lines are `proved`; how many are `unproved`, because they were in no signed tree
    yet; and whether older ones could not be read when the export was made (`cut`)."""

    proved: int
    unproved: int
    cut: bool


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


def check_receipts(zipped: ZipReader, keys: bytes | None = None) -> int:
    """How many receipts there are, each signed by one of the keys. Raises `NotAsMade`, `NotOurs`.

    Each says what was so on the day of the export; the caller MUST NOT take it for what is so now.
    """
    entries = {entry.path: entry for entry in zipped.entries}
    keys = _read(zipped, entries, KEYS, MAX_KEYS) if keys is None else keys
    count = 0
    for path in entries:
        if path.startswith(_RECEIPTS) and path.endswith(_JSON) and path != KEYS:
            try:
                verified(_read(zipped, entries, path, MAX_RECEIPT), keys)
            except NotGenuine:
                raise NotAsMade(path, Amiss.UNSIGNED) from None
            count += 1
    return count


def check_log(zipped: ZipReader, vkey: str | None = None) -> CheckedLog:
    """Check each line of each log by the log's key, or by that which the export brings along.
    Raises `NotAsMade`, `NotOurs`; `InvalidNote` for a key that is none."""
    entries = {entry.path: entry for entry in zipped.entries}
    logs = [path for path in entries if path.startswith(_LOG) and path.endswith(_LINES)]
    if not logs:
        return CheckedLog(0, 0, cut=False)
    if vkey is None:
        vkey = _read(zipped, entries, VKEY, _MAX_VKEY).decode(errors="replace")
    log, proved, unproved, cut = Verifier.parse(vkey.strip()), 0, 0, False
    for path in logs:
        for raw in _lines(zipped, entries[path]):
            values = _object(raw, path)
            if "inclusion" in values:
                _check_line(raw, path, log)
                proved += 1
            elif "event" in values:
                unproved += 1
            else:
                cut = True
    return CheckedLog(proved, unproved, cut)


def _check_line(raw: bytes, path: str, log: Verifier) -> None:
    try:
        check_receipt(raw, log)
    except NotVerified:
        raise NotAsMade(path, Amiss.UNPROVED) from None


def _object(raw: bytes, path: str) -> dict[str, Any]:
    try:
        values = json.loads(raw)
    except (ValueError, RecursionError):
        raise NotAsMade(path, Amiss.UNPROVED) from None
    if not isinstance(values, dict):
        raise NotAsMade(path, Amiss.UNPROVED)
    return values


def _lines(zipped: ZipReader, entry: FoundEntry) -> Iterator[bytes]:
    """The lines of a file, of which one is in memory at a time."""
    rest = b""
    for data in zipped.read(entry):
        *whole, rest = (rest + data).split(b"\n")
        yield from filter(None, whole)
        if len(rest) > MAX_LINE:
            raise NotAsMade(entry.path, Amiss.UNPROVED)
    if rest:
        yield rest


def _read(zipped: ZipReader, entries: Mapping[str, FoundEntry], path: str, limit: int) -> bytes:
    entry = entries.get(path)
    if entry is None:
        raise NotOurs(Wrong.UNKNOWN)
    if entry.size > limit:
        raise NotOurs(Wrong.TOO_LARGE)
    return b"".join(zipped.read(entry))
