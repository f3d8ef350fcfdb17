"""PostgreSQL's own programs for a whole database: `pg_dump`, and `pg_restore` with `psql`.

Those of the embedded server; they speak to every PostgreSQL that the service supports.
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

_CHUNK = 64 * 1024
_NEWER = b"SET transaction_timeout = 0;\n"
"""Written at the head of each script; the default, and unknown before PostgreSQL 17."""


async def dump(database: Database, snapshot: str, to: Path) -> None:
    """Write what the exported `snapshot` sees to `to`. Raises `ProgramFailed`.

    The hexadecimal of sealed bytes halves under the lightest compression, and no more under others.
    """
    _make_private(to)
    how = ("--no-password", "--format=custom", "--compress=gzip:1", "--no-owner")
    what = (f"--snapshot={snapshot}", f"--file={to}")
    with _address(database) as address:
        async with _running(pg_dump_binary(), *how, *what, f"--dbname={address}") as dumping:
            await dumping.ended()


async def load(database: Database, dumped: Path) -> None:
    """Fill an empty database, whole or not at all. Raises `ProgramFailed`."""
    how = ("--no-password", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1")
    mute = ("--quiet", "--output=/dev/null")  # nobody reads what it would say of each statement
    with _address(database) as address:
        async with (
            _running(pg_restore_binary(), "--no-owner", "--file=-", str(dumped)) as script,
            _running(psql_binary(), *how, *mute, f"--dbname={address}") as loading,
        ):
            with contextlib.suppress(ConnectionError):  # it ended: `ended` says why
                await _pour(script, loading)
                # Before the script is known to be whole, its end would commit the half of it.
                await script.ended()
                loading.source.write_eof()
            # Killed before this, `psql` commits nothing.
            await loading.ended()


async def _pour(script: "_Program", loading: "_Program") -> None:
    head = await script.output.read(_CHUNK)
    while _NEWER not in head and len(head) < _CHUNK and (more := await script.output.read(_CHUNK)):
        head += more
    loading.source.write(head.replace(_NEWER, b"", 1))
    while chunk := await script.output.read(_CHUNK):
        loading.source.write(chunk)
        await loading.source.drain()


def _make_private(file: Path) -> None:
    """Make it empty, ours alone: `pg_dump` would make it as the umask says."""
    file.touch(mode=0o600, exist_ok=False)


@contextlib.contextmanager
def _address(database: Database) -> Iterator[str]:
    """The address without the password, which anybody could see among the programs' arguments: it
    goes by a file that only we read, and only as long as the program runs."""
    parts = conninfo_to_dict(database.plain_url())
    password = str(parts.pop("password", ""))
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    with tempfile.TemporaryDirectory(prefix="unefois-") as folder:
        passfile = Path(folder) / "pass"
        write_private(passfile, f"*:*:*:*:{escaped}\n")
        yield make_conninfo("", **(parts | {"passfile": str(passfile)}))


class _Program:
    """A program under way, with pipes at both ends."""

    def __init__(self, name: str, process: Process, said: IO[bytes]) -> None:
        self._name = name
        self._process = process
        self._said = said

    @property
    def source(self) -> asyncio.StreamWriter:
        """What it reads."""
        if self._process.stdin is None:
            raise RuntimeError("no pipe")
        return self._process.stdin

    @property
    def output(self) -> asyncio.StreamReader:
        """What it writes."""
        if self._process.stdout is None:
            raise RuntimeError("no pipe")
        return self._process.stdout

    async def ended(self) -> None:
        """Wait for its end; raise `ProgramFailed` if it is a bad one."""
        if await self._process.wait():
            self._said.seek(0)
            # The first line only: those after it may quote rows.
            lines = self._said.read(_CHUNK).decode(errors="replace").splitlines()
            raise ProgramFailed(lines[0] if lines else f"{self._name} ended with an error")


@contextlib.asynccontextmanager
async def _running(program: Path, *arguments: str) -> AsyncIterator[_Program]:
    """A program that never outlives the block. What it says goes to a file, which never fills."""
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            str(program),
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=said,
            env={"LC_ALL": "C", "PATH": ""},
            start_new_session=True,
        )
        try:
            yield _Program(program.name, process, said)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
