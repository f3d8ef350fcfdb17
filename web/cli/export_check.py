"""`verify export`: all that somebody took away, checked offline: its signed manifest, its receipts,
the proofs of its log."""

import argparse
import sys
from pathlib import Path

from audit.tlog.notes import InvalidNote
from base.clock import rfc3339
from base.settings import Settings
from vault.consent.signed_receipts import MAX_KEYS, NotGenuine
from vault.exports.manifest import InvalidManifest
from vault.exports.verification import CheckedLog, NotAsMade, check_all, check_log, check_receipts
from vault.exports.zip_reader import NotOurs, ZipReader
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals

_MOST_BYTES = 2**40
"""Nothing is kept of what is unpacked: this is against a zip that never ends."""
_OTHERS = "with keys that are inside: pass --keys and --vkey to know who made it"


def add_to(verbs: Commands, command: Command) -> None:
    """Declare it under `verify`. `command`: it, with settings that ask for no service."""
    parser = declare(verbs, "export", "Verify an export, offline.", command)
    parser.add_argument("file", type=Path, metavar="FILE", help="the zip, as it was downloaded")
    parser.add_argument("--keys", type=Path, help="the public keys: /v1/receipt-keys")
    parser.add_argument("--vkey", help="the log's verifier key (/log/vkey)")


def verify(_settings: Settings, options: argparse.Namespace, _signals: Signals) -> int:
    """0 for an export that is whole; its lines say whose, of when, and how many files."""
    keys = _keys(options.keys)
    try:
        with options.file.open("rb") as file:
            zipped = ZipReader(file, room=_MOST_BYTES)
            found = check_all(zipped, keys)
            receipts = check_receipts(zipped, keys)
            log = check_log(zipped, options.vkey)
    except InvalidNote:
        raise ValueError("that is not a verifier key: name+id+key") from None
    except (NotOurs, NotGenuine, InvalidManifest, NotAsMade) as failure:
        sys.stderr.write(f"unefois: NOT verified: {_why(failure)}\n")
        return 1
    lines = [
        f"verified: an export of {_one_line(found.origin)}, of {rfc3339(found.made_at)}:"
        f" {len(found.files)} files, each as it was made",
        f"verified: {receipts} receipts of grants, each signed",
        *_lines_of(log),
    ]
    if options.keys is None or options.vkey is None:
        lines.append(_OTHERS)
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _lines_of(log: CheckedLog) -> list[str]:
    lines = [f"verified: {log.proved} lines of the log, each proved"]
    if log.unproved:
        lines.append(f"{log.unproved} lines have no proof: they were in no signed tree yet")
    if log.cut:
        lines.append("older lines could not be read when the export was made")
    return lines


def _keys(path: Path | None) -> bytes | None:
    if path is None:
        return None
    with path.open("rb") as file:
        return file.read(MAX_KEYS + 1)


def _why(failure: Exception) -> str:
    if isinstance(failure, NotAsMade):
        return f"{_one_line(failure.path)}: {failure.amiss}"
    if isinstance(failure, NotOurs):
        return f"the zip is {failure.wrong.replace('_', ' ')}"
    if isinstance(failure, NotGenuine):
        return "the manifest was not signed by these keys, or was changed since"
    return "the manifest is of no release that this one knows"


def _one_line(value: str) -> str:
    """Without what would move a terminal's cursor."""
    return "".join(one for one in value if one.isprintable())[:300]
