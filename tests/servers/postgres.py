"""Debian's PostgreSQL 15, the oldest that the service supports, for tests."""

import os
import secrets
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from base.embedded.programs import (
    ACCESS_RULES,
    DATABASE,
    OWNER,
    SERVICE_LOGIN,
    Passwords,
    check_path,
    settings_file,
    setup_statements,
    socket_url,
)
from base.files import write_private
from base.processes import Account, ProgramFailed, make_traversable, named_account, run

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_LIMIT = 120
_HURRIED = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def missing_postgres15() -> bool:
    """Whether apt's `postgresql-15` is not installed."""
    return not (_PROGRAMS / "postgres").exists()


class Postgres15:
    """One in `directory / "pg15"`, a short path (for its socket); as `postgres` when we are root.

    `settings` are of `postgresql.conf`, over those of the embedded server; `environment` is for the
    server's process. `network`, an address with its mask, may also connect by TCP to `port`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        network: str | None = None,
    ) -> None:
        self.data = directory / "pg15"
        check_path(self.data)
        self._account = _account()
        self._environment = environment or {}
        self._passwords = Passwords(
            owner=secrets.token_urlsafe(32), service=secrets.token_urlsafe(32)
        )
        self._make(settings or {}, network)

    @property
    def owner_url(self) -> str:
        """The address for the tables' owner."""
        return socket_url(OWNER, self._passwords.owner, self.data)

    @property
    def service_url(self) -> str:
        """The address for the service."""
        return socket_url(SERVICE_LOGIN, self._passwords.service, self.data)

    def service_url_at(self, host: str, port: int) -> str:
        """The address for the service, by TCP."""
        login = f"{SERVICE_LOGIN}:{self._passwords.service}"
        return f"postgresql+psycopg://{login}@{host}:{port}/{DATABASE}"

    def start(self) -> None:
        """Start it, and wait until it answers. After a kill, what is left of it ends first."""
        deadline = time.monotonic() + 30
        command = ["start", "-s", "-w", "-D", str(self.data), "-l", str(self.data / "startup.log")]
        given = [f"{name}={value}" for name, value in self._environment.items()]
        while True:
            try:
                self._run(Path("/usr/bin/env"), *given, str(_PROGRAMS / "pg_ctl"), *command)
            except ProgramFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """End it as a power cut of its machine would; its children end by themselves."""
        with suppress(ProcessLookupError):
            os.kill(self._pid(), signal.SIGKILL)

    def runs(self) -> bool:
        """Whether its first process is alive."""
        with suppress(OSError, ValueError):
            os.kill(self._pid(), 0)
            return True
        return False

    def stop(self) -> None:
        """Stop it at once."""
        self._program("pg_ctl", "stop", "-s", "-w", "-m", "immediate", "-D", str(self.data))

    def _pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def _make(self, settings: Mapping[str, str], network: str | None) -> None:
        data = self.data
        data.mkdir(mode=0o700)
        if self._account is not None:
            make_traversable(data)
            os.chown(data, self._account.uid, self._account.gid)
        kind = ["--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"]
        self._program("initdb", *kind, "--no-sync", "-D", str(data))
        owner = (self._account.uid, self._account.gid) if self._account else None
        rules = ACCESS_RULES
        if network is not None:
            rules += f"host {DATABASE} {SERVICE_LOGIN} {network} scram-sha-256\n"
        write_private(data / "postgresql.conf", settings_file(**settings), owner=owner)
        write_private(data / "pg_hba.conf", rules, owner=owner)
        # Tests look, as the owner, at who is connected.
        statements = [*setup_statements(self._passwords), f"GRANT pg_read_all_stats TO {OWNER}"]
        sql = "\n".join(statements) + "\n"
        single = ["--single", "-D", str(data), "-c", "exit_on_error=true", "postgres"]
        self._program("postgres", *single, stdin=sql)

    def _program(self, name: str, *arguments: str, stdin: str = "") -> None:
        self._run(_PROGRAMS / name, *arguments, stdin=stdin)

    def _run(self, program: Path, *arguments: str, stdin: str = "") -> None:
        run(program, *arguments, account=self._account, stdin=stdin, limit=_LIMIT)


def start_postgres15(directory: Path) -> tuple[str, str, Callable[[], None]]:
    """Make and start one, fast and not durable: the owner's address, the service's, its stop."""
    server = Postgres15(directory, settings=_HURRIED)
    server.start()
    return server.owner_url, server.service_url, server.stop


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    account = named_account("postgres")
    assert account is not None, "apt's postgresql-15 makes the account postgres"
    return account
