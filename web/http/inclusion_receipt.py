"""The receipt of a log entry: the tree that it is proved against, and its essentials as a QR
code."""

import base64
import io
import json
from typing import Any

import segno

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.notes import Note


def tree_of(receipt: dict[str, Any]) -> Checkpoint:
    """The log's name, size and root that the receipt is proved against."""
    return Checkpoint.of_text(Note.parse(receipt["checkpoint"].encode()).text)


def qr_code(receipt: dict[str, Any]) -> bytes:
    """The essentials as an SVG: enough to find the leaf in the public log, nothing of the event."""
    tree = tree_of(receipt)
    essentials = {
        "log": tree.origin,
        "size": tree.size,
        "root": base64.b64encode(tree.root).decode(),
        "index": receipt["index"],
        "leaf": [receipt["commitment"], receipt["sealed_sha256"]],
    }
    svg = io.BytesIO()
    text = json.dumps(essentials, separators=(",", ":"))
    segno.make_qr(text, error="m").save(svg, kind="svg", scale=4, border=4, light="white")
    return svg.getvalue()
