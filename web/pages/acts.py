"""A yes said on a page: by which template, of which words, in which languages."""

import re
from functools import cache
from hashlib import sha256

from vault.consent.consent_acts import Beside, ConsentAct, Shown
from web.pages.page import PersonPage
from web.pages.rendering import FOLDER

_INCLUDED = re.compile(rb'{% include "([a-z_/]+\.html)" %}')


def act_on(
    page: PersonPage, template: str, seen: str = "", beside: Beside | None = None
) -> ConsentAct:
    """The act of a person on a page of this template. `seen`: the digest of what it said, in
    hexadecimal, which was compared with what it says now. `beside`: who was there, and heard it."""
    wording = bytes.fromhex(seen) if seen else None
    shown = Shown("pages", f"pages/{template}", _hash(template), page.languages, wording)
    return ConsentAct(shown, beside)


@cache
def _hash(template: str) -> bytes:
    """Of the template, and of what it includes."""
    text = (FOLDER / template).read_bytes()
    files = [text, *((FOLDER / one.decode()).read_bytes() for one in _INCLUDED.findall(text))]
    return sha256(b"".join(files)).digest()
