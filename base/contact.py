"""Phone numbers and e-mail addresses as people write them, normalised so that they compare."""

import re
import unicodedata

from base.errors import ErrorKind, ServiceError

_MAX_PHONE_TEXT = 64
_SEPARATORS = re.compile(r"[\s./()\u2010-\u2015-]")
_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_TRUNK_ZERO = re.compile(r"\+(33|262|590|594|596)0?([1-9][0-9]{8})")

# French national numbers served by an overseas country code (numbering plan of the ARCEP).
_OVERSEAS = {
    "262": "+262",
    "263": "+262",
    "269": "+262",
    "590": "+590",
    "594": "+594",
    "596": "+596",
    "639": "+262",
    "690": "+590",
    "691": "+590",
    "692": "+262",
    "693": "+262",
    "694": "+594",
    "696": "+596",
    "697": "+596",
}

_EMAIL = re.compile(
    r"(?P<local>[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)"
    r"@(?P<domain>(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9]))"
)
_BETWEEN_WORDS = re.compile(r"[\s,;<>()\[\]]+")
_MAX_EMAIL = 254
_MAX_LOCAL_PART = 64


def normal_phone(text: str) -> str:
    """A phone number in E.164 (ITU-T): `06 12 34 56 78` is `+33612345678`.

    A number without a country code is French; one of an overseas department gets that
    department's code, so that both ways of writing it give one number. Digits of any script are
    accepted. Raises `ServiceError` INVALID `phone_invalid`.
    """
    if len(text) > _MAX_PHONE_TEXT:
        raise ServiceError(ErrorKind.INVALID, "phone_invalid")
    number = _SEPARATORS.sub("", "".join(map(_ascii_digit, unicodedata.normalize("NFKC", text))))
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0"):
        number = "+33" + number
    if number.startswith(("+33", "+262", "+590", "+594", "+596")):
        number = _normal_french(number)
    if not _E164.fullmatch(number):
        raise ServiceError(ErrorKind.INVALID, "phone_invalid")
    return number


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


def _ascii_digit(character: str) -> str:
    """Digits as ASCII; the invisible marks that address books paste are removed."""
    if unicodedata.category(character) == "Cf":
        return ""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _normal_french(number: str) -> str:
    """Without the national zero, under its own country code; empty if it is not a French number."""
    match = _TRUNK_ZERO.fullmatch(number)
    if match is None:
        return ""
    country, national = match.groups()
    if country == "33":
        return _OVERSEAS.get(national[:3], "+33") + national
    return f"+{country}{national}"
