"""The fields of a document in a form, as people type them."""

from datetime import date

import pytest

from base.errors import ServiceError
from web.pages.document_fields import date_of, metadata_of
from web.pages.labels import failure_message


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", None),
        ("  ", None),
        ("2026-12-31", date(2026, 12, 31)),
        ("31/12/2026", date(2026, 12, 31)),
        ("1.2.2026", date(2026, 2, 1)),
        (" 01 02 2026 ", date(2026, 2, 1)),
        ("5 / 1 / 2026", date(2026, 1, 5)),
        ("٠٥/٠١/٢٠٢٦", date(2026, 1, 5)),
        ("31/12/9999", date(9999, 12, 31)),
    ],
)
def test_dates_are_read_as_people_write_them(typed: str, read: date | None) -> None:
    assert date_of(typed) == read


@pytest.mark.parametrize(
    "typed",
    ["31/02/2026", "demain", "12/31/2026", "2026", "1/1/26", "20261231", "2026-W01-1", "2026-1-5",
     "0", "05/01/1447", "05/01/2569", "2026-01-05T00:00"],
)  # fmt: skip
def test_other_dates_are_told_so(typed: str) -> None:
    with pytest.raises(ServiceError) as failure:
        date_of(typed)
    assert failure.value.code == "date_unreadable"


def test_words_are_made_safe_and_blanks_are_nothing() -> None:
    metadata = metadata_of({"type": " payslip ", "title": " a\u202eb \n", "paper_location": " "})
    assert (metadata.type, metadata.title, metadata.paper_location) == ("payslip", "ab", None)


def test_a_form_without_a_type_says_so() -> None:
    with pytest.raises(ServiceError) as failure:
        metadata_of({"type": " "})
    assert failure.value.code == "type_missing"


def test_the_date_that_is_wrong_is_the_one_to_correct() -> None:
    for name in ("issued_on", "expires_on"):
        with pytest.raises(ServiceError) as failure:
            metadata_of({"type": "payslip", "issued_on": "2026-01-05", name: "hier"})
        assert failure_message(failure.value).field == name


@pytest.mark.parametrize("written", ["2025", " 2025 ", "٢٠٢٥"])
def test_the_year_of_the_incomes_is_read_in_the_digits_of_any_script(written: str) -> None:
    assert metadata_of({"type": "income_tax_notice", "income_year": written}).income_year == 2025


@pytest.mark.parametrize("written", ["25", "31/12/2025", "1989", "2100", "hier"])
def test_a_year_that_is_none_is_told_so_and_is_what_to_correct(written: str) -> None:
    with pytest.raises(ServiceError) as failure:
        metadata_of({"type": "income_tax_notice", "income_year": written})
    told = failure_message(failure.value)
    assert (failure.value.code, told.field) == ("year_unreadable", "income_year")
    assert "31/12" not in told.message.what_to_do
