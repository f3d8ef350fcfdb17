"""A consent request, to print: what the person reads before they answer, on paper."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from auth.subjects import Person
from base import clock
from vault import catalogue
from vault.consent import request_views
from vault.consent.request_views import CoveredType, ReceivedRequest
from vault.document_view import DocumentView
from vault.documents.own_documents import find_own
from vault.rules import GrantAction
from vault.services import Services
from web.i18n.catalogue_names import name_in
from web.i18n.consent_labels import STATES
from web.i18n.error_messages import _
from web.printouts.phrases import Phrases
from web.printouts.reader import phrases_for
from web.printouts.sheet import Section, Sheet
from web.printouts.turns import in_turn
from web.printouts.typesetter import print_sheet

MAX_ITEMS = 100
"""Papers of the types asked for that are named; the page on a screen has all of them."""
_TITLE = _("Une demande")
_ASKS = _("{name} vous demande quelque chose")
_WHICH = _("Quels papiers")
_SINGLE = _("Ces papiers précis")
_WHEN = _("Jusqu’à quand")
_ASKED = _("Demandé le")
_LAPSES = _("Répondre avant le")
_WOULD_END = _("Si vous dites oui aujourd’hui, fin le")
_COPY = _("Garder une copie")
_HELD = _("{paper} : vous l’avez ici, ajouté le {day}.")
_NAMED = _("{type}, {name}")
_MORE = _("… et encore {count} papiers.")
_MISSING = _("{type} : vous n’avez pas ce papier ici.")
_ONE_BY_ONE = _("Seulement papier par papier : vous choisissez vous-même.")
_ANSWER = _("Répondre")
_HOW = _(
    "Vous pouvez dire oui, dire oui à une partie seulement, ou dire non. Si vous dites non, la"
    " personne qui demande ne le saura pas."
)
_WHERE = _("Répondez sur {address}, « Demandes », ou au guichet.")
_WATCHED = _(
    "Chaque fois que quelqu’un regarde, c’est noté. Vous pouvez arrêter quand vous voulez."
)
_NOT_AN_ANSWER = _("Cette feuille n’est pas une réponse. Imprimée le {moment}.")
_NUMBER = _("Numéro de la demande : {id}")


async def print_request(
    services: Services, person: Person, request_id: UUID, language: str
) -> bytes:
    """The request as PDF, for the one it was put to. Raises `not_found`."""
    async with in_turn(person):
        request = await request_views.see_received(services, person, request_id)
        papers = await find_own(services, person, _named(request)) if _shows(request) else {}
        phrases = await phrases_for(services, person, language)
        address = services.settings.public_url
        return await print_sheet(
            request_sheet(request, papers, phrases, clock.now(), address), language
        )


def request_sheet(
    request: ReceivedRequest,
    papers: Mapping[UUID, DocumentView],
    phrases: Phrases,
    now: datetime,
    address: str,
) -> Sheet:
    """What it says. `papers`: those of the person that it is about, by id."""
    say, asked = phrases.say, request.asked
    waiting = request.state == "waiting"
    state = () if waiting else (say(STATES[request.state]),)
    sections = [
        phrases.who(request.requester, asked.contact),
        _why(request, phrases),
        phrases.actions(asked),
        *_which(request, papers, phrases),
        _when(request, phrases),
    ]
    if waiting:
        how = (say(_HOW), say(_WHERE, address=address), say(_WATCHED))
        sections.append(Section(say(_ANSWER), how))
    return Sheet(
        say(_TITLE),
        (say(_ASKS, name=request.requester["name"]), *state),
        tuple(sections),
        (say(_NOT_AN_ANSWER, moment=phrases.moment(now)), say(_NUMBER, id=str(request.id))),
    )


def _named(request: ReceivedRequest) -> set[UUID]:
    covered = {id_ for one in request.covers for id_ in one.document_ids}
    return covered | set(request.asked.scope.document_ids)


def _shows(request: ReceivedRequest) -> bool:
    """Whether it would show papers, or that they exist, and still waits for an answer."""
    only_adds = set(request.asked.scope.actions) == {GrantAction.DEPOSIT}
    return request.state == "waiting" and not only_adds


def _why(request: ReceivedRequest, phrases: Phrases) -> Section:
    section = phrases.why(request.asked)
    basis = catalogue.legal_basis_by_code(request.asked.legal_basis)
    if basis is None or basis.code == "consent":
        return section
    said = name_in(basis.sentences, phrases.language, plain=True)
    return Section(section.heading, (*section.paragraphs, said), section.words)


def _which(
    request: ReceivedRequest, papers: Mapping[UUID, DocumentView], phrases: Phrases
) -> list[Section]:
    found = []
    if request.covers:
        items = [item for one in request.covers for item in _covered(one, request, papers, phrases)]
        if len(items) > MAX_ITEMS:
            more = phrases.say(_MORE, count=str(len(items) - MAX_ITEMS))
            items = [*items[:MAX_ITEMS], more]
        found.append(Section(phrases.say(_WHICH), items=tuple(items)))
    single = [papers[id_] for id_ in request.asked.scope.document_ids if id_ in papers]
    if single:
        items = [_held(paper, phrases) for paper in single]
        found.append(Section(phrases.say(_SINGLE), items=tuple(items)))
    return found


def _covered(
    covered: CoveredType,
    request: ReceivedRequest,
    papers: Mapping[UUID, DocumentView],
    phrases: Phrases,
) -> list[str]:
    """A type that is asked for: each paper of that type that is here."""
    name = phrases.type_name(covered.type)
    if not _shows(request):
        return [name]
    held = [papers[id_] for id_ in covered.document_ids if id_ in papers]
    if not held:
        return [phrases.say(_MISSING, type=name)]
    by_hand = f" {phrases.say(_ONE_BY_ONE)}" if covered.sensitive else ""
    return [_held(paper, phrases) + by_hand for paper in held]


def _held(paper: DocumentView, phrases: Phrases) -> str:
    type_name = phrases.type_name(paper.metadata.type)
    named = phrases.say(_NAMED, type=type_name, name=phrases.paper_name(paper))
    shown = named if paper.metadata.title else type_name
    return phrases.say(_HELD, paper=shown, day=phrases.day(paper.created_at))


def _when(request: ReceivedRequest, phrases: Phrases) -> Section:
    say = phrases.say
    facts = [(say(_ASKED), phrases.moment(request.asked_at))]
    if request.state == "waiting":
        facts += [
            (say(_LAPSES), phrases.moment(request.lapses_at)),
            (say(_WOULD_END), phrases.until(request.ends_at)),
        ]
    facts.append((say(_COPY), phrases.storing(request.asked)))
    return Section(say(_WHEN), facts=tuple(facts))
