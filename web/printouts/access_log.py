"""The access log, to print: the newest lines, a table laid out part by part."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from auth.subjects import Person
from base import clock
from vault.access_log.entries import EntryView
from vault.access_log.export_all import export_all
from vault.services import Services
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.time_zone_names import name_of
from web.printouts.fonts import character_sets
from web.printouts.letters import Letters
from web.printouts.phrases import Phrases
from web.printouts.reader import phrases_for
from web.printouts.sheet import frame_of, replaced_note
from web.printouts.turns import in_turn
from web.printouts.typesetter import in_thread, typeset

MAX_LINES = 2000
"""Lines on paper, about 160 pages. The table for spreadsheets has all of them."""
PART = 200
"""Lines laid out at once: memory grows with them."""
_TITLE = _("Qui a regardé mes papiers")
_INTRODUCTION = _("Tout ce qui s’est passé sur mes papiers, au {date}. Le plus récent d’abord.")
_CUT = _(
    "Seulement les {count} lignes les plus récentes sont imprimées. Toutes les lignes sont dans le"
    " tableau (fichier CSV)."
)
_HOURS = _("Les heures sont celles de ce lieu : {place}.")
_EMPTY = _("Rien pour l’instant.")
_WHEN = _("Quand")
_WHAT = _("Ce qui s’est passé")
_CONTACT = _("Pour joindre : {contact}")
_NUMBER = _("Ligne {id}")


async def print_log(services: Services, person: Person, language: str) -> bytes:
    """The log as PDF, for its owner. Like the log on the screen, it is not recorded."""
    async with in_turn(person):
        phrases = await phrases_for(services, person, language)
        entries = [entry async for entry in _newest(export_all(services, person))]
        return await in_thread(log_pages, entries, phrases, clock.now())


def log_pages(entries: Sequence[EntryView], phrases: Phrases, now: datetime) -> bytes:
    """The PDF, laid out part by part. Blocks: to be called `in_thread`."""
    # 15 MiB of memory (pikepdf): a process that prints no log does without.
    from web.printouts import parts  # noqa: PLC0415

    pieces: list[bytes] = []
    first_page = 1
    for data in log_parts(entries, phrases, now):
        pieces.append(typeset("log", {**data, "first-page": first_page}))
        first_page += parts.page_count(pieces[-1])
    return parts.joined(pieces)


def log_parts(
    entries: Sequence[EntryView], phrases: Phrases, now: datetime
) -> list[dict[str, Any]]:
    """The data of each part; at least one. `entries`: one more than `MAX_LINES` if there are."""
    letters = Letters(character_sets())
    say, language = phrases.say, phrases.language
    shown = entries[:MAX_LINES]
    frame = {
        **frame_of(say(_TITLE), language, letters),
        "columns": [say(_WHEN), say(_WHAT)],
        "introduction": [],
        "first": False,
        "closing": [],
    }
    starts = range(0, max(len(shown), 1), PART)
    rows = [[_row(entry, phrases, letters) for entry in shown[at : at + PART]] for at in starts]
    parts = [{**frame, "rows": part} for part in rows]
    parts[0] |= {"first": True, "introduction": _introduction(entries, phrases, now)}
    if letters.replaced:
        parts[-1] |= {"closing": [replaced_note(language)]}
    return parts


def _introduction(entries: Sequence[EntryView], phrases: Phrases, now: datetime) -> list[str]:
    say = phrases.say
    said = [
        say(_INTRODUCTION, date=phrases.moment(now)),
        say(_HOURS, place=name_of(phrases.zone, phrases.language)),
    ]
    if len(entries) > MAX_LINES:
        said.append(say(_CUT, count=str(MAX_LINES)))
    return said if entries else [*said, say(_EMPTY)]


def _row(entry: EntryView, phrases: Phrases, letters: Letters) -> dict[str, Any]:
    contact = entry.actor.get("contact")
    more = [phrases.say(_CONTACT, contact=phrases.phone(contact))] if contact else []
    return {
        "when": phrases.moment(datetime.fromisoformat(entry.at)),
        "sentence": letters.printable(describe(entry, phrases.language)),
        "more": [letters.printable(text) for text in more],
        "number": phrases.say(_NUMBER, id=str(entry.id)),
    }


async def _newest(entries: AsyncIterator[EntryView]) -> AsyncIterator[EntryView]:
    """As many as are printed, and one more if there are."""
    count = 0
    async for entry in entries:
        yield entry
        count += 1
        if count > MAX_LINES:
            return
