"""Phone numbers and e-mail addresses as people write them, made into the one form we compare."""

import re
import unicodedata

from base.errors import ErrorKind, ServiceError

_LONGEST_TYPED = 64
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
_LONGEST_EMAIL = 254
_LONGEST_LOCAL = 64


def normal_phone(text: str) -> str:
    """A phone number in E.164 (ITU-T): `06 12 34 56 78` is `+33612345678`.

    A number without a country code is French; one of an overseas department takes that
    department's code, so that both ways of writing it are one number. Digits of any script are
    read. Raises `ServiceError` INVALID `phone_invalid`.
    """
    if len(text) > _LONGEST_TYPED:
        raise ServiceError(ErrorKind.INVALID, "phone_invalid")
    number = _SEPARATORS.sub("", "".join(map(_plain, unicodedata.normalize("NFKC", text))))
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0"):
        number = "+33" + number
    if number.startswith(("+33", "+262", "+590", "+594", "+596")):
        number = _french(number)
    if not _E164.fullmatch(number):
        raise ServiceError(ErrorKind.INVALID, "phone_invalid")
    return number


def normal_email(text: str) -> str:
    """An e-mail address in lower case (RFC 5321 §4.1.2 without quotes, comments or literals).

    Only ASCII: an address that merely looks like another one is refused, not folded. Lower case
    on both sides of the `@`, since no mail service in use tells `Ana@` from `ana@`. Raises
    `ServiceError` INVALID `email_invalid`.
    """
    typed = text.strip(" \t\r\n\u00a0")
    if not typed.isascii() or len(typed) > _LONGEST_EMAIL:
        raise ServiceError(ErrorKind.INVALID, "email_invalid")
    shape = _EMAIL.fullmatch(typed.lower())
    if shape is None or len(shape["local"]) > _LONGEST_LOCAL:
        raise ServiceError(ErrorKind.INVALID, "email_invalid")
    return shape[0]


def _plain(character: str) -> str:
    """The ASCII digit of a digit; nothing for the invisible marks that address books paste."""
    if unicodedata.category(character) == "Cf":
        return ""
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


def _french(number: str) -> str:
    """Without the national zero, under the country code that serves it; unmatched, a misfit."""
    shape = _TRUNK_ZERO.fullmatch(number)
    if shape is None:
        return ""
    country, national = shape.groups()
    if country == "33":
        return _OVERSEAS.get(national[:3], "+33") + national
    return f"+{country}{national}"
