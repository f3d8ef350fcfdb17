"""Different spellings of a number or an address give one value; anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.contact import email_in, normal_email, normal_phone
from base.errors import ErrorKind, ServiceError


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
        ("0639 12 34 56", "+262639123456"),
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
    ],
)
def test_a_number_has_one_form(written: str, normal: str) -> None:
    assert normal_phone(written) == normal
    assert normal_phone(normal) == normal


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "+", "0", "112", "3939", "06 12 34 56 7", "06 12 34 56 789", "612345678",
        "33612345678", "+33 6 12 34 56 7", "+33 6 12 34 56 78 9", "+330012345678", "0012",
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


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ana@exemple.fr", "ana@exemple.fr"),
        ("Ana.Durand@Exemple.FR", "ana.durand@exemple.fr"),
        ("  ana@exemple.fr\n", "ana@exemple.fr"),
        ("ana+vault@mail.exemple.fr", "ana+vault@mail.exemple.fr"),
        ("o'neil_1@ex-emple.co.uk", "o'neil_1@ex-emple.co.uk"),
        ("a@xn--bcher-kva.xn--p1ai", "a@xn--bcher-kva.xn--p1ai"),
        ("x" * 64 + "@exemple.fr", "x" * 64 + "@exemple.fr"),
    ],
)
def test_an_address_has_one_form(written: str, normal: str) -> None:
    assert normal_email(written) == normal


@pytest.mark.parametrize(
    "written",
    [
        "", "@", "ana", "ana@", "@exemple.fr", "ana@exemple", "ana@@exemple.fr", "a b@exemple.fr",
        ".ana@exemple.fr", "ana.@exemple.fr", "an..a@exemple.fr", "ana@.exemple.fr",
        "ana@exemple.fr.",
        "ana@-exemple.fr", "ana@exemple-.fr", "ana@exemple..fr", "ana@exemple.f", "ana@[127.0.0.1]",
        "ana@127.0.0.1", '"ana"@exemple.fr', "Ana <ana@exemple.fr>", "ana@exemple.fr,b@exemple.fr",
        "ana@exemple.fr\r\nBcc: b@exemple.fr", "ana\x00@exemple.fr", "аna@exemple.fr",
        "ana@exemplе.fr",
        "ana@exemple.fr\u202e", "ａna@exemple.fr", "ana@exemple\u3002fr", "x" * 65 + "@exemple.fr",
        "ana@" + "a" * 64 + ".fr", "ana@" + "abcd." * 50 + "fr", "\u212aim@exemple.fr",
        "ana(c)@exemple.fr",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(ServiceError) as refused:
        normal_email(written)
    assert (refused.value.kind, refused.value.code) == (ErrorKind.INVALID, "email_invalid")
    assert not refused.value.values


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Accueil@CCAS-Lys.fr", "accueil@ccas-lys.fr"),
        ("accueil : 03 20 00 00 00, accueil@ccas-lys.fr.", "accueil@ccas-lys.fr"),
        ("Accueil <accueil@ccas-lys.fr>; direction@ccas-lys.fr", "accueil@ccas-lys.fr"),
        ("03 20 00 00 00", None),
        ("@accueil, ccas@lys", None),
        ("", None),
    ],
)
def test_the_address_in_a_line_of_contact(line: str, found: str | None) -> None:
    assert email_in(line) == found
