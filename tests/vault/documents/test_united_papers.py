"""What is known of a paper that two vaults hold, once it is kept once."""

from datetime import date

import pytest

from vault.catalogue import document_types, is_sensitive
from vault.document_view import DocumentMetadata
from vault.documents.moves.paper_values import united

JUNE, MAY = date(2026, 6, 1), date(2026, 5, 1)
DELICATE = next(one.code for one in document_types() if is_sensitive(one.code))


def of(type_: str = "payslip", **values: object) -> DocumentMetadata:
    return DocumentMetadata(type_, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kept", "gone", "both"),
    [
        # What the one that stays says is kept, and its type.
        (of(title="Mai"), of("lease", title="Juin"), of(title="Mai")),
        (of(issued_on=MAY), of(issued_on=JUNE, due_on=JUNE), of(issued_on=MAY, due_on=JUNE)),
        # What it lacks is taken.
        (of(), of(title="Juin"), of(title="Juin")),
        (
            of(),
            of(issued_on=MAY, expires_on=JUNE, income_year=2025, paper_location="Boîte bleue"),
            of(issued_on=MAY, expires_on=JUNE, income_year=2025, paper_location="Boîte bleue"),
        ),
        # Two dates that contradict each other are not put together.
        (of(issued_on=JUNE), of(expires_on=MAY, title="M"), of(issued_on=JUNE, title="M")),
        # The stricter one wins: by a word of its owner, or by its type.
        (of(), of(sensitive=True), of(sensitive=True)),
        (of(sensitive=True), of(), of(sensitive=True)),
        (of(), of(DELICATE), of(sensitive=True)),
        (of(DELICATE), of(DELICATE), of(DELICATE)),
        (of(DELICATE), of(), of(DELICATE)),
        # Which original is given is of one version, and stays with it.
        (of(), of(), of()),
    ],
)
def test_both_are_kept_in_one(
    kept: DocumentMetadata, gone: DocumentMetadata, both: DocumentMetadata
) -> None:
    assert united(kept, gone) == both


def test_a_verified_paper_keeps_the_dates_of_who_deposited_it() -> None:
    gone = of(title="Juin", issued_on=MAY, sensitive=True)
    assert united(of(), gone, verified=True) == of(title="Juin", sensitive=True)
