"""`python -m tests.checks.sizes`: functions, their parameters and files stay small enough to read.

A dataclass's generated constructor is not counted: its arguments are read field by field.
"""

import ast
import sys
from collections.abc import Iterator

from tests.checks.tree import report

MAX_LINES_OF_FILE = 400
MAX_LINES_OF_FUNCTION = 45
MAX_PARAMETERS = 8


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function, methods and inner ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to the last line; decorators are not counted."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a caller may give; `self` and `cls` are not counted."""
    declared = function.args
    positional = [one.arg for one in (*declared.posonlyargs, *declared.args)]
    own = positional[:1] in (["self"], ["cls"])
    return len(positional) + len(declared.kwonlyargs) - own


def faults(place: str, source: str) -> Iterator[str]:
    """What is too long in one file: `file:line: what`."""
    length = len(source.splitlines())
    if length > MAX_LINES_OF_FILE:
        yield f"{place}:1: a file of {length} lines"
    for function in functions(ast.parse(source)):
        at = f"{place}:{function.lineno}: {function.name}"
        if lines_of(function) > MAX_LINES_OF_FUNCTION:
            yield f"{at} has {lines_of(function)} lines"
        if parameters_of(function) > MAX_PARAMETERS:
            yield f"{at} has {parameters_of(function)} parameters"


def main() -> int:
    """Print the faults; returns 1 when there are any."""
    return report(faults)


if __name__ == "__main__":
    sys.exit(main())
