"""By what act a person says yes, or takes a yes back: what a caller says of it. Pure.

The act itself is the session's: who entered how is never taken from a caller. What a caller adds
can only be less than a person alone with their own session: somebody was beside them.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from audit.events import canonical
from auth.levels import Level
from base.errors import about, invalid
from base.user_text import clean_title, is_seen, search_words

MAX_NAME = 120


class EvidenceKind(StrEnum):
    """Words of rows and of receipts: only ever added to."""

    APP = "app"
    CODE_READ_OUT = "code_read_out"
    CARD_PIN_ON_WORKERS_SCREEN = "card_pin_on_workers_screen"
    SIGNED_MANDATE = "signed_mandate"
    SPOKEN = "spoken"
    PHONE_CONFIRMED_ON_WORKERS_SCREEN = "phone_confirmed_on_workers_screen"


HeardByRole = Literal["witness", "interpreter"]
LEVELS = {
    EvidenceKind.CODE_READ_OUT: Level.PHONE_CODE,
    EvidenceKind.CARD_PIN_ON_WORKERS_SCREEN: Level.CARD_PIN,
    EvidenceKind.PHONE_CONFIRMED_ON_WORKERS_SCREEN: Level.PHONE_CONFIRMED,
}
"""How the session was entered, where a kind says it."""


@dataclass(frozen=True, slots=True)
class HeardBy:
    """Who heard a person say yes: named, and never the worker beside them."""

    role: HeardByRole
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedPaper:
    """A mandate signed on paper: its scan was read, and is of this mandate. `scan_hash`: SHA-256 of
    the scan's bytes."""

    mandate_id: UUID
    scan_hash: bytes


@dataclass(frozen=True, slots=True)
class Beside:
    """A worker was beside the person: in which way the yes was said, who heard it, and the paper
    that the person signed."""

    kind: EvidenceKind
    worker_id: UUID
    heard_by: HeardBy | None = None
    paper: SignedPaper | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the person read: by which template, of which text. `wording_hash`: of what the page
    said, where a page said it; otherwise that of the terms. `languages`: the main one first."""

    channel: Literal["api", "pages", "paper"]
    template: str
    template_hash: bytes
    languages: tuple[str, ...]
    wording_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class ConsentAct:
    """What a caller says of an act."""

    shown: Shown
    beside: Beside | None = None


def said_of(act: ConsentAct | None) -> dict[str, Any]:
    """What a caller says of an act, JSON-serialisable, for an idempotency key."""
    if act is None or act.beside is None:
        return {}
    beside, heard = act.beside, act.beside.heard_by
    by = None if heard is None else [heard.role, heard.name]
    return {"evidence": [beside.kind, str(beside.worker_id), by]}


def told_by_the_api(language: str) -> Shown:
    """The terms, as members of JSON: a program showed them, in words of its own."""
    template = "api/terms/1"
    return Shown("api", template, sha256(template.encode()).digest(), (language,))


def hash_of(wording: dict[str, Any]) -> bytes:
    """The digest of a wording that is kept."""
    return sha256(canonical(wording)).digest()


def checked(beside: Beside, level: Level) -> Beside:
    """The same, with a clean name. Raises `ServiceError` `evidence_level` for a session that was
    entered otherwise, `heard_by_wrong` where who heard it is not named, or named for nothing."""
    if LEVELS.get(beside.kind, level) is not level:
        raise invalid("evidence_level", fields=(("evidence", "kind"),))
    heard = beside.heard_by
    if (heard is None) is (beside.kind is EvidenceKind.SPOKEN):
        raise invalid("heard_by_wrong", fields=(("evidence", "heard_by"),))
    if heard is None:
        return beside
    with about("evidence", "heard_by", "name"):
        name = clean_title(heard.name, MAX_NAME)
    if name is None or not _is_name(name):
        raise invalid("heard_by_wrong", fields=(("evidence", "heard_by", "name"),))
    return Beside(beside.kind, beside.worker_id, HeardBy(heard.role, name))


def same_name(name: str) -> str:
    """A name as its tag is made: without accents, capitals, punctuation or order of its words."""
    return " ".join(sorted(search_words(name)))


def names_alike(one: str, other: str) -> bool:
    """Whether `other` is the name of `one` under another writing: also with a title or a number
    more, a part of it, or its initials; glued, cut by what nobody sees, or in letters of another
    script that look the same."""
    words, others = set(search_words(_plain(one))), set(search_words(_plain(other)))
    more = len(words) > 1 and words <= others
    less = _is_part(others - _TITLES, words)
    return more or less or sorted(_letters(one)) == sorted(_letters(other))


def _is_part(others: set[str], words: set[str]) -> bool:
    """Whether each of them is one of the words, or the initial of one. Of nothing, it is not."""
    initials = {word[0] for word in words}
    return bool(others) and others <= words | initials


def _is_name(name: str) -> bool:
    """Whether somebody can be named so: two letters at least that are seen, and no word of letters
    of two alphabets, which looks like another one."""
    return len(_letters(name)) > 1 and not any(map(_is_mixed, name.split()))


def _is_mixed(word: str) -> bool:
    plain = unicodedata.normalize("NFKD", word)
    letters = [one for one in plain if unicodedata.category(one) in ("Lu", "Ll", "Lt", "Lo")]
    latin = [_is_latin(one) for one in letters]
    return (any(latin) and not all(latin)) or any(_PHONETIC.match(one) for one in letters)


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN ")


def _plain(name: str) -> str:
    """Without what nobody sees, in Latin letters where those look the same."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    seen = (one for one in letters if is_seen(one) or one.isspace())
    return "".join(seen).translate(_LOOKS_LIKE)


def _letters(name: str) -> str:
    return "".join(search_words(_plain(name)))


# Letters of phonetics, which no name is written in. Of their block, West Africa and Azerbaijan
# write names in a few.
_PHONETIC = re.compile(
    "(?![\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0272\u028b])[\u0250-\u02af\u1d00-\u1dbf]"
)
# Small letters, Cyrillic then Greek, and the digits that are typed for letters; an l is
# an i without its dot.
_LOOKS_LIKE = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0458\u0455\u043a\u043c\u0442\u043d\u0432\u04cf"
    "\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c4\u03c5\u03c701l",
    "aceopxyijskmthbiaopviktyxoii",
)
# What is written before a name.
_TITLES = frozenset(
    search_words(
        _plain(
            "docteur docteure dr m madame mademoiselle maître me mlle mme monsieur mr mrs ms pr sr"
            " sra señor señora"
        )
    )
)
