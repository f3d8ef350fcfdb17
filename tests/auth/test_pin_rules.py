"""Which PINs may be chosen."""

import pytest

from auth.pin_rules import is_weak, read_pin
from base.errors import ServiceError

WEAK = """
000000 111111 123456 654321 012345 987654 246802 121212 123123 123321 112211 110000 010101
147258 159753 789456 112233 696969
150384 010190 311299 840315 900101 199003 031990 200612 122005
0000 1111 1234 4321 0123 9876 1212 2580 1990 2004 1221 2468 7410
""".split()  # noqa: SIM905  (a table is read more easily)
GOOD = "482615 735928 604837 997351 3907 8264 5093".split()  # noqa: SIM905


@pytest.mark.parametrize("pin", WEAK)
def test_what_people_choose_first_is_refused(pin: str) -> None:
    assert is_weak(pin)
    assert refusal(pin) == "pin_weak"


@pytest.mark.parametrize("pin", GOOD)
def test_what_is_left(pin: str) -> None:
    assert read_pin(pin, pin) == pin


def refusal(pin: str, again: str | None = None) -> str:
    with pytest.raises(ServiceError) as caught:
        read_pin(pin, pin if again is None else again)
    return caught.value.code


@pytest.mark.parametrize("pin", ["", "1", "48261", "4826151", "48261a", "abcdef", "-"])
def test_six_digits_or_four(pin: str) -> None:
    assert refusal(pin) == "pin_digits"


def test_typed_twice() -> None:
    assert refusal("482615", "482616") == "pin_again"
    assert read_pin("48 26 15", "482615") == "482615"
    assert read_pin("٤٨٢٦١٥", "482615") == "482615"


def test_how_many_are_left() -> None:
    """What guessing is counted with in SECURITY.md."""
    six = sum(not is_weak(f"{pin:06}") for pin in range(10**6))
    four = sum(not is_weak(f"{pin:04}") for pin in range(10**4))
    assert (six, four) == (928_658, 9_121)
