"""Until when: a day on a page is a whole day, where the person is; one of one's own is never longer
than what may be given."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from base.errors import ServiceError
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served
from tests.steps import ask, deposit
from tests.vault.decoding import corpus
from tests.web.http.test_field_errors import places
from tests.web.pages.answers import Pairs, say_yes, send, yes_of
from tests.web.pages.test_giving import summary_of_gift
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_requests import grants_of
from vault.durations import day_end, end_of, last_day, until_day
from web.i18n.consent_labels import DURATIONS
from web.i18n.formats import is_near, until_text, weekday_text
from web.pages.answer_steps import only
from web.pages.end_days import chosen_day, offered
from web.pages.forms import Form

PARIS, TAHITI = ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Tahiti")
# Five past midnight in Paris: the day before in UTC.
AT = datetime(2026, 11, 27, 23, 5, tzinfo=UTC)
YEAR = end_of(AT, "P12M")


@pytest.mark.parametrize("zone", [PARIS, TAHITI, ZoneInfo("Pacific/Noumea")])
@pytest.mark.parametrize("day", [date(2026, 11, 28), date(2026, 12, 4), date(2027, 3, 28)])
def test_a_day_ends_where_the_person_is(day: date, zone: ZoneInfo) -> None:
    start = AT + timedelta(microseconds=123456)
    end = end_of(start, until_day(start, day, zone)).astimezone(zone)
    assert (end.date(), end.hour, end.minute) == (day, 23, 59)
    assert until_text(end, "fr", zone).endswith(str(day.year)), "no hour is needed"


def test_a_day_that_is_over_is_none() -> None:
    for day in (date(2026, 11, 27), date(2020, 1, 1), date(1, 1, 1)):
        with pytest.raises(ServiceError, match="day_over"):
            until_day(AT, day, PARIS)
    assert until_day(AT, date(2026, 11, 27), TAHITI) == "PT10H54M59S"


def test_what_ends_within_a_day_is_told_with_its_hour() -> None:
    assert until_text(end_of(AT, "P7D"), "fr", PARIS) == "5 décembre 2026 à 00 h 05"
    assert until_text(day_end(date(2026, 12, 5), PARIS), "fr", PARIS) == "5 décembre 2026"
    assert weekday_text(date(2026, 12, 1), "fr") == "mardi 1er décembre 2026"


def test_the_days_that_are_offered_are_whole_and_never_too_long() -> None:
    days = dict(offered(AT, PARIS, YEAR))
    assert days["P7D"] == date(2026, 12, 5)
    assert days["P12M"] == date(2027, 11, 27), "a day more would be more than twelve months"
    assert all(day_end(day, PARIS) <= YEAR for day in days.values())
    short = offered(AT, PARIS, end_of(AT, "P3M"))
    assert [code for code, _ in short if code in DURATIONS] == ["P1D", "P7D", "P1M", "P2M", "P3M"]
    # Each of the next seven days is there once, and can be chosen as it stands there.
    assert [day for _, day in short][:7] == [date(2026, 11, 28) + timedelta(n) for n in range(1, 8)]
    for code, day in short:
        form = Form((("duration", code),))
        assert chosen_day(form, AT, PARIS, end_of(AT, "P3M")) == day
    assert dict(short)["2026-12-04"] == date(2026, 12, 4)
    for over in ("2026-11-28", "2026-12-06", "2026-02-30"):
        with pytest.raises(ServiceError, match="duration_unsaid"):
            chosen_day(Form((("duration", over),)), AT, PARIS, YEAR)
    assert [day for _, day in offered(AT, PARIS, end_of(AT, "P1D"))] == [date(2026, 11, 28)]
    assert last_day(AT, "P7D", PARIS, end_of(AT, "P7D")) == date(2026, 12, 4)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "duration_unsaid"),
        ({"duration": "P99Y"}, "duration_unsaid"),
        ({"duration": "day"}, "day_unsaid"),
        ({"duration": "day", "day": "vendredi"}, "date_unreadable"),
        ({"duration": "day", "day": "31/02/2027"}, "date_unreadable"),
        ({"duration": "day", "day": "2026-11-27"}, "day_over"),
        ({"duration": "day", "day": "2027-11-28"}, "day_late"),
        ({"duration": "day", "day": "9999-12-31"}, "day_late"),
    ],
)
def test_a_day_of_ones_own_that_does_not_serve(fields: dict[str, str], code: str) -> None:
    form = Form(tuple(fields.items()))
    with pytest.raises(ServiceError, match=code):
        chosen_day(only(form, ("duration", "day")), AT, PARIS, YEAR)


@pytest.mark.parametrize("typed", ["2026-12-04", "04/12/2026", "4.12.2026"])
def test_a_day_is_typed_as_one_writes_it(typed: str) -> None:
    for fields in ({"duration": "day", "day": typed}, {"day": typed}):
        form = only(Form(tuple(fields.items())), ("duration", "day"))
        assert form.get("day") == "2026-12-04"
        assert chosen_day(form, AT, PARIS, YEAR) == date(2026, 12, 4)


def test_a_near_end_is_told_with_its_weekday_and_a_far_one_without() -> None:
    friday = day_end(date(2026, 12, 4), PARIS)
    assert until_text(friday, "fr", PARIS, AT) == "vendredi 4 décembre 2026, à minuit"
    assert until_text(friday, "uk", PARIS, AT).startswith("4 грудня 2026")
    assert until_text(end_of(AT, "P1D"), "fr", PARIS, AT) == "dimanche 29 novembre 2026 à 00 h 05"
    assert until_text(day_end(date(2026, 12, 6), PARIS), "fr", PARIS, AT) == "6 décembre 2026"
    assert until_text(friday, "fr", PARIS, friday + timedelta(days=2)) == "4 décembre 2026"
    # Where they are: there it is still the day before.
    assert is_near(date(2026, 12, 4), AT, TAHITI)
    assert not is_near(date(2026, 12, 5), AT, TAHITI)


async def test_until_friday_is_one_press_and_is_said_so_everywhere_after(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    day = datetime.now(PARIS).date() + timedelta(days=5)
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        address = f"/grants/new/until?document={paper['id']}&purpose_code=housing"
        offers = (await browser.get(address)).text.replace("\xa0", " ")
        shown = dict(re.findall(r'name="duration" value="([^"]+)"><span><strong>([^<]+)<', offers))
        assert shown[str(day)] == weekday_text(day, "fr")
        assert not re.match("[a-z]+di |dimanche", shown["P1M"])
        said: Pairs = [("document", paper["id"]), ("email", worker.email), ("duration", str(day))]
        page = await summary_of_gift(served, browser, person, said)
        words = f"jusqu’au {weekday_text(day, 'fr')}, à minuit"
        assert words in page.text.replace("\xa0", " ")
        done = await send(browser, "/grants/new", yes_of(page.text, "/grants/new"))
        after = (await browser.get(done.headers["location"])).text.replace("\xa0", " ")
        assert after.count(weekday_text(day, "fr") + ", à minuit") >= 2


async def test_a_paper_is_given_until_a_day_of_ones_own(
    served: Served, make_person: MakePerson, make_worker: MakeWorker, moved_clock: MoveClock
) -> None:
    person, worker = await make_person(), await make_worker()
    friday = (datetime.now(PARIS) + timedelta(days=6)).date()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        said: Pairs = [("document", paper["id"]), ("email", worker.email), ("duration", "day")]
        wrong = {"": "sans dire lequel", "2020-01-01": "déjà fini", "x": "compris cette date"}
        for day, words in wrong.items():
            page = await summary_of_gift(served, browser, person, [*said, ("day", day)])
            assert page.status_code == 422
            assert words in page.text
            assert 'href="#day"' in page.text
        page = await summary_of_gift(served, browser, person, [*said, ("day", str(friday))])
        fields = yes_of(page.text, "/grants/new")
        assert ("day", str(friday)) in fields
        done = await send(browser, "/grants/new", fields)
        assert done.status_code == 303, done.text
        [grant] = await grants_of(browser, person)
        ends = datetime.fromisoformat(grant["ends_at"]).astimezone(PARIS)
        assert (ends.date(), ends.hour, ends.minute) == (friday, 23, 59)
        shown = (await browser.get("/grants")).text
        assert until_text(ends, "fr", PARIS) in shown.replace("\xa0", " ")
        assert "23 h 59" not in shown.replace("\xa0", " ")
        moved_clock(ends.astimezone(UTC) - timedelta(seconds=30) - datetime.now(UTC))
        assert [one["state"] for one in await grants_of(browser, person)] == ["live"]
        moved_clock(ends.astimezone(UTC) + timedelta(seconds=2) - datetime.now(UTC))
        assert [one["state"] for one in await grants_of(browser, person)] == ["expired"]


async def test_a_request_is_approved_until_a_day_and_never_after_what_was_asked(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    today = datetime.now(PARIS).date()
    async with browser_of(served, person) as browser:
        paper = await deposit(browser, person, corpus.pdf(1), type_="payslip")
        request = await ask(browser, worker.headers, person.phone, "payslip", duration="P7D")
        ticked = {"document": paper["id"], "duration": "day"}
        late = await browser.get(
            f"/requests/{request}/check", params={**ticked, "day": str(today + timedelta(days=9))}
        )
        assert late.status_code == 422
        assert "pas après le dernier qui est proposé" in late.text
        # The day that stands there as asked may be typed: it ends when it was asked to end.
        last = today + timedelta(days=7)
        asked = await browser.get(f"/requests/{request}/check", params={**ticked, "day": str(last)})
        assert asked.status_code == 200, asked.text
        other = await ask(browser, worker.headers, person.phone, "payslip", duration="P7D")
        await say_yes(browser, other, *ticked.items(), ("day", str(last)))
        [as_asked] = await grants_of(browser, person)
        assert as_asked["duration"] == "P7D", "a whole day would be longer"
        day = today + timedelta(days=3)
        await say_yes(browser, request, *ticked.items(), ("day", str(day)))
        [grant] = [one for one in await grants_of(browser, person) if one != as_asked]
    ends = datetime.fromisoformat(grant["ends_at"]).astimezone(PARIS)
    assert (ends.date(), ends.hour, ends.minute) == (day, 23, 59)
    assert grant["duration"].startswith("P3DT") or grant["duration"].startswith("P2DT")


async def test_programs_name_the_last_day_too(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person("+68987123456"), await make_worker()
    today = datetime.now(TAHITI).date()
    body = {
        "recipient": {"worker_id": str(worker.subject.id)},
        "scope": {"document_types": ["payslip"], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Un logement"},
    }

    async def give(**end: str) -> httpx.Response:
        return await client.post("/v1/grants", headers=person.headers, json=body | end)

    given = await give(until=str(today + timedelta(days=4)))
    ends = datetime.fromisoformat(given.json()["ends_at"]).astimezone(TAHITI)
    assert (ends.date(), ends.hour, ends.minute) == (today + timedelta(days=4), 23, 59)
    for end, code, name in (
        ({"until": str(today - timedelta(days=1))}, "day_over", "#/until"),
        ({"until": str(today + timedelta(days=400))}, "duration_too_long", "#/until"),
        ({"until": "04/12/2026"}, "invalid_request", "#/until"),
        ({"until": str(today), "duration": "P1D"}, "invalid_request", "#"),
        ({}, "invalid_request", "#"),
    ):
        answer = await give(**end)
        problem = answer.json()
        assert (answer.status_code, problem["type"].rsplit("/", 1)[-1]) == (422, code), problem
        assert [place for place, _ in places(answer)] == [name], problem
    request = await ask(client, worker.headers, person.phone, "payslip", duration="P7D")
    for until, status in ((today + timedelta(days=8), 422), (today + timedelta(days=2), 201)):
        answer = await client.post(
            f"/v1/consent-requests/{request}/approve",
            headers=person.headers,
            json={"until": str(until)},
        )
        assert answer.status_code == status, answer.text
        if status == 422:
            assert [place for place, _ in places(answer)] == ["#/until"]
