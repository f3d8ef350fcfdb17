"""The process that has loaded the decoders once, trusts nothing, and forks one child a job.

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
MOST_DESCRIPTORS = 128


class DecodingModule(Protocol):
    """The module that does the jobs."""

    def prepare(self) -> None:
        """Loads everything: nothing can be opened later."""

    def run(
        self, order: dict[str, Any], inputs: list[bytes], limits: Limits
    ) -> tuple[dict[str, Any], bytes]:
        """The answer (small, JSON) and the output's bytes. `Undecodable` refuses the file."""


def main(control: int, parent: int, worker_name: str, limits: Limits) -> NoReturn:
    """Never returns. A failure before the greeting closes the socket, which the parent sees."""
    os.environ.clear()  # the interpreter adds a locale of its own
    confine.die_with(parent)
    confine.yield_to_others()
    own_network = confine.leave_network()
    worker: DecodingModule = importlib.import_module(worker_name)
    worker.prepare()
    if not confine.single_threaded():
        sys.exit("a decoder started a thread; forking would be unsafe")
    # What could not load has been said; from here on a decoder's chatter may quote a file.
    os.dup2(1, 2)
    confine.drop_privileges()
    confine.die_with(parent)
    orders = socket.socket(fileno=control)
    orders.send(json.dumps({"own_network": own_network}).encode())
    Zygote(os.getpid(), orders, worker, limits).serve()


@dataclass(frozen=True)
class Zygote:
    """Forks and forgets: its only state is what it has loaded."""

    pid: int
    orders: socket.socket
    worker: DecodingModule
    limits: Limits

    def serve(self) -> NoReturn:
        """One fork a message, until the socket closes."""
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.orders, ORDER_BYTES, MOST_DESCRIPTORS)
            if not message:
                os._exit(0)
            self._fork(json.loads(message), descriptors)

    def _fork(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Starts the child; hands the parent a handle that only ever names that child."""
        _reap()
        child = os.fork()
        if child == 0:
            self._child(order, descriptors)
        result = socket.socket(fileno=descriptors[0])
        handle = os.pidfd_open(child)
        try:
            socket.send_fds(result, [b"{}"], [handle])
        except OSError:
            pass  # the parent has given up on this job; nobody will read what the child says
        finally:
            result.close()
            for descriptor in (handle, *descriptors[1:]):
                os.close(descriptor)

    def _child(self, order: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """Dies without a word when anything is amiss before the limits hold."""
        result, output, *inputs = descriptors
        try:
            self.orders.close()
            confine.die_with(self.pid)
            target = mmap.mmap(output, self.limits.output_bytes)
            confine.bound(self.limits.memory_bytes, self.limits.cpu_seconds)
            confine.filter_system_calls()
            if order["job"] == "probe":
                answer: dict[str, Any] = {"protections": probe.observed(output)}
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
        except Undecodable as refused:
            return {"refused": refused.code, "values": refused.values}
        except Exception as broken:  # noqa: BLE001  (whatever a decoder meets is about the file)
            return {"refused": "does_not_decode", "values": {}, "met": type(broken).__name__}
        return {**answer, "length": len(produced)}


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
