"""docs/accessibility.md says of each criterion of RGAA how it is here."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/accessibility.md").read_text(encoding="utf-8")
CRITERIA = (9, 2, 3, 13, 8, 2, 5, 10, 4, 14, 13, 11, 12)
"""How many each theme of RGAA 4.1.2 has."""
ROW = re.compile(r"\| (\d+\.\d+) \| [^|]+ \| (conform|\*\*not\*\*|n/a) \| [^|]+ \|")


def test_it_has_each_criterion_once() -> None:
    wanted = [f"{theme}.{n}" for theme, last in enumerate(CRITERIA, 1) for n in range(1, last + 1)]
    assert len(wanted) == 106
    assert [number for number, _state in ROW.findall(PAGE)] == wanted


def test_what_it_counts_is_what_it_says() -> None:
    states = [state for _number, state in ROW.findall(PAGE)]
    conform, not_, none = (states.count(one) for one in ("conform", "**not**", "n/a"))
    assert f"{conform} conform, {not_} not, {none} not applicable" in PAGE
    assert f"({100 * conform // (conform + not_)} % of those that apply)" in PAGE


def test_the_tests_that_it_names_exist() -> None:
    named = set(re.findall(r"`((?:tests|web)/[^`]+)`", PAGE))
    assert len(named) > 5
    assert [one for one in named if not (ROOT / one).exists()] == []
