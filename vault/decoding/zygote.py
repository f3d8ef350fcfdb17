"""The process that loads the decoders once, and forks one child per job.

It is started with an empty environment and one socket. Each message on it is an order (JSON) with
descriptors: the result socket, the memory-backed output, the inputs. The zygote never reads a
file's bytes itself. It ends with its parent, or when the socket closes.
"""

import importlib
import json
import mmap
import os
import socket
import sys
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from vault.decoding import confine, probe
from vault.decoding.media import Limits, Undecodable

ORDER_BYTES = 64 * 1024
MAX_DESCRIPTORS = 128


class DecodingModule(Protocol):
    """The module that runs the jobs."""

    def prepare(self) -> None:
        """Loads everything: no file can be opened later."""

    def run(
        self, order: dict[str, Any], inputs: list[bytes], limits: Limits
    ) -> tuple[dict[str, Any], bytes]:
        """The answer (small, JSON) and the output's bytes. Raises `Undecodable`."""


def main(control: int, parent: int, worker_name: str, limits: Limits) -> NoReturn:
    """Never returns. A failure before the greeting closes the socket, which the parent sees."""
    os.environ.clear()  # the interpreter adds a locale of its own
    confine.die_with_parent(parent)
    confine.lower_priority()
    own_network = confine.leave_network()
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
    """Forks one child per order; its only state is what it has loaded."""

    pid: int
    orders: socket.socket
    worker: DecodingModule
    limits: Limits

    def serve(self) -> NoReturn:
        """One fork per message, until the socket closes."""
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.orders, ORDER_BYTES, MAX_DESCRIPTORS)
            if not message:
                os._exit(0)
            self._fork(json.loads(message), descriptors)

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Forks a child; sends the service a handle (pidfd) that can only ever mean that child."""
        _reap()
        child = os.fork()
        if child == 0:
            self._child(order, descriptors)
        result = socket.socket(fileno=descriptors[0])
        handle = os.pidfd_open(child)
        try:
            socket.send_fds(result, [b"{}"], [handle])
        except OSError:
            pass  # the service has abandoned this job; nobody will read the answer
        finally:
            result.close()
            for descriptor in (handle, *descriptors[1:]):
                os.close(descriptor)

    def _child(self, order: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """Ends without an answer if anything fails before the limits apply."""
        result, output, *inputs = descriptors
        try:
            self.orders.close()
            confine.die_with_parent(self.pid)
            target = mmap.mmap(output, self.limits.output_bytes)
            confine.set_limits(self.limits.memory_bytes, self.limits.cpu_seconds)
            confine.filter_system_calls()
            if order["job"] == "probe":
                answer: dict[str, Any] = {"protections": probe.observed_protections(output)}
            else:
                answer = self._answer(order, inputs, target)
            os.write(result, json.dumps(answer).encode())
        finally:
            os._exit(0)

    def _answer(
        self, order: dict[str, Any], inputs: list[int], target: mmap.mmap
    ) -> dict[str, Any]:
        try:
            contents = [os.pread(file, os.fstat(file).st_size, 0) for file in inputs]
            answer, produced = self.worker.run(order, contents, self.limits)
            target[: len(produced)] = produced
        except Undecodable as error:
            return {"refused": error.code, "values": error.values}
        except Exception as error:  # noqa: BLE001  (any failure of a decoder is about the file)
            return {"refused": "does_not_decode", "values": {}, "met": type(error).__name__}
        return {**answer, "length": len(produced)}


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
