"""Reads a zip that holds an export, by an untrusted hand: what is not plain is refused. Pure.

`zipfile` reads it; this says what of it is taken. One that a computer opened and packed again is
taken too (macOS does so unasked): folders and what that system adds beside the files are left out,
and one folder around all of it. What the bytes are worth is said by the manifest alone.
"""

import struct
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from vault.exports.zip_format import MAX_ENTRIES, MAX_ENTRY_BYTES, refused_path

MAX_DIRECTORY = 16 * 1024 * 1024
"""Bytes of the list of entries: `MAX_ENTRIES` with the longest paths fit."""
SLICE = 64 * 1024
_METHODS = frozenset((ZIP_STORED, ZIP_DEFLATED))
_FLAGS = 0x0800 | 0x0008 | 0x0006
"""Those that say nothing of how to read: UTF-8, streamed, how hard it was packed."""
_LOCAL_HEADER = 30
_MAC_FOLDER = "__MACOSX"
_MAC_FILE = ".DS_Store"
_BROKEN = (
    BadZipFile,
    LargeZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
    KeyError,
    struct.error,
    zlib.error,
)
"""What `zipfile` raises for bytes that it cannot read."""


class Wrong(StrEnum):
    """Why a zip is refused."""

    CUT = "cut"
    """Its end is missing, or it is no zip at all."""
    UNKNOWN = "unknown"
    """A zip, and of no kind that an export is."""
    ALTERED = "altered"
    """Its bytes are not those that its own headers tell of."""
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    PATH = "path"
    """A path that leads elsewhere, or twice the same."""


class NotOurs(Exception):
    """A zip that is not taken; `wrong` says why."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong)
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class FoundEntry:
    """An entry as the directory tells of it: nothing of it was read. `path`: as the export named
    it."""

    path: str
    size: int
    info: ZipInfo


class ZipReader:
    """A zip whose directory was read and judged. `file` reads where it is told to."""

    def __init__(self, file: BinaryIO, *, room: int) -> None:
        """`room`: bytes that all entries may have together. Raises `NotOurs`."""
        with _refusing(Wrong.CUT):
            self._zip = ZipFile(_Bounded(file), metadata_encoding="utf-8")
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            raise NotOurs(Wrong.TOO_MANY)
        wanted = [info for info in infos if not _is_left_out(info)]
        _judge(wanted, room)
        _check_places(infos)
        self.entries = _named(wanted)
        self._by_path = {entry.path: entry for entry in self.entries}

    def read_small(self, path: str, limit: int) -> bytes:
        """A file that is held in memory. Raises `NotOurs` for one that is not there, or longer."""
        entry = self._by_path.get(path)
        if entry is None:
            raise NotOurs(Wrong.UNKNOWN)
        if entry.size > limit:
            raise NotOurs(Wrong.TOO_LARGE)
        return b"".join(self.read(entry))

    def read(self, entry: FoundEntry) -> Iterator[bytes]:
        """The bytes of an entry, `SLICE` at most at once. Raises `NotOurs` where they are not
        those that the directory tells of, at the end at the latest."""
        with _refusing(Wrong.ALTERED):
            left = entry.size
            with self._zip.open(entry.info) as opened:
                while data := opened.read(SLICE):
                    left -= len(data)
                    yield data
            if left:
                raise NotOurs(Wrong.ALTERED)


def _is_left_out(info: ZipInfo) -> bool:
    """A folder, or what macOS adds."""
    parts = info.filename.split("/")
    return info.is_dir() or parts[0] == _MAC_FOLDER or parts[-1] == _MAC_FILE


def _judge(infos: list[ZipInfo], room: int) -> None:
    for info in infos:
        if info.compress_type not in _METHODS or info.flag_bits & ~_FLAGS:
            raise NotOurs(Wrong.UNKNOWN)
        if info.file_size > MAX_ENTRY_BYTES:
            raise NotOurs(Wrong.TOO_LARGE)
        if info.orig_filename != info.filename:  # cut at a NUL
            raise NotOurs(Wrong.PATH)
    if sum(info.file_size for info in infos) > room:
        raise NotOurs(Wrong.TOO_LARGE)


def _check_places(infos: list[ZipInfo]) -> None:
    """No byte belongs to two entries: a small zip would unpack to a great deal."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise NotOurs(Wrong.ALTERED)
        end = info.header_offset + _LOCAL_HEADER + len(info.filename.encode()) + info.compress_size


def _named(infos: list[ZipInfo]) -> tuple[FoundEntry, ...]:
    """With their paths in NFC (macOS takes letters apart), out of the one folder around them."""
    paths = [unicodedata.normalize("NFC", info.filename) for info in infos]
    tops = {path.partition("/")[0] for path in paths}
    if len(tops) == 1 and all("/" in path for path in paths):
        paths = [path.partition("/")[2] for path in paths]
    if any(map(refused_path, paths)) or any(
        count > 1 for count in Counter(path.casefold() for path in paths).values()
    ):
        raise NotOurs(Wrong.PATH)
    return tuple(
        FoundEntry(path, info.file_size, info) for path, info in zip(paths, infos, strict=True)
    )


@contextmanager
def _refusing(wrong: Wrong) -> Iterator[None]:
    try:
        yield
    except _BROKEN:
        raise NotOurs(wrong) from None


class _Bounded:
    """The file, of which nothing is read at once but what a zip of ours needs."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        if size > MAX_DIRECTORY:
            raise BadZipFile
        # Without a length it asks for the end of the file, where the directory is told of.
        return self._file.read(size if size >= 0 else MAX_DIRECTORY)

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        """The caller's."""
