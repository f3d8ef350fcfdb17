"""The text of every SMS and e-mail, as a locked screen may show it to whoever is near.

An SMS names nobody, no organisation, no document, and not what someone wants or did, except where
its reader must act to lose nothing: a new device, an erasure. An e-mail names who made a reported
access, after more words than a notification shows. None holds a link: whoever follows one in a
message could be led to a false page.

The French text is the id in the translation catalogue; `services.translate` gives it in the
addressee's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import localedata
from babel.dates import format_date

from audit.events import Action
from auth.services import CoreServices
from auth.visitor import device_name
from base.time_zones import PARIS


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


def sign_in_code(services: CoreServices, language: str, code: str) -> str:
    """The code to sign in with."""
    text = _("Votre code : {code}. Valable 10 minutes. Ne le donnez à personne.")
    return services.translate(language, text).format(code=grouped(code))


def shared_code(services: CoreServices, language: str, code: str) -> str:
    """A code that whoever asked can use, while many ask for codes of this address."""
    text = _(
        "Votre code : {code}. Valable 20 minutes. Ne le donnez à personne. "
        "Vous n’avez rien demandé ? Ne faites rien."
    )
    return services.translate(language, text).format(code=grouped(code))


def shared_phone_code(services: CoreServices, language: str, code: str) -> str:
    """The same for a person's phone: one of those who ask may want to change how they enter."""
    text = _(
        "Votre code : {code}. Valable 20 minutes. Ne le donnez à personne : il sert à entrer, et"
        " aussi à CHANGER vos façons d’entrer."
    )
    return services.translate(language, text).format(code=grouped(code))


def means_code(services: CoreServices, language: str, code: str) -> str:
    """The code that confirms a change of how the vault is entered."""
    text = _(
        "Votre code pour CHANGER vos façons d’entrer : {code}. Valable 10 minutes. Vous n’avez "
        "rien demandé ? Ne donnez ce code à personne, ouvrez « Mes papiers », choisissez « Mes "
        "appareils », puis « Fermer partout, sauf ici »."
    )
    return services.translate(language, text).format(code=grouped(code))


def recovery_code(services: CoreServices, language: str, code: str) -> str:
    """The code that shows at the desk that this phone is still reached."""
    text = _(
        "Votre code pour le guichet, pour ROUVRIR vos papiers : {code}. Valable 10 minutes. Vous "
        "n’êtes pas au guichet ? Ne le donnez à personne."
    )
    return services.translate(language, text).format(code=grouped(code))


def sign_in_subject(services: CoreServices, language: str) -> str:
    """The subject of an e-mail about a code."""
    return services.translate(language, _("Votre code"))


def new_device(
    services: CoreServices, language: str, device: str, at: datetime, zone: ZoneInfo = PARIS
) -> str:
    """To a person: someone signed in from a browser that is not known. It holds no link, so that a
    false message of this kind cannot lead anywhere."""
    text = _(
        "« Mes papiers » vient d’être ouvert sur un nouvel appareil : {device}, le {when}. "
        "C’est vous ? Ne faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez "
        "« Mes appareils », puis « Fermer partout, sauf ici ». Ou allez au guichet."
    )
    return _about_device(
        services, language, text, device, day_and_hour(services, language, at, zone)
    )


def new_device_of_worker(
    services: CoreServices, language: str, device: str, at: datetime, zone: ZoneInfo = PARIS
) -> str:
    """The same to a worker."""
    text = _(
        "Votre espace professionnel vient d’être ouvert sur un nouvel appareil : {device}, le"
        " {when}. C’est vous ? Ne faites rien. Ce n’est pas vous ? Connectez-vous, choisissez"
        " « Mes appareils », puis « Fermer partout, sauf ici », et prévenez votre responsable."
    )
    return _about_device(
        services, language, text, device, day_and_hour(services, language, at, zone)
    )


def new_device_subject(services: CoreServices, language: str) -> str:
    """The subject of an e-mail about a new device."""
    return services.translate(language, _("Nouvel appareil"))


_MEANS_CHANGED = {
    Action.MEANS_ADDED: _("« Mes papiers » : une façon d’entrer vient d’être ajoutée."),
    Action.MEANS_REMOVED: _("« Mes papiers » : une façon d’entrer vient d’être retirée."),
    Action.MEANS_FREED: _("« Mes papiers » : une carte bloquée vient d’être débloquée."),
    Action.MEANS_STOPPED: _("« Mes papiers » : une carte perdue vient d’être arrêtée."),
    Action.JOIN_ASKED: _(
        "« Mes papiers » : quelqu’un demande à réunir vos papiers avec ceux d’un autre endroit."
    ),
    Action.VAULT_JOINED: _(
        "« Mes papiers » : vos papiers de deux endroits viennent d’être réunis."
    ),
    Action.RECOVERY_OPENED: _(
        "« Mes papiers » : vos papiers viennent d’être rouverts, comme demandé au guichet. Les "
        "anciennes cartes sont arrêtées."
    ),
    Action.PIN_SET: _("« Mes papiers » : votre code secret vient d’être changé."),
    Action.ANCHOR_ENROLLED: _("« Mes papiers » : une preuve d’identité vient d’être enregistrée."),
    Action.ANCHOR_REMOVED: _("« Mes papiers » : une preuve d’identité vient d’être effacée."),
    Action.TRUSTED_ACCEPTED: _("« Mes papiers » : une personne de confiance vient d’être ajoutée."),
    Action.TRUSTED_ENDED: _("« Mes papiers » : une personne de confiance vient d’être retirée."),
    Action.EXPORT_ASKED: _("« Mes papiers » : quelqu’un demande une copie de tous vos papiers."),
    Action.REPRESENTATION_BEGAN: _("« Mes papiers » : une représentation légale commence."),
    Action.REPRESENTATION_ENDED: _("« Mes papiers » : une représentation légale est terminée."),
    Action.MEANS_WAIT: _(
        "« Mes papiers » : quelqu’un demande à changer vos façons d’entrer sans prouver que c’est "
        "vous. Ce sera possible dans 7 jours."
    ),
    Action.MEANS_WAIT_ENDED: _(
        "« Mes papiers » : la demande de changer vos façons d’entrer est annulée."
    ),
}


def means_changed(services: CoreServices, language: str, action: Action) -> str:
    """To a person: how their vault is entered changed, or a copy of it was asked for. Not which
    means: whoever is near may read it."""
    then = _(
        "C’est vous ? Ne faites rien. Ce n’est pas vous ? Ouvrez « Mes papiers », choisissez "
        "« Mes appareils », puis « Fermer partout, sauf ici ». Ou allez au guichet."
    )
    words = (_MEANS_CHANGED[action], then)
    return " ".join(services.translate(language, text) for text in words)


def erasure_code(services: CoreServices, language: str, code: str) -> str:
    """The code that confirms that the vault is to be erased."""
    text = _(
        "Votre code pour EFFACER tous vos papiers : {code}. Valable 10 minutes. Vous n’avez "
        "rien demandé ? Ne donnez ce code à personne, et allez au guichet."
    )
    return services.translate(language, text).format(code=code)


def erasure_asked(
    services: CoreServices, language: str, erases_at: datetime, zone: ZoneInfo = PARIS
) -> str:
    """The vault will be erased, and how to prevent it."""
    text = _(
        "Tous vos papiers seront effacés le {when}. Vous ne le voulez pas ? Ouvrez « Mes "
        "papiers » avant cette date et choisissez « Ne pas effacer ». Ou allez au guichet."
    )
    when = day_and_hour(services, language, erases_at, zone)
    return services.translate(language, text).format(when=when)


def erasure_soon(
    services: CoreServices, language: str, erases_at: datetime, zone: ZoneInfo = PARIS
) -> str:
    """The same, the day before."""
    text = _(
        "Rappel : tous vos papiers seront effacés le {when}. Vous ne le voulez pas ? Ouvrez "
        "« Mes papiers » et choisissez « Ne pas effacer ». Ou allez au guichet."
    )
    when = day_and_hour(services, language, erases_at, zone)
    return services.translate(language, text).format(when=when)


def erasure_cancelled(services: CoreServices, language: str) -> str:
    """The vault will not be erased after all."""
    text = _("C’est annulé : rien ne sera effacé. Vos papiers restent.")
    return services.translate(language, text)


def export_ready(
    services: CoreServices, language: str, until: datetime, zone: ZoneInfo = PARIS
) -> str:
    """The copy can be taken, until when."""
    text = _(
        "La copie de vos papiers est prête. Ouvrez « Mes papiers » avant le {when} pour la prendre."
    )
    when = day_and_hour(services, language, until, zone)
    return services.translate(language, text).format(when=when)


def request_pending(services: CoreServices, language: str) -> str:
    """Someone asks for something; only the vault says who, what and why."""
    text = _(
        "Une demande attend votre réponse. Ouvrez « Mes papiers » pour voir de qui elle vient, "
        "et dites oui ou non. Si elle ne vous concerne pas, répondez « Ce n’est pas moi »."
    )
    return services.translate(language, text)


def document_expires(services: CoreServices, language: str) -> str:
    """A document expires soon; only the vault says which one."""
    text = _(
        "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez « Mes papiers » pour voir "
        "lequel, ou parlez-en à la personne qui vous accompagne."
    )
    return services.translate(language, text)


def grant_narrowed(services: CoreServices, language: str) -> str:
    """To the person: grants of theirs show less; only the vault says which ones and of what."""
    text = _(
        "Un accès à vos papiers a changé : il montre moins qu’avant. Ouvrez « Mes papiers » "
        "pour voir, ou parlez-en à la personne qui vous accompagne."
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
        "Dans 30 jours, la liste « Qui a regardé mes papiers » pour {year} et avant ne pourra "
        "plus être lue. Pour la garder, ouvrez « Mes papiers » et emportez-la."
    )
    return services.translate(language, text).format(year=year)


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
        "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas normale. "
        "Cette ligne nomme votre structure. Ne cherchez pas qui est la personne : elle lira la "
        "réponse avec ses papiers. Voici la ligne : un accès par {who}, le {when} (UTC). "
        "Demandez pourquoi à qui l’a fait. Écrivez ce que vous savez à {operator}, avec la "
        "référence {reference}."
    )
    return _about(services, language, access, text)


def report_waiting(
    services: CoreServices, language: str, access: ReportedAccess, *, organisation_told: bool
) -> str:
    """To the operator, who answers."""
    text = _(
        "Une personne dit qu’une ligne de « Qui a regardé mes papiers » n’est pas normale. "
        "Lisez : unefois reports see {reference} Répondez : unefois reports answer {reference} "
        "La ligne est faite par {who}, le {when} (UTC)."
    )
    told = _("Sa structure est prévenue par e-mail.")
    if not organisation_told:
        told = _("Aucune structure n’est prévenue : voyez s’il faut le faire.")
    return _about(services, language, access, text) + " " + services.translate(language, told)


def report_answered(services: CoreServices, language: str) -> str:
    """To the person who reported: there is an answer; only the vault says which."""
    text = _(
        "Il y a une réponse pour vous. Ouvrez « Mes papiers » pour la lire, ou parlez-en à la "
        "personne qui vous accompagne."
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


def _about_device(services: CoreServices, language: str, text: str, device: str, when: str) -> str:
    name = services.translate(language, device_name(device))
    return services.translate(language, text).format(device=name, when=when)


def day_and_hour(services: CoreServices, language: str, at: datetime, zone: ZoneInfo) -> str:
    """The day and the hour where the addressee is."""
    local = at.astimezone(zone)
    french = _("{day} à {hour} h {minute}")
    text = services.translate(language, french)
    # The month is in the language of the sentence; one that Babel does not have is easy French.
    translated = text != french and localedata.exists(language)
    day = format_date(local, "d MMMM", locale=language if translated else "fr")
    return text.format(day=day, hour=local.hour, minute=f"{local.minute:02}")


def grouped(code: str) -> str:
    """A long code in fours, as people read it; six digits as telephones recognise them. A space
    that does not break keeps the fours in order where words run from the right (UAX 9, W4)."""
    if len(code) <= 6:
        return code
    return "\u00a0".join(code[at : at + 4] for at in range(0, len(code), 4))
