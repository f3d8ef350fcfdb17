"""The text of every SMS and e-mail: it names no vault, no document, and nobody but the requester.
None holds a link: whoever follows one in a message could be led to a false page.

The French text is the id in the translation catalogue; `services.translate` gives it in the
addressee's language.
"""

from auth.services import CoreServices
from auth.subjects import Recipient


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


def sign_in_code(services: CoreServices, language: str, code: str) -> str:
    """The code to sign in with."""
    text = _("Votre code : {code}. Valable 10 minutes. Ne le donnez à personne.")
    return services.translate(language, text).format(code=_grouped(code))


def shared_code(services: CoreServices, language: str, code: str) -> str:
    """A code that whoever asked can use, while many ask for codes of this address."""
    text = _(
        "Votre code : {code}. Valable 20 minutes. Ne le donnez à personne. "
        "Vous n’avez rien demandé ? Ne faites rien."
    )
    return services.translate(language, text).format(code=_grouped(code))


def sign_in_subject(services: CoreServices, language: str) -> str:
    """The subject of an e-mail about a code."""
    return services.translate(language, _("Votre code"))


def request_pending(services: CoreServices, language: str, sender: Recipient) -> str:
    """Someone asks to see documents: says who, never which ones or why."""
    text = _(
        "{who} demande à voir des papiers. Ouvrez votre coffre et dites oui ou non. "
        "Si cela ne vous concerne pas, répondez « Ce n’est pas moi »."
    )
    who = ", ".join(word for word in (sender.name, sender.job, sender.organisation) if word)
    return services.translate(language, text).format(who=who)


def document_expires(services: CoreServices, language: str) -> str:
    """A document expires soon; only the vault says which one."""
    text = _(
        "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez votre coffre pour voir lequel, "
        "ou parlez-en à la personne qui vous accompagne."
    )
    return services.translate(language, text)


def log_year_expires(services: CoreServices, language: str, year: int) -> str:
    """In 30 days, the log of `year` and earlier can no longer be read."""
    text = _(
        "Dans 30 jours, le journal de votre coffre pour {year} et avant ne pourra plus être lu. "
        "Pour le garder, ouvrez votre coffre et emportez-le."
    )
    return services.translate(language, text).format(year=year)


def _grouped(code: str) -> str:
    """A long code in fours, as people read it; six digits as telephones recognise them."""
    if len(code) <= 6:
        return code
    return " ".join(code[at : at + 4] for at in range(0, len(code), 4))
