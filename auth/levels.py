"""How a session was entered: what its holder showed."""

from enum import StrEnum


class Level(StrEnum):
    """Words that evidence of consent keeps: only added to."""

    PHONE_CODE = "phone_code"
    CARD_PIN = "card_pin"
