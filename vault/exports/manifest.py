"""What is in an export, each file with its length and hash, signed by the installation that made
it: nothing can be taken out of it, put into it or changed in it unseen. Pure.

It stands last in the zip, as `manifest.json`; the keys stand beside it, for whoever has none of
their own. Page: docs/formats/export.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from base.clock import rfc3339
from vault.consent.signed_receipts import verified
from vault.exports.zip_format import MAX_ENTRIES, ZipEntry, refused_path

PATH = "manifest.json"
TYPE = "export-manifest+jws"
VERSION = 1
MAX_MANIFEST = 24 * 1024 * 1024
"""Bytes: `MAX_ENTRIES` with the longest paths fit."""
_DIGEST = re.compile("[0-9a-f]{64}")


class InvalidManifest(Exception):
    """Signed, and nothing that we know how to read: of a later release, if at all."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of an export; `digest`: its SHA-256 in hexadecimal."""

    path: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says: `origin` is the address of the installation that made the export,
    `counts` how many of each kind of thing there are."""

    made_at: datetime
    origin: str
    counts: Mapping[str, int]
    files: tuple[ListedFile, ...]


def manifest(
    entries: Iterable[ZipEntry], *, made_at: datetime, origin: str, counts: Mapping[str, int]
) -> dict[str, Any]:
    """The manifest of these entries, still to be signed."""
    return {
        "version": VERSION,
        "made_at": rfc3339(made_at),
        "origin": origin,
        "counts": dict(counts),
        "files": [
            {"path": entry.path, "size": entry.size, "sha256": entry.digest} for entry in entries
        ],
    }


def verify(raw: bytes, keys: bytes) -> Manifest:
    """A manifest that one of the keys (a JWK set) signed. Raises `signed_receipts.NotGenuine`, or
    `InvalidManifest`.

    The caller MUST still compare each file with what is listed, and list those that are not.
    """
    values = verified(raw, keys, kind=TYPE, limit=MAX_MANIFEST)
    try:
        if values["version"] != VERSION:
            raise InvalidManifest
        files = tuple(map(_listed, values["files"]))
        made_at = datetime.fromisoformat(values["made_at"])
        counts, origin = values["counts"], values["origin"]
    except (KeyError, TypeError, ValueError):
        raise InvalidManifest from None
    paths = {file.path for file in files}
    if not isinstance(origin, str) or made_at.tzinfo is None or not _are_counts(counts):
        raise InvalidManifest
    if len(paths) != len(files) or len(files) > MAX_ENTRIES:
        raise InvalidManifest
    return Manifest(made_at, origin, counts, files)


def _listed(one: Mapping[str, Any]) -> ListedFile:
    """`ValueError` or `TypeError` for what is no file of an export."""
    path, size, digest = one["path"], one["size"], one["sha256"]
    if not isinstance(path, str) or refused_path(path) or not _is_count(size):
        raise ValueError
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise ValueError
    return ListedFile(path, size, digest)


def _are_counts(counts: object) -> bool:
    return isinstance(counts, dict) and all(map(_is_count, counts.values()))


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 0
