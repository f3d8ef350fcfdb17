"""The texts of the messages about a closing: without a link, and without a name."""

from datetime import date

from babel import localedata
from babel.dates import format_date

from auth.closing_rules import Notice
from auth.services import CoreServices


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


_TAKE = _(
    "Avant, emportez vos papiers : ouvrez « Mes papiers », choisissez « Moi », puis « Tout "
    "emporter ». Ou allez au guichet."
)
_HELP = _(
    "Après ce jour, rien ne s’ajoute plus : ni papier, ni demande, ni accès. Avant, aidez les "
    "personnes que vous accompagnez à emporter leurs papiers : « Moi », puis « Tout emporter »."
)
_CLOSES = {
    Notice.ANNOUNCED: _("« Mes papiers » ferme le {day}."),
    Notice.MONTH: _("Rappel : « Mes papiers » ferme dans moins d’un mois, le {day}."),
    Notice.WEEK: _("Dernier rappel : « Mes papiers » ferme dans moins de 8 jours, le {day}."),
}
_GOES_ON = _("« Mes papiers » ne ferme pas : le service continue. Vous n’avez rien à faire.")


def to_person(services: CoreServices, language: str, notice: Notice, closes_on: date) -> str:
    """To a person: when the service closes, and what to do before; or that it goes on."""
    return _text(services, language, notice, closes_on, _TAKE)


def to_worker(services: CoreServices, language: str, notice: Notice, closes_on: date) -> str:
    """The same to a worker, who helps people take their papers away."""
    return _text(services, language, notice, closes_on, _HELP)


def subject(services: CoreServices, language: str, notice: Notice) -> str:
    """The subject of an e-mail to a worker."""
    text = _("Le service continue") if notice is Notice.GOES_ON else _("Le service ferme")
    return services.translate(language, text)


def _text(services: CoreServices, language: str, notice: Notice, closes_on: date, then: str) -> str:
    if notice is Notice.GOES_ON:
        return services.translate(language, _GOES_ON)
    french = _CLOSES[notice]
    text = services.translate(language, french)
    # The day is in the language of the sentence; one that Babel does not have is easy French.
    translated = text != french and localedata.exists(language)
    day = format_date(closes_on, "d MMMM y", locale=language if translated else "fr")
    return f"{text.format(day=day)} {services.translate(language, then)}"
