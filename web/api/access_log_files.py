"""A person's log as files: a table for a spreadsheet, pages to print."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from auth.time_zones import zone_of_person
from vault.access_log.entries import EntryView
from vault.access_log.export_all import export_all
from web.http.csv_rows import BYTE_ORDER_MARK, MEDIA_TYPE, csv_row
from web.http.dependencies import PersonDep, ServicesDep
from web.http.pdf_response import PDF, PdfResponse, pdf_response
from web.http.problems import language_of
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.translations import translations
from web.printouts.access_log import print_log

router = APIRouter(prefix="/v1", tags=["access log"])

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
        media_type=MEDIA_TYPE,
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
    yield BYTE_ORDER_MARK + csv_row([translate(column) for column in _COLUMNS], language)
    async for entry in entries:
        yield csv_row(_cells(entry, language, zone), language)


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
