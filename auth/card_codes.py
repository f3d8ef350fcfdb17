"""What is printed on a card: a code that people type, and a longer secret that a QR holds. Pure.

Both are the installation's mark, random letters and a check letter, in Crockford's base 32: no I,
L, O or U, and those that are typed in the place of 0 and 1 are read as these. The check letter
tells one wrong letter, wherever it is, and any two that changed places: it is a sum in GF(32) in
which each place has a weight of its own.

    code    mark (3) + 16 random letters (80 bits) + check, in five groups of four
    secret  mark (3) + 26 random letters (130 bits) + check
"""

import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from base.errors import ServiceError, invalid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MARK = 3
CODE_RANDOM = 16
SECRET_RANDOM = 26
CODE_LENGTH = MARK + CODE_RANDOM + 1
SECRET_LENGTH = MARK + SECRET_RANDOM + 1
_GROUP = 4
_LONGEST_TYPED = 400
_ALSO = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BETWEEN = frozenset(" -\u00a0\u2010\u2011\u2013.\t\n\r")
_POLYNOMIAL = 0b100101
"""x⁵ + x² + 1: x generates every element but 0, so that 31 places have weights that differ."""


@dataclass(frozen=True, slots=True)
class CardText:
    """A code or a secret whose check letter is right, in its one form."""

    kind: Literal["code", "secret"]
    text: str = field(repr=False)

    @property
    def mark(self) -> str:
        """Of the installation that made it."""
        return self.text[:MARK]


def new_code(mark: str) -> str:
    """A code of 80 random bits."""
    return _with_check(mark + _random(CODE_RANDOM))


def new_secret(mark: str) -> str:
    """A secret of 130 random bits."""
    return _with_check(mark + _random(SECRET_RANDOM))


def mark_of(tag: bytes) -> str:
    """An installation's mark: the first 15 bits of a keyed tag."""
    bits = int.from_bytes(tag[:2], "big") >> 1
    return "".join(ALPHABET[bits >> shift & 31] for shift in (10, 5, 0))


def grouped(text: str) -> str:
    """As it is printed: in fours."""
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def read(typed: str) -> CardText:
    """What was typed or read from a QR, whose address ends with it after `#`.

    Raises `ServiceError` INVALID `card_typo`: it is no code, or one that was not typed right.
    """
    if len(typed) > _LONGEST_TYPED:
        raise card_typo()
    letters = [_letter(one) for one in typed.rpartition("#")[2] if one not in _BETWEEN]
    text = "".join(letters)
    if len(text) not in (CODE_LENGTH, SECRET_LENGTH) or text[-1] != _check(text[:-1]):
        raise card_typo()
    return CardText("code" if len(text) == CODE_LENGTH else "secret", text)


def card_typo() -> ServiceError:
    """A letter is wrong, or missing."""
    return invalid("card_typo")


def _letter(one: str) -> str:
    """One letter of the alphabet, however it was typed: small, wide, a digit of another script."""
    digit = unicodedata.decimal(one, None)
    plain = str(digit) if digit is not None else unicodedata.normalize("NFKC", one).upper()
    plain = plain.translate(_ALSO)
    if len(plain) != 1 or plain not in ALPHABET:
        raise card_typo()
    return plain


def _random(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def _with_check(text: str) -> str:
    return text + _check(text)


def _check(text: str) -> str:
    """By Horner's rule: each letter is multiplied by x once for each that follows it."""
    total = 0
    for one in text:
        total = _times_x(total ^ ALPHABET.index(one))
    return ALPHABET[total]


def _times_x(value: int) -> int:
    doubled = value << 1
    return doubled ^ _POLYNOMIAL if doubled > 31 else doubled
