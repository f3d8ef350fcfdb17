"""Which letters can be printed, and what stands for the others. Pure.

PDF/UA-1 refuses a character that no font draws: one name in Chinese would stop a whole page. Such
a character becomes a sign that whoever reads sees, and the page says so at its end.
"""

import unicodedata
from collections.abc import Iterator, Sequence, Set

SIGN = "\ufffd"
"""What stands for a character that cannot be printed."""
MAX_TEXT = 20_000
"""Characters of one text; the rest of a longer one is not printed, which is said in its place."""
_MAX_MARKS = 3
"""Marks on one letter: more of them would be drawn over the lines above and below."""
_CUT = " […]"
_JOINERS = "\u200c\u200d"
_LINE_ENDS = {"\r": "\n", "\x0b": "\n", "\x0c": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
# Without a drawing of their own: overrides of direction, fillers, controls, variants of a drawing.
_UNSEEN = {"Cc", "Cf"}
_VARIANTS = {*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0)), "\u034f"}


class Letters:
    """The letters of some fonts. Texts go through `printable`; `replaced` is whether one of them
    held a character that no font has."""

    def __init__(self, fonts: Sequence[Set[int]]) -> None:
        self._fonts = fonts
        self.replaced = False

    def printable(self, text: str) -> str:
        """The text in NFC, each of its characters drawn by a font; lines end by `\\n`."""
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT] + _CUT
        return "".join(map(self._drawn, _clusters(unicodedata.normalize("NFC", text))))

    def _drawn(self, cluster: str) -> str:
        """One letter with its marks, drawn by one font: a mark that this font lacks is replaced."""
        first, kept, lost = cluster[0], cluster[1 : 1 + _MAX_MARKS], cluster[1 + _MAX_MARKS :]
        if first in "\n ":
            return first
        alone = unicodedata.category(first).startswith("M")
        if not alone and not lost and any(self._draws(font, cluster) for font in self._fonts):
            return cluster
        self.replaced = True
        font = next((font for font in self._fonts if self._draws(font, first)), None)
        if font is None or alone:
            return SIGN
        return first + "".join(mark for mark in kept if self._draws(font, mark)) + SIGN

    @staticmethod
    def _draws(font: Set[int], characters: str) -> bool:
        return all(ord(one) in font or one in _JOINERS for one in characters)


def _clusters(text: str) -> Iterator[str]:
    """The text without what is never seen, cut into letters with their marks and joiners."""
    cluster = ""
    for character in filter(None, map(_normal, text)):
        if cluster and _belongs(cluster, character):
            cluster += character
            continue
        if cluster:
            yield cluster
        cluster = "" if character in _JOINERS else character
    if cluster:
        yield cluster


def _normal(character: str) -> str:
    """The character, a usual space or line end for another, or nothing for one that is unseen."""
    if character in _LINE_ENDS:
        return _LINE_ENDS[character]
    category = unicodedata.category(character)
    if character == "\t" or (category == "Zs" and character not in "\u00a0\u202f"):
        return " "
    unseen = category in _UNSEEN and character not in {"\n", *_JOINERS}
    return "" if unseen or character in _VARIANTS else character


def _belongs(cluster: str, character: str) -> bool:
    if cluster in {"\n", " "}:
        return False
    joined = cluster[-1] == "\u200d" and not character.isalpha()
    return joined or character in _JOINERS or unicodedata.category(character).startswith("M")
