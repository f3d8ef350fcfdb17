"""Different spellings of a phone number give one value; anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ErrorKind, ServiceError
from base.phone_numbers import normal_phone, phone_forms, region_of, sms_phone


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("0612345678", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("06-12-34-56-78", "+33612345678"),
        ("06\u00a012\u202f34\u00a056\u00a078", "+33612345678"),
        ("06/12/34/56/78", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0033 6 12 34 56 78", "+33612345678"),
        ("\u202a+33 6 12 34 56 78\u202c", "+33612345678"),
        ("٠٦ ١٢ ٣٤ ٥٦ ٧٨", "+33612345678"),
        ("０６１２３４５６７８", "+33612345678"),
        ("01 42 00 00 00", "+33142000000"),
        ("+33600000001", "+33600000001"),
        ("0692 12 34 56", "+262692123456"),
        ("+262 692 12 34 56", "+262692123456"),
        ("+262 0692 12 34 56", "+262692123456"),
        ("+33 692 12 34 56", "+262692123456"),
        ("0639 01 34 56", "+262639013456"),
        ("0690 12 34 56", "+590690123456"),
        ("+590 690 12 34 56", "+590690123456"),
        ("0694 12 34 56", "+594694123456"),
        ("+594 694 12 34 56", "+594694123456"),
        ("0696 12 34 56", "+596696123456"),
        ("+596 696 12 34 56", "+596696123456"),
        ("+687 75 12 34", "+687751234"),
        ("+689 87 12 34 56", "+68987123456"),
        ("+213 551 23 45 67", "+213551234567"),
        ("+44 7700 900123", "+447700900123"),
        ("00 221 77 123 45 67", "+221771234567"),
        ("+1 (202) 555-0123", "+12025550123"),
        ("33 6 12 34 56 78", "+33612345678"),
        ("612345678", "+33612345678"),
        ("(+33)612345678", "+33612345678"),
        ("0033 (0)6 12 34 56 78", "+33612345678"),
        ("06_12_34_56_78", "+33612345678"),
        ("۰۶۱۲۳۴۵۶۷۸", "+33612345678"),
        ("\ufeff06\u200e12345678\u2069", "+33612345678"),
        ("07 09 00 11 22", "+590709001122"),
        ("+33 7 09 00 11 22", "+590709001122"),
        ("+590 0709 00 11 22", "+590709001122"),
        ("+262 709 00 11 22", "+590709001122"),
        ("0708 50 11 22", "+508708501122"),
        ("0508 55 11 22", "+508551122"),
        ("+508 55 11 22", "+508551122"),
        ("+590 6 12 34 56 78", "+33612345678"),
        ("+212 06 11 22 33 44", "+212611223344"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("0052 1 55 1234 5678", "+525512345678"),
        ("521 55 1234 5678", "+525512345678"),
        ("+52 55 1234 5678", "+525512345678"),
        ("+212 (0)6 11 22 33 44", "+212611223344"),
        ("212 611 22 33 44", "+212611223344"),
        ("+93 070 112 2334", "+93701122334"),
        ("+251 091 112 2334", "+251911122334"),
        ("+213 0551 23 45 67", "+213551234567"),
        ("+380 050 112 2334", "+380501122334"),
        ("+7 8 912 112 23 34", "+79121122334"),
        ("+44 07400 112233", "+447400112233"),
        ("+39 06 698 11223", "+390669811223"),
        ("+225 07 01 12 23 34", "+2250701122334"),
        ("06 39 98 11 22", "+33639981122"),
        ("+262 639 98 11 22", "+33639981122"),
        ("+33 7 00 00 00 00", "+33700000000"),
    ],
)
def test_a_number_has_one_form(written: str, normal: str) -> None:
    assert normal_phone(written) == normal
    assert normal_phone(normal) == normal
    assert normal in phone_forms(written)


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "+", "0", "112", "3939", "06 12 34 56 7", "06 12 34 56 789",
        "+33 6 12 34 56 7", "+33 6 12 34 56 78 9", "+330012345678", "0012",
        "+0612345678",
        "06 12 34 56 7x", "06 12 34 56 78 ext 4", "06 12 34+56 78", "++33612345678", "+1234567",
        "+1234567890123456", "06\x0012345678", "06,12,34,56,78", "tel:0612345678", "0" * 65,
        "+262 12", "½612345678", "0612345678; DROP", "ana@exemple.fr", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ServiceError) as refused:
        normal_phone(written)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.INVALID, "phone_invalid")
    assert not refused.value.values


@given(st.text())
def test_a_number_comes_out_in_e164_or_not_at_all(written: str) -> None:
    try:
        normal = normal_phone(written)
    except ServiceError as failure:
        assert failure.code == "phone_invalid"
    else:
        assert normal[0] == "+"
        assert normal[1:].isascii()
        assert normal[1:].isdecimal()
        assert 8 <= len(normal[1:]) <= 15


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_every_form_of_a_number_is_that_number(written: str) -> None:
    try:
        normal = normal_phone(written)
    except ServiceError:
        return
    forms = phone_forms(written)
    assert normal in forms
    assert {normal_phone(form) for form in forms} == {normal}


@pytest.mark.parametrize(
    ("written", "form_of_before"),
    [
        ("07 09 00 11 22", "+33709001122"),
        ("+590 709 00 11 22", "+33709001122"),
        ("+33 709 00 11 22", "+590709001122"),
        ("0708 50 11 22", "+33708501122"),
        ("+508 55 11 22", "+33508551122"),
        ("06 39 98 11 22", "+262639981122"),
        ("+212 6 11 22 33 44", "+2120611223344"),
        ("+212 (0)6 11 22 33 44", "+2120611223344"),
        ("+93 70 112 2334", "+930701122334"),
        ("+7 912 112 23 34", "+789121122334"),
        ("06 12 34 56 78", "+33612345678"),
    ],
)
def test_a_number_is_looked_for_in_its_form_of_before(written: str, form_of_before: str) -> None:
    assert form_of_before in phone_forms(written)


def test_the_form_that_is_typed_is_looked_for_first() -> None:
    assert phone_forms("+212 06 11 22 33 44")[:2] == ("+2120611223344", "+212611223344")
    assert phone_forms("+212 6 11 22 33 44")[0] == "+212611223344"
    assert phone_forms("07 09 00 11 22")[0] == "+33709001122"
    assert phone_forms("00590 709 00 11 22")[0] == "+590709001122"


@pytest.mark.parametrize(
    "written",
    [
        "01 42 00 00 00", "+33 5 56 00 00 00", "0262 12 34 56", "0590 12 34 56", "0508 41 11 22",
        "09 72 00 00 00", "0800 130 000", "0899 70 00 00", "+39 06 698 11223", "+44 20 7946 0000",
        "+212 5 22 11 22 33",
    ],
)  # fmt: skip
def test_a_number_to_which_no_message_comes_is_told(written: str) -> None:
    normal_phone(written)
    with pytest.raises(ServiceError) as refused:
        sms_phone(written)
    assert refused.value.code == "phone_landline"


@pytest.mark.parametrize(
    "written",
    ["06 12 34 56 78", "07 09 00 11 22", "0692 12 34 56", "+33 7 00 00 00 00", "06 39 98 11 22",
     "+1 202 555 0123", "+44 7700 900123", "+687 75 12 34", "+508 55 11 22"],
)  # fmt: skip
def test_a_mobile_number_is_taken_for_messages(written: str) -> None:
    assert sms_phone(written) == normal_phone(written)


@pytest.mark.parametrize(
    ("number", "region"),
    [("+33612345678", "FR"), ("+262692123456", "RE"), ("+262639013456", "YT"),
     ("+590690123456", "GP"), ("+508551122", "PM"), ("+68987123456", "PF"), ("+212611223344", "MA"),
     ("", ""), ("+33700000000", "FR")],
)  # fmt: skip
def test_the_region_of_a_number(number: str, region: str) -> None:
    assert region_of(number) == region
