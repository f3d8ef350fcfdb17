"""The receipts of another installation, on a paper of those that come in from it: what each says,
whether its signature holds, and the signed files themselves, attached.

The same receipts give the same bytes (printed pages bear no date of their own), so that an import
done twice adds no second paper.
"""

import io
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from base.errors import ServiceError
from base.time_zones import PARIS
from base.user_text import clean_title
from vault.exports.foreign_receipts import ForeignReceipt, ForeignReceipts, PrintedPaper
from web.i18n.error_messages import _
from web.i18n.languages import offered
from web.printouts.phrases import Phrases
from web.printouts.sheet import Section, Sheet
from web.printouts.typesetter import in_thread, print_sheet

_TITLE = _("Ce que j’avais donné ailleurs")
_NUMBERED = _("Ce que j’avais donné ailleurs ({number}/{of})")
_WHERE = _("Ces accords ont été donnés sur {origin}. Ici, ils n’ouvrent rien.")
_AS_OF = _("Copie du {moment}.")
_LINES = _("Lignes du journal de là-bas que sa clé prouve : {count}")
_RECEIPT = _("Reçu {number}")
_WHO = _("À qui")
_WHY = _("Pourquoi")
_GIVEN = _("Donné le")
_ENDS = _("Fin de l’accord")
_STATE = _("Au moment de la copie")
_STATES = {
    "dpv:ConsentGiven": _("en cours"),
    "dpv:ConsentExpired": _("fini"),
    "dpv:ConsentWithdrawn": _("arrêté par vous"),
    "dpv:ConsentRevoked": _("arrêté"),
}
_SIGNATURE = _("Signature")
_HOLDS = _("Elle tient, avec la clé qui est dans la copie.")
_BROKEN = _("Elle ne tient pas : ce reçu a été changé, ou vient d’ailleurs.")
_ATTACHED = _(
    "Les reçus signés et la clé sont joints à ce fichier. Pour vérifier qui les a signés :"
    " comparez la clé avec celle que donne {origin}."
)
_FILE = _("Fichier : {name}")
_TYPES = {".json": "application/json"}
_MOST = 300
"""Characters of what a receipt says."""


async def receipts_paper(told: ForeignReceipts, language: str) -> PrintedPaper:
    """The paper, in a language that is offered here, or in French. Raises as `print_sheet`."""
    spoken = language if language in offered() else "fr"
    phrases = Phrases(spoken, PARIS)
    sheet = _sheet(told, phrases)
    pdf = await print_sheet(sheet, spoken)
    return PrintedPaper(sheet.title, await in_thread(_with_files, pdf, told))


def _sheet(told: ForeignReceipts, phrases: Phrases) -> Sheet:
    say, manifest = phrases.say, told.manifest
    title = say(_TITLE)
    if told.of > 1:
        title = say(_NUMBERED, number=str(told.number), of=str(told.of))
    origin = _line(manifest.origin) or "?"
    as_of = say(_AS_OF, moment=phrases.moment(manifest.made_at))
    sections = [
        Section(
            say(_RECEIPT, number=str(number)),
            (say(_FILE, name=one.name),),
            facts=tuple(_facts(one, phrases)),
        )
        for number, one in enumerate(told.receipts, 1)
    ]
    where = [say(_WHERE, origin=origin), as_of]
    if told.lines:
        where.append(say(_LINES, count=str(told.lines)))
    return Sheet(title, tuple(where), tuple(sections), (say(_ATTACHED, origin=origin),))


def _facts(receipt: ForeignReceipt, phrases: Phrases) -> Iterator[tuple[str, str]]:
    """What it says, as far as we know how to read it; nothing of one whose signature is broken."""
    say, record = phrases.say, receipt.record
    if record is None:
        yield say(_SIGNATURE), say(_BROKEN)
        return
    who, duration = _object(record, "dpv:hasRecipient"), _object(record, "dpv:hasDuration")
    named = [_line(who.get(name)) for name in ("name", "job", "organisation")]
    yield from _if_said(say(_WHO), ", ".join(filter(None, named)))
    why = _line(_object(record, "dpv:hasPurpose").get("dct:description"))
    yield from _if_said(say(_WHY), phrases.quote(why) if why else "")
    for label, name in ((_GIVEN, "given_at"), (_ENDS, "ends_at")):
        at = _moment(duration.get(name))
        yield from _if_said(say(label), phrases.moment(at) if at else "")
    state = _STATES.get(str(record.get("dpv:hasStatus")))
    yield from _if_said(say(_STATE), say(state) if state else "")
    yield say(_SIGNATURE), say(_HOLDS)


def _if_said(label: str, value: str) -> Iterator[tuple[str, str]]:
    if value:
        yield label, value


def _object(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _line(value: Any) -> str:
    """A stranger's words on one line; nothing of what is none."""
    if not isinstance(value, str):
        return ""
    try:
        return clean_title(value[:_MOST], _MOST) or ""
    except ServiceError:
        return ""


def _moment(value: Any) -> datetime | None:
    """A moment that a calendar has, in every zone."""
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo and 1900 < at.year < 9000 else None
    except (TypeError, ValueError, OverflowError):
        return None


def _with_files(pdf: bytes, told: ForeignReceipts) -> bytes:
    """The paper with the signed files inside (ISO 32000-1, 7.11.4), the same bytes each time."""
    out = io.BytesIO()
    files = {**{one.name: one.raw for one in told.receipts}, **told.beside}
    import pikepdf  # noqa: PLC0415  (memory)

    with pikepdf.open(io.BytesIO(pdf)) as document:
        for name, raw in files.items():
            document.attachments[name] = pikepdf.AttachedFileSpec(
                document, raw, filename=name, mime_type=_TYPES.get(name[-5:], "text/plain")
            )
        document.save(out, deterministic_id=True)
    return out.getvalue()
