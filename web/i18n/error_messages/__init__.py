"""The messages that callers get for an error, in French, by code.

One file per subject, each with `MESSAGES`; English comes from the catalogue in `web/i18n/locales/`.
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
    """Every message by code. Raises `ValueError` when two files have the same code."""
    merged: dict[str, ErrorMessage] = {}
    for module in sorted(info.name for info in iter_modules(__path__)):
        for code, message in import_module(f"{__name__}.{module}").MESSAGES.items():
            if code in merged:
                raise ValueError(f"two files have a message for {code}")
            merged[code] = message
    return merged
