"""`python -m tests.checks.layout`: `vault/` keeps few parts with few imports between them, and no
cycle; every folder of the plan (ARCHITECTURE.md) exists.

A part is a module or a folder directly below `vault/`. An import counts wherever it is written: at
the top of a file, inside a function, for the type checker alone.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOOR = "vault"
MOST_ROOMS = 20
MOST_ARROWS = 60
PLAN = (
    "base/embedded",
    "storage/backup",
    "storage/blobs",
    "storage/providers",
    "audit/tlog",
    "auth/messengers",
    "auth/oauth",
    "vault/access_log",
    "vault/catalogue",
    "vault/consent",
    "vault/decoding",
    "vault/documents",
    "vault/maintenance",
    "web/api",
    "web/cli",
    "web/demo",
    "web/http",
    "web/i18n",
    "web/pages",
    "web/pages/static",
    "web/pages/templates",
    "web/process",
    "web/tools",
)

Arrows = dict[str, set[str]]


def modules(root: Path = ROOT, floor: str = FLOOR) -> dict[str, ast.Module]:
    """Every module of a layer by its dotted name."""
    found = {}
    for path in sorted((root / floor).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(name: str, tree: ast.Module, known: dict[str, ast.Module]) -> Iterator[str]:
    """The modules that a module imports; `name` resolves relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*name.split(".")[: -node.level], *filter(None, [node.module])])
            for one in node.names:
                below = f"{base}.{one.name}"
                yield below if below in known else base


def arrows_of(known: dict[str, ast.Module], floor: str = FLOOR) -> Arrows:
    """Which parts each part imports."""
    found: Arrows = {}
    for name, tree in known.items():
        room = room_of(name, floor)
        if room is None:
            continue
        reached = {room_of(one, floor) for one in imported(name, tree, known)}
        found.setdefault(room, set()).update(one for one in reached if one not in (room, None))
    return found


def room_of(name: str, floor: str = FLOOR) -> str | None:
    """The part that a module belongs to; None for the layer itself and for other layers."""
    parts = name.split(".")
    return parts[1] if parts[0] == floor and len(parts) > 1 else None


def faults(arrows: Arrows, root: Path = ROOT) -> list[str]:
    """The faults, one sentence each."""
    found = [f"{folder}/ is missing" for folder in PLAN if not (root / folder).is_dir()]
    many = sum(map(len, arrows.values()))
    if len(arrows) > MOST_ROOMS:
        found.append(f"{FLOOR}/ has {len(arrows)} rooms, more than {MOST_ROOMS}: {sorted(arrows)}")
    if many > MOST_ARROWS:
        found.append(f"{FLOOR}/ has {many} arrows between its rooms, more than {MOST_ARROWS}")
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        found.append(f"a circle in {FLOOR}/: {' <- '.join(error.args[1])}")
    return found


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    found = faults(arrows_of(modules()))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
