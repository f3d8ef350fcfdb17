"""A mandate, to be signed on paper: in the person's language and in French, side by side.

Each page has a QR code that names the mandate, the page, and how many there are: a scan of it is
known again. What the form says is a template with a version; its digest is printed, and kept with
the consent.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from auth.subjects import Worker, snapshot
from base.errors import ErrorKind, ServiceError
from base.time_zones import PARIS
from vault.consent import mandates
from vault.consent.mandate_codes import codes_of
from vault.consent.mandates import MandateForm, SentMandate
from vault.consent.request_views import SentRequest
from vault.services import Services
from web.i18n.consent_labels import ACTIONS
from web.i18n.error_messages import _
from web.i18n.languages import SOURCE, languages
from web.printouts.fonts import character_sets
from web.printouts.letters import Letters
from web.printouts.phrases import Phrases
from web.printouts.sheet import QrCode, frame_of, replaced_note
from web.printouts.turns import in_turn
from web.printouts.typesetter import FOLDER, in_thread, typeset

TEMPLATE = "printouts/mandate/2"
"""The form and its version: another number where what is signed says something else."""

_TITLE = _("Mandat : j’autorise quelqu’un à agir pour moi")
_NAME = _("Mon nom et mon prénom")
_GIVE = _("J’autorise {name}. Seulement ce que je coche, case par case.")
_ONE = _("Autorisation {number}")
_YES = _("Oui")
_NO = _("Non")
_WHAT = _("Pour faire quoi")
_TYPES = _("Quels papiers")
_WHY = _("Pourquoi")
_LONG = _("Pendant combien de temps")
_COPY = _("Garder une copie")
_RIGHTS = _("À savoir avant de signer")
_STOP = _(
    "Je peux arrêter chaque autorisation, l’une sans l’autre, quand je veux et sans dire pourquoi :"
    " moi-même, avec ma carte et mon code secret ou avec mon téléphone. Si je n’ai plus rien pour"
    " entrer, je demande à cette personne de rendre son accès."
)
_CALL = _("Pour lui parler : {phone}")
_UNSEEN = _(
    "Au bout de 3 mois, tout s’arrête, sauf si je dis moi-même, dans mes papiers, que je continue."
    " Aucune autorisation ne dure plus de 12 mois."
)
_NEVER = _("Jamais les papiers délicats : ils se donnent un par un, par moi-même.")
_MYSELF = _(
    "Ce papier signé n’ouvre rien tout seul : je dis oui aussi moi-même, avec ma carte et mon code"
    " secret, ou avec mon téléphone. Je ne donne mon code à personne."
)
_WRITTEN = _("Chaque fois que quelqu’un regarde, c’est noté, et je peux le lire.")
_ASK = _("Je ne comprends pas : je ne signe pas, et je demande.")
_READ_BY = _("Lu à voix haute ou traduit par (jamais la personne que j’autorise)")
_PLACE = _("Fait à, le")
_SIGN = _("Ma signature")
_SCAN = _("Dessin qui dit de quel mandat est cette page.")
_FORM = _("Modèle {template}, empreinte SHA-256 {hash}")
_NUMBER = _("Mandat {id}")
_BEFORE = _("À confirmer avant le {day}. Après, ce papier ne sert plus.")
_SENTENCES = (
    _TITLE, _NAME, _GIVE, _ONE, _YES, _NO, _WHAT, _TYPES, _WHY, _LONG, _COPY, _RIGHTS, _STOP, _CALL,
    _UNSEEN, _NEVER, _MYSELF, _WRITTEN, _ASK, _READ_BY, _PLACE, _SIGN, _BEFORE, *ACTIONS.values(),
)  # fmt: skip


def form_in(language: str) -> MandateForm:
    """The form of today in a language, and its digest."""
    return MandateForm(language, TEMPLATE, form_hash(language))


@cache
def form_hash(language: str) -> bytes:
    """The digest of all that the form says in a language and in French, whatever is filled in, and
    of how it is laid out."""
    said = [[Phrases(code, PARIS).say(text) for text in _SENTENCES] for code in (language, SOURCE)]
    layout = [sha256((FOLDER / name).read_bytes()).hexdigest() for name in ("mandate.typ",)]
    return sha256(json.dumps([TEMPLATE, layout, said], ensure_ascii=False).encode()).digest()


async def print_mandate(services: Services, worker: Worker, mandate_id: UUID) -> bytes:
    """The mandate as PDF, for the worker who prepared it. Raises `ServiceError` `not_found`,
    `mandate_form_changed` when the form is no longer the one that was prepared."""
    async with in_turn(worker):
        mandate = await mandates.see_prepared(services, worker, mandate_id)
        if mandate.paper.template_hash != form_hash(mandate.paper.language):
            raise ServiceError(ErrorKind.CONFLICT, "mandate_form_changed")
        # Twice: how many pages there are is in the code of each.
        alone = await codes_of(services, mandate_id, 1)
        once, pages = await in_thread(mandate_pdf, mandate, worker, alone)
        if pages == 1:
            return once
        codes = await codes_of(services, mandate_id, pages)
        return (await in_thread(mandate_pdf, mandate, worker, codes))[0]


def mandate_pdf(mandate: SentMandate, worker: Worker, codes: Sequence[str]) -> tuple[bytes, int]:
    """The pages with these codes, and how many there are. Blocks: to be called `in_thread`."""
    # As for the log: a process that prints no mandate does without pikepdf.
    from web.printouts import parts  # noqa: PLC0415

    made = typeset("mandate", data_of(mandate, worker, codes))
    return made, parts.page_count(made)


def data_of(mandate: SentMandate, worker: Worker, codes: Sequence[str]) -> dict[str, Any]:
    """The values of the template, in letters that can be printed. `codes`: of each page."""
    letters, paper = Letters(character_sets()), mandate.paper
    words, name = _Words(paper.language, letters), snapshot(worker)
    values: dict[str, Any] = {
        "codes": [_drawing(code, words) for code in codes],
        "heading": words.same(_TITLE),
        "name": words.same(_NAME),
        "give": words.each(lambda one: one.say(_GIVE, name=one.person(name))),
        "authorisations": [
            _authorisation(number, asked, words)
            for number, asked in enumerate(mandate.authorisations, 1)
        ],
        "rights": words.same(_RIGHTS),
        "known": _rights(mandate, words),
        "before": _before(mandate, words),
        "readby": words.same(_READ_BY),
        "place": words.same(_PLACE),
        "sign": words.same(_SIGN),
    }
    form, french = paper.template, words.french
    closing = [
        french.say(_NUMBER, id=str(paper.id)),
        french.say(_FORM, template=form, hash=paper.template_hash.hex()),
        *([replaced_note(SOURCE)] if letters.replaced else []),
    ]
    frame = frame_of(words.own.say(_TITLE), paper.language, letters)
    return {**frame, **values, "closing": [letters.printable(text) for text in closing]}


def _rights(mandate: SentMandate, words: "_Words") -> list[list[dict[str, Any]]]:
    """What is to be known before it is signed, and whom to call."""
    known = [words.same(text) for text in (_STOP, _UNSEEN, _NEVER, _MYSELF, _WRITTEN, _ASK)]
    phones = (one.asked.contact.get("phone") for one in mandate.authorisations)
    phone = next(filter(None, phones), "")
    if phone:
        known.insert(1, words.each(lambda one: one.say(_CALL, phone=one.phone(phone))))
    return known


def _before(mandate: SentMandate, words: "_Words") -> list[dict[str, Any]]:
    """Until when it may be said yes to; nothing once no request is left."""
    if not mandate.authorisations:
        return []
    lapses = min(one.lapses_at for one in mandate.authorisations)
    return words.each(lambda one: one.say(_BEFORE, day=one.day(lapses)))


def _authorisation(number: int, asked: SentRequest, words: "_Words") -> dict[str, Any]:
    terms = asked.asked

    def facts(one: Phrases) -> list[tuple[str, str]]:
        does = ", ".join(one.say(ACTIONS[action.value]) for action in terms.scope.actions)
        types = ", ".join(one.type_name(code) for code in terms.scope.document_types)
        return [
            (one.say(_WHAT), does),
            (one.say(_TYPES), types),
            (one.say(_WHY), one.reason(terms)),
            (one.say(_LONG), one.length(terms.duration)),
            (one.say(_COPY), one.storing(terms)),
        ]

    return {
        "heading": words.each(lambda one: one.say(_ONE, number=str(number))),
        "yes": words.same(_YES),
        "no": words.same(_NO),
        "facts": words.facts(facts),
    }


def _drawing(said: str, words: "_Words") -> str:
    code = QrCode(said, words.own.say(_SCAN), error="h")
    return code.data(words.letters)["svg"]


class _Words:
    """Texts in the person's language, then in French unless both say the same."""

    def __init__(self, language: str, letters: Letters) -> None:
        self.letters = letters
        self.own = Phrases(language, PARIS)
        self.french = self.own if language == SOURCE else Phrases(SOURCE, PARIS)
        both = (self.own,) if language == SOURCE else (self.own, self.french)
        self._each = [(one, languages()[one.language]) for one in both]

    def same(self, text: str) -> list[dict[str, Any]]:
        """A text of ours in each."""
        return self.each(lambda one: one.say(text))

    def each(self, text_of: Callable[[Phrases], str]) -> list[dict[str, Any]]:
        """A text in each, with its language and direction."""
        return self._row([text_of(one) for one, _spoken in self._each])

    def facts(
        self, facts_of: Callable[[Phrases], list[tuple[str, str]]]
    ) -> list[list[list[dict[str, Any]]]]:
        """Facts in each: a name and a value, line by line, so that both stand side by side."""
        lines = zip(*(facts_of(one) for one, _spoken in self._each), strict=True)
        return [[self._row([fact[part] for fact in line]) for part in (0, 1)] for line in lines]

    def _row(self, texts: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "text": self.letters.printable(text),
                "lang": spoken.tag,
                "rtl": spoken.direction == "rtl",
            }
            for text, (_one, spoken) in zip(texts, self._each, strict=True)
        ]
