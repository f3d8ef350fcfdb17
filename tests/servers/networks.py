"""A network of its own, with nothing but a loopback: what Linux lets a machine set for all of its
connections is set there for one test. Root only."""

import contextlib
import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

_CLONE_NEWNET = 0x40000000


@dataclass(frozen=True)
class Network:
    """A network namespace, by its name."""

    name: str

    @property
    def prefix(self) -> list[str]:
        """What to write before a command that runs there."""
        return ["ip", "netns", "exec", self.name]

    def connection(self) -> socket.socket:
        """A socket of this network, in a process of another one."""
        # In a thread that ends: a thread that has entered a network stays there.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._open).result()

    def _open(self) -> socket.socket:
        with Path(f"/run/netns/{self.name}").open() as where:
            if ctypes.CDLL(None, use_errno=True).setns(where.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)


@contextlib.contextmanager
def network(settings: dict[str, str]) -> Iterator[Network]:
    """A network for the length of the block, with these settings of `net.ipv4`."""
    made = Network(f"uf-{os.getpid()}-{token_hex(3)}")
    _run("ip", "netns", "add", made.name)
    try:
        _run(*made.prefix, "ip", "link", "set", "lo", "up")
        for name, value in settings.items():
            _run(*made.prefix, "sh", "-c", f"echo {value} >/proc/sys/net/ipv4/{name}")
        yield made
    finally:
        _run("ip", "netns", "delete", made.name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=20)
