"""How a session was entered: what its holder showed. The session's token says it."""

from enum import StrEnum


class Level(StrEnum):
    """Words that evidence of consent keeps: only added to. A PIN after a phone's code is asked
    where there is one, and is still `phone_code`: who holds the phone was asked first."""

    PHONE_CODE = "phone_code"
    CARD_PIN = "card_pin"
    PHONE_CONFIRMED = "phone_confirmed"
    """A yes in another session of the person's, on their own device; only beside a worker."""


# The letter of each level in a token's prefix, `uf<letter>_`, or `uf<letter>s_` on a device that
# others use, `uf<letter>a_` on that of a worker (`auth/assistance.py`); `uf<letter>t_` or
# `uf<letter>ts_` for a representative (`auth/representations.py`). It is hashed with the token:
# nobody makes one session another by writing a row. No level has the letter `s`, `a` or `t`.
_LETTERS = {Level.PHONE_CODE: "", Level.CARD_PIN: "c", Level.PHONE_CONFIRMED: "p"}


def prefix_of(
    level: Level, *, shared: bool, assisted: bool = False, represented: bool = False
) -> str:
    """How tokens of that level begin."""
    device = "a" if assisted else "s" if shared else ""
    return f"uf{_LETTERS[level]}{'t' if represented else ''}{device}_"


def level_of(token: str) -> Level:
    """The level of a session's token."""
    letters = token.partition("_")[0].removeprefix("uf").rstrip("ast")
    return next((level for level, one in _LETTERS.items() if one == letters), Level.PHONE_CODE)
