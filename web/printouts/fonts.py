"""The fonts of printed pages, and which characters each of them draws. They come as packages."""

from functools import cache
from pathlib import Path

import fontpkg_ibm_plex_sans_arabic as arabic
import fontpkg_noto_sans as latin

FAMILIES = (latin.FAMILY, arabic.FAMILY)
"""In the order in which a letter is looked for: Latin, Cyrillic and Greek; then Arabic."""
FOLDERS = (Path(latin.ROOT) / "files", Path(arabic.ROOT) / "files")
_UPRIGHT = ("NotoSans[wdth,wght].ttf", "IBMPlexSansArabic-Regular.ttf")


@cache
def character_sets() -> tuple[frozenset[int], ...]:
    """The characters (code points) of each family, which are the same in all its weights."""
    return tuple(_characters(folder / name) for folder, name in zip(FOLDERS, _UPRIGHT, strict=True))


def _characters(file: Path) -> frozenset[int]:
    # 5 MiB of memory: a process that prints nothing does without.
    from fontTools.ttLib import TTFont  # noqa: PLC0415  (memory)

    with TTFont(file, lazy=True) as font:
        return frozenset(font.getBestCmap())
