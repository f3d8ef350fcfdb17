"""A session in words that people know: on what, when, from where."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from auth.session_list import SessionView
from auth.visitor import device_name
from web.i18n.error_messages import _
from web.i18n.formats import day_text, hour_text
from web.i18n.translations import translations

_WHERE = {
    "here": _("{device}. Vous l’utilisez maintenant."),
    "same_network": _("{device}, {when}, sur la même connexion que vous"),
    "elsewhere": _("{device}, {when}, sur une autre connexion"),
}
_SHARED = _("appareil partagé")
_NOW = _("à l’instant")
_MINUTES = _("il y a {count} minutes, à {hour}")
_TODAY = _("aujourd’hui à {hour}")
_YESTERDAY = _("hier à {hour}")
_BEFORE = _("le {day} à {hour}")
_ENDED = _("C’est fermé sur {device}. C’était ouvert depuis {when}.")


def describe_session(session: SessionView, now: datetime, language: str, zone: ZoneInfo) -> str:
    """The sentence of a session, in a language, in its holder's time."""
    translate = translations(language).gettext
    device = translate(device_name(session.device))
    when = _when(session.opened_at, now, language, zone)
    pattern = translate(_WHERE[session.where])
    sentence = pattern.format(device=device[:1].upper() + device[1:], when=when)
    return f"{sentence} ({translate(_SHARED)})" if session.shared else sentence


def describe_ended(session: SessionView, now: datetime, language: str, zone: ZoneInfo) -> str:
    """Which session was just ended, by its device and since when it was open."""
    translate = translations(language).gettext
    when = _day_and_hour(session.opened_at, now, language, zone)
    return translate(_ENDED).format(device=translate(device_name(session.device)), when=when)


def _when(at: datetime, now: datetime, language: str, zone: ZoneInfo) -> str:
    translate = translations(language).gettext
    minutes = int((now - at) / timedelta(minutes=1))
    if minutes < 2:
        return translate(_NOW)
    if minutes < 60:
        hour = hour_text(at, language, zone)
        return translate(_MINUTES).format(count=minutes, hour=hour)
    return _day_and_hour(at, now, language, zone)


def _day_and_hour(at: datetime, now: datetime, language: str, zone: ZoneInfo) -> str:
    translate = translations(language).gettext
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (today - local.date()).days
    pattern = {0: _TODAY, 1: _YESTERDAY}.get(days, _BEFORE)
    return translate(pattern).format(
        day=day_text(at, language, zone), hour=hour_text(at, language, zone)
    )
