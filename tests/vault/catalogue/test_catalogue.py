"""The catalogue is complete, uses the words of French offices, and refuses wrong entries."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from vault.catalogue import (
    EDITION,
    GRANT_BASIS,
    CatalogueError,
    DocumentType,
    Family,
    LegalBasis,
    Purpose,
    SensitiveKind,
    by_code,
    document_types,
    families,
    is_sensitive,
    legal_bases,
    legal_basis_by_code,
    purpose_by_code,
    purposes,
)
from vault.catalogue.document_types import read_types
from vault.catalogue.entries import load

PROJECT = Path(__file__).parents[3]
PICTOGRAMS = PROJECT / "web/pages/static/pictograms"
SIGNS = PROJECT / "web/pages/static/signs"

Entry = DocumentType | Family | Purpose | LegalBasis
CLOSED_LISTS: tuple[tuple[Entry, ...], ...] = (families(), purposes(), legal_bases())
SHOWN: tuple[Entry, ...] = (*document_types(), *families(), *purposes(), *legal_bases())


def test_there_are_the_papers_that_counters_ask_for() -> None:
    assert len(document_types()) >= 45
    assert {entry.family for entry in document_types()} == {family.code for family in families()}
    for code in ("national_identity_card", "income_tax_notice", "bank_details", "other"):
        document_type = by_code(code)
        assert document_type is not None
        assert document_type.code == code
    assert by_code("no_such_paper") is None


def test_a_family_stands_together_in_the_order_of_the_headings() -> None:
    seen = list(dict.fromkeys(entry.family for entry in document_types()))
    assert seen == [family.code for family in families()]
    assert [e.family for e in document_types()] == sorted(
        (e.family for e in document_types()), key=seen.index
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("residence_permit", SensitiveKind.RESIDENCE_PERMIT),
        ("asylum_application_certificate", SensitiveKind.RESIDENCE_PERMIT),
        ("state_medical_aid", SensitiveKind.RESIDENCE_PERMIT),
        ("protection_order", SensitiveKind.VIOLENCE),
        ("police_complaint", SensitiveKind.VIOLENCE),
        ("mdph_notification", SensitiveKind.HEALTH),
        ("disabled_worker_recognition", SensitiveKind.HEALTH),
        ("mobility_inclusion_card", SensitiveKind.HEALTH),
        ("medical_certificate", SensitiveKind.HEALTH),
        ("disability_pension", SensitiveKind.HEALTH),
        ("divorce_judgment", SensitiveKind.JUSTICE),
        ("court_decision", SensitiveKind.JUSTICE),
        ("criminal_record", SensitiveKind.JUSTICE),
        ("bank_statement", SensitiveKind.MONEY),
        ("other", SensitiveKind.UNKNOWN_CONTENT),
        ("bank_details", None),
        ("passport", None),
        ("payslip", None),
        ("health_insurance_certificate", SensitiveKind.HEALTH),
        ("msa_certificate", SensitiveKind.HEALTH),
        ("caf_payment_certificate", None),
        ("vitale_card", None),
        ("obligation_to_leave_france", SensitiveKind.RESIDENCE_PERMIT),
        ("refugee_travel_document", SensitiveKind.RESIDENCE_PERMIT),
        ("disabled_child_allowance", SensitiveKind.HEALTH),
        ("disability_compensation", SensitiveKind.HEALTH),
        ("residential_care_aid", SensitiveKind.HEALTH),
        ("supplementary_birth_judgment", SensitiveKind.JUSTICE),
        ("social_and_financial_assessment", SensitiveKind.JUSTICE),
        ("siao_application", SensitiveKind.UNKNOWN_CONTENT),
        ("social_report", SensitiveKind.UNKNOWN_CONTENT),
        ("letter_to_understand", SensitiveKind.UNKNOWN_CONTENT),
        ("sworn_translation", SensitiveKind.UNKNOWN_CONTENT),
        ("foreign_identity_document", None),
        ("rent_repayment_plan", None),
        ("fsl_decision", None),
        ("caf_overpayment_notice", None),
    ],
)
def test_what_could_harm_is_sensitive(code: str, kind: SensitiveKind | None) -> None:
    document_type = by_code(code)
    assert document_type is not None
    assert document_type.sensitive_kind is kind
    assert is_sensitive(code) is (kind is not None)


def test_whole_families_are_sensitive() -> None:
    for entry in document_types():
        assert entry.sensitive or entry.family not in {"residence", "justice"}, entry.code


def test_an_unknown_type_is_held_to_be_sensitive() -> None:
    assert is_sensitive("no_such_paper")


def test_every_list_has_names_of_its_own() -> None:
    for entries in (document_types(), *CLOSED_LISTS):
        for language in ("fr", "falc", "en"):
            words = [getattr(entry.names, language) for entry in entries]
            assert len(set(words)) == len(words)


def test_easy_names_are_short_and_plain() -> None:
    for entry in SHOWN:
        assert len(entry.names.falc) <= 70, entry.code
        assert len(entry.names.falc.split()) <= 13, entry.code
        assert not re.search("[;/%]", entry.names.falc), entry.code


def test_french_names_are_typeset() -> None:
    for entry in SHOWN:
        for name in (entry.names.fr, entry.names.falc):
            assert "'" not in name
            assert name == name.strip()
            assert name[0].isupper()


def test_entries_cannot_be_changed_and_are_read_once() -> None:
    entry = document_types()[0]
    with pytest.raises(FrozenInstanceError):
        entry.sensitive = False  # type: ignore[misc]  # the test expects the refusal
    assert document_types() is document_types()


def test_every_pictogram_is_drawn_and_used() -> None:
    drawn = {path.stem for path in PICTOGRAMS.glob("*.svg")}
    assert {entry.pictogram for entry in document_types()} == drawn


@pytest.mark.parametrize(
    "path",
    sorted([*PICTOGRAMS.glob("*.svg"), *SIGNS.glob("*.svg")]),
    ids=lambda path: path.stem,
)
def test_a_pictogram_is_small_filled_and_inert(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < 700
    drawing = ET.fromstring(text)  # noqa: S314  (our own file)
    assert drawing.get("viewBox") == "0 0 24 24"
    assert (drawing.get("fill"), drawing.get("fill-rule")) == ("currentColor", "evenodd")
    assert not [one for one in drawing.iter() if one.get("stroke")]
    allowed = {"svg", "path", "circle", "rect"}
    for element in drawing.iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in allowed
        assert not [name for name in element.attrib if name.startswith("on") or "href" in name]


SOURCE = load("document_types.json")[0]["source"]


def wrong(**changes: Any) -> Callable[[], object]:
    return lambda: read_types([{**load("document_types.json")[0], **changes}])


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (wrong(code="Carte"), "snake_case"),
        (wrong(code=None), "snake_case"),
        (wrong(official_names={"fr": "Carte"}), "no official name in en"),
        (wrong(easy_names={"fr": " ", "en": "Card"}), "no easy name in fr"),
        (wrong(easy_names={"fr": "C", "en": "C", "de": "C"}), "national_identity_card"),
        (wrong(family="pets"), "unknown family 'pets'"),
        (wrong(sides=3), "sides"),
        (wrong(multi_page="no"), "multi_page"),
        (wrong(usual_validity="10 years"), "usual_validity '10 years': duration_invalid"),
        (wrong(notice_period="P9999Y"), "notice_period 'P9999Y': duration_too_long"),
        (wrong(has_expiry=False), "the end matters, of a paper without expiry"),
        (
            wrong(has_expiry=False, date_that_matters="issued_on"),
            "notice_period without expiry",
        ),
        (wrong(date_that_matters="birthday"), "unknown date_that_matters 'birthday'"),
        (wrong(holder="dog"), "unknown holder 'dog'"),
        (wrong(retired=True), "retired and replaced_by disagree"),
        (wrong(replaced_by=["passport"]), "retired and replaced_by disagree"),
        (wrong(retired=True, replaced_by=["nothing"]), "replaced by nothing"),
        (wrong(source=SOURCE | {"address": None}), "has a title and an address"),
        (wrong(source=SOURCE | {"checked_on": None}), "has a basis and no address"),
        (wrong(source=SOURCE | {"checked_on": "yesterday"}), "checked_on: Invalid"),
        (wrong(sensitive=True), "disagree"),
        (wrong(sensitive_kind="health"), "disagree"),
        (wrong(sensitive=True, sensitive_kind="taste"), "unknown sensitive_kind 'taste'"),
        (wrong(colour="red"), "colour"),
        (lambda: read_types(load("document_types.json")[:1] * 2), "stands twice"),
        (lambda: read_types([{"code": "bare"}]), "bare"),
    ],
)
def test_a_wrong_entry_says_what_is_wrong(read: Callable[[], object], message: str) -> None:
    with pytest.raises(CatalogueError, match=re.escape(message)):
        read()


def test_purposes_are_the_closed_list() -> None:
    assert [purpose.code for purpose in purposes()] == [
        "housing",
        "benefits",
        "health_rights",
        "residence",
        "employment",
        "debt",
        "energy_aid",
        "school",
        "justice_access",
        "domiciliation",
        "social_follow_up",
        "other",
    ]
    assert purpose_by_code("housing") is purposes()[0]
    assert purpose_by_code("curiosity") is None


def test_a_legal_basis_tells_its_article_in_both_languages() -> None:
    assert {basis.code: basis.article for basis in legal_bases()} == {
        "consent": "6(1)(a)",
        "legal_obligation": "6(1)(c)",
        "public_task": "6(1)(e)",
    }
    for basis in legal_bases():
        letter = basis.article[-2]
        assert f"article 6, paragraphe 1, {letter})" in basis.sentences.fr
        assert f"Article {basis.article})" in basis.sentences.en
    assert legal_basis_by_code(GRANT_BASIS) is legal_bases()[0]
    assert legal_basis_by_code("legitimate_interests") is None


def test_the_glossary_pairs_every_closed_word() -> None:
    rows = (PROJECT / "docs/glossary.md").read_text(encoding="utf-8")
    paired = {word for row in rows.splitlines() for word in re.findall(r"^\| `([^`]+)`", row)}
    for entry in (entry for entries in CLOSED_LISTS for entry in entries):
        assert entry.code in paired
        assert f"| `{entry.code}` | {entry.names.fr} |" in rows
    assert set(SensitiveKind) <= paired


def test_a_type_becomes_sensitive_in_a_new_edition_only() -> None:
    """Living grants are narrowed when the edition is raised. If this fails because another type is
    sensitive now: raise `EDITION`, and write here what the set of the new edition is."""
    codes = sorted(entry.code for entry in document_types() if entry.sensitive)
    digest = hashlib.sha256("\n".join(codes).encode()).hexdigest()
    assert (EDITION, len(codes), digest[:16]) == (4, 63, "08053c824b1dd87f")
