"""An export is verified by whoever has it, offline."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.events import canonical
from auth.oauth.tokens import SigningKey
from vault.consent.signed_receipts import NotGenuine, signed
from vault.exports import manifest
from vault.exports.verification import KEYS, Amiss, NotAsMade, check_all
from vault.exports.zip_format import ZipStream
from vault.exports.zip_reader import NotOurs, ZipReader
from web.cli.main import main

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = SigningKey.generate()
PUBLIC = canonical({"keys": [KEY.public_jwk()]})
FILES = {"papiers/001 Bail/original-1.pdf": bytes(100_000), "documents.json": b"{}", KEYS: PUBLIC}


def made(files: Mapping[str, bytes] = FILES) -> bytes:
    """A whole export with these files."""
    stream, written, entries = ZipStream(), b"", []

    def add(path: str, data: bytes) -> None:
        nonlocal written
        written += stream.begin(path, AT) + stream.write(data)
        tail, entry = stream.end()
        written += tail
        entries.append(entry)

    for path, data in files.items():
        add(path, data)
    told = manifest.manifest(entries, made_at=AT, origin="https://a.example", counts={"papers": 1})
    record = signed(told, KEY.private_key, KEY.kid, kind=manifest.TYPE)
    add(manifest.PATH, json.dumps(record).encode())
    return written + stream.finish()


def packed_again(data: bytes, change: Mapping[str, bytes | None]) -> bytes:
    """By hand: with other bytes in some of its files, or without them."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        files = {one.filename: found.read(one) for one in found.infolist()}
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as packing:
        for path, kept in {**files, **change}.items():
            if kept is not None:
                packing.writestr(path, kept)
    return again.getvalue()


def check(data: bytes, keys: bytes | None = None) -> manifest.Manifest:
    return check_all(ZipReader(io.BytesIO(data), room=10**9), keys)


@pytest.mark.parametrize("keys", [None, PUBLIC], ids=["with its own keys", "with those one has"])
def test_as_it_was_made(keys: bytes | None) -> None:
    assert check(made(), keys).counts == {"papers": 1}
    assert check(packed_again(made(), {}), keys).origin == "https://a.example"


@pytest.mark.parametrize(
    ("path", "data", "amiss"),
    [
        ("documents.json", b"[]", Amiss.ALTERED),
        ("papiers/001 Bail/original-1.pdf", bytes(99_999), Amiss.ALTERED),
        ("papiers/001 Bail/original-1.pdf", None, Amiss.MISSING),
        ("papiers/002 Faux/original-1.pdf", b"put in", Amiss.ADDED),
    ],
)
def test_a_file_that_is_not_as_it_was_made(path: str, data: bytes | None, amiss: Amiss) -> None:
    with pytest.raises(NotAsMade) as found:
        check(packed_again(made(), {path: data}))
    assert (found.value.path, found.value.amiss) == (path, amiss)


def test_signed_by_somebody_else() -> None:
    other = canonical({"keys": [SigningKey.generate().public_jwk()]})
    with pytest.raises(NotGenuine):
        check(made(), other)
    with pytest.raises(NotGenuine):
        check(packed_again(made(), {KEYS: other}))


@pytest.mark.parametrize("path", [manifest.PATH, KEYS])
def test_without_what_it_takes(path: str) -> None:
    with pytest.raises(NotOurs):
        check(packed_again(made(), {path: None}))


def _run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str]:
    code = main(["verify", "export", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export, keys = tmp_path / "export.zip", tmp_path / "keys.json"
    export.write_bytes(made())
    keys.write_bytes(PUBLIC)
    code, said = _run(capsys, export, "--keys", keys)
    assert (code, said) == (
        0,
        "verified: an export of https://a.example, of 2026-11-28T12:00:00.000000Z: 3 files,"
        " each as it was made\nverified: 0 receipts of grants, each signed\n"
        "verified: 0 lines of the log, each proved\n"
        "with keys that are inside: pass --keys and --vkey to know who made it\n",
    )
    code, said = _run(capsys, export)
    assert code == 0
    assert "--keys" in said
    export.write_bytes(packed_again(made(), {"documents.json": b"[]"}))
    assert _run(capsys, export) == (1, "unefois: NOT verified: documents.json: altered\n")
    export.write_bytes(made()[:-1])
    assert _run(capsys, export) == (1, "unefois: NOT verified: the zip is cut\n")
