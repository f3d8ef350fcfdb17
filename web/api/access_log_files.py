"""A person's log as files: a table for a spreadsheet, pages to print."""

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
from vault.access_log.entries import EntryView
from vault.access_log.export_all import export_all
from web.http.dependencies import PersonDep, ServicesDep
from web.http.pdf_response import PDF, PdfResponse, pdf_response
from web.http.problems import language_of
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.formats import csv_separator
from web.i18n.translations import translations
from web.printouts.access_log import print_log

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

Entries = AsyncIterator[EntryView]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
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
    return StreamingResponse(
        _table(entries, language, zone),
        headers={"Content-Disposition": 'attachment; filename="unefois-journal.csv"'},
        media_type="text/csv; charset=utf-8; header=present",
    )


@router.get(
    "/access-log.pdf",
    operation_id="exportAccessLogAsPdf",
    response_class=PdfResponse,
    responses=PDF,
)
async def as_pdf(services: ServicesDep, person: PersonDep, request: Request) -> PdfResponse:
    """What happened on my vault, to print, newest first: the 2,000 newest lines."""
    return pdf_response(await print_log(services, person, language_of(request)), "journal")


async def _first_read(entries: Entries) -> Entries:
    """The same entries, the first one read: an unreadable log is a problem, not a cut file."""
    first = await anext(entries, None)

    async def all_entries() -> Entries:
        if first is not None:
            yield first
            async for entry in entries:
                yield entry

    return all_entries()


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
