"""What is wrong with one field of a request, in a sentence; none repeats what was sent."""

from collections.abc import Mapping

from web.i18n.error_messages import _
from web.i18n.translations import translations

_MESSAGES = {
    "required": _("Ce champ manque."),
    "unknown": _("Un champ inconnu est donné ici."),
    "repeated": _("Ce champ est donné plusieurs fois."),
    "too_long": _("C’est trop long : {limit} au plus."),
    "too_short": _("C’est trop court : {limit} au moins."),
    "out_of_range": _("Ce nombre est trop petit ou trop grand."),
    "not_in_list": _("Cette valeur n’est pas dans la liste permise."),
    "exactly_one": _("Il faut une seule de ces informations."),
    "wrong_form": _("Ce n’est pas écrit dans la forme attendue."),
}


def describe_field_error(code: str, language: str, values: Mapping[str, int]) -> str:
    """The sentence of a code of `web/http/field_errors.py`; `limit` fills some of them."""
    return translations(language).gettext(_MESSAGES[code]).format_map(values)
