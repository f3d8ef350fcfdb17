"""Debian's PostgreSQL 15, the oldest that the service supports, for tests: fast, not durable."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from base.embedded.programs import (
    ACCESS_RULES,
    OWNER,
    SERVICE_LOGIN,
    Passwords,
    check_path,
    settings_file,
    setup_statements,
    socket_url,
)
from base.files import write_private
from base.processes import Account, make_traversable, named_account, run

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_LIMIT = 120


def missing_postgres15() -> bool:
    """Whether apt's `postgresql-15` is not installed."""
    return not (_PROGRAMS / "postgres").exists()


def start_postgres15(directory: Path) -> tuple[str, str, Callable[[], None]]:
    """Make and start one in `directory / "pg15"`: the owner's address, the service's, and its stop.

    It runs as `postgres` when we are root. `directory` must be short (a socket is in it).
    """
    data = directory / "pg15"
    check_path(data)
    account = _account()
    data.mkdir(mode=0o700)
    if account is not None:
        make_traversable(data)
        os.chown(data, account.uid, account.gid)
    passwords = Passwords(owner=secrets.token_urlsafe(32), service=secrets.token_urlsafe(32))

    def program(name: str, *arguments: str, stdin: str = "") -> None:
        run(_PROGRAMS / name, *arguments, account=account, stdin=stdin, limit=_LIMIT)

    kind = ["--auth=reject", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"]
    program("initdb", *kind, "--no-sync", "-D", str(data))
    owner = (account.uid, account.gid) if account else None
    hurried = settings_file(fsync="off", synchronous_commit="off", full_page_writes="off")
    write_private(data / "postgresql.conf", hurried, owner=owner)
    write_private(data / "pg_hba.conf", ACCESS_RULES, owner=owner)
    sql = "\n".join(setup_statements(passwords)) + "\n"
    program(
        "postgres", "--single", "-D", str(data), "-c", "exit_on_error=true", "postgres", stdin=sql
    )
    program("pg_ctl", "start", "-s", "-w", "-D", str(data), "-l", str(data / "startup.log"))

    def stop() -> None:
        program("pg_ctl", "stop", "-s", "-w", "-m", "immediate", "-D", str(data))

    return (
        socket_url(OWNER, passwords.owner, data),
        socket_url(SERVICE_LOGIN, passwords.service, data),
        stop,
    )


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    account = named_account("postgres")
    assert account is not None, "apt's postgresql-15 makes the account postgres"
    return account
