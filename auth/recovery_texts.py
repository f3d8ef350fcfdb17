"""The texts of the messages about a vault that is opened again: without a link, and without a
name."""

from datetime import datetime
from zoneinfo import ZoneInfo

from auth.notifications import day_and_hour, grouped
from auth.services import CoreServices
from base.time_zones import PARIS


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


def recovery_begun(services: CoreServices, language: str, code: str) -> str:
    """Somebody asks at a desk to open the vault again, and how to stop it."""
    text = _(
        "« Mes papiers » : au guichet, quelqu’un demande à rouvrir vos papiers. C’est vous ? Ne"
        " faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez « Arrêter une"
        " demande », tapez {code}. Ou allez au guichet."
    )
    return services.translate(language, text).format(code=grouped(code))


def recovery_soon(
    services: CoreServices, language: str, code: str, at: datetime, zone: ZoneInfo = PARIS
) -> str:
    """From when on it may be opened again. `code`: the digits that stop it; none where only a proof
    does."""
    if not code:
        text = _(
            "Rappel : vos papiers peuvent être rouverts à partir du {when}. C’est vous ? Ne faites"
            " rien. Ce n’est pas vous ? Ouvrez vos papiers et arrêtez la demande, ou allez au"
            " guichet."
        )
        when = day_and_hour(services, language, at, zone)
        return services.translate(language, text).format(when=when)
    text = _(
        "Rappel : vos papiers peuvent être rouverts à partir du {when}. C’est vous ? Ne faites"
        " rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez « Arrêter une demande »,"
        " tapez {code}. Ou allez au guichet."
    )
    when = day_and_hour(services, language, at, zone)
    return services.translate(language, text).format(when=when, code=grouped(code))


def recovery_stopped(services: CoreServices, language: str) -> str:
    """It will not be opened by that."""
    text = _(
        "« Mes papiers » : la demande de rouvrir vos papiers est arrêtée. Rien n’a été ouvert."
    )
    return services.translate(language, text)


def recovery_of_friend(services: CoreServices, language: str) -> str:
    """To who is trusted: only their page says by whom."""
    text = _(
        "Une personne qui vous fait confiance est peut-être au guichet. Ouvrez « Mes papiers » pour"
        " voir."
    )
    return services.translate(language, text)
