"""A running log, read over HTTP as strangers and owners read it."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx

from audit.tlog.checkpoint import Checkpoint
from audit.tlog.merkle import leaf_hash
from audit.tlog.notes import Note
from audit.tlog.tiles import tiles_of
from tests.fixtures import SomePerson
from tests.steps import log_of

_TRIES = 200
_EVERY = 0.1

Receipt = dict[str, Any]


async def receipts_of(client: httpx.AsyncClient, person: SomePerson) -> list[Receipt]:
    """The receipt of each entry of a person's log, once it exists."""
    return [await _receipt(client, person, entry["id"]) for entry in await log_of(client, person)]


async def _receipt(client: httpx.AsyncClient, person: SomePerson, event_id: str) -> Receipt:
    for _ in range(_TRIES):
        answer = await client.get(f"/v1/access-log/{event_id}/proof", headers=person.headers)
        if answer.status_code == 200:
            receipt: Receipt = answer.json()
            return receipt
        assert answer.status_code == 202
        await asyncio.sleep(_EVERY)
    raise AssertionError("no receipt")


async def mirror(client: httpx.AsyncClient, folder: Path, min_size: int) -> Checkpoint:
    """Copy everything public of a tree of `min_size` leaves or more into a folder."""
    for _ in range(_TRIES):
        note = (await client.get("/log/checkpoint")).text
        checkpoint = Checkpoint.of_text(Note.parse(note.encode()).text)
        if checkpoint.size >= min_size:
            break
        await asyncio.sleep(_EVERY)
    else:
        raise AssertionError("not published")
    _put(folder / "checkpoint", note.encode())
    _put(folder / "vkey", (await client.get("/log/vkey")).content)
    for tile in tiles_of(checkpoint.size):
        answer = await client.get(f"/log/{tile.path}")
        assert answer.status_code == 200, tile.path
        _put(folder / tile.path, answer.content)
    return checkpoint


def write_proofs(folder: Path, receipts: list[Receipt], grown: list[dict[str, Any]]) -> None:
    """Write `proofs.json`: the receipts, and the trees that this one continues."""
    inclusion = [
        {"index": one["index"], "leaf": _leaf(one), "proof": one["inclusion"]} for one in receipts
    ]
    proofs = {"inclusion": inclusion, "consistency": grown}
    _put(folder / "proofs.json", json.dumps(proofs).encode())


def _leaf(receipt: Receipt) -> str:
    entry = b"".join(base64.b64decode(receipt[name]) for name in ("commitment", "sealed_sha256"))
    return base64.b64encode(leaf_hash(entry)).decode()


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
