"""The service's side of the decoding processes: starts the zygote, keeps children ready, gives each
its only job, and kills those that do not end in time."""

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from base.errors import ErrorKind, ServiceError
from vault.decoding.children import Child, ChildPool, EndedError, NotStartedError, receive
from vault.decoding.confine import Protection
from vault.decoding.media import Limits, Undecodable
from vault.decoding.memory_files import copy_file
from vault.decoding.queue import DecodingQueue
from vault.decoding.zygote import ORDER_BYTES

_log = logging.getLogger(__name__)

_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    "import json, sys; start = json.loads(sys.argv[1]); sys.path[:] = start['path']; "
    "from vault.decoding.media import Limits; from vault.decoding.zygote import main; "
    "main(start['control'], start['parent'], start['worker'], Limits(**start['limits']))"
)
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Read by the C library before anything else, then dropped: large blocks of memory come in huge
pages, because a child starts with none, and one small page costs the kernel as much as one huge."""
_START_SECONDS = 60
_TRIES = 3
_REQUIRED = frozenset(
    {
        Protection.NO_ENVIRONMENT,
        Protection.NO_INHERITED_FILES,
        Protection.NO_OPENING,
        Protection.NO_WRITING,
        Protection.NO_SOCKETS,
    }
)
"""Every Linux provides these; the others depend on the service's user and container."""


class Sandbox:
    """Runs jobs in children of one zygote, a few at once; each child runs one. For one event loop;
    start it, stop it.

    `worker` is the module that runs the jobs. A zygote that died is started again. Start it from a
    long-lived thread: the kernel kills the zygote when the thread that started it ends.
    """

    def __init__(self, limits: Limits, worker: str = "vault.decoding.child") -> None:
        self.limits = limits
        self.protections: frozenset[Protection] = frozenset()
        self._worker = worker
        self._queue = DecodingQueue(
            limits.children, waiting=limits.waiting, waiting_each=limits.waiting_each
        )
        self._starting = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pool: ChildPool | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def start(self) -> None:
        """Loads the decoders and observes the children's `protections`."""
        self._stopped = False
        try:
            async with self.job() as job:
                answer = await job.run({"job": "probe", "lengths": []})
        except Undecodable:
            raise RuntimeError("no decoding child can run on this machine") from None
        self.protections |= {Protection(name) for name in answer["protections"]}
        lacking = sorted(_REQUIRED - self.protections)
        if lacking:
            await self.stop()
            raise RuntimeError(f"decoding children cannot be confined here: {lacking}")
        for missing in sorted(set(Protection) - self.protections):
            _log.warning("decoding children lack a protection: %s", missing)

    async def stop(self) -> None:
        """Stops the zygote without waiting for jobs: children die with it."""
        self._stopped = True
        async with self._starting:
            await self._stop_zygote()
        await asyncio.gather(*self._ending)

    def slot(self, account: UUID, cost: int) -> AbstractAsyncContextManager[None]:
        """A slot for one child, for the account that deposits `cost` bytes, when its turn comes.
        Raises "too_many_at_once" and "decoder_busy" as `DecodingQueue` does."""
        return self._queue.slot(account, cost)

    @contextlib.asynccontextmanager
    async def job(self) -> AsyncIterator["Job"]:
        """One job, with a child of its own. Raises `ServiceError` ("decoder_unavailable") when no
        child can be had."""
        job = Job(self, await self._take())
        try:
            yield job
        finally:
            self._end(job.child)
            if self._pool is not None:
                self._pool.refill()

    async def _take(self) -> Child:
        for _ in range(_TRIES):
            pool = await self._ensure_zygote()
            try:
                return await pool.take()
            except NotStartedError:
                await self._replace(pool)
        raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_unavailable", retry_after=5)

    async def another(self, child: Child) -> Child:
        """A child in place of one that did not begin its job, with the same document."""
        pool = self._pool
        if pool is not None and not pool.alive:
            await self._replace(pool)
        successor = await self._take()
        await asyncio.to_thread(copy_file, child.source, successor.source)
        self._end(child)
        return successor

    async def _replace(self, pool: ChildPool) -> None:
        """Another zygote, unless somebody has started one already."""
        _log.warning("the decoding zygote has died; starting another")
        async with self._starting:
            if self._pool is pool:
                await self._stop_zygote()

    def _end(self, child: Child) -> None:
        """Kills a child whose job has ended. Nobody waits for its end, which takes milliseconds:
        its results are frozen already, or are not used."""
        child.kill()
        ending = asyncio.create_task(child.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    def has_lost_zygote(self) -> bool:
        """Whether the zygote has ended, and with it all its children."""
        return self._pool is None or not self._pool.alive

    async def _ensure_zygote(self) -> ChildPool:
        """The zygote's children; starts a zygote if none is running."""
        async with self._starting:
            if self._pool is not None and self._pool.alive:
                return self._pool
            if self._stopped:
                raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_unavailable", retry_after=5)
            await self._stop_zygote()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            try:
                with theirs:
                    self._process = self._spawn(theirs.fileno())
                await self._await_greeting(ours)
            except BaseException:
                ours.close()
                await self._stop_zygote()
                raise
            self._pool = ChildPool(ours, self.limits.children)
            self._pool.refill()
            return self._pool

    async def _await_greeting(self, ours: socket.socket) -> None:
        greeting = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                greeting = await receive(ours, lambda: ours.recv(ORDER_BYTES))
        if not greeting:
            raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_unavailable", retry_after=5)
        if json.loads(greeting)["own_network"]:
            self.protections |= {Protection.OWN_NETWORK}

    def _spawn(self, control: int) -> subprocess.Popen[bytes]:
        start = {
            "path": [_ROOT, *(entry for entry in sys.path if Path(entry).is_absolute())],
            "control": control,
            "parent": os.getpid(),
            "worker": self._worker,
            "limits": asdict(self.limits),
        }
        return subprocess.Popen(  # noqa: S603  (our own interpreter and arguments)
            [sys.executable, "-I", "-S", "-B", "-c", _START, json.dumps(start)],
            env=_HUGE_PAGES,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(control,),
            start_new_session=True,
        )

    async def _stop_zygote(self) -> None:
        """Ends the zygote and the children that wait, and waits until they have ended."""
        pool, self._pool = self._pool, None
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait)
        if pool is not None:
            await pool.close()


class Job:
    """One job: write the document to `source`, file after file, then `run` it once. `output` is
    frozen by then, and open as long as the job's context."""

    def __init__(self, sandbox: Sandbox, child: Child) -> None:
        self._sandbox = sandbox
        self.child = child
        self.spent = 0.0

    @property
    def source(self) -> int:
        """The descriptor of the memory file for the document."""
        return self.child.source

    @property
    def output(self) -> int:
        """The descriptor of the memory file with the results."""
        return self.child.output

    async def run(self, order: dict[str, Any], cpu_seconds: float | None = None) -> dict[str, Any]:
        """Its answer. `order` names the job and the `lengths` of the files in the source;
        `cpu_seconds`: what it may take, at most what any file may. `spent`: what it has taken.

        Raises `Undecodable` when the child refuses the file, crashes or exceeds its limits, and
        `ServiceError` ("decoder_unavailable") when no child can be started.
        """
        limits = self._sandbox.limits
        most = limits.cpu_seconds if cpu_seconds is None else cpu_seconds
        for _ in range(_TRIES):
            child = self.child
            try:
                return await child.run(order, wall_seconds=limits.wall_seconds, cpu_seconds=most)
            except NotStartedError:
                self.child = await self._sandbox.another(self.child)
            except EndedError:
                if not self._sandbox.has_lost_zygote():
                    raise
                # The child ended with the zygote: the file is not the cause.
                self.child = await self._sandbox.another(self.child)
            finally:
                self.spent += child.spent
        raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_unavailable", retry_after=5)
