"""What is printed on a card: read back however it is typed, and typos told."""

import secrets
from itertools import combinations

import pytest

from auth import card_codes
from auth.card_codes import ALPHABET
from base.errors import ServiceError

MARK = "K7Q"


@pytest.mark.parametrize(("make", "random"), [
    (card_codes.new_code, 80), (card_codes.new_secret, 130),
])  # fmt: skip
def test_as_long_as_it_is_said_to_be(make: object, random: int) -> None:
    assert callable(make)
    text = make(MARK)
    assert text.startswith(MARK)
    assert (len(text) - len(MARK) - 1) * 5 == random
    assert make(MARK) != text
    assert card_codes.read(text).text == text
    assert card_codes.read(text).mark == MARK


def typed_in_another_way(code: str) -> list[str]:
    wide = "".join(chr(ord(one) + 0xFEE0) for one in code)
    arabic = code.translate({ord("0") + n: chr(0x0660 + n) for n in range(10)})
    return [
        code.lower(),
        card_codes.grouped(code),
        card_codes.grouped(code).replace("-", " "),
        f"  {card_codes.grouped(code).lower()}\n",
        code.replace("0", "O").replace("1", "I"),
        code.replace("0", "o").replace("1", "l"),
        f"https://papiers.example/carte#{code}",
        wide,
        arabic,
        code.replace("-", "\u2013"),
    ]


def test_however_it_is_typed() -> None:
    for _ in range(50):
        code = card_codes.new_code(MARK)
        for typed in typed_in_another_way(code):
            assert card_codes.read(typed) == card_codes.CardText("code", code)


def refused(typed: str) -> bool:
    with pytest.raises(ServiceError) as caught:
        card_codes.read(typed)
    return caught.value.code == "card_typo"


@pytest.mark.parametrize("make", [card_codes.new_code, card_codes.new_secret])
def test_one_wrong_letter_is_always_told(make: object) -> None:
    assert callable(make)
    code = make(MARK)
    for at in range(len(code)):
        for other in set(ALPHABET) - {code[at]}:
            assert refused(code[:at] + other + code[at + 1 :])


@pytest.mark.parametrize("make", [card_codes.new_code, card_codes.new_secret])
def test_two_letters_that_changed_places_are_always_told(make: object) -> None:
    assert callable(make)
    code = list(make(MARK))
    for one, other in combinations(range(len(code)), 2):
        if code[one] != code[other]:
            swapped = code.copy()
            swapped[one], swapped[other] = code[other], code[one]
            assert refused("".join(swapped))


@pytest.mark.parametrize("typed", [
    "", "-", "#", "K7Q", "U" * 20, "é" * 20, "\u0130" * 20, "x" * 10_000, "½" * 20, "0" * 21,
    "\U0001f600" * 20, "\ud800" * 20,
])  # fmt: skip
def test_what_is_no_code(typed: str) -> None:
    assert refused(typed)


def test_a_letter_too_many_or_too_few() -> None:
    code = card_codes.new_code(MARK)
    assert refused(code[:-1])
    assert refused(code + secrets.choice(ALPHABET))


def test_the_mark_is_of_the_first_bits_of_a_tag() -> None:
    assert card_codes.mark_of(bytes(32)) == "000"
    assert card_codes.mark_of(b"\xff" * 32) == "ZZZ"
    assert card_codes.mark_of(b"\x04\x22" + bytes(30)) == "0GH"
