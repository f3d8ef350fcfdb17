"""What a phone is told of a vault that is opened again: nobody is named, nothing leads anywhere."""

import re
from datetime import UTC, datetime

import pytest

from audit.events import Action
from auth import notifications, recovery_texts
from tests.auth.test_notifications import WORDS

AT = datetime(2026, 11, 30, 15, 5, tzinfo=UTC)
TEXTS = {
    "begun": lambda language: recovery_texts.recovery_begun(WORDS, language, "01234567"),
    "soon": lambda language: recovery_texts.recovery_soon(WORDS, language, "01234567", AT),
    "strong": lambda language: recovery_texts.recovery_soon(WORDS, language, "", AT),
    "stopped": lambda language: recovery_texts.recovery_stopped(WORDS, language),
    "friend": lambda language: recovery_texts.recovery_of_friend(WORDS, language),
}


def test_word_for_word() -> None:
    assert TEXTS["begun"]("fr") == (
        "« Mes papiers » : au guichet, quelqu’un demande à rouvrir vos papiers. C’est vous ? Ne"
        " faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez « Arrêter une"
        " demande », tapez 0123\u00a04567. Ou allez au guichet."
    )
    assert TEXTS["soon"]("en") == (
        "Reminder: your papers may be reopened from 30 November at 16:05. Is it you? Do nothing. Is"
        " it not you? Open “My papers”, choose “Stop a request”, type 0123\u00a04567. Or go to the"
        " desk."
    )
    opened = notifications.means_changed(WORDS, "fr", Action.RECOVERY_OPENED)
    assert opened.startswith("« Mes papiers » : vos papiers viennent d’être rouverts, comme")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("language", ["fr", "en", "es", "uk", "ar", "falc"])
def test_each_language_has_its_own_and_no_link(name: str, language: str) -> None:
    text = TEXTS[name](language)
    assert "{" not in text
    assert "http" not in text
    if language not in ("fr", "falc"):
        assert text != TEXTS[name]("fr")
    assert bool(re.search("0123\u00a04567", text)) == (name in ("begun", "soon"))
