"""The manifest of a backup: its parts and their hashes, under a seal that only our keys can make.

A backup is a folder: `database.dump` (pg_dump's own format), `store/` (a directory store of the
sealed files), `blobs.jsonl` (one line per file: key, size, SHA-256), and `manifest.json`, which
is written last: without it there is no backup. Nothing in it is readable without the keys.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from base.files import write_private
from storage.providers import KeyProvider, KeyProviderError

FORMAT = "unefois/backup/v1"
MANIFEST = "manifest.json"
DATABASE = "database.dump"
BLOBS = "blobs.jsonl"
STORE = "store"

_CHUNK = 1024 * 1024
_MAX_BYTES = 1024 * 1024
_CONTEXT = {"purpose": "unefois/backup/v1"}


class InvalidBackup(Exception):
    """The backup is unfinished, damaged, altered, or not ours. Says which part, for an operator."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of the backup: its length in bytes and its SHA-256, in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A random secret wrapped by a root version (hexadecimal), and its HMAC of the manifest."""

    root: str
    wrapped: str = field(repr=False)
    mac: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete backup. `missing` counts the files that the store had already lost; `roots` are
    the root versions needed to read it; times are RFC 3339."""

    made_at: str
    schema: str
    server: int
    provider: str
    roots: list[str]
    database: Part
    blobs: Part
    blob_count: int
    blob_bytes: int
    missing: int
    format: str = FORMAT


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """One sealed file of the backup. Size and hash are None when the store had lost it."""

    key: str
    size: int | None
    sha256: str | None

    def text(self) -> str:
        """The entry as a line of `blobs.jsonl`."""
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"


async def seal(manifest: Manifest, provider: KeyProvider, root: str) -> Seal:
    """Authenticate a manifest, and so every hash in it, under a root version."""
    secret = secrets.token_bytes(32)
    wrapped = await provider.wrap(root, secret, _CONTEXT)
    return Seal(root, wrapped.hex(), _mac(secret, manifest))


async def check_seal(manifest: Manifest, stored: Seal, provider: KeyProvider) -> None:
    """Raise `InvalidBackup` unless our keys made this seal of this manifest and still exist."""
    try:
        secret = await provider.unwrap(stored.root, bytes.fromhex(stored.wrapped), _CONTEXT)
    except KeyProviderError as error:
        raise InvalidBackup(f"{MANIFEST}: our keys do not open its seal ({error})") from None
    if not hmac.compare_digest(_mac(secret, manifest).encode(), stored.mac.encode()):
        raise InvalidBackup(f"{MANIFEST}: altered since it was sealed")


def write(folder: Path, manifest: Manifest, sealed: Seal) -> None:
    """Write the manifest: the last step of a backup."""
    content = {"manifest": asdict(manifest), "seal": asdict(sealed)}
    write_private(folder / MANIFEST, json.dumps(content, indent=1))


def read(folder: Path) -> tuple[Manifest, Seal]:
    """The manifest, not authenticated yet. Raises `InvalidBackup`."""
    try:
        with (folder / MANIFEST).open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
        values = content["manifest"]
        if values["format"] != FORMAT:
            raise InvalidBackup(f"{MANIFEST}: of another format")
        parts = {name: Part(**values[name]) for name in ("database", "blobs")}
        return Manifest(**(values | parts)), Seal(**content["seal"])
    except FileNotFoundError:
        raise InvalidBackup(f"{MANIFEST} is missing: the backup was not finished") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidBackup(f"{MANIFEST} cannot be read") from None


def entries(folder: Path) -> Iterator[BlobEntry]:
    """The entries of `blobs.jsonl`."""
    with (folder / BLOBS).open(encoding="utf-8") as file:
        for line in file:
            yield BlobEntry(**json.loads(line))


def measure(path: Path) -> Part:
    """Length and hash of a file. Raises `InvalidBackup` when it is not there."""
    digest, size = sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError:
        raise InvalidBackup(f"{path.name} is missing or cannot be read") from None
    return Part(size, digest.hexdigest())


def check_parts(
    folder: Path,
    manifest: Manifest,
    where: Callable[[str], Path],
    progress: Callable[[int, int], None],
) -> None:
    """Raise `InvalidBackup` unless every file matches; `where` gives the path of a blob's file."""
    for name, part in ((DATABASE, manifest.database), (BLOBS, manifest.blobs)):
        if measure(folder / name) != part:
            raise InvalidBackup(f"{name}: not as it was written")
    for done, entry in enumerate(entries(folder), 1):
        expected = None if entry.size is None else Part(entry.size, entry.sha256 or "")
        if expected is not None and measure(where(entry.key)) != expected:
            raise InvalidBackup(f"{STORE}, {entry.key}: not as it was written")
        progress(done, manifest.blob_count + manifest.missing)


def _mac(secret: bytes, manifest: Manifest) -> str:
    key = HKDF(SHA256(), 32, salt=None, info=b"unefois/backup/v1|manifest").derive(secret)
    content: dict[str, Any] = asdict(manifest)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), sha256).hexdigest()
