"""Which sentences can have a sound: those that say the same to everybody."""

import re

import pytest

from web.i18n.catalogue_names import name_in, type_names
from web.i18n.languages import languages
from web.i18n.translations import LANGUAGES, translations
from web.speech.fixed_sentences import UNREAD, fixed_sentences, sentences, tags, unread


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ici.  Là\u00a0!", ["Ici.", "Là !"]),
        ("%(who)s demande. Vous choisissez.", ["Vous choisissez."]),
        ("Votre {limit} est plein. Retirez-en.", ["Retirez-en."]),
        ("Au plus 2.5 Mo\nici", ["Au plus 2.5 Mo ici"]),
        ("من يرى أوراقي؟ أنت.", ["من يرى أوراقي؟", "أنت."]),
        ("– … »", []),
        ("", []),
    ],
)
def test_sentences_without_a_value(text: str, found: list[str]) -> None:
    assert list(sentences(text)) == found


def test_each_language_that_is_offered_has_its_own() -> None:
    assert tags() == tuple(dict.fromkeys(languages()[code].tag for code in LANGUAGES))
    for code in LANGUAGES:
        tag = languages()[code].tag
        said = set(fixed_sentences(tag))
        assert len(said) > 1000
        welcome = translations(code).gettext("Vos papiers, gardés une fois pour toutes")
        paper = name_in(type_names("payslip"), code, plain=True)
        for text in (welcome, paper, "Recevoir un code"):
            assert set(sentences(translations(code).gettext(text))) <= said, text
        assert not [one for one in said if re.search(r"%\(|[{}<>]|&\w+;|\s\s|\n", one)]
        assert set(sentences(unread(tag))) <= said


def test_what_is_not_on_a_persons_pages_is_left_out() -> None:
    french = set(fixed_sentences("fr"))
    assert "Chercher une personne" not in french
    assert UNREAD.split(". ")[0] + "." in french
