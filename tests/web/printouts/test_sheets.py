"""What a receipt, a request and the sheet of a paper say, to each of their readers."""

import json
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from base.time_zones import PARIS
from tests.web.printouts.examples import (
    ADDRESS,
    CHECK,
    FRENCH,
    NOW,
    WORKER,
    grant,
    id_of,
    paper,
    request,
    terms,
)
from vault.consent.request_views import CoveredType
from vault.consent.scopes import Scope
from vault.document_view import DocumentView
from vault.rules import GrantAction
from web.printouts.grant_receipt import receipt
from web.printouts.paper_sheet import paper_sheet
from web.printouts.phrases import Phrases
from web.printouts.request_sheet import MAX_ITEMS, request_sheet
from web.printouts.sheet import Section, Sheet

PAPERS = {id_of(5): paper(5), id_of(7): paper(7, title="Carte de Malik")}


def under(sheet: Sheet, heading: str) -> Section:
    """The section of that heading, with usual spaces."""
    (found,) = [section for section in sheet.sections if section.heading == heading]
    return Section(
        found.heading,
        *(tuple(map(_spaced, texts)) for texts in (found.paragraphs, found.words)),
        facts=tuple((name, _spaced(value)) for name, value in found.facts),
        items=tuple(map(_spaced, found.items)),
    )


def _spaced(text: str) -> str:
    return text.replace("\u00a0", " ")


def facts_under(sheet: Sheet, heading: str) -> dict[str, str]:
    return dict(under(sheet, heading).facts)


def said(sheet: Sheet) -> str:
    """All its words, with usual spaces."""
    return json.dumps(sheet.data("fr"), ensure_ascii=False).replace("\u00a0", " ")


def test_a_receipt_names_papers_to_their_owner_only() -> None:
    theirs = receipt(grant(), PAPERS, FRENCH, NOW, ADDRESS, CHECK)
    worker = Phrases("fr", PARIS, owner=False)
    given = receipt(grant(), {}, worker, NOW, None, CHECK)
    assert under(theirs, "Quoi").items[2] == "Carte de Malik"
    assert under(given, "Quoi").items[2] == "Papiers choisis un par un : 1"
    assert "Malik" not in said(given)
    assert "Arrêter" not in [section.heading for section in given.sections]
    assert "pour vous" not in said(given)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "live"}, "cet accord est : En cours."),
        ({"state": "revoked", "revoked_at": NOW}, "cet accord est : Arrêté."),
        ({"state": "expired"}, "cet accord est : Terminé."),
    ],
)
def test_a_receipt_says_whether_the_grant_lives(changes: dict[str, str], words: str) -> None:
    sheet = receipt(grant(**changes), PAPERS, FRENCH, NOW, ADDRESS, CHECK)
    assert words in said(sheet)
    live = changes["state"] == "live"
    assert ("Arrêter" in [section.heading for section in sheet.sections]) is live


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"may_store": False, "store_for": None}, "Non"),
        ({"store_for": None}, "Oui"),
        ({"store_for": "P2Y"}, "Oui, pendant 2 ans"),
        ({"store_for": "P1Y6M"}, "Oui, pendant 1 an, 6 mois"),
        ({"store_for": "PT30M"}, "Oui, pendant 30 minutes"),
        ({"store_for": "P0Y1DT12H"}, "Oui, pendant 1 jour, 12 heures"),
    ],
)
def test_a_receipt_says_whether_a_copy_may_be_kept(changes: dict[str, str], words: str) -> None:
    sheet = receipt(grant(terms=terms(**changes)), PAPERS, FRENCH, NOW, ADDRESS, CHECK)
    assert facts_under(sheet, "Jusqu’à quand")["Garder une copie"] == words


def test_a_request_says_what_is_here_and_what_is_not() -> None:
    sheet = request_sheet(request(), PAPERS, FRENCH, NOW, ADDRESS)
    here, missing = under(sheet, "Quels papiers").items
    assert here.endswith("vous l’avez ici, ajouté le 3 décembre 2026.")
    assert missing.endswith("vous n’avez pas ce papier ici.")
    assert "Carte de Malik" in under(sheet, "Ces papiers précis").items[0]
    assert under(sheet, "Pourquoi").words == ("« Demande de logement social »",)
    assert facts_under(sheet, "Jusqu’à quand")["Répondre avant le"].startswith("9 mars 2027")


def test_a_sensitive_type_is_chosen_paper_by_paper() -> None:
    asked = request(covers=(CoveredType("income_tax_notice", True, (id_of(5),)),))
    (item,) = under(request_sheet(asked, PAPERS, FRENCH, NOW, ADDRESS), "Quels papiers").items
    assert item.endswith("Seulement papier par papier : vous choisissez vous-même.")


def test_an_answered_request_shows_no_paper() -> None:
    answered = request(state="refused")
    sheet = request_sheet(answered, {}, FRENCH, NOW, ADDRESS)
    assert "Vous avez dit non" in said(sheet)
    assert "Répondre" not in [section.heading for section in sheet.sections]
    assert "vous l’avez" not in said(sheet)


def test_a_request_for_a_thousand_papers_is_bounded() -> None:
    many: dict[UUID, DocumentView] = {id_of(n): paper(n) for n in range(100, 1100)}
    asked = request(covers=(CoveredType("income_tax_notice", False, tuple(many)),))
    items = under(request_sheet(asked, many, FRENCH, NOW, ADDRESS), "Quels papiers").items
    assert len(items) == MAX_ITEMS + 1
    assert items[-1] == "… et encore 900 papiers."


def test_a_paper_says_what_it_is_where_it_is_and_who_sees_it() -> None:
    kept = paper(paper_location="dans le classeur bleu", title="Avis", expires_on=date(2027, 8, 1))
    knows = grant(terms=terms(scope=Scope((), (id_of(5),), (GrantAction.ATTEST,))))
    sheet = paper_sheet(kept, [grant(), knows], FRENCH, NOW)
    facts = facts_under(sheet, "Ce que c’est")
    assert sheet.title == "Avis"
    assert facts["Date écrite sur le papier"] == "1er août 2026"
    assert facts["Bon jusqu’au"] == "1er août 2027"
    assert facts["Année des revenus"] == "2025"
    assert facts["Version"] == "2, du 28 février 2027"
    assert under(sheet, "Le vrai papier est ici").words == ("dans le classeur bleu",)
    sees, knows_of = under(sheet, "Qui peut le voir").items
    assert "CCAS de Lille) : peut le voir, jusqu’au 2 avril 2027 à 11 h 05." in sees
    assert "sait qu’il existe" in knows_of


def test_a_paper_that_nobody_else_sees() -> None:
    sheet = paper_sheet(paper(), [], FRENCH, NOW)
    assert under(sheet, "Qui peut le voir").paragraphs == ("Personne d’autre que vous.",)
    assert under(sheet, "Le vrai papier est ici").paragraphs == ("Ce n’est pas noté.",)


def test_a_title_that_someone_else_gave_is_quoted() -> None:
    given = replace(paper(title="Urgent, payez ici"), deposited_by={"kind": "worker", **WORKER})
    sheet = paper_sheet(given, [], FRENCH, NOW)
    assert sheet.title == "«\xa0Urgent, payez ici\xa0»"
    assert facts_under(sheet, "Ce que c’est")["Ajouté le"].endswith(
        "par Camille Moreau (Assistante sociale, CCAS de Lille)"
    )


def test_days_are_told_where_the_reader_is() -> None:
    late = grant(ends_at=NOW.replace(hour=23) + timedelta(days=1))
    told = [
        facts_under(
            receipt(late, {}, Phrases("fr", ZoneInfo(zone)), NOW, None, CHECK), "Jusqu’à quand"
        )["Fin de l’accord"]
        for zone in ("Europe/Paris", "Pacific/Tahiti")
    ]
    assert [text[:11] for text in told] == ["5 mars 2027", "4 mars 2027"]
