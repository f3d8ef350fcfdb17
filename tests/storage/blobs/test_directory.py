"""The directory store when a disk fails, a process is killed or a file is removed by hand."""

import asyncio
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.blobs import BlobKey, BlobMissing, BlobUnavailable, InvalidBlob
from storage.blobs.directory import DirectoryStore

KEY = BlobKey("documents/3fa2000000000000000000000000000c")
DATA = bytes(range(256)) * 1000


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=5)


async def write(store: DirectoryStore, key: BlobKey = KEY, data: bytes = DATA) -> None:
    async with store.writer(key) as writer:
        await writer.write(data)
        await writer.commit()


async def count(store: DirectoryStore) -> int:
    return len(await store.page())


class Disk:
    """Records the calls that reach the disk, in order; call number `breaks` fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.breaks = -1
        self.saved = False
        for name in ("open", "write", "fsync", "mkdir", "link", "unlink", "replace", "close"):
            monkeypatch.setattr(os, name, self._broken(name, getattr(os, name)))

    def _broken(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            kind = name
            if name == "fsync":
                folder = stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
                kind = "fsync folder" if folder else "fsync file"
            self.calls.append(kind)
            if len(self.calls) - 1 != self.breaks:
                return real(*arguments, **options)
            if self.saved:
                result = real(*arguments, **options)
                if name == "open":
                    os.close(result)  # the caller never gets the descriptor
            raise OSError(errno.EIO, "the disk's own words", str(arguments[0]))

        return call


async def test_the_file_then_its_name_are_flushed_before_a_write_is_acknowledged(
    directory: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        disk = Disk(patch)
        await write(directory)

    calls = [call for call in disk.calls if call not in {"open", "close"}]
    # three folders are made; then the name, and the three above it, are flushed together
    assert calls == ["write", "fsync file", *["mkdir"] * 3, "link", *["fsync folder"] * 4, "unlink"]


@pytest.mark.parametrize("saved", [False, True], ids=["not saved", "saved"])
async def test_each_broken_call_of_a_write_in_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    """Acknowledged: the blob is stored whole. Error: it is not, and its leftovers are swept."""
    outcomes: dict[str, set[str]] = {}
    for number in range(100):
        store = DirectoryStore(tmp_path / f"{saved}{number}")
        with monkeypatch.context() as patch:
            disk = Disk(patch)
            disk.breaks, disk.saved = number, saved
            try:
                await write(store)
            except BlobUnavailable as failure:
                assert failure.reason == "EIO"
                assert "words" not in str(failure)
                assert failure.__context__ is None
                outcome = "refused"
            else:
                outcome = "acknowledged"
        await store.close()
        if number >= len(disk.calls):
            break
        outcomes.setdefault(disk.calls[number], set()).add(outcome)

        # after any failure, a restart finds all or nothing, and sweeps the rest
        store = DirectoryStore(tmp_path / f"{saved}{number}")
        assert await store.exists(KEY) == (outcome == "acknowledged")
        if outcome == "acknowledged":
            assert await store.get(KEY, limit=len(DATA)) == DATA
        await store.sweep_temporary(soon())
        assert list(store.temporary.iterdir()) == []
        if outcome == "refused":
            await write(store)
        await store.close()

    assert outcomes == {
        "open": {"refused"},
        "write": {"refused"},
        "fsync file": {"refused"},
        "fsync folder": {"refused"},
        "mkdir": {"acknowledged" if saved else "refused"},
        "link": {"acknowledged" if saved else "refused"},
        "unlink": {"acknowledged"},
        "close": {"refused", "acknowledged"},
    }


CHILD = """
import asyncio, os, sys, time
from pathlib import Path
from storage.blobs import BlobKey
from storage.blobs.directory import DirectoryStore

def stop(*arguments, **options):
    print("here", flush=True)
    time.sleep(60)

async def main(root, call, after):
    store = DirectoryStore(Path(root))
    real, count = getattr(os, call), [0]
    def counted(*arguments, **options):
        count[0] += 1
        if count[0] > int(after):
            stop()
        return real(*arguments, **options)
    setattr(os, call, counted)
    async with store.writer(BlobKey(sys.argv[4])) as writer:
        for _ in range(4):
            await writer.write(bytes(100_000))
        await writer.commit()

asyncio.run(main(*sys.argv[1:4]))
"""


def kill_a_writer(root: Path, call: str, after: int) -> None:
    """Write in another process, and kill it at the call that follows `after` such calls."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(root), call, str(after), KEY],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"here\n"
        child.send_signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("call", "after"),
    [("write", 2), ("fsync", 0), ("mkdir", 0), ("link", 0)],
    ids=["in the middle of a write", "before fsync", "after fsync", "before the name"],
)
async def test_a_killed_process_leaves_nothing_visible(
    tmp_path: Path, call: str, after: int
) -> None:
    root = tmp_path / "store"
    kill_a_writer(root, call, after)

    store = DirectoryStore(root)
    assert not await store.exists(KEY)
    assert await count(store) == 0
    assert await store.sweep_temporary(soon()) == 1
    assert list(store.temporary.iterdir()) == []
    await write(store)
    assert await store.get(KEY, limit=len(DATA)) == DATA
    await store.close()


@pytest.mark.parametrize("flushed", range(4))
async def test_a_process_killed_before_all_folders_are_flushed_leaves_a_whole_blob(
    tmp_path: Path, flushed: int
) -> None:
    """It was not acknowledged: the sweep of unreferenced blobs removes it. No later writer trusts
    its folders: each flushes them again."""
    kill_a_writer(tmp_path / "store", "fsync", 1 + flushed)
    store = DirectoryStore(tmp_path / "store")
    assert await store.get(KEY, limit=400_000) == bytes(400_000)
    assert await store.sweep_temporary(soon()) == 1
    folder = Path(store.path(KEY)).parent
    assert len(store.make_folders(folder)) == 3
    await store.close()


async def test_a_cold_file_reads_as_a_warm_one(directory: DirectoryStore) -> None:
    data = os.urandom(3_000_000)
    await write(directory, data=data)
    path = directory.path(KEY)
    buffer = bytearray(262_144)
    async with directory.reader(KEY) as reader:
        for offset in (0, 1_000_000, 3_000_000 - 262_144):
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)
            for _ in range(2):
                await reader.read_into(offset, 262_144, lambda: memoryview(buffer))
                assert buffer == data[offset : offset + 262_144]
        with pytest.raises(InvalidBlob):
            await reader.read_into(3_000_000 - 1, 262_144, lambda: memoryview(buffer))


async def test_a_file_system_without_cached_reads_still_reads(
    directory: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(directory)
    real = os.preadv

    def refusing(descriptor: int, buffers: Any, offset: int, flags: int = 0) -> int:
        if flags:
            raise OSError(errno.EOPNOTSUPP, "no")
        return real(descriptor, buffers, offset)

    monkeypatch.setattr(os, "preadv", refusing)
    assert await directory.read(KEY, 5, 100_000) == DATA[5:100_005]


async def test_a_reader_leaves_no_open_file(directory: DirectoryStore) -> None:
    await write(directory)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (the process's, not files)
    for _ in range(20):
        await directory.read(KEY, 0, 10)
        with pytest.raises(InvalidBlob):
            await directory.read(KEY, len(DATA), 10)
        async with directory.writer(BlobKey.random("documents")) as writer:
            await writer.write(b"x")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  (as above)


async def test_only_the_owner_may_look_into_the_folder(directory: DirectoryStore) -> None:
    await write(directory)
    for path in [directory.blobs.parent, *directory.blobs.parent.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_a_disk_that_is_not_mounted_says_nothing_about_blobs(
    directory: DirectoryStore,
) -> None:
    await write(directory)
    root = directory.blobs.parent
    root.rename(root.with_name("elsewhere"))
    root.mkdir()

    for call in (
        directory.exists(KEY),
        directory.read(KEY, 0, 1),
        directory.page(),
        directory.delete(KEY),
        directory.sweep_temporary(soon()),
        directory.check(),
        write(directory),
    ):
        with pytest.raises(BlobUnavailable):
            await call


async def test_a_blob_removed_behind_our_back_is_missing(directory: DirectoryStore) -> None:
    await write(directory)
    os.unlink(directory.path(KEY))  # noqa: PTH108  (pathlib is refused in async tests)
    with pytest.raises(BlobMissing):
        await directory.read(KEY, 0, 1)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def _is_key(name: str) -> bool:
    try:
        BlobKey(name)
    except ValueError:
        return False
    return True


# Nearly all are keys: the filter, which Hypothesis bounds, refuses few.
names = st.from_regex(r"\A[ab0][ab0._-]{0,5}\Z").filter(_is_key)
some_keys = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(found=st.sets(some_keys, max_size=12), after=some_keys, prefix=names)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_any_set_of_keys_is_listed_in_order(found: set[str], after: str, prefix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(Path(folder))
        for key in found:
            touch(Path(store.path(BlobKey(key))))
        assert [i.key for i in await store.page()] == sorted(found)
        beyond = await store.page(after=BlobKey(after))
        assert [i.key for i in beyond] == sorted(key for key in found if key > after)
        below = await store.page(f"{prefix}/", BlobKey(after))
        assert [i.key for i in below] == sorted(
            key for key in found if key > after and key.startswith(f"{prefix}/")
        )
        await store.close()


async def test_a_writer_cancelled_while_it_clears_up_leaves_nothing(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "one", threads=1)
    may_end = threading.Event()
    leaving = asyncio.Event()

    async def leave() -> None:
        async with store.writer(KEY) as writer:
            await writer.write(bytes(300_000))
            busy.append(asyncio.create_task(store._threads.run_to_end(may_end.wait, 10)))
            await asyncio.sleep(0)
            leaving.set()

    busy: list[asyncio.Task[bool]] = []
    task = asyncio.create_task(leave())
    await leaving.wait()
    await asyncio.sleep(0)
    task.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(store.temporary.iterdir()) == []
    await asyncio.gather(*busy)
    await store.close()
