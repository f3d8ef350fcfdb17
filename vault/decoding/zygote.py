"""The process that loads the decoders once, and forks the children that run the jobs.

It is started with an empty environment and one socket. Each message on it orders one child, which
is confined at once and waits for one job: the zygote answers with the child's descriptors and never
sees a job or a file. It ends with its parent, or when the socket closes; its children end with it.
"""

import importlib
import json
import mmap
import os
import socket
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NoReturn, Protocol

from vault.decoding import confine, probe
from vault.decoding.media import Limits, Undecodable
from vault.decoding.memory_files import memory_file

ORDER_BYTES = 64 * 1024


class NoClient(ModuleType):
    """Stands for aiohttp, which pyhanko loads to ask for timestamps and lists: a decoder has no
    network, and loading it takes a third of the time and a tenth of the memory of all the rest."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class DecodingModule(Protocol):
    """The module that runs the jobs."""

    def prepare(self) -> None:
        """Loads everything: no file can be opened later."""

    def run(
        self, order: dict[str, Any], inputs: list[bytes], limits: Limits
    ) -> tuple[dict[str, Any], tuple[bytes, ...]]:
        """The answer (small, JSON) and the outputs. Raises `Undecodable`."""


def main(control: int, parent: int, worker_name: str, limits: Limits) -> NoReturn:
    """Never returns. A failure before the greeting closes the socket, which the parent sees."""
    os.environ.clear()  # the interpreter adds a locale of its own
    confine.die_with_parent(parent)
    confine.lower_priority()
    own_network = confine.leave_network()
    sys.modules["aiohttp"] = NoClient("aiohttp")
    worker: DecodingModule = importlib.import_module(worker_name)
    worker.prepare()
    if not confine.ready_to_fork():
        sys.exit("a decoder started a thread; forking would be unsafe")
    # Loading errors went to stderr; from here on a decoder's output may quote a file.
    os.dup2(1, 2)
    confine.drop_privileges()
    confine.die_with_parent(parent)
    orders = socket.socket(fileno=control)
    orders.send(json.dumps({"own_network": own_network}).encode())
    Zygote(os.getpid(), orders, worker, limits).serve()


@dataclass(frozen=True)
class Zygote:
    """Forks one child per message; its only state is what it has loaded."""

    pid: int
    orders: socket.socket
    worker: DecodingModule
    limits: Limits

    def serve(self) -> NoReturn:
        """One fork per message, until the socket closes."""
        while self.orders.recv(ORDER_BYTES):
            self._fork()
        os._exit(0)

    def _fork(self) -> None:
        """Forks a child and sends the service its four descriptors: the socket for its job, a
        handle (pidfd) that can only ever mean this child, and its two memory files."""
        _reap()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        source, output = memory_file(), memory_file(self.limits.output_bytes)
        child = os.fork()
        if child == 0:
            ours.close()
            self._child(theirs.detach(), source, output)
        handle = os.pidfd_open(child)
        socket.send_fds(self.orders, [b"{}"], [ours.fileno(), handle, source, output])
        ours.close()
        theirs.close()
        for descriptor in (handle, source, output):
            os.close(descriptor)

    def _child(self, job: int, source: int, output: int) -> NoReturn:
        """Confined before it waits. It serves one job and ends: without an answer if anything fails
        before its limits apply."""
        try:
            self.orders.close()
            confine.die_with_parent(self.pid)
            target = mmap.mmap(output, self.limits.output_bytes)
            confine.set_limits(self.limits.memory_bytes, self.limits.cpu_seconds)
            confine.filter_system_calls()
            message = os.read(job, ORDER_BYTES)  # the service closes the socket of one not needed
            if message:
                os.write(job, b"{}")  # it has begun: from here on a failure is about the file
                answer = self._result(json.loads(message), source, output, target)
                os.write(job, json.dumps(answer).encode())
        finally:
            os._exit(0)

    def _result(
        self, order: dict[str, Any], source: int, output: int, target: mmap.mmap
    ) -> dict[str, Any]:
        """The answer; the output is not mapped any more, so that the service can freeze it."""
        with target:
            if order["job"] != "probe":
                return self._answer(order, source, target)
        return {"protections": probe.observed_protections(source, output)}

    def _answer(self, order: dict[str, Any], source: int, target: mmap.mmap) -> dict[str, Any]:
        try:
            contents = _parts(source, order["lengths"])
            answer, outputs = self.worker.run(order, contents, self.limits)
            at = 0
            for produced in outputs:
                target[at : at + len(produced)] = produced
                at += len(produced)
        except Undecodable as error:
            met = {"met": type(error.__cause__).__name__} if error.__cause__ else {}
            return {"refused": error.code, "values": error.values, **met}
        except Exception as error:  # noqa: BLE001  (any failure of a decoder is about the file)
            return {"refused": "does_not_decode", "values": {}, "met": type(error).__name__}
        return {"lengths": [len(produced) for produced in outputs], **answer}


def _parts(source: int, lengths: list[int]) -> list[bytes]:
    """The files of a document, which follow each other in the source."""
    parts, at = [], 0
    for length in lengths:
        parts.append(os.pread(source, length, at))
        at += length
    return parts


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
