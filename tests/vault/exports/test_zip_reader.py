"""What of a zip is taken, from a hand that nobody knows."""

import io
import zipfile
from collections.abc import Mapping
from random import Random

import pytest

from tests.vault.exports.test_zip_format import FILES, whole
from vault.exports import zip_reader
from vault.exports.zip_reader import NotOurs, Wrong, ZipReader

ROOM = 10_000_000
SMALL = {"a.txt": Random(3).randbytes(300), "b/c.txt": b"for years" * 20}


def _read(data: bytes, room: int = ROOM) -> dict[str, bytes]:
    reader = ZipReader(io.BytesIO(data), room=room)
    return {one.path: b"".join(reader.read(one)) for one in reader.entries}


def _refused(data: bytes, room: int = ROOM) -> Wrong:
    with pytest.raises(NotOurs) as refused:
        _read(data, room)
    return refused.value.wrong


def _packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """As another program packs them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as packing:
        for path, data in files.items():
            packing.writestr(path, data)
    return made.getvalue()


def test_what_was_written_is_read() -> None:
    assert _read(whole()) == FILES


def test_a_small_one_changed_anywhere_is_refused_or_reads_the_same() -> None:
    """Every byte of it, three ways: never other bytes, another name or an error of its own."""
    data = whole(tuple(SMALL.items()))
    refused = 0
    for at in range(len(data)):
        for change in (1, 0x80, 0xFF):
            altered = bytearray(data)
            altered[at] ^= change
            try:
                found = _read(bytes(altered))
            except NotOurs:
                refused += 1
                continue
            # A name has no checksum in a zip: the manifest lists it.
            assert sorted(found.values()) == sorted(SMALL.values()) or len(found) < len(SMALL)
    assert refused > 1.5 * len(data)


def test_cut_anywhere() -> None:
    data = whole(tuple(SMALL.items()))
    assert {_refused(data[:at]) for at in range(len(data))} == {Wrong.CUT}


def test_bytes_put_in_and_taken_out() -> None:
    data, random = whole(tuple(SMALL.items())), Random(7)
    for _ in range(300):
        at, length = random.randrange(len(data)), random.randrange(1, 40)
        for altered in (
            data[:at] + random.randbytes(length) + data[at:],
            data[:at] + data[at + length :],
        ):
            try:
                found = _read(altered)
            except NotOurs:
                continue
            assert set(found.values()) <= set(SMALL.values())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_packed_again_by_another_program(method: int) -> None:
    assert _read(_packed(SMALL, method)) == SMALL


def test_packed_again_by_macos() -> None:
    """One folder around it, names taken apart, and what that system adds."""
    files = {"Copie/": b"", "__MACOSX/Copie/._a.txt": b"x", "Copie/.DS_Store": b"x"}
    files |= {"Copie/papiers/re\u0301sume\u0301.pdf": b"paper", "Copie/a.txt": b"a"}
    assert _read(_packed(files)) == {"papiers/résumé.pdf": b"paper", "a.txt": b"a"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_in_a_way_of_which_no_export_is(method: int) -> None:
    assert _refused(_packed(SMALL, method)) is Wrong.UNKNOWN


def test_a_locked_one() -> None:
    data = bytearray(_packed(SMALL))
    for at in (index for index in range(len(data)) if data[index : index + 4] == b"PK\x01\x02"):
        data[at + 8] |= 1
    assert _refused(bytes(data)) is Wrong.UNKNOWN


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "c:\\x", "a//b", "x" * 241])
def test_a_path_that_leads_elsewhere(path: str) -> None:
    assert _refused(_packed({path: b"", "a": b""})) is Wrong.PATH


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_path_twice() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packing:
        packing.writestr("a", b"one")
        packing.writestr("A", b"another")
    assert _refused(made.getvalue()) is Wrong.PATH


def test_entries_that_share_their_bytes() -> None:
    """A bomb of a few kibibytes: each name leads to the same packed bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packing:
        packing.writestr("a", bytes(1_000_000))
        first = packing.infolist()[0]
        for number in range(5):
            again = zipfile.ZipInfo("a")
            again.filename = f"{number}"
            again.compress_type, again.CRC = first.compress_type, first.CRC
            again.file_size, again.compress_size = first.file_size, first.compress_size
            again.header_offset = first.header_offset
            packing.infolist().append(again)
    assert _refused(made.getvalue()) is Wrong.ALTERED


def test_more_than_there_is_room_for_is_refused_before_a_byte_is_unpacked() -> None:
    bomb = _packed({"a": bytes(ROOM + 1)})
    assert len(bomb) < ROOM / 500
    assert _refused(bomb) is Wrong.TOO_LARGE


def test_longer_than_its_directory_tells_of() -> None:
    data = bytearray(_packed({"a": bytes(100_000)}))
    directory = data.index(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    assert _refused(bytes(data)) is Wrong.ALTERED


def test_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_reader, "MAX_ENTRIES", 2)
    assert _refused(_packed({"a": b"", "b": b"", "c": b""})) is Wrong.TOO_MANY


def test_a_directory_longer_than_any_of_ours_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_reader, "MAX_DIRECTORY", 70_000)
    files = {f"{number:0>200}": b"" for number in range(300)}
    assert _refused(_packed(files)) is Wrong.CUT


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + bytes(17), bytes(100_000)])
def test_what_is_no_zip(data: bytes) -> None:
    assert _refused(data) is Wrong.CUT
