"""The table of codes is what the source raises, each with the status that it gets."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from base.errors import ErrorKind
from web.http import problem_codes, problems
from web.i18n.error_messages import error_messages

ROOT = Path(__file__).resolve().parents[3]
LAYERS = ("base", "storage", "audit", "auth", "vault", "web")
# What only these files raise is shown on a page or printed by a command, never by the API.
OTHERS = ("web/pages/", "web/cli/", "auth/administration.py")
# What the framework finds wrong: `web/http/problems.py`, `web/http/middleware.py`.
OF_THE_FRAMEWORK = {
    400: {"malformed_request", "request_refused"},
    422: {"invalid_request"},
    500: {"internal_error"},
}


def _kind(node: ast.expr) -> ErrorKind | None:
    """The kind that `ErrorKind.X` names."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return ErrorKind[node.attr] if node.value.id == "ErrorKind" else None
    return None


def _codes(node: ast.expr) -> list[str]:
    """A literal, or either of two literals."""
    branches = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
    return [
        branch.value
        for branch in branches
        if isinstance(branch, ast.Constant) and isinstance(branch.value, str)
    ]


def _raised(tree: ast.AST) -> Iterator[tuple[ErrorKind, str]]:
    """Each `(ErrorKind.X, "code", …)` of a call or a table, and each `invalid("code", …)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            parts = node.args
            if called in {"invalid", "InvalidForm"} and parts:
                yield from ((ErrorKind.INVALID, code) for code in _codes(parts[0]))
        elif isinstance(node, ast.Tuple):
            parts = node.elts
        else:
            continue
        kind = _kind(parts[0]) if len(parts) > 1 else None
        if kind is not None:
            yield from ((kind, code) for code in _codes(parts[1]))


@pytest.fixture(scope="module")
def raised() -> dict[str, dict[str, set[ErrorKind]]]:
    """The kinds of each code, by the file that raises it."""
    found: dict[str, dict[str, set[ErrorKind]]] = defaultdict(lambda: defaultdict(set))
    for layer in LAYERS:
        for file in sorted((ROOT / layer).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            for kind, code in _raised(ast.parse(file.read_text(encoding="utf-8"))):
                found[code][name].add(kind)
    return found


def test_each_code_that_is_raised_is_in_the_table_under_its_status(
    raised: dict[str, dict[str, set[ErrorKind]]],
) -> None:
    expected = {status: set(codes) for status, codes in OF_THE_FRAMEWORK.items()}
    for status, code in problems._HTTP_CODES.items():
        expected.setdefault(status, set()).add(code)
    for code, files in raised.items():
        if all(name.startswith(OTHERS) for name in files):
            continue
        for kind in set().union(*files.values()):
            expected.setdefault(problems.STATUS[kind], set()).add(code)
    assert {status: set(codes) for status, codes in problem_codes.CODES.items()} == expected


def test_each_code_has_one_status_and_a_message() -> None:
    listed = [code for codes in problem_codes.CODES.values() for code in codes]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(error_messages())


def test_each_message_is_of_a_code_that_is_raised(
    raised: dict[str, dict[str, set[ErrorKind]]],
) -> None:
    assert set(error_messages()) == set(raised) | set(problem_codes.STATUS_OF)
