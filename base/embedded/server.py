"""The embedded PostgreSQL: created, started, attached to and stopped in the service's home folder.

In the home: `postgres/` (its data folder, 0700, its socket inside), `secrets/` and `locks/` (0700).
The wheel brings the programs; we call them directly, not through its `get_server`, which lets all
accounts list every parent folder, starts with `trust`, keeps a lock in the shared temporary folder,
and takes any process with a reused pid for the server.

Several processes may attach. Each holds a shared lock, which the kernel drops however it ends; the
last attached process stops the server, whichever had started it.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg
from psycopg.pq import PGconn, Ping

from base.embedded.programs import (
    ACCESS_RULES,
    DATABASE,
    MAJOR,
    OWNER,
    SERVICE_LOGIN,
    SOCKET,
    CannotStart,
    Passwords,
    check_path,
    password_statements,
    pg_dump_binary,
    pg_restore_binary,
    programs,
    psql_binary,
    settings_file,
    setup_statements,
    socket_url,
)
from base.files import flush_folder, write_private
from base.processes import (
    Account,
    ProgramFailed,
    make_account,
    make_readable,
    make_traversable,
    run,
    works_in,
)

__all__ = [
    "Addresses",
    "CannotStart",
    "EmbeddedPostgres",
    "pg_dump_binary",
    "pg_restore_binary",
    "psql_binary",
]

_SYSTEM_ACCOUNT = "pgserver"  # runs the server when we are root
_TIMEOUT = 300  # seconds: recovering a large journal takes time


@dataclass(frozen=True)
class Addresses:
    """SQLAlchemy URLs to connect to. Both contain a password, so `repr` hides them."""

    service_url: str = field(repr=False)
    owner_url: str = field(repr=False)


class EmbeddedPostgres:
    """This process's handle on the PostgreSQL of one home folder. Not thread-safe."""

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self._data = self.home / "postgres"
        self._attached: IO[bytes] | None = None

    def start(self) -> Addresses:
        """Create it if missing, start it if stopped, attach to it if running. Raises CannotStart.

        A crash may cut any step: the next start repeats the same steps and finds each one done or
        not done, never half done. A start that fails leaves no unused server running.
        """
        check_path(self._data)
        self._make_folders()
        with self._exclusive():
            attached = self._attach()
            try:
                passwords = self._passwords()
                self._make_data(passwords)
                self._ensure_running()
                self._ensure_passwords(passwords)
            except BaseException as error:
                if attached:
                    self._detach()
                if isinstance(error, (OSError, ProgramFailed, psycopg.Error)):
                    message = f"The embedded PostgreSQL of {self.home}: {error}"
                    raise CannotStart(message) from None
                raise
        return Addresses(
            service_url=socket_url(SERVICE_LOGIN, passwords.service, self._data),
            owner_url=socket_url(OWNER, passwords.owner, self._data),
        )

    def stop(self) -> None:
        """Detach; the last attached process stops the server. Open connections are cut.

        A crash here leaves the server running, and the next start attaches to it.
        """
        if self._attached is not None:
            with self._exclusive():
                self._detach()

    # Folders, locks, secrets

    def _make_folders(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("secrets", "locks"):
            (self.home / name).mkdir(mode=0o700, exist_ok=True)
            (self.home / name).chmod(0o700)

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One process at a time starts or stops; the kernel releases the lock of a dead one."""
        with (self.home / "locks" / "postgres-life").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _attach(self) -> bool:
        """Attach, unless an earlier start did; returns whether this call attached us."""
        if self._attached is not None:
            return False
        self._attached = (self.home / "locks" / "postgres-attached").open("ab")
        fcntl.flock(self._attached, fcntl.LOCK_SH)
        return True

    def _is_last_attached(self) -> bool:
        """Whether no other process is attached. Within `_exclusive`, this stays true."""
        if self._attached is None:
            return False
        try:
            fcntl.flock(self._attached, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            # A failed upgrade of the lock may have dropped the shared one too.
            fcntl.flock(self._attached, fcntl.LOCK_SH)
        return True

    def _detach(self) -> None:
        try:
            if self._is_last_attached():
                self._stop_server()
        finally:
            if self._attached is not None:
                self._attached.close()
                self._attached = None

    def _passwords(self) -> Passwords:
        """Both in one file, so that a crash leaves both or none."""
        path = self.home / "secrets" / "postgres.json"
        if not path.exists():
            created = {"owner": secrets.token_urlsafe(32), "service": secrets.token_urlsafe(32)}
            write_private(path, json.dumps(created))
        try:
            return Passwords(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            raise ProgramFailed(
                f"{path} is damaged: remove it, and new passwords will be made"
            ) from None

    # The data folder

    def _account(self) -> Account | None:
        """Who runs the server: our own account (None); as root, the owner of its data."""
        if os.geteuid() != 0:
            return None
        if self._exists() and (owner := self._data.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
        return make_account(_SYSTEM_ACCOUNT)

    def _exists(self) -> bool:
        return (self._data / "PG_VERSION").exists()

    def _make_data(self, passwords: Passwords) -> None:
        """Prepare a complete data folder next to it, then put it in place by one rename."""
        account = self._account()
        if account is not None:
            _grant_access(self._data)
        if self._exists():
            self._check_version()
            return
        # A crash before the rename leaves such a folder, which nothing uses.
        for leftover in self.home.glob("postgres.making-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = self.home / f"postgres.making-{secrets.token_hex(4)}"
        draft.mkdir(mode=0o700)
        if account is not None:
            os.chown(draft, account.uid, account.gid)
        self._initialise(draft, account)
        self._configure(draft, account)
        self._run_statements(draft, account, setup_statements(passwords))
        self._publish_data(draft)

    def _check_version(self) -> None:
        version = (self._data / "PG_VERSION").read_text().strip()
        if version != str(MAJOR):
            raise ProgramFailed(
                f"its data are of PostgreSQL {version}, this release brings {MAJOR}: "
                "back up with the former release, restore with this one"
            )

    def _initialise(self, folder: Path, account: Account | None) -> None:
        # "reject" applies only until _configure writes who may connect.
        options = ["--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        run(programs() / "initdb", *options, "-D", str(folder), account=account, limit=_TIMEOUT)

    def _configure(self, folder: Path, account: Account | None) -> None:
        owner = (account.uid, account.gid) if account else None
        write_private(folder / "postgresql.conf", settings_file(), owner=owner)
        write_private(folder / "pg_hba.conf", ACCESS_RULES, owner=owner)

    def _run_statements(self, folder: Path, account: Account | None, statements: list[str]) -> None:
        """Run statements as superuser, on a stopped server only: a running one accepts none."""
        options = ["--single", "-D", str(folder), "-c", "exit_on_error=true"]
        run(
            programs() / "postgres",
            *options,
            "postgres",
            account=account,
            stdin="\n".join(statements) + "\n",
            limit=_TIMEOUT,
        )

    def _publish_data(self, draft: Path) -> None:
        draft.rename(self._data)
        flush_folder(self.home)

    # Running

    def _ensure_running(self) -> None:
        if self._accepts_connections():
            return
        account = self._account()
        # Written at each start: a new release brings new settings, and `trust` cannot come back.
        self._configure(self._data, account)
        self._remove_stale_files()
        self._launch(account)

    def _accepts_connections(self) -> bool:
        """Whether it accepts connections; waits while it starts, recovers or ends."""
        folder = str(self._data).replace("'", "\\'")
        conninfo = f"host='{folder}' user={SERVICE_LOGIN} dbname={DATABASE}".encode()

        def accepts() -> bool | None:
            ping = PGconn.ping(conninfo)
            if ping == Ping.OK:
                return True
            if ping == Ping.REJECT or self._postmaster() is not None:
                return None
            return False

        return _wait(accepts, "it neither answers nor ends; its folder log/ may say why")

    def _postmaster(self) -> int | None:
        """The pid of the running server of this data folder, or None."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if pid > 0 and works_in(pid, self._data, "postgres") else None

    def _remove_stale_files(self) -> None:
        """Remove what a killed server left: PostgreSQL would take a reused pid for that server."""
        for name in ("postmaster.pid", f"{SOCKET}.lock", SOCKET):
            (self._data / name).unlink(missing_ok=True)

    def _launch(self, account: Account | None) -> None:
        log = self._data / "startup.log"
        options = ["-D", str(self._data), "-l", str(log), "-s", "-w", "-t", str(_TIMEOUT), "start"]

        def launched() -> bool | None:
            log.unlink(missing_ok=True)
            try:
                run(programs() / "pg_ctl", *options, account=account, limit=_TIMEOUT + 10)
            except ProgramFailed:
                # The sessions of a killed server end by themselves shortly after it.
                if log.exists() and "shared memory block" in log.read_text(errors="replace"):
                    return None
                raise ProgramFailed(f"it does not start; {log} says why") from None
            return True

        _wait(launched, f"sessions of a former server do not end; see {log}", pause=0.2)

    def _ensure_passwords(self, passwords: Passwords) -> None:
        """Connect as both roles; set their passwords again if these were lost."""
        if self._passwords_work(passwords):
            return
        if not self._is_last_attached():
            raise ProgramFailed("its passwords changed while others use it: stop them first")
        self._stop_server()
        self._run_statements(self._data, self._account(), password_statements(passwords))
        self._ensure_running()
        if not self._passwords_work(passwords):
            raise ProgramFailed("it refuses its own passwords")

    def _passwords_work(self, passwords: Passwords) -> bool:
        for role, password in ((OWNER, passwords.owner), (SERVICE_LOGIN, passwords.service)):
            try:
                psycopg.connect(
                    host=str(self._data),
                    user=role,
                    password=password,
                    dbname=DATABASE,
                    connect_timeout=30,
                ).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    return False
                raise
        return True

    def _stop_server(self) -> None:
        """Stop the server, whichever process started it. Does nothing if it is not running."""
        if self._postmaster() is None:
            return
        options = ["stop", "-D", str(self._data), "-s", "-w", "-t", "60", "-m"]
        pg_ctl, account = programs() / "pg_ctl", self._account()
        try:
            run(pg_ctl, *options, "fast", account=account, limit=70)
        except ProgramFailed:
            if self._postmaster() is not None:
                # Loses nothing committed: the next start replays the journal.
                run(pg_ctl, *options, "immediate", account=account, limit=70)


def _grant_access(data: Path) -> None:
    """Give the server's account access to its data folder and the programs, nothing else."""
    make_traversable(data)
    installed = programs().parent
    make_traversable(installed)
    package = installed.parent
    for tree in (installed, package.with_name(f"{package.name}.libs")):
        if tree.exists():
            make_readable(tree)


def _wait(poll: Callable[[], bool | None], failure: str, pause: float = 0.02) -> bool:
    """Poll until the result is not None. Raises ProgramFailed with the message `failure`."""
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        if (result := poll()) is not None:
            return result
        time.sleep(pause)
    raise ProgramFailed(failure)
