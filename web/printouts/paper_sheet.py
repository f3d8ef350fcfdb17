"""The sheet of one paper, to print: what it is, where the original is, who sees it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from auth.subjects import Person
from base import clock
from vault.consent import grants
from vault.consent.grants import GrantView
from vault.document_view import DocumentView
from vault.documents import own_documents
from vault.rules import GrantAction
from vault.services import Services
from web.i18n.catalogue_names import due_label
from web.i18n.error_messages import _
from web.printouts.phrases import Phrases
from web.printouts.reader import phrases_for
from web.printouts.sheet import Section, Sheet
from web.printouts.turns import in_turn
from web.printouts.typesetter import print_sheet

_FOOT = _("Fiche d’un papier")
_PRINTED = _("La fiche de ce papier, le {moment}.")
_WHAT = _("Ce que c’est")
_TYPE = _("Sorte de papier")
_ADDED = _("Ajouté le")
_BY = _("{day}, par {who}")
_VERSION = _("Version")
_VERSION_OF = _("{number}, du {day}")
_ISSUED = _("Date écrite sur le papier")
_EXPIRES = _("Bon jusqu’au")
_YEAR = _("Année des revenus")
_PAGES = _("Pages")
_ORIGINAL = _("Le vrai papier est ici")
_NOT_SAID = _("Ce n’est pas noté.")
_WHO_SEES = _("Qui peut le voir")
_NOBODY = _("Personne d’autre que vous.")
_SEES = _("{who} : peut le voir, jusqu’au {day}.")
_KNOWS = _("{who} : sait qu’il existe, et ses dates, sans le voir, jusqu’au {day}.")
_SENSITIVE = _("Papier délicat : il est montré seulement si vous le choisissez vous-même.")
_NOT_THE_PAPER = _("Cette fiche n’est pas le papier.")
_NUMBER = _("Numéro du papier : {id}")


async def print_paper(
    services: Services, person: Person, document_id: UUID, language: str
) -> bytes:
    """The sheet as PDF, for its owner; recorded like a look at the paper. Raises `not_found`."""
    async with in_turn(person):
        document = await own_documents.see_own(services, person, document_id)
        live = await grants.live_on(services, person, document_id)
        phrases = await phrases_for(services, person, language)
        return await print_sheet(paper_sheet(document, live, phrases, clock.now()), language)


def paper_sheet(
    document: DocumentView, live: Sequence[GrantView], phrases: Phrases, now: datetime
) -> Sheet:
    """What it says. `live`: the living grants that cover the paper."""
    say, metadata = phrases.say, document.metadata
    notes = (say(_SENSITIVE),) if metadata.sensitive else ()
    return Sheet(
        phrases.paper_name(document),
        (say(_PRINTED, moment=phrases.moment(now)),),
        (
            Section(say(_WHAT), notes, facts=tuple(_facts(document, phrases))),
            _original(document, phrases),
            _who_sees(live, phrases),
        ),
        (say(_NOT_THE_PAPER), say(_NUMBER, id=str(document.id))),
        say(_FOOT),
    )


def _facts(document: DocumentView, phrases: Phrases) -> list[tuple[str, str]]:
    """Each fact that is known, under its name."""
    say, metadata = phrases.say, document.metadata
    changed = phrases.day(document.version_created_at)
    due = say(due_label(metadata.type))
    known = [
        (say(_TYPE), phrases.type_name(metadata.type)),
        (say(_ADDED), _added(document, phrases)),
        (say(_ISSUED), metadata.issued_on and phrases.day(metadata.issued_on)),
        (say(_EXPIRES), metadata.expires_on and phrases.day(metadata.expires_on)),
        (due, metadata.due_on and phrases.day(metadata.due_on)),
        (say(_YEAR), metadata.income_year and str(metadata.income_year)),
        (say(_PAGES), str(document.file["pages"]) if document.file["pages"] > 1 else None),
    ]
    if document.version > 1:
        version = say(_VERSION_OF, number=str(document.version), day=changed)
        known.append((say(_VERSION), version))
    return [(name, value) for name, value in known if value]


def _added(document: DocumentView, phrases: Phrases) -> str:
    day, by = phrases.day(document.created_at), document.deposited_by
    return phrases.say(_BY, day=day, who=phrases.person(by)) if by.get("name") else day


def _original(document: DocumentView, phrases: Phrases) -> Section:
    place = document.metadata.paper_location
    heading = phrases.say(_ORIGINAL)
    if place:
        return Section(heading, words=(place,))
    return Section(heading, (phrases.say(_NOT_SAID),))


def _who_sees(live: Sequence[GrantView], phrases: Phrases) -> Section:
    items = tuple(
        phrases.say(
            _SEES if GrantAction.READ in grant.terms.scope.actions else _KNOWS,
            who=phrases.person(grant.recipient),
            day=phrases.until(grant.ends_at),
        )
        for grant in live
    )
    nobody = () if items else (phrases.say(_NOBODY),)
    return Section(phrases.say(_WHO_SEES), nobody, items=items)
