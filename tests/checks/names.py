"""`python -m tests.checks.names`: names that the field does not use are not used again.

One word has one meaning in the whole tree (docs/glossary.md): a former module name is refused for
modules, a former class name for classes, a former variable for any name. Reads definitions, imports
and module names by `ast`.
"""

import ast
import sys
from collections.abc import Iterator

from tests.checks.tree import report


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Former names of modules: they do not say what the module holds, or are forms of verbs.
MODULES = _words("""
    activity afresh assertions callers compact completions credentials describing direct edge
    entrance expiries fields hold house instants journal judging keeping ledger looked measures
    monitoring notices opening pacing papers printed proofs proving publishing receiving
    renditions requested rooms rotating rounds scanning sentences sequencing settings_page
    speaking stories sweeping telling town translating upkeep whole_log wire witnessing words
    work working
""")
# Refused in one folder only: elsewhere these words name modules, or will.
DOTTED = frozenset({"auth.desk", "storage.storage", "tests.vault.consenting"})
CLASSES = _words("""
    Act Asker Believed Declined Desk Facts Failure Fields Gift House Kind Ledger Line Named Paper
    Round Sealer Stream _Wire
""")
ENDING = "Broken"
"""Errors about malformed input are named `Invalid…`."""
VARIABLES = _words("afresh asker believe believed desk house ledger")
IN_AUTH = "ask"
"""`auth/` identifies a caller with `authenticate`; `ask` is for consent requests."""

# Gerunds and participles that are nouns of the field, or folders of the plan.
NOUNS = {
    "closing": "the end of a service, and the word of its command",
    "decoding": "the plan's folder; what a decoder does",
    "embedded": "the plan's folder; PostgreSQL's own way to say it",
    "rendering": "what turns a template into a page",
    "naming": "by whom and how a trusted person is named",
    "trusted": "the plan's folder; whom a person trusts",
    "vouching": "what a trusted person does at a desk",
    "sealing": "HPKE's word, and the format pages'",
}


def module_faults(place: str) -> Iterator[str]:
    """What is wrong with the name of a file; `place` is its path in the tree."""
    parts = place.removesuffix(".py").split("/")
    dotted = ".".join(parts).removesuffix(".__init__")
    if dotted in DOTTED:
        yield f"{place}: a module named {dotted}"
    for part in parts:
        last = part.rpartition("_")[2]
        if part.removeprefix("test_") in MODULES:
            yield f"{place}: a module named {part}"
        elif parts[0] != "tests" and last.endswith(("ing", "ed")) and part not in NOUNS:
            yield f"{place}: {part} is a verb's form, and a module is a noun"


def faults(place: str, source: str) -> Iterator[str]:
    """The names of one file that are refused: `file:line: name`."""
    yield from module_faults(place)
    for node in ast.walk(ast.parse(source)):
        for name in _names(node):
            if _refused(place, name):
                yield f"{place}:{getattr(node, 'lineno', 0)}: {name}"


def _names(node: ast.AST) -> Iterator[str]:
    """The names that a node defines or imports."""
    match node:
        case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.name
        case ast.arg():
            yield node.arg
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case ast.Attribute(ctx=ast.Store()):
            yield node.attr
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case ast.Import() | ast.ImportFrom():
            for one in node.names:
                yield one.name.rpartition(".")[2]
                yield one.asname or ""


def _refused(place: str, name: str) -> bool:
    bare = name.lstrip("_")
    return (
        name in CLASSES
        or bare.removesuffix("In").removesuffix("Out") in CLASSES
        or bare.endswith(ENDING)
        or bare in VARIABLES
        or (place.startswith("auth/") and name == IN_AUTH)
    )


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    return report(faults)


if __name__ == "__main__":
    sys.exit(main())
