"""What is said to callers when something does not go as hoped, in French, by code.

One file a room, each with `SENTENCES`; English comes from the catalogue of `web/locales`.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """A title, what happened, and what to do next. `{name}` stands for a value of the failure."""

    title: str
    detail: str
    what_to_do: str


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


@cache
def error_messages() -> dict[str, ErrorMessage]:
    """Every sentence by code. Raises `ValueError` when two rooms claim one code."""
    merged: dict[str, ErrorMessage] = {}
    for module in sorted(found.name for found in iter_modules(__path__)):
        for code, sentence in import_module(f"{__name__}.{module}").MESSAGES.items():
            if code in merged:
                raise ValueError(f"two rooms have a sentence for {code}")
            merged[code] = sentence
    return merged
