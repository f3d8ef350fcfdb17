"""The page of an export: all that a vault has, to read without a network, in the language of its
person. It asks for nothing that is not in the folder beside it, and runs no script."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vault.access_log.entries import EntryView
from vault.consent.grants import GrantView
from vault.decoding.media import MediaType
from vault.exports.consent_files import receipt_path
from vault.exports.export_page import ExportSummary
from vault.exports.log_files import CHECKPOINT, VKEY
from vault.exports.manifest import PATH
from vault.exports.verification import KEYS
from web.i18n.catalogue_names import due_label
from web.i18n.consent_labels import STATES
from web.i18n.direction import isolated
from web.i18n.error_messages import _
from web.i18n.event_messages import describe
from web.i18n.languages import languages
from web.i18n.quotation import quoted
from web.i18n.time_zone_names import name_of
from web.i18n.translations import translations
from web.i18n.typography import no_break
from web.printouts.phrases import Phrases

FOLDER = Path(__file__).parent / "templates"
_ENDED_BY = {
    "owner": _("Vous l’avez arrêté le {date}."),
    "recipient": _("Cette personne ou ce service l’a rendu le {date}."),
    "service": _("Nous l’avons arrêté le {date} : il ne montrait plus aucun papier."),
}


async def export_page(summary: ExportSummary) -> AsyncIterator[str]:
    """The page, in slices: the log of years is not held in memory."""
    told = _Told(summary)
    template = _environment(summary.language).get_template("export.html")
    async for part in template.generate_async(summary=summary, told=told):
        yield part


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        enable_async=True,
        extensions=["jinja2.ext.i18n"],
    )
    spoken = languages()[language]
    found = translations(language)
    # French punctuation takes a non-breaking space; the texts are written with plain ones.
    translate = (
        (lambda text: no_break(found.gettext(text))) if spoken.tag == "fr" else found.gettext
    )
    environment.install_gettext_callables(translate, found.ngettext, newstyle=True)  # type: ignore[attr-defined]  # the extension's
    environment.globals["spoken"] = spoken
    environment.filters["href"] = quote
    return environment


class _Told:
    """What the template says of a summary, in the words of its language."""

    def __init__(self, summary: ExportSummary) -> None:
        self._summary = summary
        self._language = summary.language
        self._phrases = Phrases(summary.language, summary.zone)
        self._papers = {paper["id"]: paper for paper in summary.papers}
        self.moment = self._phrases.moment
        self.until = self._phrases.until
        self.place = name_of(summary.zone, summary.language)

    @property
    def proofs(self) -> list[str]:
        """The files by which all of it is checked; the manifest comes after this page."""
        return [*(path for path in (CHECKPOINT, VKEY) if path in self._summary.there), KEYS, PATH]

    @property
    def papers(self) -> list[Mapping[str, Any]]:
        """Those that are there, but for the trash."""
        return [paper for paper in self._summary.papers if paper.get("in_trash") is False]

    @property
    def trash(self) -> list[Mapping[str, Any]]:
        """Those in the trash."""
        return [paper for paper in self._summary.papers if paper.get("in_trash")]

    @property
    def missing(self) -> int:
        """How many papers went for good meanwhile, or cannot be read at all."""
        return sum("in_trash" not in paper for paper in self._summary.papers)

    def name(self, paper: Mapping[str, Any]) -> str:
        """The name that its owner gave to a paper, or its type; one that others gave is quoted."""
        title = paper.get("title")
        if not title:
            return self._phrases.type_name(paper["type"])
        if paper["deposited_by"].get("name"):
            return isolated(no_break(quoted(title, self._language)), self._language)
        return isolated(title, self._language)

    def kind(self, paper: Mapping[str, Any]) -> str:
        """The sort of a paper."""
        return self._phrases.type_name(paper["type"])

    def added(self, paper: Mapping[str, Any]) -> str:
        """When it was put in; and by whom, where that was somebody else."""
        day, by = self.day(paper["created_at"]), paper["deposited_by"]
        if not by.get("name"):
            return day
        return self._phrases.say(_("{day}, par {who}"), day=day, who=self.person(by))

    def dates(self, paper: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Each date that is known, under its name."""
        say = self._phrases.say
        named = [
            (say(_("Date écrite sur le papier")), "issued_on"),
            (say(_("Bon jusqu’au")), "expires_on"),
            (say(due_label(paper["type"])), "due_on"),
        ]
        return [
            (name, self._phrases.day(date.fromisoformat(paper[of])))
            for name, of in named
            if paper.get(of)
        ]

    def day(self, text: str) -> str:
        """The day of a moment that is written down."""
        return self._phrases.day(datetime.fromisoformat(text))

    def versions(self, paper: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The versions before the one of now, the newest first."""
        return [one for one in reversed(paper["versions"]) if not one["current"]]

    def files(self, version: Mapping[str, Any], kind: str) -> list[tuple[str, str]]:
        """The files of a version that are there: what each is called, and its path."""
        found = [
            one
            for one in version["files"]
            if one["kind"] == kind and one["path"] in self._summary.there
        ]
        names = [
            "PDF" if one["media_type"] == MediaType.PDF else self._phrases.say(_("photo"))
            for one in found
        ]
        if len(found) > 1:
            names = [f"{name} {number}" for number, name in enumerate(names, 1)]
        return [(name, one["path"]) for name, one in zip(names, found, strict=True)]

    def current(self, paper: Mapping[str, Any]) -> Mapping[str, Any]:
        """The version of now."""
        return next(one for one in paper["versions"] if one["current"])

    def person(self, party: dict[str, str]) -> str:
        """Somebody with their work."""
        return isolated(self._phrases.person(party), self._language)

    def reason(self, consent: Any) -> str:
        """Why, in one line."""
        return self._phrases.reason(consent)

    def what(self, terms: Any) -> list[str]:
        """Which papers, by their sorts and one by one."""
        named = [self._phrases.type_name(code) for code in terms.scope.document_types]
        ids = [self._papers.get(str(one), {}) for one in terms.scope.document_ids]
        named += [self.name(paper) for paper in ids if "type" in paper]
        unnamed = sum("type" not in paper for paper in ids)
        if unnamed:
            named.append(
                self._phrases.say(_("Papiers choisis un par un : {count}"), count=str(unnamed))
            )
        return named

    def may(self, terms: Any) -> list[str]:
        """What is permitted."""
        return list(self._phrases.actions(terms).items)

    def state(self, one: Any) -> str:
        """How a request or a grant stands."""
        return self._phrases.say(STATES[one.state])

    def ended(self, grant: GrantView) -> str:
        """Who ended it before its end, and when; or nothing."""
        if grant.revoked_at is None:
            return ""
        text = _ENDED_BY[grant.ended_by or "owner"]
        return self._phrases.say(text, date=self._phrases.moment(grant.revoked_at))

    def receipt(self, grant: GrantView) -> str:
        """Where its receipt is; empty where it could not be made."""
        path = receipt_path(grant.id)
        return path if path in self._summary.there else ""

    def sentence(self, entry: EntryView) -> str:
        """An entry of the log."""
        return no_break(describe(entry, self._language))

    def instant(self, entry: EntryView) -> str:
        """When it was."""
        return self._phrases.moment(datetime.fromisoformat(entry.at))

    def about(self, entry: EntryView) -> list[str]:
        """The papers that it is about, by name."""
        found = [self._papers.get(one, {}) for one in entry.documents]
        return [self.name(paper) for paper in found if "type" in paper]
