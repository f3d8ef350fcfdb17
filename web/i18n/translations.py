"""Texts in the caller's language: French as written, the others by gettext. A text that a catalogue
does not have is the French one.

The catalogue is text in the tree; it is compiled in memory at start-up, so no compiled file can be
older than its source.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from web.i18n.languages import SOURCE, languages, offered

DOMAIN = "unefois"
LANGUAGES = offered()
_FOLDER = Path(__file__).parent / "locales"


def catalogue_file(language: str) -> Path:
    """Where the texts of a language are kept."""
    return _FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def translations(language: str) -> NullTranslations:
    """The translations into one of `languages`; French needs none, and a language without a
    catalogue has none."""
    file = catalogue_file(language)
    if language == SOURCE or not file.exists():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=languages()[language].locale))
    compiled.seek(0)
    return GNUTranslations(compiled)


def translator() -> Callable[[str, str], str]:
    """`translate(language, text)`: a French text in a language, or as it is if unknown.

    Every language is compiled here, once a process: the first message in one takes no longer than
    the next, so its duration reveals nothing of who receives it.
    """
    catalogues = {language: translations(language) for language in LANGUAGES}
    return lambda language, text: catalogues.get(language, catalogues[SOURCE]).gettext(text)


@lru_cache(maxsize=256)
def _preferred(header: str) -> str:
    """The best of our languages in an `Accept-Language` (RFC 9110 §12.5.4), by its quality."""
    ranked = []
    for position, item in enumerate(header.split(",")[:20]):
        tag, _, parameters = item.strip().partition(";")
        language = tag.strip().lower().split("-")[0]
        if language in LANGUAGES and (quality := quality_of(parameters)) > 0:
            ranked.append((-quality, position, language))
    return min(ranked)[2] if ranked else SOURCE


def preferred(header: str | None) -> str:
    """The language to answer in; French unless the caller prefers another of `LANGUAGES`."""
    return SOURCE if not header or len(header) > 100 else _preferred(header)


def quality_of(parameters: str) -> float:
    """The weight that follows an item of an `Accept-…` header (RFC 9110 §12.4.2): 1 without one, 0
    for one that is no number."""
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
