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
LAYER = "vault"
MAX_PARTS = 27
MAX_IMPORTS = 95
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
    "vault/reconciliation",
    "vault/recovery",
    "vault/representation",
    "vault/trusted",
    "web/api",
    "web/cli",
    "web/demo",
    "web/http",
    "web/i18n",
    "web/pages",
    "web/pages/static",
    "web/pages/templates",
    "web/pages/templates/new_grant",
    "web/pages/templates/requests",
    "web/printouts",
    "web/process",
    "web/speech",
    "web/tools",
)

Imports = dict[str, set[str]]


def modules(root: Path = ROOT, layer: str = LAYER) -> dict[str, ast.Module]:
    """Every module of a layer by its dotted name."""
    found = {}
    for path in sorted((root / layer).rglob("*.py")):
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


def imports_of(known: dict[str, ast.Module], layer: str = LAYER) -> Imports:
    """Which parts each part imports."""
    found: Imports = {}
    for name, tree in known.items():
        part = part_of(name, layer)
        if part is None:
            continue
        reached = {part_of(one, layer) for one in imported(name, tree, known)}
        found.setdefault(part, set()).update(one for one in reached if one not in (part, None))
    return found


def part_of(name: str, layer: str = LAYER) -> str | None:
    """The part that a module belongs to; None for the layer itself and for other layers."""
    parts = name.split(".")
    return parts[1] if parts[0] == layer and len(parts) > 1 else None


def faults(imports: Imports, root: Path = ROOT) -> list[str]:
    """The faults, one sentence each."""
    found = [f"{folder}/ is missing" for folder in PLAN if not (root / folder).is_dir()]
    many = sum(map(len, imports.values()))
    if len(imports) > MAX_PARTS:
        found.append(f"{LAYER}/ has {len(imports)} rooms, more than {MAX_PARTS}: {sorted(imports)}")
    if many > MAX_IMPORTS:
        found.append(f"{LAYER}/ has {many} arrows between its rooms, more than {MAX_IMPORTS}")
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found.append(f"a circle in {LAYER}/: {' <- '.join(error.args[1])}")
    return found


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    found = faults(imports_of(modules()))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
