"""E-mail addresses as people write them, normalised so that they compare."""

import re

from base.errors import ErrorKind, ServiceError

_EMAIL = re.compile(
    r"(?P<local>[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?P<domain>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9]))"
)
_BETWEEN_WORDS = re.compile(r"[\s,;<>()\[\]]+")
_MAX_EMAIL = 254
_MAX_LOCAL_PART = 64


def normal_email(text: str) -> str:
    """An e-mail address in lower case (RFC 5321 §4.1.2 without quotes, comments or literals).

    Only ASCII: an address that only looks like another one is refused, not converted. Lower case
    on both sides of the `@`, since no mail service in use distinguishes `Ana@` from `ana@`. Raises
    `ServiceError` INVALID `email_invalid`.
    """
    address = text.strip(" \t\r\n\u00a0")
    if not address.isascii() or len(address) > _MAX_EMAIL:
        raise ServiceError(ErrorKind.INVALID, "email_invalid")
    match = _EMAIL.fullmatch(address.lower())
    if match is None or len(match["local"]) > _MAX_LOCAL_PART:
        raise ServiceError(ErrorKind.INVALID, "email_invalid")
    return match[0]


def email_in(text: str) -> str | None:
    """The first e-mail address in a line that says how to reach someone, or None."""
    for word in _BETWEEN_WORDS.split(text):
        try:
            return normal_email(word.strip(".:"))
        except ServiceError:
            continue
    return None
