"""The receipt of a grant, to print: what one side gave the other, why, and until when."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from auth.levels import Level
from auth.subjects import Person
from base import clock
from vault.consent import grants
from vault.consent.consent_acts import EvidenceKind
from vault.consent.consent_evidence import EvidenceView
from vault.consent.grants import GrantView
from vault.consent.receipt_codes import code_of
from vault.consent.receipts import verification_address
from vault.document_view import DocumentView
from vault.documents.own_documents import find_own
from vault.services import Services
from web.http.dependencies import Caller
from web.i18n.consent_labels import STATES
from web.i18n.error_messages import _
from web.i18n.languages import languages
from web.printouts.phrases import Phrases
from web.printouts.reader import phrases_for
from web.printouts.sheet import QrCode, Section, Sheet
from web.printouts.turns import in_turn
from web.printouts.typesetter import print_sheet

_TITLE = _("Reçu d’un accord")
_STATE = _("Le {moment}, cet accord est : {state}.")
_WHAT = _("Quoi")
_PICKED = _("Papiers choisis un par un : {count}")
_LATER = _("Aussi les papiers de ces sortes ajoutés plus tard.")
_WHEN = _("Jusqu’à quand")
_GIVEN = _("Donné le")
_ENDS = _("Fin de l’accord")
_STOPPED = _("Arrêté le")
_ENDED_BY = {
    "recipient": _("Accès rendu par cette personne ou ce service le"),
    "service": _("Arrêté par nous, car il ne montrait plus aucun papier, le"),
}
_COPY = _("Garder une copie")
_READ = _("Demande lue en")
_HOW = _("Comment il a été donné")
_APP = {
    Level.PHONE_CODE: _("Sur l’écran, avec un code reçu par téléphone"),
    Level.CARD_PIN: _("Sur l’écran, avec une carte et un code secret"),
}
_BESIDE = {
    EvidenceKind.CODE_READ_OUT: _("Code reçu par téléphone, lu à la professionnelle"),
    EvidenceKind.CARD_PIN_ON_WORKERS_SCREEN: _(
        "Carte et code secret, sur l’écran de la professionnelle"
    ),
    EvidenceKind.PHONE_CONFIRMED_ON_WORKERS_SCREEN: _(
        "Oui sur le téléphone de la personne, puis sur l’écran de la professionnelle"
    ),
}
_SIGNED = {
    Level.PHONE_CODE: _(
        "Papier signé (mandat {id}), puis la personne a dit oui, avec un code reçu par téléphone"
    ),
    Level.CARD_PIN: _(
        "Papier signé (mandat {id}), puis la personne a dit oui, avec une carte et un code secret"
    ),
    Level.PHONE_CONFIRMED: _(
        "Papier signé (mandat {id}), puis la personne a dit oui, après un oui sur son téléphone"
    ),
}
_FORM = _("Modèle {template}, empreinte SHA-256 {hash}")
_HEARD = {
    "witness": _("À voix haute, devant un témoin : {name}"),
    "interpreter": _("À voix haute, avec un interprète : {name}"),
}
_WENT_ON = _("Le {moment}, la personne a dit : cela continue.")
_PREPARED = _("Mandat préparé par {name}, {organisation}")
_WITH = _("À côté de la personne : {name}, {organisation}")
_ASSISTED = {
    "curatorship": _("Personne en curatelle. Qui l’assiste : {name}"),
    "reinforced_curatorship": _("Personne en curatelle renforcée. Qui l’assiste : {name}"),
}
_REPRESENTED = _("Donné au nom de la personne, par sa représentation légale : {name}")
_STOP = _("Arrêter")
_HOW_TO_STOP = _(
    "Vous pouvez arrêter quand vous voulez : sur {address}, « Qui peut voir mes papiers »."
    " Au guichet aussi, avec votre carte et votre code secret."
)
_CHECK = _("Pour vérifier ce reçu, et si l’accord dure encore :")
_FILE = _("Cette page dit ce qui est noté ici. Le fichier du reçu est signé.")
_NUMBER = _("Numéro de l’accord : {id}")


async def print_receipt(services: Services, caller: Caller, grant_id: UUID, language: str) -> bytes:
    """The receipt as PDF, for either side; recorded like the grant. Raises `not_found`."""
    async with in_turn(caller):
        grant, acts = await grants.see_with_evidence(services, caller, grant_id)
        owner = isinstance(caller, Person)
        wanted = set(grant.terms.scope.document_ids)
        papers = await find_own(services, caller, wanted) if isinstance(caller, Person) else {}
        phrases = await phrases_for(services, caller, language)
        stop_at = services.settings.public_url if owner else None
        address = verification_address(
            services.settings.public_url, await code_of(services, grant.id)
        )
        how = said_how(acts, phrases)
        sheet = receipt(grant, papers, phrases, clock.now(), stop_at, address, how)
        return await print_sheet(sheet, language)


def receipt(
    grant: GrantView,
    papers: Mapping[UUID, DocumentView],
    phrases: Phrases,
    now: datetime,
    stop_at: str | None,
    check_at: str,
    how: tuple[str, ...] = (),
) -> Sheet:
    """What it says. `papers`: those that may be named, to their owner; `stop_at`: the address where
    the owner ends it; `check_at`: where whoever holds it checks it; `how`: by what act it was
    given, where that is known."""
    say, terms = phrases.say, grant.terms
    state = say(STATES[grant.state])
    sections = [
        phrases.who(grant.recipient, terms.contact),
        _what(grant, papers, phrases),
        phrases.actions(terms),
        phrases.why(terms),
        _when(grant, phrases),
    ]
    if how:
        sections.append(Section(say(_HOW), how))
    if stop_at is not None and terms.shown_in:
        # To its owner alone: it says where they come from.
        sections.append(Section(say(_READ), (_names(terms.shown_in),)))
    if stop_at is not None and grant.state == "live":
        sections.append(Section(say(_STOP), (say(_HOW_TO_STOP, address=stop_at),)))
    return Sheet(
        say(_TITLE),
        (say(_STATE, moment=phrases.moment(now), state=state),),
        tuple(sections),
        (say(_FILE), say(_NUMBER, id=str(grant.id))),
        code=QrCode(check_at, say(_CHECK)),
    )


def said_how(acts: Iterable[EvidenceView], phrases: Phrases) -> tuple[str, ...]:
    """By what act it was given, in a few words, and who was beside; when it was last said that it
    goes on. Nothing of grants of before."""
    said: list[str] = []
    went_on: datetime | None = None
    for act in acts:
        if act.change == "went_on":
            went_on = act.at
        elif act.change != "revoked":
            said += _said(act, phrases)
    if went_on is not None:
        said.append(phrases.say(_WENT_ON, moment=phrases.moment(went_on)))
    return tuple(said)


def _said(act: EvidenceView, phrases: Phrases) -> Iterator[str]:
    kind, level = EvidenceKind(act.kind), Level(act.level or Level.PHONE_CODE)
    if act.heard_by is not None:
        yield phrases.say(_HEARD[act.heard_by.role], name=act.heard_by.name)
    elif act.paper is not None:
        yield phrases.say(_SIGNED[level], id=str(act.paper.mandate_id))
        yield phrases.say(_FORM, template=act.template, hash=act.template_hash.hex())
    else:
        yield phrases.say(_BESIDE.get(kind) or _APP[level])
    for text, worker in ((_PREPARED, act.prepared_by), (_WITH, act.beside)):
        if worker is not None:
            yield phrases.say(text, name=worker.name, organisation=worker.organisation)
    if act.assisted_by is not None:
        yield phrases.say(_ASSISTED[act.assisted_by.kind], name=act.assisted_by.name)
    if act.represented_by is not None:
        yield phrases.say(_REPRESENTED, name=act.represented_by)


def _what(grant: GrantView, papers: Mapping[UUID, DocumentView], phrases: Phrases) -> Section:
    scope = grant.terms.scope
    items = [phrases.type_name(code) for code in scope.document_types]
    items += [phrases.paper_name(papers[id_]) for id_ in scope.document_ids if id_ in papers]
    unnamed = sum(id_ not in papers for id_ in scope.document_ids)
    if unnamed:
        items.append(phrases.say(_PICKED, count=str(unnamed)))
    if grant.covers_future:
        items.append(phrases.say(_LATER))
    return Section(phrases.say(_WHAT), items=tuple(items))


def _when(grant: GrantView, phrases: Phrases) -> Section:
    say = phrases.say
    facts = [
        (say(_GIVEN), phrases.moment(grant.given_at)),
        (say(_ENDS), phrases.moment(grant.ends_at)),
    ]
    if grant.revoked_at is not None:
        ended = _ENDED_BY.get(grant.ended_by or "owner", _STOPPED)
        facts.append((say(ended), phrases.moment(grant.revoked_at)))
    facts.append((say(_COPY), phrases.storing(grant.terms)))
    return Section(say(_WHEN), facts=tuple(facts))


def _names(codes: Iterable[str]) -> str:
    """Languages, each by its own name; one that is no longer here by its code."""
    known = languages()
    return ", ".join(known[code].name if code in known else code for code in codes)
