"""PostgreSQL's own programs for a whole database: `pg_dump` and `pg_restore`, of our server's kind.

They read any server that the service supports, embedded or not.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from base.database import Database
from base.embedded import pg_dump_binary, pg_restore_binary
from base.files import write_private
from base.processes import ProgramFailed


async def dump(database: Database, snapshot: str, to: Path) -> None:
    """Write what the exported `snapshot` sees to `to`. Raises `ProgramFailed`.

    The hexadecimal of sealed bytes halves under the lightest compression, and no more under others.
    """
    _make_private(to)
    with _address(database) as address:
        await _run(
            pg_dump_binary(),
            *("--format=custom", "--compress=gzip:1", "--no-owner", f"--snapshot={snapshot}"),
            *(f"--file={to}", f"--dbname={address}"),
        )


async def load(database: Database, dumped: Path) -> None:
    """Fill an empty database, whole or not at all. Raises `ProgramFailed`."""
    with _address(database) as address:
        await _run(
            pg_restore_binary(),
            *("--single-transaction", "--exit-on-error", "--no-owner"),
            *(f"--dbname={address}", str(dumped)),
        )


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


async def _run(program: Path, *arguments: str) -> None:
    """Run a program to its end; it never outlives us."""
    process = await asyncio.create_subprocess_exec(
        str(program),
        "--no-password",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={"LC_ALL": "C", "PATH": ""},
        start_new_session=True,
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode:
        # The first line only: those after it may quote rows.
        lines = said.decode(errors="replace").splitlines()
        raise ProgramFailed(lines[0] if lines else f"{program.name} ended with an error")
