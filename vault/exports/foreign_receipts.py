"""The signed receipts of an export, kept where its papers come in: told on a paper, each with
whether its signature holds by the keys that came with it, and with the signed files inside.

They open nothing here. Whoever has the keys of the installation that signed them, from it, checks
them without it and without us. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auth.oauth.jws import InvalidJws, decode_base64url, read_object
from vault.consent.signed_receipts import MAX_KEYS, MAX_RECEIPT, MEMBER, NotGenuine, verified
from vault.exports.manifest import MAX_MANIFEST, PATH, ListedFile, Manifest
from vault.exports.verification import KEYS
from vault.exports.zip_reader import ZipReader

_FOLDER, _SUFFIX = "reçus/", ".json"
_LOG = "journal/"
MOST = 100
"""On one paper."""
_MOST_BYTES = 8 * 1024 * 1024
_SMALL = 16 * 1024


@dataclass(frozen=True, slots=True)
class ForeignReceipt:
    """One receipt: the file as it came, and what it says where one of the keys signed it."""

    name: str
    raw: bytes = field(repr=False)
    record: Mapping[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ForeignReceipts:
    """What one paper has: the `number`th of so many. `beside`: the files that prove it, by name:
    the public keys, and on the first one the log with its checkpoint and its key.
    `lines`: of the log, that its key proves."""

    manifest: Manifest
    receipts: tuple[ForeignReceipt, ...]
    beside: Mapping[str, bytes] = field(repr=False)
    number: int
    of: int
    lines: int


@dataclass(frozen=True, slots=True)
class PrintedPaper:
    """A paper, printed."""

    title: str
    pdf: bytes = field(repr=False)


def receipt_groups(manifest: Manifest) -> list[list[ListedFile]]:
    """The receipts of an export, by the papers that they come in on. One that is too long to be a
    receipt is none."""
    groups: list[list[ListedFile]] = []
    size = 0
    for file in manifest.files:
        name = file.path.removeprefix(_FOLDER)
        if name == file.path or "/" in name or not name.endswith(_SUFFIX) or file.path == KEYS:
            continue
        if file.size > MAX_RECEIPT:
            continue
        if not groups or len(groups[-1]) == MOST or size + file.size > _MOST_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(file)
        size += file.size
    return groups


def read_receipts(
    zipped: ZipReader,
    manifest: Manifest,
    files: Sequence[ListedFile],
    *,
    number: int,
    of: int,
    lines: int,
) -> ForeignReceipts:
    """The receipts of one paper, each checked by the keys that came along. Raises `NotOurs`."""
    keys = zipped.read_small(KEYS, MAX_KEYS)
    receipts = tuple(_receipt(zipped, file, keys) for file in files)
    log = _log(zipped, manifest) if number == 1 else {}
    return ForeignReceipts(manifest, receipts, {"keys.json": keys} | log, number, of, lines)


def _log(zipped: ZipReader, manifest: Manifest) -> dict[str, bytes]:
    """The files of the log, unless they are too long to lie in a paper: then they stay in the
    export, and its key and checkpoint come alone."""
    files = [file for file in manifest.files if file.path.startswith(_LOG)]
    if sum(file.size for file in files) > _MOST_BYTES:
        files = [file for file in files if file.size <= _SMALL]
    return {
        file.path.replace("/", "-"): zipped.read_small(file.path, _MOST_BYTES)
        for file in files[:MOST]
    }


def signing_key(zipped: ZipReader) -> str:
    """The `kid` of the key that signed the manifest, which was verified before."""
    try:
        jws = str(read_object(zipped.read_small(PATH, MAX_MANIFEST)).get(MEMBER, ""))
        return str(read_object(decode_base64url(jws.partition(".")[0])).get("kid", ""))[:100]
    except InvalidJws:
        return ""


def _receipt(zipped: ZipReader, file: ListedFile, keys: bytes) -> ForeignReceipt:
    raw = zipped.read_small(file.path, MAX_RECEIPT)
    try:
        record = verified(raw, keys)
    except NotGenuine:
        record = None
    return ForeignReceipt(file.path.removeprefix(_FOLDER), raw, record)
