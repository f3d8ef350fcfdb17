"""The service's side of the decoding processes: starts the zygote, passes it memory files, waits
for answers, and kills children that do not end in time."""

import asyncio
import contextlib
import errno
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from base.errors import ErrorKind, ServiceError
from vault.decoding.confine import Protection
from vault.decoding.media import Limits, Undecodable
from vault.decoding.zygote import ORDER_BYTES

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    "import json, sys; start = json.loads(sys.argv[1]); sys.path[:] = start['path']; "
    "from vault.decoding.media import Limits; from vault.decoding.zygote import main; "
    "main(start['control'], start['parent'], start['worker'], Limits(**start['limits']))"
)
_START_SECONDS = 60
_FORK_SECONDS = 5
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
_NO_RESIZE = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
_NO_CHANGE = _NO_RESIZE | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class _ZygoteGoneError(Exception):
    """The zygote ended before the job did; the file is not the cause."""


def memory_file(size: int = 0) -> int:
    """A descriptor of anonymous memory: outside this process's memory, and on no disk."""
    descriptor = os.memfd_create("part", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    if size:
        os.ftruncate(descriptor, size)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _NO_RESIZE)
    return descriptor


def freeze(descriptor: int) -> None:
    """Seals the file: nobody can change it any more, not even this process."""
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _NO_CHANGE)


class Sandbox:
    """Runs jobs in children of one zygote, a few at once. For one event loop; start it, stop it.

    `worker` is the module that runs the jobs. A zygote that died is started again. Start it from a
    long-lived thread: the kernel kills the zygote when the thread that started it ends.
    """

    def __init__(self, limits: Limits, worker: str = "vault.decoding.child") -> None:
        self.limits = limits
        self.protections: frozenset[Protection] = frozenset()
        self._worker = worker
        self._slots = asyncio.Semaphore(limits.children)
        self._waiting = 0
        self._starting = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._stopped = False

    async def start(self) -> None:
        """Loads the decoders and observes the children's `protections`."""
        self._stopped = False
        await self._ensure_zygote()
        output = memory_file(self.limits.output_bytes)
        try:
            answer = await self.run({"job": "probe"}, [], output)
        except Undecodable:
            raise RuntimeError("no decoding child can run on this machine") from None
        finally:
            os.close(output)
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

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A slot for one child. Raises "decoder_busy" when too many are waiting already."""
        if self._waiting >= self.limits.waiting:
            raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_busy", retry_after=5)
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def run(self, order: dict[str, Any], inputs: list[int], output: int) -> dict[str, Any]:
        """Runs one job in one child; its answer. `inputs` MUST be frozen; `output` is frozen
        afterwards. Raises `Undecodable` when the child refuses the file, crashes or exceeds its
        limits, and `ServiceError` ("decoder_unavailable") when no child can be started.
        """
        for _ in range(2):
            orders = await self._ensure_zygote()
            try:
                return await self._run_once(orders, order, inputs, output)
            except _ZygoteGoneError:
                _log.warning("the decoding zygote has died; starting another")
                async with self._starting:
                    if self._orders is orders:
                        await self._stop_zygote()
        raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_unavailable", retry_after=5)

    async def _run_once(
        self, orders: socket.socket, order: dict[str, Any], inputs: list[int], output: int
    ) -> dict[str, Any]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with ours:
            with theirs:
                descriptors = [theirs.fileno(), output, *inputs]
                await _send(orders, json.dumps(order).encode(), descriptors)
            job = _Job(ours)
            try:
                async with asyncio.timeout(self.limits.wall_seconds):
                    message = await job.answer()
            except TimeoutError:
                raise (Undecodable if job.started else _ZygoteGoneError) from None
            finally:
                await job.end()
        if message is None:
            if not job.started or _closed(orders):
                raise _ZygoteGoneError
            raise Undecodable
        freeze(output)
        return _child_answer(message)

    async def _ensure_zygote(self) -> socket.socket:
        """The zygote's socket; starts a zygote if none is running."""
        async with self._starting:
            if self._orders is not None and not _closed(self._orders):
                return self._orders
            if self._stopped:
                raise ServiceError(ErrorKind.UNAVAILABLE, "decoder_unavailable", retry_after=5)
            await self._stop_zygote()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            self._orders = ours
            try:
                with theirs:
                    self._process = self._spawn(theirs.fileno())
                await self._await_greeting(ours)
            except BaseException:
                await self._stop_zygote()
                raise
            return ours

    async def _await_greeting(self, ours: socket.socket) -> None:
        greeting = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                greeting = await _receive(ours, lambda: ours.recv(ORDER_BYTES))
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
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(control,),
            start_new_session=True,
        )

    async def _stop_zygote(self) -> None:
        """Closes the socket, which ends the zygote, and waits until it has ended."""
        orders, self._orders = self._orders, None
        process, self._process = self._process, None
        if orders is not None:
            orders.close()
        if process is not None:
            process.kill()
            await asyncio.to_thread(process.wait)


class _Job:
    """One child, seen through its result socket."""

    def __init__(self, result: socket.socket) -> None:
        self._result = result
        self._handle: int | None = None

    @property
    def started(self) -> bool:
        return self._handle is not None

    async def answer(self) -> bytes | None:
        """The child's whole answer, after its handle came too; `None` if it died without one."""
        answer: bytes | None = None
        while answer is None or self._handle is None:
            message, handles = await _receive(self._result, self._take)
            if handles and self._handle is None:
                self._handle = handles[0]
            elif message:
                answer = message
            else:
                break
        return answer

    async def _await_handle(self) -> None:
        """Waits for the child's handle, or until it can no longer come."""
        while self._handle is None:
            message, handles = await _receive(self._result, self._take)
            if handles:
                self._handle = handles[0]
            elif not message:
                return

    def _take(self) -> tuple[bytes, list[int]]:
        message, handles, _, _ = socket.recv_fds(self._result, ORDER_BYTES, 1)
        return message, handles

    async def end(self) -> None:
        """Kills the child; it is dead when this returns, so its mapping of the output is gone."""
        if self._handle is None:
            # The job was abandoned before the handle came: the child may be forked meanwhile.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FORK_SECONDS):
                    await self._await_handle()
        if self._handle is None:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        try:
            await _readable(self._handle)
        finally:
            os.close(self._handle)


def _child_answer(message: bytes) -> dict[str, Any]:
    """A child that read a hostile file may answer anything: only the shape is checked here."""
    try:
        answer = json.loads(message)
        if not isinstance(answer, dict):
            raise Undecodable
        if "refused" not in answer:
            return answer
        _log.info("a file was refused: %s (%s)", answer["refused"], answer.get("met", "rule"))
        values = {str(name): int(value) for name, value in answer["values"].items()}
        raise Undecodable(str(answer["refused"]), **values)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Undecodable from None


async def _send(orders: socket.socket, message: bytes, descriptors: list[int]) -> None:
    while True:
        try:
            socket.send_fds(orders, [message], descriptors)
        except BlockingIOError:
            await asyncio.sleep(0.01)
        except OSError as error:
            if error.errno in {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EBADF}:
                raise _ZygoteGoneError from None
            raise
        else:
            return


async def _receive(sock: socket.socket, take: Callable[[], _T]) -> _T:
    """`take()` as soon as the socket has something, or has closed."""
    while True:
        await _readable(sock.fileno())
        with contextlib.suppress(BlockingIOError):
            return take()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ready)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _closed(sock: socket.socket) -> bool:
    """Whether the other end is gone."""
    if sock.fileno() < 0:
        return True
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
