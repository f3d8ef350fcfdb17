"""What is printed of a vault that is opened again: the slip for the second agent, and the receipt
of its person, which names who saw them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from auth.subjects import Person, Worker, snapshot
from base import clock
from vault.recovery import recovery_views
from vault.recovery.identities import DocumentKind
from vault.recovery.recovery_rules import SECOND_WITHIN
from vault.services import Services
from web.i18n.error_messages import _
from web.i18n.identity_papers import PAPER_KINDS
from web.i18n.languages import SOURCE, languages
from web.printouts.phrases import Phrases
from web.printouts.reader import phrases_for
from web.printouts.sheet import Section, Sheet
from web.printouts.turns import in_turn
from web.printouts.typesetter import in_thread, print_sheet, typeset

_TITLE = _("Bon pour rouvrir mes papiers")
_OPENS_NOTHING = _("Ce bon n’ouvre rien. Gardez-le avec vous.")
_THE_SLIP = _("Le bon")
_CODE = _("Code du bon")
_GIVEN_BY = _("Donné par")
_GIVEN_AT = _("Donné le")
_BEFORE = _("À montrer avant le")
_SECOND = _("Pour la deuxième personne du guichet")
_AT_DESK = _("Au guichet")
_MORE = _("Ce bon sert à montrer une preuve de plus, ou à annuler la demande.")
_HOW = _("« Au guichet », « La personne a tout perdu », puis « La personne a un bon ».")
_WHO = _(
    "Vous voyez vous-même la personne et sa pièce d’identité, et vous écrivez sur votre propre"
    " appareil. Votre compte a plus de 90 jours."
)
_ELSEWHERE = _(
    "La personne n’avait pas noté sa pièce d’identité ici, ou en a une autre ? Alors la deuxième"
    " personne travaille dans une autre structure que celle qui a donné ce bon."
)
_AFTER = _("Et ensuite")
_NOW = _("Avec la nouvelle carte, vous mettez des papiers ici dès maintenant.")
_WAIT = _("Après la deuxième personne, attendez 48 heures au moins.")
_READ = _(
    "Entrez avec la carte : « Moi », puis « Mes papiers d’avant ». Vous y lisez s’ils sont"
    " retrouvés. Personne d’autre ne le lit."
)
_PRINTED = _("Imprimé le {moment}.")
_RECEIPT = _("Reçu : papiers rouverts au guichet")
_SAYS = _("Ce qui est noté ici, le {moment}.")
_WHEN = _("Quand")
_BEGAN = _("Demande commencée le")
_COMPLETE = _("Demande complète le")
_EARLIEST = _("Ouverture au plus tôt le")
_OPENED = _("Papiers rouverts le")
_ENDED = _("Demande arrêtée le")
_SEEN_BY = _("Les personnes du guichet")
_SEEN = _("{who}, le {moment}. Pièce regardée : {document}.")
_NOT_KEPT = _("De la pièce, ni nom, ni date, ni numéro entier n’est gardé.")
_FILE = _("Cette page dit ce qui est noté ici. Le fichier du reçu est signé.")
_NUMBER = _("Numéro de la demande : {id}")


async def print_slip(worker: Worker, code: str, language: str, *, second: bool) -> bytes:
    """The slip as PDF, in the person's language, then in French unless it is that: kept nowhere.
    `second`: whether a second agent is needed.
    Raises `ServiceError` `unavailable`."""
    french = languages()[language].tag.split("-")[0] == SOURCE
    sheets = [
        (slip_sheet(worker, code, Phrases(one, worker.zone), clock.now(), second=second), one)
        for one in ((language,) if french else (language, SOURCE))
    ]
    from web.printouts import parts  # noqa: PLC0415  (memory)

    async with in_turn(worker):
        return await in_thread(
            lambda: parts.joined([typeset("sheet", sheet.data(one)) for sheet, one in sheets])
        )


def slip_sheet(
    worker: Worker, code: str, phrases: Phrases, now: datetime, *, second: bool
) -> Sheet:
    """What it says. Nothing of the person is on it."""
    say = phrases.say
    facts = (
        (say(_CODE), grouped(code)),
        (say(_GIVEN_BY), phrases.person(snapshot(worker))),
        (say(_GIVEN_AT), phrases.moment(now)),
        *([(say(_BEFORE), phrases.day(now + SECOND_WITHIN))] if second else []),
    )
    how = (say(_HOW), say(_WHO), say(_ELSEWHERE)) if second else (say(_MORE), say(_HOW))
    after = (say(_NOW), *([say(_WAIT)] if second else []), say(_READ))
    return Sheet(
        say(_TITLE),
        (say(_OPENS_NOTHING),),
        (
            Section(say(_THE_SLIP), facts=facts),
            Section(say(_SECOND if second else _AT_DESK), how),
            Section(say(_AFTER), items=after),
        ),
        (say(_PRINTED, moment=phrases.moment(now)),),
    )


def grouped(code: str) -> str:
    """The digits of a slip, to be read aloud and typed."""
    return "\u00a0".join((code[:3], code[3:6], code[6:]))


async def print_receipt(services: Services, person: Person, language: str) -> bytes:
    """The receipt as PDF, for the one who was seen. Raises `not_found`."""
    async with in_turn(person):
        record = await recovery_views.receipt(services, person)
        phrases = await phrases_for(services, person, language)
        return await print_sheet(receipt_sheet(record, phrases), language)


def receipt_sheet(record: Mapping[str, Any], phrases: Phrases) -> Sheet:
    """What it says: the same as the signed file."""
    say = phrases.say
    named = (
        ("began_at", _BEGAN),
        ("complete_at", _COMPLETE),
        ("earliest_at", _EARLIEST),
        ("opened_at", _OPENED),
        ("ended_at", _ENDED),
    )
    facts = tuple(
        (say(name), phrases.moment(datetime.fromisoformat(record[key])))
        for key, name in named
        if key in record
    )
    issued = phrases.moment(datetime.fromisoformat(record["issued_at"]))
    return Sheet(
        say(_RECEIPT),
        (say(_SAYS, moment=issued),),
        (
            Section(say(_SEEN_BY), items=tuple(_seen(one, phrases) for one in record["agents"])),
            Section(say(_WHEN), facts=facts),
        ),
        (say(_NOT_KEPT), say(_FILE), say(_NUMBER, id=record["id"])),
    )


def _seen(agent: Mapping[str, str], phrases: Phrases) -> str:
    return phrases.say(
        _SEEN,
        who=phrases.person(dict(agent)),
        moment=phrases.moment(datetime.fromisoformat(agent["at"])),
        document=phrases.say(PAPER_KINDS[cast(DocumentKind, agent["document"])]),
    )
