"""A yes said on a page: by which template, of which words, in which languages."""

from functools import cache
from hashlib import sha256

from vault.consent.consent_acts import ConsentAct, Shown
from web.pages.page import PersonPage
from web.pages.rendering import FOLDER


def act_on(page: PersonPage, template: str, seen: str = "") -> ConsentAct:
    """The act of a person on a page of this template. `seen`: the digest of what it said, in
    hexadecimal, which was compared with what it says now."""
    wording = bytes.fromhex(seen) if seen else None
    shown = Shown("pages", f"pages/{template}", _hash(template), page.languages, wording)
    return ConsentAct(shown)


@cache
def _hash(template: str) -> bytes:
    return sha256((FOLDER / template).read_bytes()).digest()
