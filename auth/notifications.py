"""The short messages that are sent: they name no vault, no paper and no one."""

_TEXTS = {
    "code": {
        "fr": "Votre code : {code}. Valable 10 minutes. Ne le donnez à personne.",
        "en": "Your code: {code}. Valid for 10 minutes. Do not give it to anyone.",
    },
    "expiry": {
        "fr": "Un de vos papiers arrive bientôt à sa date de fin. Ouvrez votre coffre pour voir "
        "lequel, ou parlez-en à la personne qui vous accompagne.",
        "en": "One of your papers will soon reach its end date. Open your vault to see which, or "
        "talk to the person who helps you.",
    },
    "locked": {
        "fr": "Trop de codes faux. Plus aucun code ne marche pendant 24 heures. "
        "Si ce n’était pas vous, ne faites rien.",
        "en": "Too many wrong codes. No code works for 24 hours. If it was not you, do nothing.",
    },
}
_SUBJECTS = {"fr": "Votre code", "en": "Your code"}


def code_text(language: str, code: str) -> str:
    """The text that carries a code."""
    return _in(_TEXTS["code"], language).format(code=code)


def locked_text(language: str) -> str:
    """Instead of a code, while none is accepted for this address."""
    return _in(_TEXTS["locked"], language)


def expiry_text(language: str) -> str:
    """The text that tells that a paper ends soon, without saying which."""
    return _in(_TEXTS["expiry"], language)


def subject(language: str) -> str:
    """The subject of the e-mail."""
    return _in(_SUBJECTS, language)


def _in(texts: dict[str, str], language: str) -> str:
    return texts.get(language, texts["fr"])
