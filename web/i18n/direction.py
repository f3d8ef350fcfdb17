"""Words that run the other way than the page: kept together, in their own order."""

import re
import unicodedata

from web.i18n.languages import languages

_FIRST_STRONG, _POP = "\u2068", "\u2069"
_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OTHER_WAY = {"rtl": {"L", "EN"}, "ltr": {"R", "AL", "AN"}}
"""What a text has that is not in the order of the page (classes of UAX 9)."""


def in_latin_script(text: str) -> bool:
    """Whether every letter of a text is Latin: words for French readers are, others may be not."""
    letters = [character for character in text if character.isalpha()]
    return all("LATIN" in unicodedata.name(letter, "") for letter in letters)


def isolated(text: str | None, language: str) -> str:
    """A name, a number, what somebody typed, to be put into a text of ours: between isolates
    (UAX 9) where some of it runs the other way, or `+33 6` would be shown as `6 33+`. They work
    where no markup may stand: in attributes, titles, sentences."""
    text = text or ""
    other = _OTHER_WAY[languages()[language].direction]
    if not any(unicodedata.bidirectional(character) in other for character in text):
        return text
    return f"{_FIRST_STRONG}{_CONTROLS.sub('', text)}{_POP}"
