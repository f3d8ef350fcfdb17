"""What the frame of the pages calls its own values: no page gives a value of that name, which the
frame would replace."""

import ast
import re
from pathlib import Path

from web.pages.rendering import FOLDER


def names_given(source: str) -> set[str]:
    """Keywords of calls, and keys that are written out: what a handler may give its page."""
    tree = ast.parse(source)
    keywords = {
        one.arg for one in ast.walk(tree) if isinstance(one, ast.keyword) and one.arg is not None
    }
    keys = {
        key.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Dict)
        for key in one.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    return keywords | keys


def test_the_frame_replaces_no_value_of_a_page() -> None:
    frame = (FOLDER / "base.html").read_text(encoding="utf-8")
    own = set(re.findall(r"\{% set (\w+) =", frame))
    assert {"hidden", "site_name"} <= own
    handlers = Path(FOLDER.parent).glob("*.py")
    given = {name for one in handlers for name in names_given(one.read_text(encoding="utf-8"))}
    assert {"kept", "known"} <= given
    assert own & given == set()
