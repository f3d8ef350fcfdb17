"""Cleaning of the titles, file names and free text that people send us. Pure."""

import re
import unicodedata

from base.errors import ErrorKind, ServiceError

_MAX_NAME_BYTES = 255
_MAX_RAW_NAME = 4096
_ZERO_WIDTH_JOINER = "\u200d"
_EMPTY = " \t\n\u00a0\u3000\u200c\u200d"

# Embeddings, overrides, isolates and marks of direction: `cod.exe` would read `exe.doc`.
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Invisible fillers. The joiners U+200C and U+200D stay: Persian and emoji need them.
_FILLERS = "\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"
# A lone surrogate is legal in JSON and illegal in UTF-8: sealing it would fail.
_SURROGATES = "\ud800-\udfff"
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_UNWANTED = re.compile(f"[{_CONTROLS}{_DIRECTION}{_FILLERS}{_SURROGATES}]")
_LINE_END = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
# Letters that are not another one with an accent.
_PLAIN_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
# Letters, marks and spaces that are shown as nothing: a joiner of graphemes, fillers of Hangul,
# vowels of Khmer, a blank of Braille, selectors of variations, tags.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0000-\U000e01ef]"
)
_MAX_MARKS = 4
"""On one letter: the most that a script needs, a Hebrew one with its point, vowel and tone. More
cover the lines around."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,16}")


def digits_of(text: str) -> str:
    """The digits of a code as people type it: `123 456`, or in the digits of another script."""
    digits = (unicodedata.decimal(character, None) for character in text)
    return "".join(str(digit) for digit in digits if digit is not None)


def clean_title(text: str, limit: int = 200) -> str | None:
    """One line of text of at most `limit` characters, in NFC; `None` if nothing is left.

    Raises `ServiceError` INVALID `text_too_long` rather than cut what a person wrote.
    """
    line = clean_text(text, limit)
    return " ".join(line.split()) or None if line else None


def clean_text(text: str, limit: int) -> str | None:
    """Free text of at most `limit` characters, in NFC, with lines ended by `\\n`.

    Direction overrides and control characters are removed; `None` if nothing visible is left.
    Raises `ServiceError` INVALID `text_too_long` rather than cut.
    """
    # Checked twice: composing a long run of accents takes time quadratic in its length.
    if len(text) > 4 * limit:
        raise ServiceError(ErrorKind.INVALID, "text_too_long", limit=limit)
    clean = _with_few_marks(_visible(_LINE_END.sub("\n", text))).strip(_EMPTY)
    if len(clean) > limit:
        raise ServiceError(ErrorKind.INVALID, "text_too_long", limit=limit)
    return clean if any(map(is_seen, clean)) else None


def is_seen(character: str) -> bool:
    """Whether anything is shown for it, a space apart."""
    category = unicodedata.category(character)
    return category[0] not in "CZ" and _UNSEEN.match(character) is None


def search_words(text: str) -> list[str]:
    """The words of a text as they are compared: without accents, capitals or punctuation."""
    letters = unicodedata.normalize("NFKD", text).casefold().translate(_PLAIN_LETTERS)
    kept = (one for one in letters if not unicodedata.combining(one))
    return "".join(" " if unicodedata.category(one)[0] in "PSZC" else one for one in kept).split()


def clean_file_name(name: str) -> str | None:
    """The last part of a path as a file name safe to show and to save; `None` if none is left.

    NFC, one line, at most 255 bytes of UTF-8: a longer one is cut between characters and keeps
    its extension. Dots at both ends are removed, so the result is never `..` or a hidden file.
    """
    line = _visible(_LINE_END.sub(" ", name[-_MAX_RAW_NAME:]))
    last = re.split(r"[/\\]", line)[-1]
    return _fit(_trim(" ".join(last.split()))) or None


def _visible(text: str) -> str:
    """Remove, then compose: a NUL between a letter and its accent would keep them apart."""
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def _with_few_marks(text: str) -> str:
    """Without the marks that are heaped on one letter."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for one in text:
        if unicodedata.category(one)[0] == "M":
            marks += 1
        elif is_seen(one) or one.isspace():
            marks = 0
        if marks <= _MAX_MARKS:
            kept.append(one)
    return "".join(kept)


def _trim(name: str) -> str:
    return name.strip("." + _EMPTY)


def _fit(name: str) -> str:
    if len(name.encode()) <= _MAX_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    suffix = dot + extension
    if not _SUFFIX.fullmatch(suffix):
        stem, suffix = name, ""
    return _trim(_truncate(stem, _MAX_NAME_BYTES - len(suffix))) + suffix


def _truncate(text: str, limit: int) -> str:
    """The longest beginning of at most `limit` bytes that splits no visible character."""
    cut = text.encode()[:limit].decode(errors="ignore")
    end = len(cut)
    while 0 < end < len(text) and _combines(text[end - 1], text[end]):
        end -= 1
    return text[:end] or cut


def _combines(before: str, after: str) -> bool:
    """Whether the two are shown as one: accents, joined emoji, skin tones, halves of a flag."""
    return (
        unicodedata.category(after).startswith("M")
        or _ZERO_WIDTH_JOINER in (before, after)
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )
