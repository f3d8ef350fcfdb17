"""A zip that is written as a stream, and gone on with after a crash from any entry's end. Pure.

The bytes are those of Python's own `zipfile` (PKWARE APPNOTE 6.3.10: deflate, UTF-8 names, ZIP64
where it is needed). It writes to a place that tells its offset and cannot seek, and lists the
entries of `infolist` in the directory at the end: given those that are whole and where the last one
ends, it goes on as if it had written them. ADR: docs/adr/0065-export-and-import.md.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MAX_ENTRIES = 50_000
MAX_PATH_BYTES = 240
MAX_ENTRY_BYTES = 2**31 - 1
"""Of one entry: a longer one would need other headers, and no paper is as long."""
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_STREAMED = 0x08
"""Flag: the sizes and the checksum follow the bytes."""
_OWNERS_ALONE = 0o600 << 16
_FORBIDDEN = frozenset('\\:*?"<>|')
"""What Windows takes in no name; `/` only parts folders."""
_CONTROLS = frozenset(("Cc", "Cs", "Zl", "Zp"))
"""Categories: controls, halves of characters, ends of lines."""


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A whole entry: `size` and `packed` in bytes, `offset` of its header in the zip, `digest` the
    SHA-256 of its bytes in hexadecimal."""

    path: str
    at: datetime
    size: int
    packed: int
    crc: int
    offset: int
    digest: str

    def values(self) -> list[Any]:
        """As it is kept between two runs."""
        at = int(self.at.timestamp())
        return [self.path, at, self.size, self.packed, self.crc, self.offset, self.digest]

    @staticmethod
    def of(values: Sequence[Any]) -> "ZipEntry":
        """What `values` gave."""
        path, at, *rest = values
        return ZipEntry(path, datetime.fromtimestamp(at, UTC), *rest)


class ZipStream:
    """Writes a zip: each call returns the bytes that follow. `done`: the entries that are whole
    already, and `offset` where they end; entries are written one after the other."""

    def __init__(self, done: Sequence[ZipEntry] = (), offset: int = 0) -> None:
        self._sink = _Sink(offset)
        self._zip = _Unfinished(self._sink, "w", ZIP_DEFLATED)
        self._zip.infolist().extend(map(_info_of, done))
        self._paths = {_as_compared(entry.path) for entry in done}
        self._entry: IO[bytes] | None = None
        self._info = ZipInfo()
        self._at = _EARLIEST
        self._digest = sha256()

    @property
    def offset(self) -> int:
        """Bytes of the zip so far."""
        return self._sink.tell()

    def begin(self, path: str, at: datetime) -> bytes:
        """Begin an entry. `ValueError` for a path that `refused_path` refuses, one that is there
        already for a system that knows no capitals, or one too many."""
        if refused_path(path) or _as_compared(path) in self._paths:
            raise ValueError("a path that no zip of ours has")
        if len(self._paths) >= MAX_ENTRIES:
            raise ValueError("too many entries")
        self._paths.add(_as_compared(path))
        self._at = _even(at)
        self._info = ZipInfo(path, _date_time(self._at))
        self._info.compress_type = ZIP_DEFLATED
        self._digest = sha256()
        self._entry = self._zip.open(self._info, "w")
        return self._sink.take()

    def write(self, data: bytes | bytearray | memoryview) -> bytes:
        """More bytes of the entry that was begun."""
        assert self._entry is not None  # noqa: S101  (`begin` goes first)
        self._digest.update(data)
        self._entry.write(data)
        return self._sink.take()

    def end(self) -> tuple[bytes, ZipEntry]:
        """End the entry. `RuntimeError` for one longer than `MAX_ENTRY_BYTES`."""
        assert self._entry is not None  # noqa: S101  (the same)
        self._entry.close()
        self._entry = None
        info = self._info
        entry = ZipEntry(
            info.filename,
            self._at,
            info.file_size,
            info.compress_size,
            info.CRC,
            info.header_offset,
            self._digest.hexdigest(),
        )
        return self._sink.take(), entry

    def finish(self) -> bytes:
        """The directory of all entries, with which the zip ends."""
        self._zip.close()
        return self._sink.take()


def refused_path(path: str) -> bool:
    """Whether a path is none that a zip of ours has: relative, of parts with a name, in NFC,
    without what a system takes for something else, of `MAX_PATH_BYTES` at most."""
    if unicodedata.normalize("NFC", path) != path or any(map(_is_refused, path)):
        return True
    return len(path.encode()) > MAX_PATH_BYTES or not all(map(_is_name, path.split("/")))


def safe_part(text: str, limit: int = 80) -> str:
    """What somebody wrote, as one part of a path, of `limit` bytes at most; empty if nothing of it
    can be one."""
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    kept = "".join("-" if one == "/" or _is_refused(one) else one for one in line)
    cut = kept.encode(errors="replace")[:limit].decode(errors="ignore")
    part = unicodedata.normalize("NFC", cut).strip().rstrip(". ")
    return "" if refused_path(part) else part


def _is_refused(character: str) -> bool:
    return character in _FORBIDDEN or unicodedata.category(character) in _CONTROLS


def _is_name(part: str) -> bool:
    return bool(part) and part == part.strip() and not part.endswith(".")


def _as_compared(path: str) -> str:
    return unicodedata.normalize("NFC", path.casefold())


def _even(at: datetime) -> datetime:
    """As a zip can say it: in UTC, two seconds apart, not before 1980."""
    at = at.astimezone(UTC).replace(microsecond=0)
    return max(at.replace(second=at.second // 2 * 2), _EARLIEST)


def _date_time(at: datetime) -> tuple[int, int, int, int, int, int]:
    return at.year, at.month, at.day, at.hour, at.minute, at.second


def _info_of(entry: ZipEntry) -> ZipInfo:
    """What `zipfile` knows of an entry that it wrote."""
    info = ZipInfo(entry.path, _date_time(entry.at))
    info.compress_type = ZIP_DEFLATED
    info.flag_bits = _STREAMED
    info.external_attr = _OWNERS_ALONE
    info.file_size, info.compress_size = entry.size, entry.packed
    info.CRC, info.header_offset = entry.crc, entry.offset
    return info


class _Unfinished(ZipFile):
    """One that is not closed where it is dropped: an attempt that ends writes nothing more."""

    def __del__(self) -> None:
        """`ZipFile` would close it, and fails within an entry."""


class _Sink:
    """Takes what `zipfile` writes, tells how far it is, and has no `seek`."""

    def __init__(self, offset: int) -> None:
        self._offset = offset
        self._bytes = bytearray()

    def write(self, data: bytes, /) -> int:
        self._bytes += data
        self._offset += len(data)
        return len(data)

    def tell(self) -> int:
        return self._offset

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def close(self) -> None:
        """`zipfile` closes only what it opened."""

    def take(self) -> bytes:
        """What was written since the last call."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken
