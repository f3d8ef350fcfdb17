"""Each type has both names, the date that matters, its sides, its holder and its source; what was
wrong is right; what was split is retired."""

import re
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from vault.catalogue import DateThatMatters, DocumentType, Holder, by_code, document_types
from vault.catalogue.document_types import offered_types, read_types, successors
from vault.catalogue.entries import load

TYPES = document_types()
# Every code that a release has offered: sealed rows hold them.
RELEASED = """
national_identity_card passport nationality_certificate naturalisation_decree driving_licence
identity_photo residence_permit multi_year_residence_permit resident_card long_stay_visa
residence_permit_receipt residence_extension_certificate asylum_application_certificate
asylum_decision circulation_document_for_minor birth_certificate family_record_book
marriage_certificate civil_partnership_certificate death_certificate divorce_judgment
parental_authority_decision proof_of_address rent_receipt lease accommodation_certificate
shelter_certificate domiciliation_certificate home_insurance energy_bill telephone_bill
social_housing_application enforceable_housing_appeal enforceable_housing_decision eviction_notice
payslip employment_contract employer_certificate end_of_employment_documents job_seeker_certificate
unemployment_benefit_notice solidarity_unemployment_notice retirement_pension_certificate
career_statement child_support_certificate business_registration income_tax_notice tax_return
property_tax_notice housing_tax_notice caf_payment_certificate family_quotient_certificate
msa_certificate rsa_certificate housing_benefit_notice energy_voucher elderly_solidarity_allowance
vitale_card health_insurance_certificate complementary_solidarity_health
complementary_health_insurance european_health_card state_medical_aid mdph_notification
disabled_adult_allowance disabled_worker_recognition mobility_inclusion_card dependency_allowance
disability_pension long_term_illness_certificate medical_certificate prescription sick_leave_notice
daily_allowance_certificate work_accident_declaration pregnancy_certificate vaccination_record
hospital_report court_decision court_summons criminal_record legal_aid_decision
guardianship_judgment prison_release_certificate protection_order police_complaint police_report
injury_certificate victim_support_certificate school_certificate student_card diploma school_report
training_certificate scholarship_notice french_language_certificate bank_details bank_statement
loan_statement over_indebtedness_decision debt_notice voter_card census_certificate
defence_day_certificate vehicle_registration car_insurance power_of_attorney sworn_statement other
"""
NEW = """
child_passport foreign_identity_document loss_or_theft_declaration algerian_residence_certificate
residence_application_confirmation residence_favourable_decision provisional_residence_authorisation
residence_permit_refusal obligation_to_leave_france asylum_allowance_certificate
refugee_travel_document republican_integration_contract supplementary_birth_judgment rent_due_notice
siao_application shelter_stay_contract fsl_decision rent_repayment_plan
social_and_financial_assessment france_travail_employer_certificate cv engagement_contract iae_pass
unemployment_entitlement_notice unemployment_payment_statement caf_overpayment_notice
solidarity_transport_card disabled_child_allowance disability_compensation residential_care_aid
french_language_test french_language_diploma sworn_translation social_report letter_to_understand
"""
# A decision that asks for nothing, or whose end matters more than the time to appeal.
_NOTHING_TO_ANSWER = {
    "residence_favourable_decision": DateThatMatters.ISSUED_ON,
    "supplementary_birth_judgment": DateThatMatters.ISSUED_ON,
    "legal_aid_decision": DateThatMatters.USE_BEFORE,
    "protection_order": DateThatMatters.EXPIRES_ON,
}
_DECISIONS = re.compile(
    r"^(Décision|Jugement|Notification|Refus|Obligation|Ordonnance de protection)|expulsion|refus"
    r"|[Dd]écision"
)


def of(code: str) -> DocumentType:
    entry = by_code(code)
    assert entry is not None, code
    return entry


def test_no_code_is_ever_lost_and_none_is_unknown() -> None:
    released = RELEASED.split()
    assert len(released) == 109
    assert {entry.code for entry in TYPES} == {*released, *NEW.split()}


@pytest.mark.parametrize("entry", TYPES, ids=lambda entry: entry.code)
def test_a_type_has_all_that_is_said_of_a_type(entry: DocumentType) -> None:
    for words in (entry.official_names, entry.easy_names):
        for word in (words.fr, words.en):
            assert word == word.strip() != ""
            assert word[0].isupper()
    assert not re.search(r"[()]", entry.easy_names.fr + entry.easy_names.en)
    assert entry.easy_names.fr != entry.official_names.fr
    assert len(entry.easy_names.en.split()) <= 14
    assert entry.holder in Holder
    assert entry.date_that_matters in DateThatMatters
    assert entry.sides in (1, 2)
    if entry.has_expiry:
        assert entry.date_that_matters in {
            DateThatMatters.EXPIRES_ON,
            DateThatMatters.ANSWER_BEFORE,
        }


@pytest.mark.parametrize("entry", TYPES, ids=lambda entry: entry.code)
def test_a_source_was_read_or_says_what_the_entry_rests_on(entry: DocumentType) -> None:
    source = entry.source
    if source.checked_on is None:
        assert source.address is None
        assert source.basis
        return
    assert source.checked_on >= date(2026, 11, 26)
    assert re.fullmatch(r"https?://[a-z0-9.-]+/\S+", source.address or "")
    assert source.title
    assert source.as_of is None or source.as_of <= source.checked_on


def test_every_entry_was_checked_but_the_words_of_this_service() -> None:
    unread = {entry.code for entry in TYPES if entry.source.checked_on is None}
    assert unread == {"letter_to_understand", "other"}


@pytest.mark.parametrize(
    ("code", "validity"),
    [
        ("asylum_application_certificate", None),
        ("birth_certificate", None),
        ("marriage_certificate", None),
        ("proof_of_address", None),
        ("energy_bill", None),
        ("telephone_bill", None),
        ("rent_receipt", None),
        ("payslip", None),
        ("bank_statement", None),
        ("criminal_record", None),
        ("residence_permit_receipt", None),
        ("passport", "P10Y"),
        ("child_passport", "P5Y"),
        ("french_language_test", "P2Y"),
        ("french_language_diploma", None),
        ("french_language_certificate", None),
        ("legal_aid_decision", "P1Y"),
        ("iae_pass", "P2Y"),
        ("identity_photo", "P6M"),
        ("republican_integration_contract", "P1Y"),
        ("multi_year_residence_permit", None),
        ("car_insurance", None),
    ],
)
def test_validity_is_what_the_rule_says_or_nothing(code: str, validity: str | None) -> None:
    assert of(code).usual_validity == validity


def test_no_validity_tells_how_recent_a_paper_must_be() -> None:
    """That belongs to what is asked for, not to the paper: none is of weeks or three months."""
    assert {entry.usual_validity for entry in TYPES} == {
        None, "P6M", "P1Y", "P2Y", "P5Y", "P10Y", "P15Y",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "matters"),
    [
        ("eviction_notice", DateThatMatters.ANSWER_BEFORE),
        ("obligation_to_leave_france", DateThatMatters.ANSWER_BEFORE),
        ("income_tax_notice", DateThatMatters.INCOME_YEAR),
        ("passport", DateThatMatters.EXPIRES_ON),
        ("court_summons", DateThatMatters.APPOINTMENT),
        ("rent_due_notice", DateThatMatters.PAY_BEFORE),
        ("payslip", DateThatMatters.ISSUED_ON),
        ("diploma", DateThatMatters.NONE),
        ("republican_integration_contract", DateThatMatters.EXPIRES_ON),
        ("car_insurance", DateThatMatters.ISSUED_ON),
        *_NOTHING_TO_ANSWER.items(),
    ],
)
def test_the_date_that_matters(code: str, matters: DateThatMatters) -> None:
    assert of(code).date_that_matters is matters


def test_every_decision_has_a_day_to_answer() -> None:
    decisions = {entry.code for entry in TYPES if _DECISIONS.search(entry.official_names.fr)}
    assert len(decisions) >= 20
    for code in decisions - _NOTHING_TO_ANSWER.keys():
        assert of(code).date_that_matters is DateThatMatters.ANSWER_BEFORE, code


def test_each_kind_of_date_has_a_field() -> None:
    fields = {kind: kind.field for kind in DateThatMatters}
    assert fields.pop(DateThatMatters.NONE) is None
    assert set(fields.values()) == {"expires_on", "due_on", "issued_on", "income_year"}


@pytest.mark.parametrize(
    ("code", "french", "english"),
    [
        (
            "income_tax_notice",
            "Papier des impôts (avis d’impôt ou de situation déclarative)",
            "Tax paper (Income tax or tax situation notice)",
        ),
        (
            "iae_pass",
            "Papier pour un travail avec un accompagnement"
            " (PASS IAE, insertion par l’activité économique)",
            "Paper for a job with support (PASS IAE, work integration)",
        ),
        (
            "asylum_allowance_certificate",
            "Papier de mon aide pour demandeur d’asile"
            " (attestation d’allocation pour demandeur d’asile, ADA)",
            "Paper about my asylum seeker’s aid (Asylum seeker’s allowance ADA certificate)",
        ),
    ],
)
def test_a_label_has_both_names(code: str, french: str, english: str) -> None:
    labels = of(code).labels
    assert (labels.fr, labels.en) == (french, english)


def test_two_papers_are_told_apart_by_their_easy_names() -> None:
    """None begins with the whole of another: who stops reading early takes the wrong one."""
    for one, other in permutations(offered_types(), 2):
        for shorter, longer in (
            (one.easy_names.fr, other.easy_names.fr),
            (one.easy_names.en, other.easy_names.en),
        ):
            assert not longer.startswith(shorter), (one.code, other.code)


@pytest.mark.parametrize("code", ["school_certificate", "school_report", "vaccination_record"])
def test_a_paper_of_a_child_or_of_an_adult_is_anyones(code: str) -> None:
    assert of(code).holder is Holder.ANYONE


def test_a_label_has_one_pair_of_brackets() -> None:
    for entry in TYPES:
        for label in (entry.labels.fr, entry.labels.en):
            assert (label.count("("), label.count(")"), label[-1]) == (1, 1, ")"), label


def test_what_was_split_is_retired_and_says_what_is_offered() -> None:
    retired = {entry.code: entry.replaced_by for entry in TYPES if entry.retired}
    assert retired == {
        "unemployment_benefit_notice": (
            "unemployment_entitlement_notice",
            "unemployment_payment_statement",
        ),
        "french_language_certificate": ("french_language_test", "french_language_diploma"),
    }
    offered = {entry.code for entry in offered_types()}
    assert offered == {entry.code for entry in TYPES} - retired.keys()
    assert successors("payslip") == successors("no_such_paper") == ()


def test_a_retired_type_is_not_replaced_by_another_one() -> None:
    first, second, *_ = load("document_types.json")
    first |= {"retired": True, "replaced_by": [second["code"]]}
    assert read_types([first, second])[0].retired
    second |= {"retired": True, "replaced_by": [first["code"]]}
    with pytest.raises(ValueError, match="replaced by passport"):
        read_types([first, second])


def test_what_was_not_checked_is_told() -> None:
    page = (Path(__file__).parents[3] / "docs/catalogue.md").read_text(encoding="utf-8")
    told = page.split("could not be checked")[1]
    unchecked = [entry for entry in TYPES if entry.source.checked_on is None]
    assert re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", told, re.MULTILINE) == [
        (entry.code, entry.source.basis) for entry in unchecked
    ]
    for kind in DateThatMatters:
        assert f"| `{kind}` | " in page
