"""A page in two languages, line under line: made twice, then woven into one. Pure.

Nothing is unescaped or escaped again: each piece of either page is copied as it was made, or left
out. Only what templates make may come in: every element is closed, and no attribute holds a `>`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from web.i18n.languages import Language

_TOKEN = re.compile(r"<[^>]*>|[^<]+")
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
_NO_WORDS = re.compile(r"<[^>]*>|&#?\w+;|[\W_]")
_ID = re.compile(r' id="[^"]*"')
_VOID = {"br", "hr", "img", "input", "link", "meta", "source", "wbr"}
_INLINE = {"abbr", "b", "bdi", "em", "i", "q", "small", "strong", "time"}
"""What may stand within a line; anything else ends it."""
_AS_IT_IS = {"script", "style", "svg", "textarea", "title"}
"""Where no element may stand, or no words are."""


@dataclass(slots=True)
class _Element:
    """An element: its start, its pieces, its end. `name` is empty for the page as a whole."""

    name: str = ""
    start: str = ""
    end: str = ""
    pieces: list["_Element | str"] = field(default_factory=list)

    def text(self) -> str:
        inner = "".join(one if isinstance(one, str) else one.text() for one in self.pieces)
        return f"{self.start}{inner}{self.end}"


def weave(page: str, other: str, spoken: Language, second: Language) -> str:
    """The page with each line of the other one, made of the same values, under its own. A line
    that says the same in both stands once; attributes stay those of the page.

    A part that is not built alike in both, and a page with an element that is not closed, stays in
    its own language.
    """
    try:
        return "".join(_woven(_parsed(page), _parsed(other), (spoken, second)))
    except ValueError:
        return page


def _parsed(html: str) -> _Element:
    """The elements of a page. Raises `ValueError` for one that is not closed."""
    open_ = [_Element()]
    for token in _TOKEN.findall(html):
        named = _NAME.match(token)
        if named is None:
            open_[-1].pieces.append(token)
        elif token.startswith("</"):
            if len(open_) == 1 or open_[-1].name != named[1]:
                raise ValueError(f"not open: {named[1]}")
            open_.pop().end = token
        else:
            element = _Element(named[1], token)
            open_[-1].pieces.append(element)
            if named[1] not in _VOID and not token.endswith("/>"):
                open_.append(element)
    if len(open_) > 1:
        raise ValueError(f"not closed: {open_[-1].name}")
    return open_[0]


def _woven(one: _Element, other: _Element, pair: tuple[Language, Language]) -> Iterator[str]:
    """An element of the page with the words of its counterpart."""
    lines, parts = _lines(one)
    other_lines, other_parts = _lines(other)
    alike = [part.name for part in parts] == [part.name for part in other_parts]
    if one.name in _AS_IT_IS or not alike:
        yield one.text()
        return
    yield one.start
    write = _option if one.name == "option" else _both
    for place, line in enumerate(lines):
        yield write(line, other_lines[place], pair)
        if place < len(parts):
            yield from _woven(parts[place], other_parts[place], pair)
    yield one.end


def _lines(element: _Element) -> tuple[list[str], list[_Element]]:
    """The lines of words directly in an element, and the elements between them: one line more."""
    lines, parts = [""], []
    for piece in element.pieces:
        if isinstance(piece, _Element) and not _within_a_line(piece):
            parts.append(piece)
            lines.append("")
        else:
            lines[-1] += piece if isinstance(piece, str) else piece.text()
    return lines, parts


def _within_a_line(piece: _Element | str) -> bool:
    return isinstance(piece, str) or (
        piece.name in _INLINE and all(map(_within_a_line, piece.pieces))
    )


def _both(line: str, other: str, pair: Sequence[Language]) -> str:
    if _says_the_same(line, other):
        return line
    words = line.strip()
    before, _words, after = line.partition(words)
    spoken, second = pair
    under = _ID.sub("", other.strip())
    return (
        f'{before}<bdi class="both" dir="{spoken.direction}">{words}<bdi class="second"'
        f' lang="{second.tag}" dir="{second.direction}">{under}</bdi></bdi>{after}'
    )


def _option(line: str, other: str, _pair: Sequence[Language]) -> str:
    """In a list to choose from there is one line each."""
    return line if _says_the_same(line, other) else f"{line.rstrip()} / {other.strip()}"


def _says_the_same(line: str, other: str) -> bool:
    """Whether only marks differ: around a name, say, that somebody wrote."""
    words = _NO_WORDS.sub("", other)
    return not words or not line.strip() or words == _NO_WORDS.sub("", line)
