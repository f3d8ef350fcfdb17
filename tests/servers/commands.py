"""The operator's commands, each in a process of its own that is forked from one which has loaded
them all: `python -m web.cli` reads modules for two seconds before it does anything.

The demo, the fault tests and the home of the first release start theirs from nothing.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

ROOT = Path(__file__).resolve().parents[2]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["tests.audit.tlog.test_crashes", "web.cli.main", "web.process.lifecycle"]
    + [f"web.cli.{one.stem}" for one in (ROOT / "web" / "cli").glob("[a-z]*.py")]
)


def run(
    environment: Mapping[str, str], *arguments: str, given: str = "", seconds: float = 120
) -> CompletedProcess[str]:
    """`unefois` with these arguments and nothing else in its environment, to its end; `given` is
    what it reads. Raises `TimeoutError`, and ends it."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "0").write_text(given)
        process = _context.Process(target=_command, args=(folder, dict(environment), arguments))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(arguments)
        said = [(folder / name).read_text() for name in ("1", "2")]
        return CompletedProcess(arguments, process.exitcode, *said)


async def run_beside(environment: Mapping[str, str], *arguments: str) -> CompletedProcess[str]:
    """The same, while the loop goes on."""
    return await asyncio.to_thread(run, environment, *arguments)


def _command(folder: Path, environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    """The process: its files, its environment, then the command as its entry point runs it."""
    for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        opened = os.open(folder / str(number), flags | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    from web.cli.start import main

    sys.argv = ["unefois", *arguments]
    try:
        status = main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    sys.exit(status)
