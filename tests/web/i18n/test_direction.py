"""Words that run the other way than the page stay together, in their order."""

import pytest

from web.i18n.direction import isolated


@pytest.mark.parametrize(
    ("text", "language", "apart"),
    [
        ("Camille Moreau", "ar", True), ("+33 6 12", "ar", True), ("محمد", "ar", False),
        ("محمد (CAF)", "ar", True), ("محمد", "fr", True), ("Camille", "fr", False),
        ("06 12 34 56 78", "fr", False), ("…", "ar", False),
    ],
)  # fmt: skip
def test_only_where_something_runs_the_other_way(text: str, language: str, apart: bool) -> None:
    assert isolated(text, language) == (f"\u2068{text}\u2069" if apart else text)


def test_nothing_inside_ends_it() -> None:
    assert isolated("a\u2069\u202eb", "ar") == "\u2068ab\u2069"
    assert isolated(None, "ar") == ""
