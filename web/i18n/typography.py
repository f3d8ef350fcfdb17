"""Spaces where a line may not break, and phone numbers as people write them. Pure."""

import re

from web.i18n.quotation import quoted

_FRENCH_NUMBER = re.compile(r"\+33([1-9])(\d\d)(\d\d)(\d\d)(\d\d)(?!\d)")
_NUMBER = re.compile(r"[\d +().-]{2,40}")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+", re.ASCII)
_DAY = "(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)s?"
_LINK = "du|au|de|à|et|le|les|tous|jours|sauf|matins?|midi|après-midi|soirs?"
# With its `h`: five numbers alone would be another phone number.
_TIME = r"(?:[01]?\d|2[0-4])(?: ?h(?: ?[0-5]\d)?|:[0-5]\d)"
_WORD = f"(?:{_DAY}|{_LINK}|{_TIME})"
_HOURS = re.compile(rf"{_WORD}(?:[ ,;/–-]+{_WORD}){{0,30}}", re.IGNORECASE)
# Spaces where a line may not break: before ? ! : ; », after «, in a phone number or an hour.
_BETWEEN_TIMES = re.compile(r"(?<=[\dh]) ([-–/]) (?=\d)")
_AFTER_A_HYPHEN = re.compile(r"(?<=[-–])(?=\u00a0)")
_NO_BREAK_SPACES = re.compile(r" (?=[?!:;»])|(?<=«) |(?<=\d) (?=\d|h\b)|(?<=\d h) (?=\d)")


def no_break(text: str) -> str:
    """The text with non-breaking spaces where French has them."""
    return _NO_BREAK_SPACES.sub("\u00a0", text)


def on_one_line(text: str) -> str:
    """The text of hours for a browser, which breaks a line after a hyphen, even before a space that
    does not break (UAX 14, LB12a)."""
    return _AFTER_A_HYPHEN.sub("\u2060", text)


def national(text: str | None) -> str:
    """French phone numbers in their national form: `06 12 34 56 78`."""
    return _FRENCH_NUMBER.sub(r"0\1 \2 \3 \4 \5", text or "")


def typed_phone(text: str, language: str) -> str:
    """How someone else said they are reached: a number as people write it, and hours after it, or
    an e-mail address; quoted if it is anything else."""
    number, comma, hours = text.partition(", ")
    if not _NUMBER.fullmatch(number):
        return text if _EMAIL.fullmatch(text) else no_break(quoted(text, language))
    shown = no_break(national(number))
    return f"{shown}, {typed_hours(hours, language)}" if comma else shown


def typed_hours(text: str, language: str) -> str:
    """When someone else said they are there: days and hours, which cannot say anything else; quoted
    if it is anything else."""
    if not _HOURS.fullmatch(text):
        return no_break(quoted(text, language))
    return _BETWEEN_TIMES.sub("\u00a0\\1\u00a0", no_break(text))
