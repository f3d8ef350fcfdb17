"""The table of what each part's absence does, printed after the tests that made it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

_PROPERTY = "fault"
_HEADINGS = {
    "part": "taken away",
    "callers": "what callers get",
    "log": "what the log says",
    "readiness": "what readiness says",
    "kept": "nothing is lost",
    "well": "well again after",
}


@dataclass
class Row:
    """One part: a cell for each heading, all of them texts that were measured."""

    number: int
    part: str
    callers: str = ""
    log: str = ""
    readiness: str = ""
    kept: str = "NOT SHOWN"
    well: str = "NOT SEEN"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the rows of this run, in order."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
    ]
    rows = [
        value
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _PROPERTY
    ]
    if not rows:
        return
    terminalreporter.section("each part taken away in turn, under load")
    terminalreporter.write_line("| # | " + " | ".join(_HEADINGS.values()) + " |")
    terminalreporter.write_line("|---" * (len(_HEADINGS) + 1) + "|")
    for row in sorted(rows, key=lambda one: one["number"]):
        cells = [str(row["number"]), *(row[name] for name in _HEADINGS)]
        terminalreporter.write_line("| " + " | ".join(cells) + " |")


def keep(request: pytest.FixtureRequest, row: Row) -> None:
    """Give the row to the report of this test, which passes from process to process; what the test
    writes into the row until its end is in the report."""
    request.node.user_properties.append((_PROPERTY, vars(row)))


def counted(words: Iterable[str]) -> str:
    """`201 ×3, 503 ×12`, sorted."""
    return ", ".join(f"{word} ×{number}" for word, number in sorted(Counter(words).items()))
