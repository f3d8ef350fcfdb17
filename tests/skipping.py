"""Nothing is skipped quietly: in continuous integration a skip is a failure, elsewhere it is listed
at the end with its reason."""

import os
from collections import Counter
from collections.abc import Generator
from typing import TypeVar

import pytest

IN_CI = os.environ.get("CI") == "true"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test fails in continuous integration."""
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A skipped file fails too."""
    return _judged((yield))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was not run, and why."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        terminalreporter.section("not run, and why")
        for reason, count in sorted(reasons.items()):
            terminalreporter.write_line(f"{count} × {reason}")


Report = pytest.TestReport | pytest.CollectReport
OneReport = TypeVar("OneReport", pytest.TestReport, pytest.CollectReport)


def _judged(report: OneReport) -> OneReport:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing is skipped in continuous integration: {_reason(report)}"
    return report


def _reason(report: Report) -> str:
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")
