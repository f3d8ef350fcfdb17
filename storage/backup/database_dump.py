"""Dumping and loading a whole database with `pg_dump`, and `pg_restore` with `psql`.

They are the embedded server's programs and work with every PostgreSQL that the service supports.
"""

import asyncio
import contextlib
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from base.database import Database
from base.embedded.server import pg_dump_binary, pg_restore_binary, psql_binary
from base.files import write_private
from base.processes import ProgramFailed
from storage.backup.restoration_state import UNFINISHED

_CHUNK = 64 * 1024
_NEW_SETTING = b"SET transaction_timeout = 0;\n"
"""At the start of each script; it sets the default, and is unknown before PostgreSQL 17."""


async def dump(database: Database, snapshot: str, to: Path) -> None:
    """Write what the exported `snapshot` sees to `to`. Raises `ProgramFailed`.

    The lightest compression halves the hexadecimal of sealed bytes; stronger ones gain nothing.
    """
    _make_private(to)
    options = ("--no-password", "--format=custom", "--compress=gzip:1", "--no-owner")
    # Counts of the moment are in a table that a crash empties, too. Uploads live for a day, copies
    # to be taken away for a week, and the blobs of both are not backed up either.
    short_lived = [f"--exclude-table-data=unefois.{one}*" for one in ("upload", "archive")]
    content = ("--no-unlogged-table-data", *short_lived, f"--snapshot={snapshot}", f"--file={to}")
    with _address(database) as address:
        async with _running(pg_dump_binary(), *options, *content, f"--dbname={address}") as pg_dump:
            await pg_dump.wait()


async def load(database: Database, dump_file: Path) -> None:
    """Load a dump into an empty database, whole or not at all, where no service opens before
    erasures were applied (`restoration_state`). Raises `ProgramFailed`."""
    options = ("--no-password", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
    quiet = ("--quiet", "--output=/dev/null")  # nobody reads its output for each statement
    with _address(database) as address:
        async with (
            _running(pg_restore_binary(), "--no-owner", "--file=-", str(dump_file)) as pg_restore,
            _running(psql_binary(), *options, *quiet, f"--dbname={address}") as psql,
        ):
            with contextlib.suppress(ConnectionError):  # it has ended: `wait` says why
                await _feed(pg_restore, psql)
                # `psql` commits at the end of its input: send it only once the script is complete.
                await pg_restore.wait()
                psql.stdin.write(UNFINISHED)
                psql.stdin.write_eof()
            # Killed before this, `psql` commits nothing.
            await psql.wait()


async def _feed(pg_restore: "_Program", psql: "_Program") -> None:
    """Send the script to `psql`, without the setting that an older server does not know."""
    script = pg_restore.stdout
    head = await script.read(_CHUNK)
    while _NEW_SETTING not in head and len(head) < _CHUNK and (more := await script.read(_CHUNK)):
        head += more
    psql.stdin.write(head.replace(_NEW_SETTING, b"", 1))
    while chunk := await script.read(_CHUNK):
        psql.stdin.write(chunk)
        await psql.stdin.drain()


def _make_private(file: Path) -> None:
    """Create it empty, readable by us only: `pg_dump` would follow the umask."""
    file.touch(mode=0o600, exist_ok=False)


@contextlib.contextmanager
def _address(database: Database) -> Iterator[str]:
    """The address without the password, which all accounts could see in a program's arguments: it
    is in a file that only we can read, for as long as the program runs."""
    parts = conninfo_to_dict(database.conninfo())
    password = str(parts.pop("password", ""))
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    with tempfile.TemporaryDirectory(prefix="unefois-") as folder:
        passfile = Path(folder) / "pass"
        write_private(passfile, f"*:*:*:*:{escaped}\n")
        yield make_conninfo("", **(parts | {"passfile": str(passfile)}))


class _Program:
    """A running program, with pipes to its input and output."""

    def __init__(self, name: str, process: Process, stderr: IO[bytes]) -> None:
        self._name = name
        self._process = process
        self._stderr = stderr

    @property
    def stdin(self) -> asyncio.StreamWriter:
        """What the program reads."""
        if self._process.stdin is None:
            raise RuntimeError("no pipe")
        return self._process.stdin

    @property
    def stdout(self) -> asyncio.StreamReader:
        """What the program writes."""
        if self._process.stdout is None:
            raise RuntimeError("no pipe")
        return self._process.stdout

    async def wait(self) -> None:
        """Wait until it ends; raise `ProgramFailed` if it failed."""
        if await self._process.wait():
            self._stderr.seek(0)
            # Only the first line: later ones may quote rows.
            lines = self._stderr.read(_CHUNK).decode(errors="replace").splitlines()
            raise ProgramFailed(lines[0] if lines else f"{self._name} ended with an error")


@contextlib.asynccontextmanager
async def _running(program: Path, *arguments: str) -> AsyncIterator[_Program]:
    """A program that never outlives the block. Its errors go to a file: a pipe could fill up."""
    with tempfile.TemporaryFile() as stderr:
        process = await asyncio.create_subprocess_exec(
            str(program),
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=stderr,
            env={"LC_ALL": "C", "PATH": ""},
            start_new_session=True,
        )
        try:
            yield _Program(program.name, process, stderr)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
