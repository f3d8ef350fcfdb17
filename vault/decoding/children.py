"""The service's side of decoding children: a pool of those that wait, and the life of one.

A child is forked and confined ahead of need. It waits for one order, does it, and ends: nothing of
one person's file is left for the next. It holds two memory files from its birth on, because it can
open none later: the one that the service fills with the document, and the one for its results.
"""

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from vault.decoding.media import Undecodable
from vault.decoding.memory_files import freeze
from vault.decoding.processor_time import ProcessorClock
from vault.decoding.zygote import ORDER_BYTES

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_FORK_SECONDS = 5
_TRIES = 3
_DESCRIPTORS = 4
_WORD = re.compile(r"[A-Za-z_0-9]{1,60}", re.ASCII)
_LOOK_SECONDS = 0.25
"""How often the processor time of a child at work is looked at, at most."""


class NotStartedError(Exception):
    """No child began the job; the file is not the cause."""


class EndedError(Undecodable):
    """The child ended without an answer."""


class TooDearError(Undecodable):
    """The child took all the time that its file may take."""

    def __init__(self) -> None:
        super().__init__("too_dear")


class Child:
    """One child, from waiting to its end. `source`: the memory file for the document, empty, which
    the caller fills before `run`; `output`: the results, frozen after `run`.
    """

    def __init__(self, result: socket.socket, handle: int, source: int, output: int) -> None:
        result.setblocking(False)
        self.source, self.output = source, output
        self.spent = 0.0
        self._result, self._handle = result, handle

    @property
    def lost(self) -> bool:
        """Whether it has ended while it waited (the kernel needed its memory)."""
        return closed(self._result)

    async def run(
        self, order: dict[str, Any], *, wall_seconds: float, cpu_seconds: float
    ) -> dict[str, Any]:
        """Gives it its only order; its answer, once nobody can change the results.

        Raises `Undecodable` when it refuses the file (`TooDearError` when that took too long,
        `EndedError` when it crashes or needs too much memory), and `NotStartedError` when it had
        not begun. `spent` then tells its processor seconds.
        """
        freeze(self.source)
        clock = ProcessorClock(self._handle)
        watch = asyncio.create_task(self._watch(clock, cpu_seconds))
        try:
            message = await self._exchange(json.dumps(order).encode(), wall_seconds)
        finally:
            watch.cancel()
            self.spent = clock.seconds()
        if not message:
            raise TooDearError if self.spent >= cpu_seconds - _LOOK_SECONDS else EndedError
        await self._freeze_output()
        return _answer(message)

    async def _watch(self, clock: ProcessorClock, cpu_seconds: float) -> None:
        """Kills it when it has taken that much. The kernel does so for the most that any file may
        take; which file it will read was not known when that limit was set."""
        while (left := cpu_seconds - clock.seconds()) > 0:  # noqa: ASYNC110  (no event: a clock)
            await asyncio.sleep(min(left, _LOOK_SECONDS))
        self.kill()

    async def _exchange(self, order: bytes, wall_seconds: float) -> bytes:
        """Its answer, or nothing if it ended without one. Raises `TooDearError` when it did not end
        in time."""
        begun = answer = b""
        try:
            async with asyncio.timeout(wall_seconds):
                begun = await self._begin(order)
                if begun:
                    answer = await self._receive()
        except TimeoutError:
            if begun:
                raise TooDearError from None
        if not begun:
            raise NotStartedError
        return answer

    async def _begin(self, order: bytes) -> bytes:
        """What it says when it has read its order; nothing if it has ended."""
        try:
            self._result.send(order)
        except ConnectionError:
            return b""
        return await self._receive()

    async def _receive(self) -> bytes:
        try:
            return await receive(self._result, lambda: self._result.recv(ORDER_BYTES))
        except ConnectionError:  # it ended with its order unread
            return b""

    async def _freeze_output(self) -> None:
        """A child unmaps the results before it answers; one that lies is killed first. Either way
        the kernel refuses to freeze them as long as they could still be changed."""
        try:
            freeze(self.output)
        except OSError:
            self.kill()
            await self.ended()
            freeze(self.output)

    def kill(self) -> None:
        """Kills it; it may take some milliseconds to end."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    async def ended(self) -> None:
        """Waits until it has ended: its memory and its mappings are gone."""
        await readable(self._handle)

    async def end(self) -> None:
        """Waits until it has ended, and closes its descriptors."""
        await self.ended()
        self.close()

    def close(self) -> None:
        """Closes all its descriptors; a second call does nothing. A child that waits ends."""
        self._result.close()
        for descriptor in (self._handle, self.source, self.output):
            if descriptor >= 0:
                os.close(descriptor)
        self._handle = self.source = self.output = -1


class ChildPool:
    """The children of one zygote that wait: at most `size` when nobody waits for one.

    `orders` is the zygote's socket: an empty order asks it for a child, which comes with its
    descriptors. For one event loop.
    """

    def __init__(self, orders: socket.socket, size: int) -> None:
        self._orders, self._size = orders, size
        self._ready: deque[Child] = deque()
        self._waiters: deque[asyncio.Future[Child]] = deque()
        self._ordered = 0
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._loop.add_reader(orders.fileno(), self._arrived)

    @property
    def alive(self) -> bool:
        """Whether the zygote is there."""
        return self._open and not closed(self._orders)

    async def take(self) -> Child:
        """A child that waits, or a new one. Raises `NotStartedError` when none can be had."""
        for _ in range(_TRIES):
            child = self._ready.popleft() if self._ready else await self._new()
            if not child.lost:
                return child
            child.close()
        raise NotStartedError

    async def _new(self) -> Child:
        arriving: asyncio.Future[Child] = self._loop.create_future()
        self._waiters.append(arriving)
        try:
            self._order(len(self._waiters))
            async with asyncio.timeout(_FORK_SECONDS):
                return await arriving
        except TimeoutError:
            raise NotStartedError from None
        except asyncio.CancelledError:
            if arriving.done() and not arriving.cancelled() and not arriving.exception():
                self._hand_on(arriving.result())  # it came in the moment of the cancellation
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiters.remove(arriving)

    def refill(self) -> None:
        """Orders the children that are missing. Call it when a job has ended, so that forking does
        not compete with it for the processor."""
        with contextlib.suppress(NotStartedError):
            self._order(self._size - len(self._ready) + len(self._waiters))

    def _order(self, wanted: int) -> None:
        """Orders children until `wanted` are on their way."""
        while self._ordered < wanted:
            try:
                self._orders.send(b"{}")
            except BlockingIOError:  # many are on their way already
                return
            except OSError:
                raise NotStartedError from None
            self._ordered += 1

    def _arrived(self) -> None:
        """Takes in a child that the zygote has sent, or learns that the zygote has ended."""
        try:
            message, descriptors, _, _ = socket.recv_fds(
                self._orders, ORDER_BYTES, _DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            message, descriptors = b"", []
        if not message or len(descriptors) != _DESCRIPTORS:
            for descriptor in descriptors:
                os.close(descriptor)
            self._lose()
            return
        self._ordered -= 1
        result, handle, source, output = descriptors
        self._hand_on(Child(socket.socket(fileno=result), handle, source, output))

    def _hand_on(self, child: Child) -> None:
        """To the first who waits for one, or among those that wait."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(child)
                return
        if self._open:
            self._ready.append(child)
        else:
            child.kill()
            child.close()

    def _lose(self) -> None:
        """The zygote has ended, or is about to be."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._orders.fileno())
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(NotStartedError())

    async def close(self) -> None:
        """Ends the children that wait; none is left when this returns."""
        self._lose()
        waiting, self._ready = self._ready, deque()
        for child in waiting:
            child.kill()
        for child in waiting:
            await child.end()
        self._orders.close()


def _answer(message: bytes) -> dict[str, Any]:
    """A child that read a hostile file may answer anything: only the shape is checked here."""
    try:
        answer = json.loads(message)
        if not isinstance(answer, dict):
            raise Undecodable
        if "refused" not in answer:
            return answer
        refused, met = _word(answer["refused"]), _word(answer.get("met", "rule"))
        values = {str(name): int(value) for name, value in answer["values"].items()}
        refusal = Undecodable(refused, **values)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise Undecodable from None
    _log.info("a file was refused: %s (%s)", refused, met)
    raise refusal


def _word(value: object) -> str:
    """One of our codes or the name of an error: nothing else of an answer reaches the log."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise ValueError("not a word")
    return value


async def receive(sock: socket.socket, take: Callable[[], _T]) -> _T:
    """`take()` as soon as the socket has something, or has closed."""
    while True:
        with contextlib.suppress(BlockingIOError):
            return take()
        await readable(sock.fileno())


async def readable(descriptor: int) -> None:
    """Waits until something can be read from it; for the handle of a process, until it ends."""
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


def closed(sock: socket.socket) -> bool:
    """Whether the other end is gone."""
    if sock.fileno() < 0:
        return True
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
