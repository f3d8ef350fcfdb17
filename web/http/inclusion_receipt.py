"""The receipt of a log entry: its proof as JSON, and its essentials as a QR code."""

import base64
import io
import json
from typing import Any

import segno

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.notes import Note
from vault.access_log.inclusion_proof import InclusionProof


def receipt_of(proof: InclusionProof) -> dict[str, Any] | None:
    """The receipt that docs/formats/log.md describes; None until the entry is in a signed tree.

    Bytes are in base64.
    """
    if proof.inclusion is None:
        return None
    return {
        "event": proof.event,
        "k_event": _base64(proof.k_event),
        "commitment": _base64(proof.commitment),
        "sealed_sha256": _base64(proof.sealed_sha256),
        "index": proof.inclusion.index,
        "inclusion": [_base64(node) for node in proof.inclusion.path],
        "checkpoint": proof.inclusion.checkpoint.decode(),
    }


def tree_of(receipt: dict[str, Any]) -> Checkpoint:
    """The log's name, size and root that the receipt is proved against."""
    return Checkpoint.of_text(Note.parse(receipt["checkpoint"].encode()).text)


def qr_code(receipt: dict[str, Any]) -> bytes:
    """The essentials as an SVG: enough to find the leaf in the public log, nothing of the event."""
    tree = tree_of(receipt)
    essentials = {
        "log": tree.origin,
        "size": tree.size,
        "root": _base64(tree.root),
        "index": receipt["index"],
        "leaf": [receipt["commitment"], receipt["sealed_sha256"]],
    }
    svg = io.BytesIO()
    text = json.dumps(essentials, separators=(",", ":"))
    segno.make_qr(text, error="m").save(svg, kind="svg", scale=4, border=4, light="white")
    return svg.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
