"""A progress bar on a terminal."""

import sys

_WIDTH = 40


def show(done: int, total: int) -> None:
    """Draw it over the previous one."""
    filled = _WIDTH * done // total if total else _WIDTH
    sys.stdout.write(f"\r[{'#' * filled}{'.' * (_WIDTH - filled)}] {done}/{total}")
    sys.stdout.flush()
