"""A PostgreSQL that is stopped, frozen and started again under a service that runs."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from base.embedded.server import EmbeddedPostgres


class Server:
    """The PostgreSQL of the file's installation."""

    def __init__(self, home: Path) -> None:
        self._server = EmbeddedPostgres(home)
        self.addresses = self._server.start()
        self._running = True

    def start(self) -> None:
        """Start it again, at the same address."""
        if not self._running:
            assert self._server.start() == self.addresses
            self._running = True

    def stop(self) -> None:
        if self._running:
            self._server.stop()
            self._running = False

    @contextmanager
    def gone(self) -> Iterator[None]:
        """It is stopped for the length of the block: every connection is lost, new ones refused."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and statements, and answers none: `SIGSTOP`."""
        main = self._server._postmaster()
        assert main is not None
        stopped = [main, *_children(main)]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def altered(self, setting: str, undone: str) -> Iterator[None]:
        """A role is altered for the length of the block, and its sessions are ended."""
        self.as_owner(setting)
        try:
            yield
        finally:
            self.as_owner(undone)

    def as_owner(self, statement: str) -> None:
        """Run a statement as the owner, a superuser here, and end the service's sessions."""
        url = self.addresses.owner_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'unefois_service_login'"
            )


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(one) for each in threads for one in (each / "children").read_text().split()]
