"""What is printed of a vault that is opened again: the slip for the second agent."""

from datetime import datetime

from auth.subjects import Worker, snapshot
from base import clock
from vault.recovery.recovery_rules import SECOND_WITHIN
from web.i18n.error_messages import _
from web.i18n.languages import SOURCE, languages
from web.printouts.parts import joined
from web.printouts.phrases import Phrases
from web.printouts.sheet import Section, Sheet
from web.printouts.turns import in_turn
from web.printouts.typesetter import in_thread, typeset

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


async def print_slip(worker: Worker, code: str, language: str, *, second: bool) -> bytes:
    """The slip as PDF, in the person's language, then in French unless it is that: kept nowhere.
    `second`: whether a second agent is needed.
    Raises `ServiceError` `unavailable`."""
    french = languages()[language].tag.split("-")[0] == SOURCE
    sheets = [
        (slip_sheet(worker, code, Phrases(one, worker.zone), clock.now(), second=second), one)
        for one in ((language,) if french else (language, SOURCE))
    ]
    async with in_turn(worker):
        return await in_thread(
            lambda: joined([typeset("sheet", sheet.data(one)) for sheet, one in sheets])
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
