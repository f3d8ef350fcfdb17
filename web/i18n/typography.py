"""Spaces where a line may not break, and phone numbers as people write them. Pure."""

import re

from web.i18n.quotation import quoted

_FRENCH_NUMBER = re.compile(r"\+33([1-9])(\d\d)(\d\d)(\d\d)(\d\d)(?!\d)")
_NUMBER = re.compile(r"[\d +().-]{2,40}")
# Spaces where a line may not break: before ? ! : ; », after «, in a phone number or an hour.
_NO_BREAK_SPACES = re.compile(r" (?=[?!:;»])|(?<=«) |(?<=\d) (?=\d|h\b)|(?<=\d h) (?=\d)")


def no_break(text: str) -> str:
    """The text with non-breaking spaces where French has them."""
    return _NO_BREAK_SPACES.sub("\u00a0", text)


def national(text: str | None) -> str:
    """French phone numbers in their national form: `06 12 34 56 78`."""
    return _FRENCH_NUMBER.sub(r"0\1 \2 \3 \4 \5", text or "")


def typed_phone(text: str, language: str) -> str:
    """What someone else typed as a phone number: quoted if it is anything else."""
    return no_break(national(text) if _NUMBER.fullmatch(text) else quoted(text, language))
