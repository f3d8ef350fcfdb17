"""The files that a forge, an editor and git hooks read: everything they name exists."""

import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_docs import targets

ROOT = Path(__file__).resolve().parents[1]
WORKFLOW = ROOT / ".github/workflows/ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
ISSUE_TEMPLATES = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.md"))
REQUEST_TEMPLATE = ROOT / ".github/pull_request_template.md"

BY_COMMIT = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def loaded(file: Path) -> dict[Any, Any]:
    """The content of a YAML file."""
    held = yaml.safe_load(file.read_text())
    assert isinstance(held, dict)
    return held


def hooks() -> list[dict[str, Any]]:
    """Every hook, with the address of its repository."""
    return [
        {"repo": repository["repo"], **hook}
        for repository in loaded(HOOKS)["repos"]
        for hook in repository["hooks"]
    ]


def jobs() -> dict[str, dict[str, Any]]:
    """The jobs of the workflow, by name."""
    found: dict[str, dict[str, Any]] = loaded(WORKFLOW)["jobs"]
    return found


def test_the_workflow_runs_what_contributors_run() -> None:
    commands = [step.get("run") for step in jobs()["test"]["steps"]]
    assert commands[-1] == "bash .ci/run"
    assert (ROOT / ".ci/run").is_file()


def test_the_workflow_runs_for_changes_and_for_main() -> None:
    asked = loaded(WORKFLOW)[True]  # YAML 1.1 reads the key `on` as true
    assert "pull_request" in asked
    assert asked["push"] == {"branches": ["main"]}


def test_the_workflow_may_only_read_and_ends() -> None:
    workflow = loaded(WORKFLOW)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    for job in jobs().values():
        assert job["timeout-minutes"] <= 30
        assert "permissions" not in job


def test_what_the_workflow_takes_from_others_is_named_by_commit() -> None:
    for job in jobs().values():
        for step in job["steps"]:
            if "uses" in step:
                assert BY_COMMIT.fullmatch(step["uses"]), step["uses"]
                assert step["with"]["persist-credentials"] is False


def test_hooks_come_from_the_project_alone() -> None:
    assert {hook["repo"] for hook in hooks()} == {"local"}
    assert {hook["language"] for hook in hooks()} == {"system"}


@pytest.mark.parametrize("entry", [hook["entry"] for hook in hooks()])
def test_what_a_hook_runs_exists(entry: str) -> None:
    program, *arguments = shlex.split(entry)
    if program == "make":
        assert set(arguments) <= targets()
        return
    # The project's virtual environment, which is the one that runs the tests.
    assert program.startswith(".venv/bin/")
    assert (Path(sys.executable).parent / Path(program).name).exists()
    if arguments[0] == "-m":
        assert find_spec(arguments[1]) is not None


def test_hooks_check_what_make_check_does() -> None:
    checks = (ROOT / "Makefile").read_text()
    for hook in hooks():
        run = hook["entry"].removeprefix(".venv/bin/")
        flagless = run.split(" --")[0]
        assert flagless == "make check" or f"$(BIN)/{flagless}" in checks, run


def test_each_issue_template_says_what_it_is_for() -> None:
    assert {file.stem for file in ISSUE_TEMPLATES} == {"bug", "idea"}
    for file in ISSUE_TEMPLATES:
        head, body = re.fullmatch(r"---\n(.*?)---\n(.*)", file.read_text(), re.DOTALL).groups()
        assert {"name", "about"} <= set(yaml.safe_load(head)), file
        assert body.strip(), file


def test_vulnerabilities_are_sent_to_the_private_report() -> None:
    for file in (ROOT / ".github/ISSUE_TEMPLATE/bug.md", REQUEST_TEMPLATE):
        assert "SECURITY.md" in file.read_text(), file
    assert (ROOT / "SECURITY.md").is_file()


def test_the_request_template_names_what_exists() -> None:
    text = REQUEST_TEMPLATE.read_text()
    assert set(re.findall(r"`make ([\w-]+)`", text)) <= targets()
    for name in re.findall(r"[A-Z]+\.md|docs/\w+/", text):
        assert (ROOT / name).exists(), name


def test_the_editor_settings_agree_with_the_formatter() -> None:
    text = (ROOT / ".editorconfig").read_text()
    ruff = (ROOT / "pyproject.toml").read_text()
    length = re.search(r"^line-length = (\d+)$", ruff, re.MULTILINE)
    assert text.startswith("root = true\n")
    assert length is not None
    assert f"max_line_length = {length[1]}\n" in text
