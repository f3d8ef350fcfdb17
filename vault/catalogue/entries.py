"""Reads entries of the catalogue from JSON; an error names the entry and what is wrong with it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

_FOLDER = Path(__file__).parent
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class CatalogueError(ValueError):
    """The catalogue's own data is wrong: a defect of the program, not an error of the caller."""


@dataclass(frozen=True, slots=True)
class Names:
    """The same words in French, in easy-to-read French (FALC) and in English."""

    fr: str
    falc: str
    en: str


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


Entry = TypeVar("Entry", bound=_Coded)


def load(file: str) -> list[Any]:
    """The list in a JSON file of this folder."""
    entries = json.loads((_FOLDER / file).read_text(encoding="utf-8"))
    if not isinstance(entries, list):
        raise CatalogueError(f"{file} is not a list")
    return entries


def read_all(
    raw_entries: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Entry]
) -> tuple[Entry, ...]:
    """Read every entry, in the given order; raises `CatalogueError` that names the wrong one."""
    entries: dict[str, Entry] = {}
    for raw in raw_entries:
        code = raw.get("code")
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise CatalogueError(f"{code!r}: the code is not snake_case")
        if code in entries:
            raise CatalogueError(f"{code}: the code stands twice")
        try:
            entries[code] = read(raw)
        except (CatalogueError, TypeError, KeyError) as error:
            raise CatalogueError(f"{code}: {error}") from error
    return tuple(entries.values())


def names(raw: Any, what: str = "name") -> Names:
    """`Names` from `{fr, falc, en}`, each present and not blank."""
    for language in ("fr", "falc", "en"):
        word = raw.get(language)
        if not isinstance(word, str) or not word.strip():
            raise CatalogueError(f"no {what} in {language}")
    return Names(**raw)
