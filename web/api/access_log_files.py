"""A person's log as files: a table for a spreadsheet, a text to print."""

import csv
import io
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from auth.time_zones import zone_of_person
from base import clock
from vault.access_log.entries import EntryView
from vault.access_log.export_all import export_all
from web.http.dependencies import PersonDep, ServicesDep
from web.http.problems import language_of
from web.http.text_pdf import TextPdf
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.formats import csv_separator, moment_text
from web.i18n.time_zone_names import name_of
from web.i18n.translations import translations

router = APIRouter(prefix="/v1", tags=["access log"])

# A sign that may start a formula, unless a letter or a digit stands before it: any other character
# may be what a spreadsheet takes for a separator. The wide forms are those of East Asian keyboards.
_FORMULA = re.compile(r"(?<![^\W_])(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_COLUMNS = (
    _("Quand"),
    _("Ce qui s’est passé"),
    _("Qui"),
    _("Fonction"),
    _("Structure"),
    _("Comment joindre"),
    _("Pourquoi"),
    _("Action"),
    _("Résultat"),
    _("Raison du refus"),
    _("Envoi"),
    _("Documents"),
    _("Numéro"),
)
_TITLE = _("Qui a regardé mes papiers")
_INTRODUCTION = _("Tout ce qui s’est passé sur mon coffre, au {date}. Le plus récent d’abord.")
_EMPTY = _("Rien pour l’instant.")
_CONTACT = _("Pour joindre : {contact}")
_NUMBER = _("Ligne {id}")
_HOURS = _("Les heures sont celles de ce lieu : {place}.")

Entries = AsyncIterator[EntryView]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/access-log.csv",
    operation_id="exportAccessLogAsCsv",
    response_class=StreamingResponse,
    responses=_CSV,
)
async def as_csv(services: ServicesDep, person: PersonDep, request: Request) -> StreamingResponse:
    """Everything on my vault as a table, newest first (UTF-8, RFC 4180)."""
    language = language_of(request)
    entries = await _first_read(export_all(services, person))
    zone = await zone_of_person(services, person)
    return _file(_table(entries, language, zone), "text/csv; charset=utf-8; header=present", "csv")


@router.get(
    "/access-log.pdf",
    operation_id="exportAccessLogAsPdf",
    response_class=StreamingResponse,
    responses=_PDF,
)
async def as_pdf(services: ServicesDep, person: PersonDep, request: Request) -> StreamingResponse:
    """Everything on my vault as a text to print, newest first; in the letters of Western Europe."""
    language = language_of(request)
    entries = await _first_read(export_all(services, person))
    zone = await zone_of_person(services, person)
    return _file(_pages(entries, language, zone), "application/pdf", "pdf")


async def _first_read(entries: Entries) -> Entries:
    """The same entries, the first one read: an unreadable log is a problem, not a cut file."""
    first = await anext(entries, None)

    async def all_entries() -> Entries:
        if first is not None:
            yield first
            async for entry in entries:
                yield entry

    return all_entries()


def _file(pieces: AsyncIterator[bytes], media_type: str, suffix: str) -> StreamingResponse:
    name = f'attachment; filename="unefois-journal.{suffix}"'
    return StreamingResponse(pieces, headers={"Content-Disposition": name}, media_type=media_type)


async def _table(entries: Entries, language: str, zone: ZoneInfo) -> AsyncIterator[bytes]:
    translate = translations(language).gettext
    # By the byte order mark, spreadsheets know that it is UTF-8.
    yield b"\xef\xbb\xbf" + _row([translate(column) for column in _COLUMNS], language)
    async for entry in entries:
        yield _row(_cells(entry, language, zone), language)


def _cells(entry: EntryView, language: str, zone: ZoneInfo) -> list[str]:
    actor = entry.actor
    return [
        # RFC 3339 with the offset of the person's zone.
        datetime.fromisoformat(entry.at).astimezone(zone).isoformat(),
        describe(entry, language),
        *(actor.get(name, "") for name in ("name", "job", "organisation", "contact")),
        entry.purpose or "",
        entry.action,
        entry.outcome,
        entry.reason,
        entry.confirmed or "",
        " ".join(entry.documents),
        str(entry.id),
    ]


def _cell(text: str) -> str:
    """A text of one line that no spreadsheet evaluates, whatever it takes for a separator: a quote
    before each sign that would start a formula."""
    return _FORMULA.sub("'", _BREAKS.sub(" ", text))


def _row(cells: list[str], language: str) -> bytes:
    line = io.StringIO()
    writer = csv.writer(line, delimiter=csv_separator(language), quoting=csv.QUOTE_ALL)
    writer.writerow([_cell(text) for text in cells])
    return line.getvalue().encode()


async def _pages(entries: Entries, language: str, zone: ZoneInfo) -> AsyncIterator[bytes]:
    translate = translations(language).gettext
    pdf = TextPdf(translate(_TITLE), language)
    yield pdf.start()
    pdf.add(translate(_TITLE), size=18, bold=True)
    today = _moment(clock.now(), language, zone)
    pdf.add(translate(_INTRODUCTION).replace("{date}", today), space=4)
    pdf.add(translate(_HOURS).replace("{place}", name_of(zone, language)))
    empty = True
    async for entry in entries:
        empty = False
        when = _moment(datetime.fromisoformat(entry.at), language, zone)
        pages = pdf.add(when, size=11, bold=True, space=12)
        pages += pdf.add(describe(entry, language))
        if entry.actor.get("contact"):
            pages += pdf.add(translate(_CONTACT).replace("{contact}", entry.actor["contact"]))
        pages += pdf.add(translate(_NUMBER).replace("{id}", str(entry.id)), size=7)
        if pages:
            yield pages
    if empty:
        pdf.add(translate(_EMPTY), space=12)
    yield pdf.end()


def _moment(instant: datetime, language: str, zone: ZoneInfo) -> str:
    return moment_text(instant, language, zone)
