"""The languages: one file of metadata each, in `languages/`. Those that are offered have every text
(`python -m web.tools.catalog --check`); the others wait for their catalogue. Pure."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

SOURCE = "fr"
_FOLDER = Path(__file__).parent / "languages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What a page needs to know of a language. `code` names its files; `tag` is what HTML and HTTP
    call it (BCP 47); `locale` is Babel's, for dates and numbers."""

    code: str
    order: int
    name: str
    tag: str
    direction: Literal["ltr", "rtl"]
    locale: str
    offered: bool
    reviewed_by: str
    """The native speaker who read the whole catalogue, and when; empty: nobody yet. French is what
    the texts are written in."""
    easy: bool = False
    """A language written to be easy to read, beside the one that its tag names."""
    hour: str = ""
    """How an hour is written where it is not what Babel says (CLDR `Hm`)."""
    first_of_month: str = ""
    """What stands for the number 1 in front of a month, where it is another word."""

    @property
    def unread(self) -> bool:
        """Whether it is a translation that no native speaker has read yet."""
        return self.code != SOURCE and not self.reviewed_by


@cache
def languages() -> dict[str, Language]:
    """Every language by its code, in the order in which they are shown."""
    read = [
        Language(code=file.stem, **json.loads(file.read_text(encoding="utf-8")))
        for file in _FOLDER.glob("*.json")
    ]
    return {one.code: one for one in sorted(read, key=lambda one: one.order)}


@cache
def offered() -> tuple[str, ...]:
    """The codes of the languages that people may choose."""
    return tuple(code for code, one in languages().items() if one.offered)
