"""`verify receipt`: a grant's receipt, checked offline with the public keys of who signed it."""

import argparse
import sys
from pathlib import Path
from typing import Any

from base.settings import Settings
from vault.consent.signed_receipts import MAX_KEYS, MAX_RECEIPT, NotGenuine, verified
from web.cli.command import Command, Commands
from web.cli.command import add as declare
from web.process.signals import Signals

_PRINTABLE = 300
_EDITED = "the receipt's signature does not hold: it was edited, or others signed it"
_WORDS = {
    "form": "the receipt is not signed",
    "json": "that is not a receipt, or not a file of keys: not one JSON object",
    "size": "that is too long to be a receipt",
    "key": "the receipt's key is not among these keys",
    "signature": _EDITED,
    "algorithm": "the receipt is not signed by ES256",
}


def add_to(verbs: Commands, command: Command) -> None:
    """Declare it under `verify`. `command`: it, with settings that ask for no service."""
    parser = declare(verbs, "receipt", "Verify a grant's receipt, offline.", command)
    parser.add_argument("file", type=Path, metavar="FILE", help="the receipt, as it was downloaded")
    parser.add_argument(
        "--keys", type=Path, required=True, help="the public keys: /v1/receipt-keys"
    )


def verify(_settings: Settings, options: argparse.Namespace, _signals: Signals) -> int:
    """0 for a genuine receipt; its first lines say what it is of, and when that was so."""
    receipt, keys = _read(options.file, MAX_RECEIPT), _read(options.keys, MAX_KEYS)
    try:
        record = verified(receipt, keys)
    except NotGenuine as failure:
        sys.stderr.write(f"unefois: NOT verified: {_WORDS.get(failure.reason, 'is damaged')}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in _lines(record)))
    return 0


def _read(path: Path, limit: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit + 1)


def _lines(record: dict[str, Any]) -> list[str]:
    status = str(record.get("dpv:hasStatus", "")).partition(":")[2]
    lines = [
        f"verified: a receipt of {_one_line(record.get('dct:publisher'))}",
        f"grant {_one_line(record.get('dct:identifier'))}: {_one_line(status)},"
        f" at {_one_line(record.get('dct:issued'))}",
    ]
    verification = record.get("verification")
    if isinstance(verification, dict):
        lines.append(f"its state now: {_one_line(verification.get('state_now'))}")
    return lines


def _one_line(value: object) -> str:
    """A value of a signed receipt, without what would move a terminal's cursor."""
    return "".join(c for c in str(value) if c.isprintable())[:_PRINTABLE]
