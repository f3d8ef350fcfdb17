"""Verifying from outside: an intact log passes; a fault is named."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit import verify
from audit.events import canonical, commitment
from audit.tlog.checkpoint import Checkpoint, Policy, sign_checkpoint
from audit.tlog.merkle import inclusion_proof
from audit.verify import Fetch, NotVerified
from tests.audit.tlog.servers import Served, entry
from web.cli.main import main

SIZES = [0, 1, 255, 256, 257, 700, 66_000]


def served_at(size: int) -> Served:
    """A log of that many entries, at least one; the test may grow it."""
    made = Served()
    made.grow(max(size, 1))
    return made


def reader(folder: Path) -> Fetch:
    """A fetch function that reads files as a web server would serve them."""

    def fetch(path: str) -> bytes | None:
        file = folder / path
        return file.read_bytes() if file.exists() else None

    return fetch


def no_progress(_done: int, _of: int) -> None:
    """No progress bar."""


def whole(folder: Path, log: Served) -> None:
    """All that `unefois verify --whole` checks."""
    fetch = reader(folder)
    published = verify.check_published(fetch, log.log.verifier)
    verify.check_whole(fetch, published.checkpoint, no_progress)


@pytest.mark.parametrize("size", SIZES)
def test_a_whole_log_verifies(size: int, tmp_path: Path) -> None:
    log = served_at(size)
    done: list[tuple[int, int]] = []
    fetch = reader(log.write(tmp_path, size))
    verify.check_whole(
        fetch,
        verify.check_published(fetch, log.log.verifier).checkpoint,
        lambda at, of: done.append((at, of)),
    )
    assert done[-1:] == ([(size, size)] if size else [])


@pytest.mark.parametrize(
    ("before", "now"), [(0, 300), (1, 300), (256, 300), (300, 300), (257, 700)]
)
def test_a_log_that_grew_continues_what_was_remembered(
    before: int, now: int, tmp_path: Path
) -> None:
    log = served_at(700)
    fetch = reader(log.write(tmp_path, now))
    seen = verify.check_published(fetch, log.log.verifier).checkpoint
    verify.check_continues(fetch, seen, Checkpoint(seen.origin, before, log.root(before)))


def flip(path: Path, at: int = -1) -> None:
    """Change the byte at that place."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def swap(one: Path, other: Path) -> None:
    """Exchange the contents of two files."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


Damage = Callable[[Path], object]
FULL = 66_000
DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "a full leaf tile": (lambda f: flip(f / "tile/0/003"), "tile/0/003", "hash"),
    "a full tile above": (lambda f: flip(f / "tile/1/000"), "tile/1/000", "hash"),
    "a partial leaf tile": (lambda f: flip(f / "tile/0/257.p/208"), "tile/0/257.p/208", "hash"),
    "a partial tile above": (lambda f: flip(f / "tile/1/001.p/1"), "tile/1/001.p/1", "hash"),
    "the top": (lambda f: flip(f / "tile/2/000.p/1"), "tile/2/000.p/1", "hash"),
    "an entry": (lambda f: flip(f / "tile/entries/003"), "entry 1023", "entry"),
    "an entry's length": (
        lambda f: flip(f / "tile/entries/003", 0),
        "tile/entries/003",
        "truncated",
    ),
    "tiles swapped": (lambda f: swap(f / "tile/0/003", f / "tile/0/004"), "tile/0/003", "hash"),
    "bundles swapped": (
        lambda f: swap(f / "tile/entries/003", f / "tile/entries/004"),
        "entry 768",
        "entry",
    ),
    "a tile cut": (
        lambda f: (f / "tile/0/003").write_bytes((f / "tile/0/003").read_bytes()[:-1]),
        "tile/0/003",
        "width",
    ),
    "a bundle cut": (
        lambda f: (f / "tile/entries/003").write_bytes(b""),
        "tile/entries/003",
        "width",
    ),
    "a tile missing": (lambda f: (f / "tile/0/003").unlink(), "tile/0/003", "missing"),
    "a bundle missing": (
        lambda f: (f / "tile/entries/257.p/208").unlink(),
        "tile/entries/257.p/208",
        "missing",
    ),
}


@pytest.fixture(scope="module")
def large() -> Served:
    """A log with tiles at three levels, full and partial."""
    return served_at(FULL)


@pytest.fixture(scope="module")
def large_folder(large: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that log, as it is served."""
    return large.write(tmp_path_factory.mktemp("large"), FULL)


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_wrong_is_named(
    damage: str, large: Served, large_folder: Path, tmp_path: Path
) -> None:
    attempt, subject, reason = DAMAGES[damage]
    shutil.copytree(large_folder, tmp_path, dirs_exist_ok=True)
    attempt(tmp_path)
    with pytest.raises(NotVerified) as raised:
        whole(tmp_path, large)
    assert (raised.value.subject, raised.value.reason) == (subject, reason)
    assert "\n" not in str(raised.value)


def test_a_stale_tree_under_a_new_checkpoint_is_named(tmp_path: Path) -> None:
    log, other = served_at(300), Served()
    other.entries = [entry(index + 1000) for index in range(300)]
    log.write(tmp_path, 300)
    note = sign_checkpoint(Checkpoint(log.log.verifier.name, 300, bytes(32)), log.log)
    (tmp_path / "checkpoint").write_bytes(note.encode())
    with pytest.raises(NotVerified) as raised:
        whole(tmp_path, log)
    assert (raised.value.subject, raised.value.reason) == ("checkpoint", "root")


def test_a_smaller_and_a_forked_tree_are_told_apart(tmp_path: Path) -> None:
    log = served_at(700)
    fetch = reader(log.write(tmp_path, 300))
    now = verify.check_published(fetch, log.log.verifier).checkpoint
    with pytest.raises(NotVerified) as smaller:
        verify.check_continues(fetch, now, Checkpoint(now.origin, 700, log.root(700)))
    assert smaller.value.reason == "smaller"
    for size in (200, 300):
        with pytest.raises(NotVerified) as forked:
            verify.check_continues(fetch, now, Checkpoint(now.origin, size, bytes(32)))
        assert forked.value.reason == "forked"


def test_a_checkpoint_of_others_or_unsigned_or_without_witnesses_is_named(tmp_path: Path) -> None:
    log, other = served_at(10), served_at(10)
    fetch = reader(log.write(tmp_path, 10))
    verify.check_published(fetch, log.log.verifier, Policy((log.witness.verifier,), 1))
    with pytest.raises(NotVerified) as raised:
        verify.check_published(fetch, log.log.verifier, Policy((other.witness.verifier,), 1))
    assert raised.value.reason == "witnesses"
    with pytest.raises(NotVerified) as raised:
        verify.check_published(fetch, other.log.verifier)
    assert raised.value.reason == "unsigned"
    with pytest.raises(NotVerified) as raised:
        verify.check_published(lambda _: None, log.log.verifier)
    assert raised.value.reason == "missing"


# Receipts


K_EVENT = bytes(range(32))
EVENT = {"v": 1, "action": "document.read", "details": {"n": 3}, "actor": {"name": "Zoé"}}


def receipt_of(log: Served, size: int, index: int) -> dict[str, Any]:
    """A receipt from a log whose entry `index` is that of `EVENT`."""
    given = commitment(K_EVENT, canonical(EVENT))
    checkpoint = Checkpoint(log.log.verifier.name, size, log.root(size))
    return {
        "event": EVENT,
        "k_event": text(K_EVENT),
        "commitment": text(given),
        "sealed_sha256": text(bytes(32)),
        "index": index,
        "inclusion": [text(one) for one in inclusion_proof(index, size, log.read)],
        "checkpoint": sign_checkpoint(checkpoint, log.log).encode().decode(),
    }


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def with_event() -> Served:
    """A log whose entry 5 is that of `EVENT`."""
    import tests.audit.tlog.servers as module

    log, plain = Served(), module.entry
    mine = commitment(K_EVENT, canonical(EVENT)) + bytes(32)
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "entry", lambda index: mine if index == 5 else plain(index))
    log.grow(300)
    patch.undo()
    return log


def test_a_receipt_verifies_with_the_key_alone(with_event: Served) -> None:
    raw = json.dumps(receipt_of(with_event, 300, 5)).encode()
    found = verify.check_receipt(raw, with_event.log.verifier)
    assert (found.index, found.event, found.checkpoint.size) == (5, EVENT, 300)


FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "event edited": ({"event": EVENT | {"action": "document.list"}}, "event"),
    "event with a number that is equal": ({"event": EVENT | {"v": 1.0}}, "event"),
    "key replaced": ({"k_event": text(bytes(32))}, "event"),
    "commitment replaced": ({"commitment": text(bytes(32))}, "event"),
    "sealed bytes replaced": ({"sealed_sha256": text(b"1" * 32)}, "inclusion"),
    "index moved": ({"index": 6}, "inclusion"),
    "index beyond": ({"index": 300}, "inclusion"),
    "index negative": ({"index": -1}, "inclusion"),
    "path emptied": ({"inclusion": []}, "inclusion"),
    "index of another type": ({"index": "5"}, "form"),
    "path of another type": ({"inclusion": "x"}, "form"),
    "event of another type": ({"event": [1]}, "form"),
    "not base64": ({"k_event": "é"}, "form"),
    "event that cannot be encoded": ({"event": {"a": "\ud800"}}, "form"),
    "checkpoint of another type": ({"checkpoint": 1}, "form"),
    "no checkpoint": ({"checkpoint": "x"}, "form"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_receipt_that_was_edited_is_named(forgery: str, with_event: Served) -> None:
    changed, reason = FORGERIES[forgery]
    raw = json.dumps(receipt_of(with_event, 300, 5) | changed).encode()
    with pytest.raises(NotVerified) as raised:
        verify.check_receipt(raw, with_event.log.verifier)
    assert (raised.value.subject, raised.value.reason) == ("receipt", reason)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_receipt_is_said_so(raw: bytes, with_event: Served) -> None:
    with pytest.raises(NotVerified) as raised:
        verify.check_receipt(raw, with_event.log.verifier)
    assert raised.value.reason == "form"


# The command


def test_the_command_says_what_it_verified(
    with_event: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_event.write(tmp_path / "log", 290)
    receipt, remembered = tmp_path / "receipt.json", tmp_path / "remembered"
    receipt.write_text(json.dumps(receipt_of(with_event, 280, 5)))
    common = ["verify", "--folder", str(folder), "--vkey", with_event.log.verifier.vkey]
    common += ["--witness", with_event.witness.verifier.vkey, "--remember", str(remembered)]
    assert main([*common, "--receipt", str(receipt), "--whole"]) == 0
    output = capsys.readouterr().out
    assert "all 290 entries" in output
    assert "entry 5 of the published tree" in output

    with_event.write(folder, 300)
    assert main(common) == 0
    assert "continues the remembered tree of 290 entries" in capsys.readouterr().out

    with_event.write(folder, 280)
    kept = remembered.read_bytes()
    assert main(common) == 1
    assert "shrank" in capsys.readouterr().err
    assert remembered.read_bytes() == kept


def test_the_command_needs_only_the_receipt_and_the_key(
    with_event: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(receipt_of(with_event, 280, 5)))
    offline = ["verify", "--vkey", with_event.log.verifier.vkey, "--receipt", str(receipt)]
    assert main(offline) == 0
    assert main([*offline, "--witness", with_event.witness.verifier.vkey]) == 1
    assert "not cosigned" in capsys.readouterr().err
    assert main(["verify", "--vkey", with_event.log.verifier.vkey]) == 1
    assert main(["verify", "--vkey", "x", "--receipt", str(receipt)]) == 1
