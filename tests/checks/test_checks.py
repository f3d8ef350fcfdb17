"""Each check fails on a tree that breaks its rule."""

import ast
from pathlib import Path

import pytest

from tests.checks import addresses, layout, names, readers, sizes


@pytest.mark.parametrize(
    ("place", "source", "refused"),
    [
        ("vault/services.py", "class House: ...", "House"),
        ("vault/services.py", "from vault.services import House as Services", "House"),
        ("vault/services.py", "import vault.services as house", "house"),
        ("vault/rules.py", "Facts = dict[str, str]", "Facts"),
        ("vault/rules.py", "class FactsIn: ...", "FactsIn"),
        ("storage/content.py", "class ContentBroken(Exception): ...", "ContentBroken"),
        ("base/pipeline.py", "class _Wire: ...", "_Wire"),
        ("vault/rules.py", "def may(desk): ...", "desk"),
        ("vault/rules.py", "class Rule:\n    ledger: int", "ledger"),
        ("vault/rules.py", "def act(self):\n    self._house = 1", "_house"),
        ("storage/keys.py", "async def afresh(): ...", "afresh"),
        ("auth/bearer.py", "async def ask(): ...", "ask"),
        ("auth/bearer.py", "try:\n    go()\nexcept OSError as house:\n    pass", "house"),
        ("auth/bearer.py", "match go():\n    case [ledger, *desk]:\n        pass", "ledger desk"),
    ],
)
def test_old_names_are_refused(place: str, source: str, refused: str) -> None:
    found = list(names.faults(place, source))
    assert [one.rpartition(": ")[2] for one in found] == refused.split()


@pytest.mark.parametrize(
    "place",
    [
        "vault/judging.py",
        "vault/working/__init__.py",
        "storage/storage.py",
        "auth/desk.py",
        "tests/vault/test_opening.py",
        "bench/town.py",
        "web/cli/exporting.py",
        "web/unchecked.py",
    ],
)
def test_old_modules_and_forms_of_verbs_are_refused(place: str) -> None:
    assert len(list(names.faults(place, ""))) == 1


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("web/api/grants.py", "class NewGrantIn: ...\nasync def ask(): ..."),
        ("vault/desk/meetings.py", "from storage.backends import Storage"),
        ("audit/sealing.py", "fields = edge = words = 1"),
        ("tests/attacks/test_recorded_before_revealed.py", "def hold(lock): ..."),
        ("vault/documents/retrieval.py", "class GrantFacts: ...\nclass Downloads: ..."),
    ],
)
def test_the_fields_own_names_pass(place: str, source: str) -> None:
    assert list(names.faults(place, source)) == []


def test_what_is_long_is_refused() -> None:
    body = "    pass\n" * (sizes.MAX_LINES_OF_FUNCTION - 1)
    assert list(sizes.faults("a.py", f"def whole():\n{body}")) == []
    (long,) = sizes.faults("a.py", f"def whole():\n{body}    pass\n")
    assert long == "a.py:1: whole has 46 lines"
    eight = "a, b, c, d, /, e, f, *, g, h"
    assert list(sizes.faults("a.py", f"class A:\n    def of(self, {eight}): ...")) == []
    (many,) = sizes.faults("a.py", f"class A:\n    async def of(cls, {eight}, i): ...")
    assert many == "a.py:2: of has 9 parameters"
    assert list(sizes.faults("a.py", "#\n" * 400)) == []
    assert list(sizes.faults("a.py", "#\n" * 401)) == ["a.py:1: a file of 401 lines"]


def vault(**sources: str) -> layout.Imports:
    """The imports of an invented `vault/`; `__` in a name stands for a dot."""
    known = {f"vault.{name.replace('__', '.')}": ast.parse(text) for name, text in sources.items()}
    return layout.imports_of(known)


def test_arrows_are_found_wherever_they_are_written() -> None:
    late = "def draw():\n    from vault.consent.terms import Terms\n"
    typed = "if TYPE_CHECKING:\n    import vault.rules\n"
    relative = "from ..cursors import Page\nfrom . import records\n"
    assert vault(
        documents__deposit=late,
        documents__intake=typed,
        documents__own=relative,
        documents__records="from vault import jobs, documents",
        consent__terms="",
        cursors="",
        jobs="from base import clock",
        rules="",
    ) == {
        "documents": {"consent", "rules", "cursors", "jobs"},
        "consent": set(),
        "cursors": set(),
        "jobs": set(),
        "rules": set(),
    }


def test_a_layout_that_is_not_as_planned_is_refused(tmp_path: Path) -> None:
    for folder in layout.PLAN[1:]:
        (tmp_path / folder).mkdir(parents=True)
    assert layout.faults({"rules": set()}, tmp_path) == [f"{layout.PLAN[0]}/ is missing"]
    (tmp_path / layout.PLAN[0]).mkdir(parents=True)
    (circle,) = layout.faults({"a": {"b"}, "b": {"c"}, "c": {"a"}}, tmp_path)
    assert circle.startswith("a circle in vault/: ")
    parts = {f"r{number}": set[str]() for number in range(layout.MAX_PARTS + 1)}
    (many,) = layout.faults(parts, tmp_path)
    assert many.startswith(f"vault/ has {len(parts)} rooms, more than {layout.MAX_PARTS}")
    arrows = layout.MAX_IMPORTS + 1
    imports = {"a": {f"b{other}" for other in range(arrows)}}
    assert layout.faults(imports, tmp_path) == [
        f"vault/ has {arrows} arrows between its rooms, more than {layout.MAX_IMPORTS}"
    ]


def test_a_room_is_refused_in_a_tree_of_files(tmp_path: Path) -> None:
    (tmp_path / "vault" / "documents").mkdir(parents=True)
    (tmp_path / "vault" / "documents" / "__init__.py").write_text("from vault import rules\n")
    (tmp_path / "vault" / "rules.py").write_text("import vault.documents.records\n")
    (tmp_path / "vault" / "documents" / "records.py").write_text("")
    imports = layout.imports_of(layout.modules(tmp_path))
    assert imports == {"documents": {"rules"}, "rules": {"documents"}}


@pytest.mark.parametrize(
    "source",
    [
        "writer = services.field_encryption.reader(person)",
        "from vault.consent.grants import see",
        "from vault.documents.retrieval import open_for_scan",
        "from vault.documents import retrieval",
        "import vault.consent.answers",
        "entries = audit_log.open_entries(rows)",
    ],
)
@pytest.mark.parametrize("place", readers.WRITERS)
def test_what_only_writes_reaches_nothing_that_reads(place: str, source: str) -> None:
    reading = dict.fromkeys(readers.READERS, "reader = 1\nreader")
    assert readers.faults(reading | {place: ""}) == []
    found = readers.faults(reading | {place: source})
    assert found
    assert all(line.startswith(f"{place}: ") for line in found)


def test_a_reader_that_reads_nothing_is_not_listed() -> None:
    reading = dict.fromkeys(readers.READERS, "reader = 1\nreader")
    (line,) = readers.faults(reading | {"vault/consent/grants.py": ""})
    assert line == "vault/consent/grants.py: listed as a reader, and reads nothing"


def test_addresses_of_registries_and_machines_are_found() -> None:
    for text in ("/wo" + "rk/main", "/ro" + "ot/x", "https://pypi" + ".org/simple"):
        assert addresses.FORBIDDEN.search(text)
    assert not addresses.FORBIDDEN.search("the working copy, under /srv/unefois")
