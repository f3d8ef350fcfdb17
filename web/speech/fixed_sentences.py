"""The sentences of pages that are the same for everybody: those that can have a sound beforehand.

A sentence with a name, a day or a number in it is left out, and stands in no file. The pages' own
script cuts what it shows alike: `web/pages/static/script/aloud.js: FIXED`. Pure.
"""

import re
from collections.abc import Iterator
from functools import cache

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from web.i18n.catalogue_names import all_names
from web.i18n.error_messages import _
from web.i18n.languages import SOURCE, languages
from web.i18n.translations import LANGUAGES, catalogue_file, translations

UNREAD = _("Une phrase n’est pas lue. Elle est soulignée sur la page.")
"""What is heard in the place of a sentence that has no sound."""

_SENTENCE = re.compile(r"\s*\S.*?(?:[.!?…؟]+(?=\s|\Z)|\Z)", re.DOTALL)
_PLACEHOLDER = re.compile(r"%\(\w+\)|\{\w*\}")
_READABLE = re.compile(r"[^\W_]")
_NOT_ON_A_PERSONS_PAGES = (
    "auth/notifications.py",
    "web/api/",
    "web/i18n/error_messages/statistics.py",
    "web/pages/templates/pro/",
    "web/pages/templates/styles.html",
    "web/pages/worker_",
    "web/printouts/",
)
_COUNTED = "Étape %(number)s sur %(count)s"
"""What most pages of a journey begin with: a sentence with numbers, of which there are few."""
_MOST_STEPS = 7
_A_COMPLETE_CATALOGUE = "en"
"""French stands in the code: its texts are read from a catalogue that has all of them."""


def tags() -> tuple[str, ...]:
    """The languages as pages are marked with them; both kinds of French are one."""
    return tuple(dict.fromkeys(languages()[code].tag for code in LANGUAGES))


def fixed_sentences(tag: str) -> list[str]:
    """The sentences of a person's pages in a language, sorted; none with a value in it."""
    codes = [code for code in LANGUAGES if languages()[code].tag == tag]
    texts = (text for code in codes for text in (*_texts(code), *_steps(code), *all_names(code)))
    return sorted({sentence for text in texts for sentence in sentences(text)})


def unread(tag: str) -> str:
    """`UNREAD` in a language, as one text."""
    code = next(code for code in LANGUAGES if languages()[code].tag == tag)
    if code == SOURCE:
        return UNREAD
    message = _catalogue(code).get(UNREAD)
    return str(message.string) if message and message.string else UNREAD


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text that have words and no value, each with single blanks."""
    for piece in _SENTENCE.findall(text):
        sentence = " ".join(piece.split())
        if _READABLE.search(sentence) and not _PLACEHOLDER.search(sentence):
            yield sentence


def _texts(code: str) -> Iterator[str]:
    """Every text of a person's pages in a language."""
    for message in _catalogue(_A_COMPLETE_CATALOGUE if code == SOURCE else code):
        if not message.id or not _is_on_a_persons_pages(message.locations):
            continue
        said = message.id if code == SOURCE else message.string
        yield from [said] if isinstance(said, str) else said or ()


def _steps(code: str) -> Iterator[str]:
    text = translations(code).gettext(_COUNTED)
    for count in range(2, _MOST_STEPS + 1):
        for number in range(1, count + 1):
            yield text % {"number": number, "count": count}


def _is_on_a_persons_pages(places: list[tuple[str, int]]) -> bool:
    return any(not place.startswith(_NOT_ON_A_PERSONS_PAGES) for place, _line in places)


@cache
def _catalogue(code: str) -> Catalog:
    with catalogue_file(code).open("rb") as source:
        return read_po(source, locale=languages()[code].locale)
