"""`verify export`: all that somebody took away, checked offline against its signed manifest."""

import argparse
import sys
from pathlib import Path

from base.clock import rfc3339
from base.settings import Settings
from vault.consent.signed_receipts import MAX_KEYS, NotGenuine
from vault.exports.manifest import InvalidManifest
from vault.exports.verification import NotAsMade, check_all
from vault.exports.zip_reader import NotOurs, ZipReader
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals

_MOST_BYTES = 2**40
"""Nothing is kept of what is unpacked: this is against a zip that never ends."""
_OTHERS = "with the keys that are inside: pass --keys to know who made it"


def add_to(verbs: Commands, command: Command) -> None:
    """Declare it under `verify`. `command`: it, with settings that ask for no service."""
    parser = declare(verbs, "export", "Verify an export, offline.", command)
    parser.add_argument("file", type=Path, metavar="FILE", help="the zip, as it was downloaded")
    parser.add_argument("--keys", type=Path, help="the public keys: /v1/receipt-keys")


def verify(_settings: Settings, options: argparse.Namespace, _signals: Signals) -> int:
    """0 for an export that is whole; its lines say whose, of when, and how many files."""
    try:
        with options.file.open("rb") as file:
            found = check_all(ZipReader(file, room=_MOST_BYTES), _keys(options.keys))
    except (NotOurs, NotGenuine, InvalidManifest, NotAsMade) as failure:
        sys.stderr.write(f"unefois: NOT verified: {_why(failure)}\n")
        return 1
    sys.stdout.write(
        f"verified: an export of {_one_line(found.origin)}, of {rfc3339(found.made_at)}:"
        f" {len(found.files)} files, each as it was made\n"
    )
    if options.keys is None:
        sys.stdout.write(f"{_OTHERS}\n")
    return 0


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
