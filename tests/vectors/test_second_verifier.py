"""A verifier written from the format page alone verifies what our code proves."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit import sealing
from audit.events import Action, Actor, ActorKind, Event, Outcome, as_values
from audit.tlog import merkle
from audit.tlog.notes import LocalSigner
from base.ids import new_id
from tests.audit.tlog.servers import ORIGIN, Served
from tests.vectors import second_verifier as verifier
from tests.vectors.second_verifier import Wrong

SIZE, INDEX = 700, 300


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.fixture(scope="module")
def served() -> Served:
    log = Served()
    log.grow(SIZE)
    return log


@pytest.fixture(scope="module")
def sealed() -> tuple[sealing.SealedEvent, sealing.OpenedEvent]:
    """A real event, sealed and opened as the person's own log opens it."""
    event = Event(
        id=new_id(),
        at=datetime(2026, 3, 2, 9, 30, 0, 250, UTC),
        action=Action.READ,
        outcome=Outcome.ALLOWED,
        actor=Actor(ActorKind.WORKER, new_id(), "Zoé Müller 🦊", "Assistante sociale"),
        person=new_id(),
        documents=(new_id(), new_id()),
        purpose='« Demande d’aide » \u2028 \\ "\u001f"',
        details={"pages": 3},
    )
    pair, key_id = X25519PrivateKey.generate(), new_id()
    made = sealing.seal(
        as_values(event), key_id=key_id, event_id=event.id, public_key=pair.public_key()
    )
    opened = sealing.open_(
        made.sealed, made.commitment, key_id=key_id, event_id=event.id, private_key=pair
    )
    return made, opened


@pytest.fixture(scope="module")
def folder(
    served: Served,
    sealed: tuple[sealing.SealedEvent, sealing.OpenedEvent],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The log with that event among its leaves."""
    made, _ = sealed
    served.put(INDEX, made.commitment + sha256(made.sealed).digest())
    return served.write(tmp_path_factory.mktemp("log"), SIZE)


@pytest.fixture
def receipt(
    served: Served, sealed: tuple[sealing.SealedEvent, sealing.OpenedEvent], folder: Path
) -> dict[str, Any]:
    made, opened = sealed
    values = {
        "event": opened.values,
        "k_event": b64(opened.k_event),
        "commitment": b64(made.commitment),
        "sealed_sha256": b64(sha256(made.sealed).digest()),
        "index": INDEX,
        "inclusion": [b64(sibling) for sibling in merkle.inclusion_proof(INDEX, SIZE, served.read)],
        "checkpoint": (folder / "checkpoint").read_text(),
    }
    read: dict[str, Any] = json.loads(json.dumps(values))
    return read


def test_a_receipt_holds_with_the_key_alone(
    receipt: dict[str, Any], served: Served, folder: Path, tmp_path: Path
) -> None:
    log, witness = served.log.verifier.vkey, served.witness.verifier.vkey
    tree = verifier.receipt(receipt, log)
    assert tree == (SIZE, served.root(SIZE))
    assert verifier.receipt(receipt, log, [witness], needed=1) == tree

    # On another machine: one file, another folder, none of our code.
    alone = tmp_path / "second_verifier.py"
    alone.write_bytes(Path(verifier.__file__).read_bytes())
    (tmp_path / "receipt.json").write_text(json.dumps(receipt))
    result = subprocess.run(
        [sys.executable, "-I", alone, log, tmp_path / "receipt.json"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert result.stdout == "holds, in a tree of 700 leaves\n"


def changed(**change: object) -> Callable[[dict[str, Any]], object]:
    return lambda receipt: receipt.update(change)


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another time": (
        lambda receipt: receipt["event"].update(at="2026-03-02T09:30:00.000251Z"),
        "event",
    ),
    "another worker": (lambda receipt: receipt["event"]["actor"].update(name="Zoe"), "event"),
    "a member more": (lambda receipt: receipt["event"].update(more="x"), "event"),
    "a member less": (lambda receipt: receipt["event"].pop("purpose"), "event"),
    "another key": (changed(k_event=b64(bytes(32))), "event"),
    "another commitment": (changed(commitment=b64(bytes(32))), "event"),
    "another sealed event": (changed(sealed_sha256=b64(bytes(32))), "inclusion"),
    "another index": (changed(index=INDEX + 1), "inclusion"),
    "an index beyond": (changed(index=SIZE), "inclusion"),
    "no proof": (changed(inclusion=[]), "inclusion"),
    "a proof cut": (lambda receipt: receipt["inclusion"].pop(), "inclusion"),
    "a proof upside down": (lambda receipt: receipt["inclusion"].reverse(), "inclusion"),
    "a larger tree": (
        lambda receipt: receipt.update(
            checkpoint=receipt["checkpoint"].replace("\n700\n", "\n701\n")
        ),
        "signature",
    ),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_receipt_that_was_touched_is_refused(
    receipt: dict[str, Any], served: Served, name: str
) -> None:
    tamper, word = TAMPERED[name]
    tamper(receipt)
    with pytest.raises(Wrong, match=f"^{word}$"):
        verifier.receipt(receipt, served.log.verifier.vkey)


def test_a_receipt_of_another_log_or_without_enough_witnesses_is_refused(
    receipt: dict[str, Any], served: Served
) -> None:
    impostor = LocalSigner(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(Wrong, match=r"^log$"):
        verifier.receipt(receipt, impostor.verifier.vkey)
    with pytest.raises(Wrong, match=r"^witnesses$"):
        verifier.receipt(receipt, served.log.verifier.vkey, needed=1)
    with pytest.raises(Wrong, match=r"^key$"):
        verifier.receipt(receipt, served.log.verifier.vkey.replace("log.example", "a.example"))


@pytest.mark.parametrize("old", [0, 1, 2, 255, 256, 257, 512, SIZE - 1, SIZE])
def test_growth_is_verified_and_a_fork_is_seen(served: Served, folder: Path, old: int) -> None:
    new = verifier.checkpoint((folder / "checkpoint").read_text(), served.log.verifier.vkey)
    proof = merkle.consistency_proof(old, SIZE, served.read)
    verifier.continues((old, served.root(old)), new, proof)
    if old:
        with pytest.raises(Wrong, match="fork"):
            verifier.continues((old, bytes(32)), new, proof)
    if 0 < old < SIZE:
        with pytest.raises(Wrong, match="smaller"):
            verifier.continues(new, (old, served.root(old)), proof)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, SIZE])
def test_the_whole_tree_is_verified(served: Served, tmp_path: Path, size: int) -> None:
    served.write(tmp_path, size)
    assert verifier.whole(tmp_path, served.log.verifier.vkey) == (size, served.root(size))


@pytest.mark.parametrize(
    "path", ["tile/entries/001", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2"]
)
def test_a_byte_of_the_tree_is_seen_and_named(served: Served, tmp_path: Path, path: str) -> None:
    served.write(tmp_path, SIZE)
    raw = bytearray((tmp_path / path).read_bytes())
    raw[10] ^= 1
    (tmp_path / path).write_bytes(raw)
    with pytest.raises(Wrong) as wrong:
        verifier.whole(tmp_path, served.log.verifier.vkey)
    # A changed entry is reported at the place of its leaf.
    assert str(wrong.value) == path.replace("entries", "0")


def test_names_are_those_of_the_page() -> None:
    assert verifier.named(1, 1_234_067, 256) == "tile/1/x001/x234/067"
    assert verifier.named("entries", 999, 7) == "tile/entries/999.p/7"
