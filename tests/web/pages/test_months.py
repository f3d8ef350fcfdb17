"""A paper that bears a month and no day: what is taken for it, and what is not guessed."""

import pytest

from base.errors import ServiceError
from tests.fixtures import MakePerson, Served
from tests.web.pages.draft_steps import draft_of, say, send
from tests.web.pages.test_pages import a_photo, browser_of
from vault.catalogue import offered_types
from web.pages.draft_steps import check_whole_day, date_field, details_in
from web.pages.forms import Form


def typed(name: str, day: str, month: str, year: str) -> Form:
    return Form(((f"{name}_day", day), (f"{name}_month", month), (f"{name}_year", year)))


@pytest.mark.parametrize(
    ("type_code", "name", "month", "year", "taken"),
    [
        ("passport", "expires_on", "2", "2028", "29/2/2028"),
        ("passport", "expires_on", "03", "2030", "31/03/2030"),
        ("payslip", "issued_on", "3", "2024", "1/3/2024"),
    ],
)
def test_a_month_alone_has_its_last_day_for_an_end_else_its_first(
    type_code: str, name: str, month: str, year: str, taken: str
) -> None:
    form = typed(name, "", month, year)
    check_whole_day(form, type_code)
    assert details_in(form, type_code)[name] == taken


@pytest.mark.parametrize(
    ("day", "month", "year"),
    [("", "13", "2024"), ("", "3", ""), ("3", "", "2024"), ("", "mars", "2024")],
)
def test_less_or_other_than_a_month_is_told(day: str, month: str, year: str) -> None:
    with pytest.raises(ServiceError, match="date_unreadable"):
        check_whole_day(typed("issued_on", day, month, year), "payslip")


def test_a_day_to_answer_by_is_not_guessed() -> None:
    (code, *_) = [one.code for one in offered_types() if date_field(one.code) == "due_on"]
    with pytest.raises(ServiceError, match="date_unreadable") as told:
        check_whole_day(typed("due_on", "", "3", "2026"), code)
    assert told.value.values["missing"] == "day"


async def test_what_is_taken_is_said_before_and_shown_before_it_is_kept(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        sent = await send(served, person, browser, "/documents/add?type=passport", a_photo("red"))
        draft = draft_of(sent)
        asked = (await browser.get(f"{draft}/details")).text
        assert "nous prenons le dernier jour du mois" in asked
        await say(
            served, person, browser, f"{draft}/details",
            expires_on_day="", expires_on_month="2", expires_on_year="2028",
        )  # fmt: skip
        check = (await browser.get(f"{draft}/check")).text.replace("\u00a0", " ")
    assert "29 février 2028" in check
