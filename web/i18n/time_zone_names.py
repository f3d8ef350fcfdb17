"""How people call the zones of `base/time_zones.py`."""

from zoneinfo import ZoneInfo

from web.i18n.error_messages import _
from web.i18n.translations import translations

NAMES = {
    "Europe/Paris": _("France (Paris)"),
    "America/Guadeloupe": _("Guadeloupe, Saint-Martin, Saint-Barthélemy"),
    "America/Martinique": _("Martinique"),
    "America/Cayenne": _("Guyane"),
    "America/Miquelon": _("Saint-Pierre-et-Miquelon"),
    "Indian/Reunion": _("La Réunion"),
    "Indian/Mayotte": _("Mayotte"),
    "Pacific/Noumea": _("Nouvelle-Calédonie"),
    "Pacific/Tahiti": _("Tahiti"),
    "Pacific/Wallis": _("Wallis-et-Futuna"),
}


def name_of(zone: ZoneInfo, language: str) -> str:
    """A zone in `fr` or `en`."""
    return translations(language).gettext(NAMES[zone.key])
