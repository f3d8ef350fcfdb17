"""The embedded PostgreSQL: made, found, started and stopped in the service's home folder.

In the home: `postgres/` (its data folder, 0700, its socket inside), `secrets/` and `locks/` (0700).
The wheel brings the programs; we call them ourselves rather than by its `get_server`, which opens
every parent folder to be listed by all, starts with `trust`, keeps a lock in the shared temporary
folder, and takes for alive any process that got an old pid.

Several processes may attach. Each holds a shared lock, which the kernel drops however it ends; the
last one to stop finds itself alone and stops the server, whoever had started it.
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
    DATABASE,
    MAJOR,
    OWNER,
    SERVICE_LOGIN,
    SOCKET,
    WHO_MAY_CONNECT,
    CannotStart,
    Passwords,
    check_path,
    first_statements,
    password_statements,
    pg_dump_binary,
    pg_restore_binary,
    programs,
    psql_binary,
    settings_file,
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

_SYSTEM_ACCOUNT = "pgserver"  # who runs it when we are root
_PATIENCE = 300  # seconds: recovering a large journal takes time


@dataclass(frozen=True)
class Addresses:
    """Where to connect, as SQLAlchemy reads it. Both carry a password: they print as nothing."""

    service_url: str = field(repr=False)
    owner_url: str = field(repr=False)


class EmbeddedPostgres:
    """The PostgreSQL of one home folder, as this process sees it. Not for several threads."""

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().resolve()
        self._data = self.home / "postgres"
        self._attached: IO[bytes] | None = None

    def start(self) -> Addresses:
        """Make it if missing, start it if stopped, attach to it if running. Raises CannotStart.

        Every step may be cut by a crash: the next start goes through the same steps and finds each
        done or undone, never half done. A start that fails leaves no server that nobody uses.
        """
        check_path(self._data)
        self._make_folders()
        with self._one_at_a_time():
            newly = self._attach()
            try:
                passwords = self._passwords()
                self._make_data(passwords)
                self._bring_up()
                self._agree_on(passwords)
            except BaseException as error:
                if newly:
                    self._let_go()
                if isinstance(error, (OSError, ProgramFailed, psycopg.Error)):
                    said = f"The embedded PostgreSQL of {self.home}: {error}"
                    raise CannotStart(said) from None
                raise
        return Addresses(
            service_url=socket_url(SERVICE_LOGIN, passwords.service, self._data),
            owner_url=socket_url(OWNER, passwords.owner, self._data),
        )

    def stop(self) -> None:
        """Let go of it; the last attached process stops it. Open connections are cut.

        A crash here leaves the server running, and the next start attaches to it.
        """
        if self._attached is not None:
            with self._one_at_a_time():
                self._let_go()

    # Folders, locks, secrets

    def _make_folders(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("secrets", "locks"):
            (self.home / name).mkdir(mode=0o700, exist_ok=True)
            (self.home / name).chmod(0o700)

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """One process at a time starts or stops; the kernel frees the lock of a dead one."""
        with (self.home / "locks" / "postgres-life").open("ab") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _attach(self) -> bool:
        """Whether this attached us, rather than an earlier start."""
        if self._attached is not None:
            return False
        self._attached = (self.home / "locks" / "postgres-attached").open("ab")
        fcntl.flock(self._attached, fcntl.LOCK_SH)
        return True

    def _only_one_attached(self) -> bool:
        """Whether nobody else is. Within `_one_at_a_time`, this stays true."""
        if self._attached is None:
            return False
        try:
            fcntl.flock(self._attached, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            # A refused change may have dropped the shared lock too.
            fcntl.flock(self._attached, fcntl.LOCK_SH)
        return True

    def _let_go(self) -> None:
        try:
            if self._only_one_attached():
                self._halt()
        finally:
            if self._attached is not None:
                self._attached.close()
                self._attached = None

    def _passwords(self) -> Passwords:
        """Both in one file, so that a crash leaves both or none."""
        path = self.home / "secrets" / "postgres.json"
        if not path.exists():
            made = {"owner": secrets.token_urlsafe(32), "service": secrets.token_urlsafe(32)}
            write_private(path, json.dumps(made))
        try:
            return Passwords(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            raise ProgramFailed(
                f"{path} is damaged: remove it, and new passwords will be made"
            ) from None

    # The data folder

    def _account(self) -> Account | None:
        """Who runs the server: ourselves, or, since it refuses root, who owns its data."""
        if os.geteuid() != 0:
            return None
        if self._exists() and (owner := self._data.stat()).st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
        return make_account(_SYSTEM_ACCOUNT)

    def _exists(self) -> bool:
        return (self._data / "PG_VERSION").exists()

    def _make_data(self, passwords: Passwords) -> None:
        """Prepare a data folder aside, whole, then put it in place by one rename."""
        account = self._account()
        if account is not None:
            _let_in(self._data)
        if self._exists():
            self._check_version()
            return
        # A crash before the rename leaves such a folder, which nobody uses.
        for left in self.home.glob("postgres.making-*"):
            shutil.rmtree(left, ignore_errors=True)
        making = self.home / f"postgres.making-{secrets.token_hex(4)}"
        making.mkdir(mode=0o700)
        if account is not None:
            os.chown(making, account.uid, account.gid)
        self._initialise(making, account)
        self._configure(making, account)
        self._say(making, account, first_statements(passwords))
        self._put_in_place(making)

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if found != str(MAJOR):
            raise ProgramFailed(
                f"its data are of PostgreSQL {found}, this release brings {MAJOR}: "
                "back up with the former release, restore with this one"
            )

    def _initialise(self, folder: Path, account: Account | None) -> None:
        # "reject" stands only until _configure writes who may connect.
        options = ["--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        run(programs() / "initdb", *options, "-D", str(folder), account=account, limit=_PATIENCE)

    def _configure(self, folder: Path, account: Account | None) -> None:
        owner = (account.uid, account.gid) if account else None
        write_private(folder / "postgresql.conf", settings_file(), owner=owner)
        write_private(folder / "pg_hba.conf", WHO_MAY_CONNECT, owner=owner)

    def _say(self, folder: Path, account: Account | None, statements: list[str]) -> None:
        """Speak as superuser, to a stopped server only: to a running one none can connect."""
        options = ["--single", "-D", str(folder), "-c", "exit_on_error=true"]
        run(
            programs() / "postgres",
            *options,
            "postgres",
            account=account,
            given="\n".join(statements) + "\n",
            limit=_PATIENCE,
        )

    def _put_in_place(self, making: Path) -> None:
        making.rename(self._data)
        flush_folder(self.home)

    # Running

    def _bring_up(self) -> None:
        if self._answers():
            return
        account = self._account()
        # Written at each start: a new release brings its settings, and `trust` never comes back.
        self._configure(self._data, account)
        self._forget_the_dead()
        self._launch(account)

    def _answers(self) -> bool:
        """Whether it takes connections; waits while it starts, recovers or ends."""
        folder = str(self._data).replace("'", "\\'")
        asked = f"host='{folder}' user={SERVICE_LOGIN} dbname={DATABASE}".encode()

        def settled() -> bool | None:
            ping = PGconn.ping(asked)
            if ping == Ping.OK:
                return True
            if ping == Ping.REJECT or self._postmaster() is not None:
                return None
            return False

        return _wait(settled, "it neither answers nor ends; its folder log/ may say why")

    def _postmaster(self) -> int | None:
        """The pid of the living server of this data folder."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if pid > 0 and works_in(pid, self._data, "postgres") else None

    def _forget_the_dead(self) -> None:
        """Remove what a killed server left: PostgreSQL would take a reused pid for it."""
        for name in ("postmaster.pid", f"{SOCKET}.lock", SOCKET):
            (self._data / name).unlink(missing_ok=True)

    def _launch(self, account: Account | None) -> None:
        log = self._data / "startup.log"
        options = ["-D", str(self._data), "-l", str(log), "-s", "-w", "-t", str(_PATIENCE), "start"]

        def launched() -> bool | None:
            log.unlink(missing_ok=True)
            try:
                run(programs() / "pg_ctl", *options, account=account, limit=_PATIENCE + 10)
            except ProgramFailed:
                # The sessions of a killed server end by themselves, a moment after it.
                if log.exists() and "shared memory block" in log.read_text(errors="replace"):
                    return None
                raise ProgramFailed(f"it does not start; {log} says why") from None
            return True

        _wait(launched, f"sessions of a former server do not end; see {log}", pause=0.2)

    def _agree_on(self, passwords: Passwords) -> None:
        """Connect as both roles; give them their passwords again if these were lost."""
        if self._accepts(passwords):
            return
        if not self._only_one_attached():
            raise ProgramFailed("its passwords changed while others use it: stop them first")
        self._halt()
        self._say(self._data, self._account(), password_statements(passwords))
        self._bring_up()
        if not self._accepts(passwords):
            raise ProgramFailed("it refuses its own passwords")

    def _accepts(self, passwords: Passwords) -> bool:
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

    def _halt(self) -> None:
        """Stop the server, whoever started it. Nothing to do when it died by itself."""
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


def _let_in(data: Path) -> None:
    """Let the server's account reach its data folder and the programs, and no further."""
    make_traversable(data)
    installed = programs().parent
    make_traversable(installed)
    package = installed.parent
    for tree in (installed, package.with_name(f"{package.name}.libs")):
        if tree.exists():
            make_readable(tree)


def _wait(settled: Callable[[], bool | None], otherwise: str, pause: float = 0.02) -> bool:
    """Ask until the answer is not None."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if (answer := settled()) is not None:
            return answer
        time.sleep(pause)
    raise ProgramFailed(otherwise)
