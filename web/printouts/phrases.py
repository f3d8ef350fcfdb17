"""Phrases that several printed pages share: who, what is permitted, why, until when. Pure."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.units import format_unit

from vault.consent.terms import Terms
from vault.document_view import DocumentView
from web.i18n.catalogue_names import (
    name_in,
    purpose_names,
    purpose_text,
    says_more,
    type_names,
)
from web.i18n.consent_labels import ACTIONS, ACTIONS_ASKED
from web.i18n.error_messages import _
from web.i18n.formats import day_text, moment_text, until_text
from web.i18n.languages import languages
from web.i18n.quotation import quoted
from web.i18n.translations import translations
from web.i18n.typography import no_break, typed_hours, typed_phone
from web.printouts.sheet import Section

_LENGTH = re.compile(r"(\d+)([A-Z])")
_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day"}
_TIME_UNITS = {"H": "hour", "M": "minute", "S": "second"}
"""After the `T` of a duration: there, `M` is another unit."""
_WHO = _("Qui")
_WHAT_FOR = _("Pour faire quoi")
_WHY = _("Pourquoi")


class Phrases:
    """The phrases for one reader: their language, where they are, and whether the papers are
    theirs (`owner`) or somebody else's."""

    def __init__(self, language: str, zone: ZoneInfo, *, owner: bool = True) -> None:
        self.language = language
        self.zone = zone
        self._owner = owner
        self._gettext = translations(language).gettext

    def say(self, text: str, **values: str) -> str:
        """A text of ours, with its values put in at once: braces in a value stay as they are."""
        translated = self._gettext(text)
        filled = re.sub(r"\{(\w+)\}", lambda place: values.get(place[1], place[0]), translated)
        return no_break(filled)

    def day(self, value: date | datetime) -> str:
        """A day, where the reader is."""
        return no_break(day_text(value, self.language, self.zone))

    def moment(self, value: datetime) -> str:
        """A day and an hour, where the reader is."""
        return no_break(moment_text(value, self.language, self.zone))

    def until(self, value: datetime) -> str:
        """The last day of what ends with a day; otherwise with the hour."""
        return no_break(until_text(value, self.language, self.zone))

    def quote(self, text: str) -> str:
        """Words of somebody else, between « and »."""
        return no_break(quoted(text, self.language))

    def type_name(self, code: str) -> str:
        """A type of paper: the easy name first for its owner, the official one for others."""
        return name_in(type_names(code), self.language, plain=self._owner)

    def paper_name(self, document: DocumentView) -> str:
        """The name that its owner gave to a paper, or its type; one that others gave is quoted."""
        title = document.metadata.title
        if not title:
            return self.type_name(document.metadata.type)
        return self.quote(title) if document.deposited_by.get("name") else title

    def phone(self, text: str) -> str:
        """A phone number in its national form; quoted if it is anything else."""
        return typed_phone(text, self.language)

    def person(self, party: dict[str, str]) -> str:
        """`Camille Moreau (Assistante sociale, CCAS)`."""
        of = ", ".join(filter(None, (party.get("job"), party.get("organisation"))))
        return f"{party['name']} ({of})" if of else party["name"]

    def who(self, party: dict[str, str], contact: dict[str, str]) -> Section:
        """Somebody's name, job, organisation, and how to reach them."""
        lines = (party["name"], party.get("job"), party.get("organisation"))
        phone = contact.get("phone") or party.get("contact")
        reach = [self.say(_("Pour lui parler : {phone}"), phone=self.phone(phone))] if phone else []
        if contact.get("hours"):
            reach.append(typed_hours(contact["hours"], self.language))
        return Section(
            self.say(_WHO), tuple(filter(None, ("\n".join(filter(None, lines)), ", ".join(reach))))
        )

    def actions(self, terms: Terms) -> Section:
        """What is permitted, or asked to be."""
        labels = ACTIONS if self._owner else ACTIONS_ASKED
        items = tuple(self.say(labels[action.value]) for action in terms.scope.actions)
        return Section(self.say(_WHAT_FOR), items=items)

    def why(self, terms: Terms) -> Section:
        """The purpose, in the words of the pages."""
        name = name_in(purpose_names(terms.purpose_code), self.language, plain=True)
        own = says_more(terms.purpose_code, terms.purpose)
        return Section(self.say(_WHY), (name,), (self.quote(terms.purpose),) if own else ())

    def reason(self, terms: Terms) -> str:
        """The same, in one line."""
        code = terms.purpose_code
        words = self.quote(terms.purpose) if says_more(code, terms.purpose) else ""
        return no_break(purpose_text(code, words, self.language))

    def storing(self, terms: Terms) -> str:
        """Whether a copy may be kept, and for how long."""
        if not terms.may_store:
            return self.say(_("Non"))
        if terms.store_for is None:
            return self.say(_("Oui"))
        return self.say(_("Oui, pendant {duration}"), duration=self.length(terms.store_for))

    def length(self, text: str) -> str:
        """`2 ans` for `P2Y`, `1 jour, 12 heures` for `P1DT12H`."""
        days, _mark, hours = text.partition("T")
        parts = [(number, _UNITS[unit]) for number, unit in _LENGTH.findall(days)]
        parts += [(number, _TIME_UNITS[unit]) for number, unit in _LENGTH.findall(hours)]
        locale = languages()[self.language].locale
        return ", ".join(
            _counted(int(number), f"duration-{unit}", locale)
            for number, unit in parts
            if int(number)
        )


def _counted(number: int, unit: str, locale: str) -> str:
    """`12 mois`. In Arabic, Babel has months in their short form alone."""
    said = format_unit(number, unit, locale=locale)
    return format_unit(number, unit, "short", locale=locale) if unit in said else said
