"""Photos inside the content of a page (ISO 32000-2 §8.9.7), without metadata."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vault.decoding import strip
from vault.decoding.media import Undecodable

_START_OF_PHOTO = b"\xff\xd8\xff"
_BEGINS = re.compile(rb"(?<![^\s\]>)])BI(?=[\s/])")
_DATA = re.compile(rb"(?<=[\s\]>])ID\s")
_HEAD_BYTES = 2000
_END = re.compile(rb"\s?EI(?=\s|\Z)")
_FILTERS = re.compile(rb"/F(?:ilter)?\s*\[([^\[\]]*)\]")
_PARAMETERS = re.compile(rb"/D(?:P|ecodeParms)\s*(?:\[[^\[\]]*\]|<<.*?>>|null)", re.DOTALL)
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_FULL = {"/A85": "/ASCII85Decode", "/AHx": "/ASCIIHexDecode", "/Fl": "/FlateDecode"} | {
    "/LZW": "/LZWDecode",
    "/RL": "/RunLengthDecode",
}
_DCT = frozenset({"/DCT", "/DCTDecode"})
_MOST_ENDS = 20
"""Of an image: what looks like its end may be part of its data."""

Undone = Callable[[list[str], bytes], bytes | None]
"""The data after filters, by their full names; `None` when they do not read it."""


@dataclass(frozen=True)
class Cleaned:
    """`located`: a photo said where it was taken."""

    data: bytes
    located: bool


def cleaned(content: bytes, undone: Undone) -> Cleaned:
    """The content with its photos cleaned: those that stand in it as they are, and those inside
    other filters, which are taken off."""
    return _bare(*_unwrapped(content, undone))


def _bare(content: bytes, located: bool) -> Cleaned:
    at = content.find(_START_OF_PHOTO)
    pieces, done = [], 0
    while at >= 0:
        end = at + len(_START_OF_PHOTO)
        for mark in _END.finditer(content, end):
            stripped = _stripped(content[at : mark.start()])
            if stripped is None:
                continue
            located = located or stripped.located
            pieces += [content[done:at], stripped.data]
            done = end = mark.start()
            break
        at = content.find(_START_OF_PHOTO, end)
    return Cleaned(b"".join([*pieces, content[done:]]), located)


def _unwrapped(content: bytes, undone: Undone) -> tuple[bytes, bool]:
    """Photos inside other filters stand in the content as they are; whether one had a place."""
    pieces, done, located = [], 0, False
    for head, entries, start in _heads(content):
        names = _filters(entries)
        if head < done or len(names) < 2 or names[-1] not in _DCT:
            continue
        outer = [_FULL.get(name, name) for name in names[:-1]]
        for _, mark in zip(range(_MOST_ENDS), _END.finditer(content, start), strict=False):
            photo = undone(outer, content[start : mark.start()])
            stripped = None if photo is None else _stripped(photo)
            if stripped is None:
                continue
            located = located or stripped.located
            bare = _PARAMETERS.sub(b"", _FILTERS.sub(b"/F /DCT", _plain(entries)))
            pieces += [content[done:head], b"BI", bare, b" ID ", stripped.data]
            done = mark.start()
            break
    return b"".join([*pieces, content[done:]]), located


def _heads(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Where an inline image begins, its entries, and where its data begins."""
    if b"DCT" not in content and b"#" not in content:
        return
    data = _DATA.search(content)
    for begin in _BEGINS.finditer(content):
        while data is not None and data.start() < begin.end():
            data = _DATA.search(content, data.end())
        if data is None:
            return
        if data.start() - begin.end() <= _HEAD_BYTES:
            yield begin.start(), content[begin.end() : data.start()], data.end()


def _plain(entries: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), entries)


def _filters(entries: bytes) -> list[str]:
    found = _FILTERS.search(_plain(entries))
    names = found[1].decode("latin-1").replace("/", " ").split() if found else []
    return ["/" + name for name in names]


def _stripped(photo: bytes) -> strip.Stripped | None:
    try:
        stripped = strip.jpeg(photo)
    except Undecodable:
        return None
    return stripped if stripped.ended else None
