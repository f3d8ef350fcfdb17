"""Blobs as files under one folder: the store of an installation on a single machine."""

import errno
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal, ParamSpec

from base.files import flush_folder
from base.part_state import PartStates
from storage.blobs import (
    BlobExists,
    BlobInfo,
    BlobKey,
    BlobMissing,
    BlobStore,
    BlobUnavailable,
    Bytes,
    InvalidBlob,
    Place,
    checked_prefix,
)
from storage.blobs.folder_contents import walk
from storage.blobs.reports import StoreReport
from storage.thread_pool import ThreadPool

P = ParamSpec("P")

_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)
"""Linux: answer from the page cache or not at all."""


class DirectoryStore(BlobStore):
    """A folder of mode 0700, created if absent; it must be on one file system with hard links.

    `blobs/documents+/3f/a2/3fa2…` holds the key `documents/3fa2…`: a `+`, which no key contains,
    distinguishes the folder of a segment from the two levels that spread the files. `tmp/` holds
    drafts. Is trusted: to keep what `fsync` confirmed. Is *not* trusted: with content.
    """

    def __init__(self, root: Path, threads: int = 16, report: StoreReport | None = None) -> None:
        self.report = report or StoreReport(PartStates())
        self.temporary = root / "tmp"
        self.blobs = root / "blobs"
        for folder in (root, self.temporary, self.blobs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flush_folder(folder.parent)
        self._durable_folders = {self.blobs}
        self._threads = ThreadPool(
            threads,
            "blobs",
            errors=(OSError,),
            convert_error=_unavailable,
            failed=self.report.failed,
            answered=self.report.answered,
        )

    @asynccontextmanager
    async def writer(self, key: BlobKey) -> AsyncIterator["_Writer"]:
        """As the contract; `BlobExists` at `commit()`."""
        writer = _Writer(self._threads, _Draft(self, key))
        try:
            yield writer
        finally:
            if writer.draft.begun:
                await self._threads.clean_up(writer.draft.discard)

    @asynccontextmanager
    async def reader(self, key: BlobKey) -> AsyncIterator["_Reader"]:
        """As the contract; `BlobMissing` on entering. A blob deleted meanwhile stays readable.

        Opened on the event loop: names used recently are in the kernel's cache, and switching to
        a thread costs more (100 to 200 µs) than cold look-ups on a local disk.
        """
        descriptor = self._threads.run_here(self._open, key)
        try:
            yield _Reader(self._threads, descriptor)
        finally:
            os.close(descriptor)

    def _open(self, key: BlobKey) -> int:
        with self._convert_missing():
            return os.open(self.path(key), os.O_RDONLY | os.O_CLOEXEC)

    async def put(self, key: BlobKey, data: Bytes) -> None:
        """As the contract."""
        await self._threads.run_to_end(self._put, key, data)

    def _put(self, key: BlobKey, data: Bytes) -> None:
        draft = _Draft(self, key)
        try:
            draft.open()
            draft.write(data)
            draft.replace()
        finally:
            draft.discard()

    async def get(self, key: BlobKey, limit: int) -> bytes:
        """As the contract."""
        return await self._threads.run(self._get, key, limit)

    def _get(self, key: BlobKey, limit: int) -> bytes:
        with self._convert_missing(), Path(self.path(key)).open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise InvalidBlob
        return data

    async def exists(self, key: BlobKey) -> bool:
        """As the contract."""
        try:
            await self._threads.run(self._stat, key)
        except BlobMissing:
            return False
        return True

    def _stat(self, key: BlobKey) -> os.stat_result:
        with self._convert_missing():
            return Path(self.path(key)).stat()

    async def delete(self, key: BlobKey) -> None:
        """As the contract. Its folders stay: removing one could race with a write into it."""
        with suppress(BlobMissing):
            await self._threads.run_to_end(self._delete, Path(self.path(key)))

    def _delete(self, path: Path) -> None:
        with self._convert_missing():
            path.unlink()
        flush_folder(path.parent)

    async def page(
        self, prefix: str = "", after: BlobKey | None = None, limit: int = 1000
    ) -> list[BlobInfo]:
        """As the contract."""
        return await self._threads.run(self._page, checked_prefix(prefix), after, limit)

    def _page(self, prefix: str, after: BlobKey | None, limit: int) -> list[BlobInfo]:
        self._check_mounted()
        folder = self.blobs.joinpath(*[f"{segment}+" for segment in prefix.split("/")[:-1]])
        return list(islice(self._infos(walk(folder, prefix, after or "")), limit))

    def _infos(self, keys: Iterator[str]) -> Iterator[BlobInfo]:
        for key in map(BlobKey, keys):
            with suppress(BlobMissing):  # deleted since its folder was read
                status = self._stat(key)
                yield BlobInfo(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    async def sweep_temporary(self, before: datetime) -> int:
        """As the contract."""
        return await self._threads.run(self._sweep, before.timestamp())

    def _sweep(self, before: float) -> int:
        swept = 0
        for file in self.temporary.iterdir():
            with suppress(FileNotFoundError):  # committed or discarded by its writer meanwhile
                if file.stat().st_mtime < before:
                    file.unlink()
                    swept += 1
        return swept

    async def check(self) -> None:
        """As the contract: the folder is there (not an empty mount point), writable, not full."""
        await self._threads.run(self._check)

    def _check(self) -> None:
        self._check_mounted()
        if not os.access(self.temporary, os.W_OK | os.X_OK):
            raise BlobUnavailable("folder not writable")
        if os.statvfs(self.blobs).f_bavail == 0:
            raise BlobUnavailable("ENOSPC")
        if self.report.disk_fails:  # a process that writes nothing else would never see it well
            with NamedTemporaryFile(dir=self.temporary, buffering=0) as probe:
                probe.write(bytes(4096))
                os.fsync(probe.fileno())
            self.report.written()

    async def close(self) -> None:
        """As the contract."""
        self._threads.close()

    def _check_mounted(self) -> None:
        """A blob missing from a disk that is not mounted was not necessarily deleted."""
        if not self.temporary.is_dir():
            raise BlobUnavailable("folder missing")

    @contextmanager
    def _convert_missing(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            self._check_mounted()
            raise BlobMissing from None

    def path(self, key: BlobKey) -> str:
        """The path of the blob's file, whether it exists or not."""
        *segments, name = key.split("/")
        folders = "".join(f"{segment}+/" for segment in segments)
        return f"{self.blobs}/{folders}{name[:2]:!<2}/{name[2:4]:!<2}/{name}"

    def make_folders(self, folder: Path) -> list[Path]:
        """Create `folder` and those above it; returns those that `flush` MUST flush afterwards,
        innermost first: they are not known to survive a power cut.

        A folder that exists is among them, once per process: the writer that created it may not
        have flushed it yet, and a power cut would then lose the folder that holds our blob.
        """
        if folder in self._durable_folders:
            return []
        above = self.make_folders(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        return [folder, *above]

    def flush(self, folder: Path, made: list[Path]) -> None:
        """Make what `folder` lists durable, and the folders that `make_folders` returned for it.

        All at the end, so that a file system with a journal writes it once: the first flush takes
        along what the others ask for.
        """
        flush_folder(folder)
        for each in made:
            flush_folder(each.parent)
        if len(self._durable_folders) > 20_000:  # about 4 MB
            self._durable_folders = {self.blobs}
        self._durable_folders.update(made)


class _Draft:
    """A file in `tmp/` before it has its key: the blocking half of a write, for one thread."""

    def __init__(self, store: DirectoryStore, key: BlobKey) -> None:
        self._store = store
        self._final = Path(store.path(key))
        self._temporary = store.temporary / secrets.token_hex(16)
        self._descriptor: int | None = None

    @property
    def begun(self) -> bool:
        """Whether there is a file to discard."""
        return self._descriptor is not None

    def append(self, *pieces: Bytes) -> None:
        """Write these too; the first time, to a new file."""
        if not self.begun:
            self.open()
        for piece in pieces:
            self.write(piece)

    def end(self, last: Bytes) -> None:
        """Write the end, publish, and leave nothing in `tmp/`."""
        self.append(last)
        self.publish()
        self.discard()

    def open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(self._temporary, flags, 0o600)

    def write(self, data: Bytes) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(self._opened(), view) :]

    def publish(self) -> None:
        """Give the file its final name; the order of the steps makes it safe."""
        os.fsync(self._opened())
        folder = self._final.parent
        made = self._store.make_folders(folder)
        # A crash up to here leaves a file in tmp/, removed by the sweep, and perhaps empty folders.
        try:
            self._final.hardlink_to(self._temporary)
        except OSError as error:
            # NFS repeats a link whose answer was lost, and reports our own link as existing.
            if not self._is_linked():
                if isinstance(error, FileExistsError):
                    raise BlobExists from None
                raise
        # A crash here leaves a whole blob, which a power cut may or may not remove. It was not
        # acknowledged, so nothing refers to it: the sweep of unreferenced blobs removes it.
        try:
            self._store.flush(folder, made)
        except OSError:
            self._final.unlink(missing_ok=True)
            raise
        # A crash here leaves the durable blob and a second link in tmp/, removed by the sweep.
        self._store.report.written()

    def replace(self) -> None:
        """Replace the blob of this key. A crash leaves the old one or the new one."""
        os.fsync(self._opened())
        made = self._store.make_folders(self._final.parent)
        self._temporary.replace(self._final)
        self._store.flush(self._final.parent, made)
        self._store.report.written()

    def discard(self) -> None:
        """Close and remove the file in `tmp/`; what cannot be removed is left to the sweep."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.close(descriptor)
        with suppress(OSError):
            self._temporary.unlink()

    def _is_linked(self) -> bool:
        try:
            return os.path.samestat(self._final.stat(), os.fstat(self._opened()))
        except FileNotFoundError:
            return False

    def _opened(self) -> int:
        if self._descriptor is None:
            raise RuntimeError("this blob is not being written")
        return self._descriptor


_PENDING_BYTES = 256 * 1024


class _Writer:
    """The contract's writer: a draft, and whether it may still be committed.

    Handing a call to a thread costs more than copying a small piece: small pieces wait for the next
    large one, or for the commit.
    """

    def __init__(self, threads: ThreadPool, draft: _Draft) -> None:
        self._threads = threads
        self.draft = draft
        self._pending = bytearray()
        self._state: Literal["open", "busy", "ended"] = "open"

    async def write(self, data: Bytes) -> None:
        self._check_open()
        if len(self._pending) + len(data) <= _PENDING_BYTES:
            self._pending += data
            return
        pending, self._pending = self._pending, bytearray()
        await self._step("open", self.draft.append, pending, data)

    async def commit(self) -> None:
        pending, self._pending = self._pending, bytearray()
        await self._step("ended", self.draft.end, pending)

    async def _step(
        self, after: Literal["open", "ended"], call: Callable[P, None], *a: P.args, **k: P.kwargs
    ) -> None:
        self._check_open()
        self._state = "busy"  # stays busy after a failure: a partial write is never committed
        await self._threads.run_to_end(call, *a, **k)
        self._state = after

    def _check_open(self) -> None:
        if self._state != "open":
            raise RuntimeError("this blob was committed, or a write of it failed")


class _Reader:
    """The contract's reader over an open file.

    What the page cache holds is read on the event loop, with RWF_NOWAIT so that a cold page
    cannot block it: 4 µs for 20 KiB and 28 µs for 256 KiB (measured, Linux 6.18), against 145 to
    260 µs for the same through a thread. What is not cached goes to a thread.
    """

    def __init__(self, threads: ThreadPool, descriptor: int) -> None:
        self._threads = threads
        self._descriptor = descriptor

    async def read_into(self, offset: int, length: int, place: Place) -> memoryview:
        view = place()
        done = self._read_cached(offset, view)
        if done < length:
            await self._threads.run_to_end(self._read, offset + done, view[done:])
        return view

    def _read_cached(self, offset: int, view: memoryview) -> int:
        if _NOWAIT is None:
            return 0
        try:
            return os.preadv(self._descriptor, [view], offset, _NOWAIT)
        except OSError:  # not cached, or not supported here; the thread meets a real error again
            return 0

    def _read(self, offset: int, view: memoryview) -> None:
        while view:
            count = os.preadv(self._descriptor, [view], offset)
            if count == 0:
                raise InvalidBlob
            offset, view = offset + count, view[count:]


def _unavailable(error: Exception) -> BlobUnavailable:
    number = error.errno if isinstance(error, OSError) else None
    return BlobUnavailable(errno.errorcode.get(number or 0, "OSError"))
