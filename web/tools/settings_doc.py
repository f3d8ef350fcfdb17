"""Keeping `docs/settings.md` in step with the settings: `python -m web.tools.settings_doc
[--check]`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from base.settings import Settings

FILE = Path(__file__).parents[2] / "docs" / "settings.md"
_HEAD = """# Settings

Each is an environment variable, read at start-up. Written from `base/settings.py` by
`make settings`; a wrong or unsafe one stops the service, and the message says which.

| variable | kind | default | what it is |
|---|---|---|---|
"""


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"UNEFOIS_{name.upper()}"


def variables() -> set[str]:
    """The environment variables of all settings."""
    return {variable(name, field) for name, field in Settings.model_fields.items()}


def page() -> str:
    """The page's text."""
    return _HEAD + "".join(_lines())


def _lines() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        cells = (f"`{variable(name, field)}`", _kind(field), _default(field), field.description)
        yield "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _kind(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    inner = [each for each in get_args(annotation) if each is not type(None)]
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{each}`" for each in inner)
    kind = inner[0] if inner else annotation
    words = {SecretStr: "secret", str: "text", int: "number", bool: "yes or no", Path: "folder"}
    return words.get(kind, str(kind))


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "`~/.unefois`"
    if field.default is None:
        return ""
    shown = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"`{shown}`"


def main() -> int:
    """Write the page, or check that it is up to date."""
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(page(), encoding="utf-8")
        return 0
    if FILE.exists() and FILE.read_text(encoding="utf-8") == page():
        return 0
    sys.stdout.write("docs/settings.md is not what base/settings.py says: run make settings\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
