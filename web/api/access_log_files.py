"""My log, to take away: a table for a spreadsheet, a text to print."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from base import clock
from vault.access_log.entries import EntryView
from vault.access_log.export_all import export_all
from web.http.dependencies import PersonDep, ServicesDep
from web.http.problems import language_of
from web.http.text_pdf import TextPdf
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.translations import translations

router = APIRouter(prefix="/v1", tags=["access log"])

_ZONE = ZoneInfo("Europe/Paris")
_MOMENT = {"fr": "d MMMM y 'à' HH 'h' mm", "en": "d MMMM y 'at' HH:mm"}
# A spreadsheet in French takes the comma for the decimal sign, and expects the other one.
_SEPARATOR = {"fr": ";", "en": ","}
_RECKONED = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADS = (
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
_DRAWN_UP = _("Tout ce qui s’est passé sur mon coffre, au {date}. Le plus récent d’abord.")
_NOTHING = _("Rien pour l’instant.")
_REACH = _("Pour joindre : {contact}")
_NUMBER = _("Ligne {id}")

Lines = AsyncIterator[EntryView]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}}
}
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/access-log.csv", response_class=StreamingResponse, responses=_CSV)
async def as_csv(services: ServicesDep, person: PersonDep, request: Request) -> StreamingResponse:
    """Everything on my vault as a table, newest first (UTF-8, RFC 4180)."""
    language = language_of(request)
    lines = await _begun(export_all(services, person))
    return _file(_table(lines, language), "text/csv; charset=utf-8; header=present", "csv")


@router.get("/access-log.pdf", response_class=StreamingResponse, responses=_PDF)
async def as_pdf(services: ServicesDep, person: PersonDep, request: Request) -> StreamingResponse:
    """Everything on my vault as a text to print, newest first; in the letters of Western Europe."""
    language = language_of(request)
    lines = await _begun(export_all(services, person))
    return _file(_pages(lines, language), "application/pdf", "pdf")


async def _begun(lines: Lines) -> Lines:
    """The same lines, the first one read: a log that cannot be read is a problem, not a stump."""
    first = await anext(lines, None)

    async def all_of_them() -> Lines:
        if first is not None:
            yield first
            async for entry in lines:
                yield entry

    return all_of_them()


def _file(pieces: AsyncIterator[bytes], media_type: str, suffix: str) -> StreamingResponse:
    name = f'attachment; filename="unefois-journal.{suffix}"'
    return StreamingResponse(pieces, headers={"Content-Disposition": name}, media_type=media_type)


async def _table(lines: Lines, language: str) -> AsyncIterator[bytes]:
    say = translations(language).gettext
    # The mark tells spreadsheets that it is UTF-8.
    yield b"\xef\xbb\xbf" + _row([say(head) for head in _HEADS], language)
    async for entry in lines:
        yield _row([_cell(one) for one in _cells(entry, language)], language)


def _cells(entry: EntryView, language: str) -> list[str]:
    actor = entry.actor
    return [
        entry.at,
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
    """A text that no spreadsheet reckons with: what would begin a formula begins with a quote."""
    return f"'{text}" if text.startswith(_RECKONED) else text


def _row(cells: list[str], language: str) -> bytes:
    line = io.StringIO()
    csv.writer(line, delimiter=_SEPARATOR[language]).writerow(cells)
    return line.getvalue().encode()


async def _pages(lines: Lines, language: str) -> AsyncIterator[bytes]:
    say = translations(language).gettext
    paper = TextPdf(say(_TITLE), language)
    yield paper.start()
    paper.add(say(_TITLE), size=18, bold=True)
    today = _moment(clock.now(), language)
    paper.add(say(_DRAWN_UP).replace("{date}", today), space=4)
    empty = True
    async for entry in lines:
        empty = False
        when = _moment(datetime.fromisoformat(entry.at), language)
        done = paper.add(when, size=11, bold=True, space=12)
        done += paper.add(describe(entry, language))
        if entry.actor.get("contact"):
            done += paper.add(say(_REACH).replace("{contact}", entry.actor["contact"]))
        done += paper.add(say(_NUMBER).replace("{id}", str(entry.id)), size=7)
        if done:
            yield done
    if empty:
        paper.add(say(_NOTHING), space=12)
    yield paper.end()


def _moment(instant: datetime, language: str) -> str:
    return format_datetime(
        instant.astimezone(UTC), _MOMENT[language], tzinfo=_ZONE, locale=language
    )
