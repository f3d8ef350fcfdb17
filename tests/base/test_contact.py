"""Different spellings of an address give one value; anything else is refused."""

import pytest

from base.contact import email_in, normal_email
from base.errors import ErrorKind, ServiceError


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
