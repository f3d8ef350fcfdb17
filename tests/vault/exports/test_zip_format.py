"""The zip: read by `unzip` and by Python, the same whether or not it was gone on with."""

import io
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from vault.exports.zip_format import MAX_ENTRIES, ZipEntry, ZipStream, refused_path

AT = datetime(2026, 11, 28, 11, 42, 37, 5, tzinfo=UTC)
FILES = {
    "papiers/001 Avis d’impôt 2025/original-1.pdf": Random(1).randbytes(300_000),
    "papiers/002 رسالة/original-1.jpg": Random(2).randbytes(70_000),
    "papiers/003 vide/vide.txt": b"",
    "journal/events.ndjson": b'{"action":"vault.read"}\n' * 4000,
}


def _write(stream: ZipStream, path: str, data: bytes, at: datetime = AT) -> tuple[bytes, ZipEntry]:
    parts = [stream.begin(path, at)]
    parts += [stream.write(data[start : start + 65536]) for start in range(0, len(data), 65536)]
    last, entry = stream.end()
    return b"".join([*parts, last]), entry


def whole(files: Sequence[tuple[str, bytes]] = tuple(FILES.items())) -> bytes:
    """A zip of these files."""
    stream = ZipStream()
    parts = [_write(stream, path, data)[0] for path, data in files]
    return b"".join([*parts, stream.finish()])


def test_unzip_and_zip_find_it_whole(tmp_path: Path) -> None:
    (tmp_path / "out.zip").write_bytes(whole())
    for command in (["unzip", "-tq", "out.zip"], ["zip", "-qT", "out.zip"]):
        if shutil.which(command[0]) is None:
            pytest.skip(f"no {command[0]} here")
        subprocess.run(command, cwd=tmp_path, check=True)
    subprocess.run(["unzip", "-q", "out.zip", "-d", "there"], cwd=tmp_path, check=True)
    assert {
        path.relative_to(tmp_path / "there").as_posix(): path.read_bytes()
        for path in (tmp_path / "there").rglob("*")
        if path.is_file()
    } == FILES


def test_python_reads_each_file_with_its_hour() -> None:
    with zipfile.ZipFile(io.BytesIO(whole())) as found:
        assert {one.filename: found.read(one) for one in found.infolist()} == FILES
        assert found.testzip() is None
        assert {one.date_time for one in found.infolist()} == {(2026, 11, 28, 11, 42, 36)}


def test_it_can_be_read_from_its_beginning_alone() -> None:
    """A reader of streams meets the sizes after the bytes: deflate says where these end."""
    stream = ZipStream()
    begun = stream.begin("a", AT)
    assert begun[6:10] == b"\x08\x00\x08\x00"  # streamed, deflate


@pytest.mark.parametrize("before", range(len(FILES) + 1))
def test_gone_on_with_after_a_crash_it_is_byte_for_byte_the_same(before: int) -> None:
    stream, kept, entries = ZipStream(), b"", []
    for path, data in list(FILES.items())[:before]:
        written, entry = _write(stream, path, data)
        kept += written
        entries.append(entry)
    stream.begin("papiers/cut", AT)
    stream.write(b"what a crash leaves is written again")
    done = [ZipEntry.of(entry.values()) for entry in entries]
    again = ZipStream(done, len(kept))
    for path, data in list(FILES.items())[before:]:
        kept += _write(again, path, data)[0]
    assert kept + again.finish() == whole()


def test_an_entry_says_what_was_written() -> None:
    stream = ZipStream()
    first, _ = _write(stream, "a", b"abc")
    second, entry = _write(stream, "b", bytes(100_000))
    assert (entry.path, entry.size, entry.offset) == ("b", 100_000, len(first))
    assert entry.digest == sha256(bytes(100_000)).hexdigest()
    assert entry.packed < 1000
    assert stream.offset == len(first) + len(second)


def test_beyond_four_gibibytes(tmp_path: Path) -> None:
    """Offsets that need ZIP64: a file with a hole in the place of what came before."""
    hole = 5 * 1024**3
    entry = ZipEntry("a", AT, 0, 2, 0, 0, sha256(b"").hexdigest())
    first = b"".join(_write(ZipStream(), "a", b"")[:1])
    stream = ZipStream([entry], hole)
    with (tmp_path / "large.zip").open("wb") as file:
        file.write(first)
        file.seek(hole)
        file.write(_write(stream, "b", b"beyond")[0] + stream.finish())
    with zipfile.ZipFile(tmp_path / "large.zip") as found:
        assert found.read("b") == b"beyond"
        assert found.getinfo("b").header_offset == hole
    if shutil.which("unzip") is None:
        pytest.skip("no unzip here")
    seen = subprocess.run(
        ["unzip", "-p", "large.zip", "b"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert seen.stdout == b"beyond"


def test_too_many_entries() -> None:
    done = [ZipEntry(f"papiers/{number}", AT, 0, 2, 0, 0, "") for number in range(MAX_ENTRIES)]
    with pytest.raises(ValueError, match="too many"):
        ZipStream(done).begin("x", AT)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a//b",
        "../a",
        "a/..",
        "a/./b",
        "a/",
        "a\\b",
        "c:a",
        "a\0b",
        "a\nb",
        "a ",
        "a. /b",
        "a./b",
        "e\u0301",
        "\ud800",
        "é" * 121,
    ],
)
def test_a_path_that_leads_elsewhere_is_written_nowhere(path: str) -> None:
    assert refused_path(path)
    with pytest.raises(ValueError, match="path"):
        ZipStream().begin(path, AT)


@pytest.mark.parametrize(
    "path", ["a", "é" * 120, "papiers/001 Avis d’impôt/a.pdf", "می‌خواهم", "👩‍👧"]
)
def test_paths_of_every_script(path: str) -> None:
    assert not refused_path(path)


def test_a_path_twice_is_refused_also_where_capitals_count_for_nothing() -> None:
    stream = ZipStream([ZipEntry("Straße", AT, 0, 2, 0, 0, "")], 10)
    with pytest.raises(ValueError, match="path"):
        stream.begin("STRASSE", AT)


def test_an_hour_that_a_zip_cannot_say() -> None:
    stream = ZipStream()
    _, entry = _write(stream, "a", b"", datetime(1970, 1, 1, tzinfo=UTC))
    assert entry.at == datetime(1980, 1, 1, tzinfo=UTC)
