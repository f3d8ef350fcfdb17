"""The text of every SMS and e-mail: it names no vault, no document, and nobody but a requester or
whoever made an access that is reported.

The French text is the id in the translation catalogue; `services.translate` gives it in the
addressee's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from auth.services import CoreServices
from auth.subjects import Recipient


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


def sign_in_code(services: CoreServices, language: str, code: str) -> str:
    """The code to sign in with."""
    text = _("Votre code : {code}. Valable 10 minutes. Ne le donnez à personne.")
    return services.translate(language, text).format(code=code)


def codes_locked(services: CoreServices, language: str) -> str:
    """The text sent instead of a code, while none is accepted for this address."""
    text = _(
        "Trop de codes faux. Plus aucun code ne marche pendant 24 heures. "
        "Si ce n’était pas vous, ne faites rien."
    )
    return services.translate(language, text)


def sign_in_subject(services: CoreServices, language: str) -> str:
    """The subject of an e-mail about a code."""
    return services.translate(language, _("Votre code"))


def request_pending(services: CoreServices, language: str, sender: Recipient) -> str:
    """Someone asks to see documents: says who, never which ones or why."""
    text = _(
        "{who} demande à voir des papiers. Dites oui ou non : {url} "
        "Si cela ne vous concerne pas, répondez-y « Ce n’est pas moi »."
    )
    who = ", ".join(word for word in (sender.name, sender.job, sender.organisation) if word)
    return services.translate(language, text).format(who=who, url=services.settings.public_url)


def document_expires(services: CoreServices, language: str) -> str:
    """A document expires soon; only the vault says which one."""
    text = _(
        "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez votre coffre pour voir lequel, "
        "ou parlez-en à la personne qui vous accompagne."
    )
    return services.translate(language, text)


def grant_narrowed(services: CoreServices, language: str) -> str:
    """To the person: grants of theirs show less; only the vault says which ones and of what."""
    text = _(
        "Un accès à vos papiers a changé : il montre moins qu’avant. Ouvrez votre coffre pour voir,"
        " ou parlez-en à la personne qui vous accompagne."
    )
    return services.translate(language, text)


def grants_narrowed(services: CoreServices, language: str) -> str:
    """To a recipient: grants given to them show less; only their page says which ones."""
    text = _(
        "Un ou plusieurs accès que des personnes vous ont donnés montrent moins qu’avant. Certains"
        " papiers se montrent maintenant un par un : vous gardez ceux que vous pouviez voir ce"
        " jour, et aucun nouveau. Ouvrez votre page pour voir lesquels."
    )
    return services.translate(language, text)


def grants_narrowed_subject(services: CoreServices, language: str) -> str:
    """The subject of that e-mail."""
    return services.translate(language, _("Des accès ont changé"))


def log_year_expires(services: CoreServices, language: str, year: int) -> str:
    """In 30 days, the log of `year` and earlier can no longer be read."""
    text = _(
        "Dans 30 jours, le journal de votre coffre pour {year} et avant ne pourra plus être lu. "
        "Pour le garder, emportez-le : {url}"
    )
    return services.translate(language, text).format(year=year, url=services.settings.public_url)


@dataclass(frozen=True, slots=True)
class ReportedAccess:
    """What messages say of an access that its person calls not normal: who acted, when, and the
    report's reference; nothing of the person, of documents or of purposes."""

    reference: str
    actor: Mapping[str, str] = field(repr=False)
    at: datetime


def report_subject(services: CoreServices, language: str) -> str:
    """The subject of an e-mail about a report."""
    return services.translate(language, _("Accès signalé"))


def access_reported(services: CoreServices, language: str, access: ReportedAccess) -> str:
    """To the organisation of whoever acted."""
    text = _(
        "Une personne dit que ceci n’est pas normal : un accès à son coffre par {who},"
        " le {when} (UTC). Demandez pourquoi à qui l’a fait. Écrivez ce que vous savez à"
        " {operator}, avec la référence {reference}. Ne cherchez pas qui est la personne : elle"
        " lira la réponse dans son coffre."
    )
    return _about(services, language, access, text)


def report_waiting(
    services: CoreServices, language: str, access: ReportedAccess, *, organisation_told: bool
) -> str:
    """To the operator, who answers."""
    text = _(
        "Une personne dit que ceci n’est pas normal : une ligne de son journal, faite par {who},"
        " le {when} (UTC). Lisez : unefois reports see {reference}"
        " Répondez : unefois reports answer {reference}"
    )
    told = _("Sa structure est prévenue par e-mail.")
    if not organisation_told:
        told = _("Aucune structure n’est prévenue : voyez s’il faut le faire.")
    return _about(services, language, access, text) + " " + services.translate(language, told)


def report_answered(services: CoreServices, language: str) -> str:
    """To the person who reported: there is an answer; only the vault says which."""
    text = _(
        "Il y a une réponse à votre signalement. Ouvrez votre coffre pour la lire, ou parlez-en à"
        " la personne qui vous accompagne."
    )
    return services.translate(language, text)


def _about(services: CoreServices, language: str, access: ReportedAccess, text: str) -> str:
    words = (access.actor.get(name) for name in ("name", "job", "organisation"))
    who = ", ".join(filter(None, words))
    return services.translate(language, text).format(
        who=who or services.translate(language, _("quelqu’un sans nom connu")),
        when=f"{access.at:%d/%m/%Y %H:%M}",
        operator=services.settings.operator_email,
        reference=access.reference,
    )
