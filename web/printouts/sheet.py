"""What a printed page says, before it is laid out. Pure.

Each text is in its reader's language already; `templates/sheet.typ` says how it looks.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import segno

from web.i18n.error_messages import _
from web.i18n.languages import languages
from web.i18n.translations import translations
from web.printouts.fonts import FAMILIES, character_sets
from web.printouts.letters import SIGN, Letters

_REPLACED = _("Certains signes ne peuvent pas être imprimés. À leur place : {sign}")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, then paragraphs, somebody's own words, facts (a name and a value), and a list."""

    heading: str
    paragraphs: tuple[str, ...] = field(default=(), repr=False)
    words: tuple[str, ...] = field(default=(), repr=False)
    facts: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    items: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class QrCode:
    """An address to scan, at the end; `says`: what it is for, also to who cannot see it."""

    address: str = field(repr=False)
    says: str
    error: str = "m"
    """How much of the drawing may be lost: `h`, of what is carried in a pocket."""

    def data(self, letters: Letters) -> dict[str, str]:
        """The values of the template: the drawing as SVG, and the address to type."""
        svg = io.BytesIO()
        drawn = segno.make_qr(self.address, error=self.error)
        drawn.save(svg, kind="svg", border=4, light="white")
        says, address = letters.printable(self.says), letters.printable(self.address)
        return {"svg": svg.getvalue().decode(), "says": says, "address": address}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One subject: its sections between an introduction and, in small letters, a closing."""

    title: str = field(repr=False)
    introduction: tuple[str, ...] = field(repr=False)
    sections: tuple[Section, ...]
    closing: tuple[str, ...] = field(default=(), repr=False)
    foot: str = ""
    """What the foot of each page says; the title unless it is given."""
    code: QrCode | None = None

    def data(self, language: str) -> dict[str, Any]:
        """The values of the template, in letters that can be printed."""
        letters = Letters(character_sets())
        frame = frame_of(self.title, language, letters, foot=self.foot)
        values: dict[str, Any] = {
            "introduction": _all(letters, self.introduction),
            "sections": [_section(letters, section) for section in self.sections],
            "closing": _all(letters, self.closing),
            "code": None if self.code is None else self.code.data(letters),
        }
        if letters.replaced:
            values["closing"].append(replaced_note(language))
        return {**frame, **values}


def frame_of(title: str, language: str, letters: Letters, *, foot: str = "") -> dict[str, Any]:
    """What every template needs: title, language and its direction, fonts, number of the page."""
    spoken = languages()[language]
    # A name may be of signs that are not drawn alone; PDF/UA-1 refuses a page without a title.
    plain = " ".join(letters.printable(title).split()) or "Unefois"
    return {
        "title": plain,
        "foot": f"Unefois · {foot or plain}",
        "lang": spoken.tag,
        "rtl": spoken.direction == "rtl",
        "fonts": list(FAMILIES),
        "first-page": 1,
    }


def replaced_note(language: str) -> str:
    """What a page says when some of its characters could not be printed."""
    return translations(language).gettext(_REPLACED).replace("{sign}", SIGN)


def _section(letters: Letters, section: Section) -> dict[str, Any]:
    return {
        "heading": letters.printable(section.heading),
        "paragraphs": _all(letters, section.paragraphs),
        "words": _all(letters, section.words),
        "facts": [_all(letters, fact) for fact in section.facts],
        "items": _all(letters, section.items),
    }


def _all(letters: Letters, texts: Iterable[str]) -> list[str]:
    return [letters.printable(text) for text in texts]
