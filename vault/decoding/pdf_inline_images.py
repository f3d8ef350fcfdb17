"""Photos inside the content of a page, a drawing or a tile (ISO 32000-2 §8.9.7), without what they
say beside their pixels, however they are coded."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vault.decoding import strip
from vault.decoding.media import Undecodable

Unfiltered = Callable[[bytes, list[str]], bytes | None]
"""Bytes after these filters; `None` when they cannot be undone."""

_START_OF_PHOTO = b"\xff\xd8\xff"
_END = re.compile(rb"[\x00\t\n\f\r ]?EI(?=[\x00\t\n\f\r ]|\Z)")
_BEGINS = re.compile(rb"(?<![^\s\]>)])BI(?=[\s/])")
_DATA = re.compile(rb"(?<=[\s\]>])ID\s")
_HEAD_BYTES = 2000
_FILTER = re.compile(rb"/(?:F|Filter)\s*(\[[^\]]*\]|/[^\x00\t\n\f\r ()<>\[\]{}/%]+)")
_PARAMETERS = re.compile(rb"/(?:DP|DecodeParms)\s*(?:\[[^\]]*\]|<<.*?>>|null)", re.DOTALL)
_LENGTH = re.compile(rb"/L(?:ength)?\s+\d+")
_NAME = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]+)")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_LONG_NAMES = {
    "AHx": "ASCIIHexDecode",
    "A85": "ASCII85Decode",
    "LZW": "LZWDecode",
    "Fl": "FlateDecode",
    "RL": "RunLengthDecode",
    "DCT": "DCTDecode",
}
_MOST_ENDS = 40
"""What looks like the end of an image and is inside of it, at most."""


@dataclass(frozen=True)
class Cleaned:
    """`located`: a photo said where it was taken; `detailed`: there was a photo at all."""

    data: bytes
    located: bool = False
    detailed: bool = False


def cleaned(data: bytes, unfiltered: Unfiltered) -> Cleaned:
    """The content with clean photos; the same one when it has none."""
    coded = _replaced(data, _coded_photos(data, unfiltered))
    bare = _replaced(coded.data, _bare_photos(coded.data))
    return Cleaned(bare.data, coded.located or bare.located, coded.detailed or bare.detailed)


_Replacement = tuple[int, int, bytes, bool]


def _replaced(data: bytes, replacements: Iterator[_Replacement]) -> Cleaned:
    pieces, done, located = [], 0, False
    for start, end, new, had_place in replacements:
        pieces += [data[done:start], new]
        done, located = end, located or had_place
    if not pieces:
        return Cleaned(data)
    return Cleaned(b"".join([*pieces, data[done:]]), located, detailed=True)


def _bare_photos(data: bytes) -> Iterator[_Replacement]:
    """Photos as they stand, wherever one begins."""
    at = data.find(_START_OF_PHOTO)
    while at >= 0:
        end = at + len(_START_OF_PHOTO)
        for mark in _END.finditer(data, end):
            stripped = _stripped(data[at : mark.start()])
            if stripped is not None:
                yield at, mark.start(), stripped.data, stripped.located
                end = mark.start()
                break
        at = data.find(_START_OF_PHOTO, end)


def _coded_photos(data: bytes, unfiltered: Unfiltered) -> Iterator[_Replacement]:
    """Photos whose dictionary names other filters too, or which begin with something else."""
    done = 0
    for head, entries, start in _heads(data):
        given = _FILTER.search(entries)
        names = [] if given is None else [_long(name) for name in _NAME.findall(given[1])]
        if head < done or given is None or names[-1:] != ["DCTDecode"]:
            continue
        for _, mark in zip(range(_MOST_ENDS), _END.finditer(data, start), strict=False):
            photo = unfiltered(data[start : mark.start()], names[:-1])
            begin = -1 if photo is None else photo.find(b"\xff\xd8")
            stripped = None if photo is None or begin < 0 else _stripped(photo[begin:])
            if stripped is not None:
                new = _image(entries, given[0], names, stripped.data)
                yield head, mark.start(), new, stripped.located
                done = mark.end()
                break


def _heads(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Where an inline image begins, its entries, and where its data begins; linear."""
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


def _image(dictionary: bytes, filters: bytes, names: list[str], photo: bytes) -> bytes:
    """An inline image up to its end; one that was coded stays without bytes that look like it."""
    said = _LENGTH.sub(b"", dictionary).rstrip()
    if len(names) == 1:
        return b"BI" + said + b" ID " + photo
    said = _PARAMETERS.sub(b"", said.replace(filters, b""))
    return b"BI" + said + b" /F [/AHx /DCT] ID " + photo.hex().encode() + b">"


def _stripped(data: bytes) -> strip.Stripped | None:
    try:
        stripped = strip.jpeg(data)
    except Undecodable:
        return None
    return stripped if stripped.ended else None


def _long(name: bytes) -> str:
    plain = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), name).decode("latin-1")
    return _LONG_NAMES.get(plain, plain)
