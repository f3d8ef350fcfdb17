"""The keys of a folder of blobs, in order; see `storage/blobs/directory.py` for its layout."""

import heapq
import os
from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path, base: str, after: str) -> Iterator[str]:
    """The keys under `folder`, all of which start with `base`, that are after `after`; sorted."""
    if after.startswith(base):
        rest = after[len(base) :]
    elif after < base:
        rest = ""
    else:
        return
    entries = _entries(folder)
    spread = [entry for entry in entries if not entry.endswith("+")]
    segments = sorted(f"{entry[:-1]}/" for entry in entries if entry.endswith("+"))
    nested = (
        key
        for segment in segments
        for key in walk(folder / f"{segment[:-1]}+", base + segment, after)
    )
    yield from heapq.merge(_names(folder, spread, base, rest), nested)


def _names(folder: Path, spread: list[str], base: str, rest: str) -> Iterator[str]:
    """The keys in the two spreading levels; their padding `!` sorts before all key characters."""
    for first in spread:
        if _before(first, rest):
            continue
        for second in _entries(folder / first):
            if not _before(first + second, rest):
                names = _entries(folder / first / second)
                yield from (base + name for name in names if name > rest)


def _before(start: str, rest: str) -> bool:
    start = start.rstrip("!")
    return start < rest[: len(start)]


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  (only names are needed)
    except FileNotFoundError:
        return []
