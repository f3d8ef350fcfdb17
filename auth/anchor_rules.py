"""Who somebody is on their identity paper, written in one way whoever types it. Pure.

The rules are an edition: a tag of another one is another tag
(docs/adr/0061-lost-cards-and-anchors.md).
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta

from base.errors import about, invalid
from base.user_text import digits_of, search_words

EDITION = 1
LONGEST = 100
"""Of a name as it is typed."""
OLDEST = 1900
YOUNGEST = 15
"""In years: a child's vault has rules that are not written yet."""
END_LENGTH = 4
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
# What a paper prints alike, and people read as one another.
_ALIKE = str.maketrans({"O": "0", "I": "1"})


@dataclass(frozen=True, slots=True)
class TypedAnchor:
    """As it stands on the paper. `given_name`: the first one; empty where the paper has none.
    `birth_date`: `YYYY-MM-DD`, with `00` for a day, or a day and a month, that nobody knows.
    `document_end`: how the number of the paper ends."""

    family_name: str = field(repr=False)
    given_name: str = field(repr=False)
    birth_date: str = field(repr=False)
    document_end: str = field(repr=False)


def written(typed: TypedAnchor, today: date) -> tuple[str, str, str, str]:
    """The four parts as they are compared.

    Raises `ServiceError` INVALID `anchor_name`, `anchor_date`, `anchor_document`, `under_fifteen`.
    """
    with about("family_name"):
        family = name_written(typed.family_name)
        if not family:
            raise invalid("anchor_name")
    with about("given_name"):
        given = name_written(typed.given_name)
    with about("birth_date"):
        born = date_written(typed.birth_date, today)
        _check_age(born, today)
    with about("document_end"):
        end = end_written(typed.document_end)
    return family, given, born, end


def name_written(text: str) -> str:
    """The letters of a name, joined: without capitals, accents, hyphens, apostrophes and spaces.

    Letters stay in their script; nothing is transliterated, no given name is dropped or moved.
    Raises `ServiceError` INVALID `anchor_name` for a long one.
    """
    if len(text) > LONGEST:
        raise invalid("anchor_name")
    letters = "".join(search_words(text))
    return "".join(one for one in letters if _is_of_a_name(one))


def date_written(text: str, today: date) -> str:
    """`YYYY-MM-DD` of a real day; `00` where the paper has none.

    Raises `ServiceError` INVALID `anchor_date`.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise invalid("anchor_date")
    year, month, day = (int(one) for one in found.groups())
    try:
        # The first day that it may be: of another year, that one alone would be wrong.
        first = date(year, month or 1, day or 1)
    except ValueError:
        raise invalid("anchor_date") from None
    if (day and not month) or year < OLDEST or first > today + timedelta(days=1):
        raise invalid("anchor_date")
    return text


def date_typed(text: str) -> str:
    """A date as people write it, `5/11/1980` or `05 11 1980`, as `date_written` takes it; what is
    no date stays as it is."""
    parts = [digits_of(one) for one in re.split(r"[^\d]+", text.strip())]
    if len(parts) == 1 and len(parts[0]) == len("31121980"):
        parts = [parts[0][:2], parts[0][2:4], parts[0][4:]]
    if len(parts) != len(("day", "month", "year")) or len(parts[2]) != len("1980"):
        return text
    day, month, year = parts
    return f"{year}-{month:0>2}-{day:0>2}"


def end_written(text: str) -> str:
    """Four letters or digits of the Latin script.

    Raises `ServiceError` INVALID `anchor_document`.
    """
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).upper()
    signs = "".join(
        str(unicodedata.decimal(one, one)) for one in plain if one.isalnum() and one != "_"
    )
    if len(signs) != END_LENGTH or not signs.isascii():
        raise invalid("anchor_document")
    return signs.translate(_ALIKE)


def _check_age(born: str, today: date) -> None:
    """Raise `ServiceError` INVALID `under_fifteen` for whoever may be younger: by the last day that
    it may be, where the paper has none."""
    year, month, day = (int(one) for one in born.split("-"))
    if (today.year, today.month, today.day) < (year + YOUNGEST, month or 12, day or 31):
        raise invalid("under_fifteen")


def _is_of_a_name(character: str) -> bool:
    """A letter, or a mark that some scripts write vowels with; no letter that only parts or
    prolongs, such as the apostrophe of Ukrainian and the Arabic tatweel."""
    category = unicodedata.category(character)
    return category[0] in "LM" and category != "Lm"
