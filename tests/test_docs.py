"""Everything the documents name exists: commands, files, functions, tests, addresses, links."""

import ast
import codecs
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from base.settings import Settings
from tests.screenshots.example_pictures import EXAMPLES, MAX_BYTES
from web.app import bare_app
from web.cli.main import parser

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("*.md", "docs/**/*.md", "bench/*.md", ".github/**/*.md")
DOCUMENTS = sorted(file for place in PLACES for file in ROOT.glob(place))
TEXTS = {document.relative_to(ROOT).as_posix(): document.read_text() for document in DOCUMENTS}
LAYERS = ("base", "storage", "audit", "auth", "vault", "web")
FOLDERS = (*LAYERS, "migrations", "openapi", "tests", "bench", "docs")

_PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)(?:[`:]| \()")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def documents() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", TEXTS)


@cache
def defined(file: Path) -> frozenset[str]:
    """The functions, methods, classes and assigned names of a source file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return frozenset(found)


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands() -> set[str]:
    """The commands of `unefois`; those of two words in full."""
    found = set()
    for name, command in _choices(parser()):
        found |= {f"{name} {verb}" for verb, _ in _choices(command)}
        if "command" in getattr(command, "_defaults", ()):
            found.add(name)
    return found


def _choices(options: object) -> Iterator[tuple[str, object]]:
    for action in getattr(options, "_actions", ()):
        if isinstance(action.choices, dict):
            yield from action.choices.items()


def routes() -> set[str]:
    """Every address that is served, with its parameters blank."""
    return {_blank(path) for path in _paths(bare_app())}


def _paths(served: object) -> Iterator[str]:
    for route in getattr(served, "routes", ()):
        included = getattr(route, "original_router", None)
        if included is None:
            yield str(getattr(route, "path", ""))
        else:
            yield from _paths(included)


def _blank(path: str) -> str:
    return re.sub(r"\{[^}]*\}|\$\{?\w+\}?", "{}", path).rstrip("/")


@documents()
def test_every_make_target_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", TEXTS[name], re.MULTILINE))
    assert named <= targets()


def test_the_two_commands_are_in_the_readme() -> None:
    assert {"demo", "test"} <= set(re.findall(r"^make (\w+)$", TEXTS["README.md"], re.MULTILINE))


@documents()
def test_every_command_that_is_named_exists(name: str) -> None:
    known = commands()
    for words in re.findall(r"(?:^|`)unefois ([a-z-]+(?: [a-z]+)?)", TEXTS[name], re.MULTILINE):
        assert words in known or words.split()[0] in known, words


@documents()
def test_every_address_that_is_named_exists(name: str) -> None:
    known = routes()
    of_the_api = re.findall(r"(?<![\w.])(/(?:v1|oauth)/[\w/{}$.-]*)", TEXTS[name])
    of_pages = re.findall(r"`(/[a-z][a-z/-]*)`", TEXTS[name]) if name == "README.md" else []
    for path in [*of_the_api, *of_pages]:
        assert _blank(path) in known, path


@documents()
def test_every_file_that_is_named_exists(name: str) -> None:
    for path in _PATH.findall(TEXTS[name]):
        assert list(ROOT.glob(path.rstrip("/"))), path


def test_every_function_of_the_architecture_exists() -> None:
    text = _FENCED.sub("", TEXTS["ARCHITECTURE.md"])
    hops = re.findall(r"`([\w/]+\.py): ([\w.]+)`", text)
    assert len(hops) >= 10
    for file, function in hops:
        assert set(function.split(".")) <= defined(ROOT / file), f"{file}: {function}"


def test_every_source_folder_has_its_place_in_the_architecture() -> None:
    text = TEXTS["ARCHITECTURE.md"]
    for layer in LAYERS:
        for folder in [path for path in (ROOT / layer).iterdir() if path.is_dir()]:
            if any(folder.glob("*.py")):
                assert f"`{layer}/{folder.name}/" in text, folder


def test_every_test_that_is_named_exists() -> None:
    for name, text in TEXTS.items():
        for file, test in _TEST.findall(text):
            assert (ROOT / file).exists(), f"{name}: {file}"
            assert test in defined(ROOT / file), f"{name}: {file}::{test}"


def test_every_invariant_names_its_proof_or_says_what_is_missing() -> None:
    text = TEXTS["SECURITY.md"]
    parts = re.split(r"^\*\*(\d+)\. ", text.split("## Invariants")[1], flags=re.MULTILINE)[1:]
    assert [int(number) for number in parts[::2]] == list(range(1, 14))
    for number, statement in zip(parts[::2], parts[1::2], strict=True):
        assert _TEST.search(statement) or "not yet:" in statement, number


def test_every_decision_is_indexed_in_order_and_short() -> None:
    index = TEXTS["docs/adr/README.md"]
    pages = sorted(file.name for file in (ROOT / "docs/adr").glob("0*.md"))
    assert re.findall(r"^\| \[\d{4}\]\(([^)]+)\)", index, re.MULTILINE) == pages
    assert [page[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = TEXTS[f"docs/adr/{page}"]
        assert text.startswith(f"# {page[:4]} "), page
        assert len(text.splitlines()) <= 40, page
        assert "## Context" in text, page
        assert "## Consequence" in text, page


@documents()
def test_every_link_within_the_project_resolves(name: str) -> None:
    for link in _LINK.findall(_FENCED.sub("", TEXTS[name])):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert anchor in {_slug(head) for head in heads}, link


def _slug(head: str) -> str:
    return re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-")


def test_every_picture_is_shown_and_light() -> None:
    pictures = sorted((ROOT / "docs/pictures").iterdir())
    assert {one.stem for one in pictures} == set(EXAMPLES)
    shown = "".join(TEXTS.values())
    for picture in pictures:
        assert f"pictures/{picture.name})" in shown
        assert picture.stat().st_size <= MAX_BYTES


@documents()
def test_the_project_speaks_of_itself_alone(name: str) -> None:
    # Written with the alphabet reversed, so that this file does not contain them.
    words = codecs.decode("nv|yyz|ntrag|urycre|cebzcg|pynhqr|tcg|pbcvybg", "rot13")
    text = TEXTS[name]
    assert not re.search(rf"\b(?:{words})s?\b", text, re.IGNORECASE)
    assert not re.search(r"(?<![\w/.])/(?:root|home|work|Users)/", text)
    assert not re.search(r"\B#\d+\b|\bissue \d+", text)


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in text
    assert "Appendix" in text
