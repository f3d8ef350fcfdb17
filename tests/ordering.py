"""The files with slow tests come first, so that no process works alone at the end; those that take
a browser stand apart from each other, since few browsers may run at once (`tests/browsers.py`). The
two that take the parts away, and watch the time, do not begin together."""

from pathlib import Path

import pytest

FIRST, SLOW, LATER, OTHERS = range(4)
_PARTS, _MACHINES = Path("faults/test_parts.py"), Path("faults/test_machines.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files; the tests of a file keep theirs."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    browsing = {item.path for item in items if "chromium" in getattr(item, "fixturenames", ())}
    groups = {item.path: place(item.path, slow) for item in items}
    places = spread(groups, browsing)
    items.sort(key=lambda item: places[item.path])


def place(path: Path, slow: set[Path]) -> int:
    """In which group a file is."""
    if path.match(str(_PARTS)):
        return FIRST
    if path.match(str(_MACHINES)):
        return LATER
    return SLOW if path in slow else OTHERS


def spread(groups: dict[Path, int], apart: set[Path]) -> dict[Path, tuple[int, float]]:
    """Where each file stands: its group, and how far on in it. Those that stand apart are as far
    from each other as their group is long."""
    places = {}
    for group in set(groups.values()):
        for chosen in (True, False):
            of_it = [
                path for path, its in groups.items() if its == group and (path in apart) == chosen
            ]
            for number, path in enumerate(of_it):
                places[path] = group, (number + 0.5) / len(of_it)
    return places
