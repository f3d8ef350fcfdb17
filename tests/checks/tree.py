"""The project's Python files, for the checks that read each of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("base", "storage", "audit", "auth", "vault", "web", "bench", "migrations", "tests")
FROZEN = "migrations/versions/"
"""Never changed once released."""


def report(faults: Callable[[str, str], Iterator[str]]) -> int:
    """Print the faults of every file, given its path in the tree and its source; 1 when any."""
    found = [
        fault
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not (place := str(path.relative_to(ROOT))).startswith(FROZEN)
        for fault in faults(place, path.read_text(encoding="utf-8"))
    ]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0
