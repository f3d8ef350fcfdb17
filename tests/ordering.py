"""The files with slow tests come first, so that no process works alone at the end. The two that
take the parts away, and watch the time, do not begin together."""

from pathlib import Path

import pytest

FIRST, SLOW, LATER, OTHERS = range(4)
_PARTS, _MACHINES = Path("faults/test_parts.py"), Path("faults/test_machines.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files; the tests of a file keep theirs."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: place(item.path, slow))


def place(path: Path, slow: set[Path]) -> int:
    """In which group a file is."""
    if path.match(str(_PARTS)):
        return FIRST
    if path.match(str(_MACHINES)):
        return LATER
    return SLOW if path in slow else OTHERS
