"""Times are told where the person is: on pages, in messages and files; programs get UTC."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from auth.time_zones import choose_zone, zone_of_person
from base.db_time import instant
from base.time_zones import NAMES, zone_of
from tests.auth.steps import ask, queued_messages, redeem, sent_codes
from tests.fixtures import MakePerson, MakeWorker, Served, new_phone
from tests.steps import deposit, is_problem
from tests.vault.consent import steps
from tests.vault.decoding import corpus
from tests.web.api.test_access_log_files import rows, words_of
from vault.services import Services
from web.i18n import time_zone_names
from web.pages import forms


def phone_of_reunion() -> str:
    return "+262692" + new_phone()[-6:]


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("+33612345678", "Europe/Paris"), ("+262692123456", "Indian/Reunion"),
        ("+262639013456", "Indian/Mayotte"), ("+590690123456", "America/Guadeloupe"),
        ("+596696201234", "America/Martinique"), ("+594694201234", "America/Cayenne"),
        ("+508551122", "America/Miquelon"), ("+687751234", "Pacific/Noumea"),
        ("+68987123456", "Pacific/Tahiti"), ("+681821234", "Pacific/Wallis"),
        ("+212611223344", "Europe/Paris"), ("", "Europe/Paris"), (None, "Europe/Paris"),
    ],
)  # fmt: skip
def test_a_phone_says_where_its_holder_is_until_they_do(phone: str | None, zone: str) -> None:
    assert zone_of(None, phone).key == zone
    assert zone_of("Nowhere/Else", phone).key == zone
    assert zone_of("Pacific/Tahiti", phone).key == "Pacific/Tahiti"


def test_every_zone_has_a_name() -> None:
    assert set(time_zone_names.NAMES) == set(NAMES)
    assert time_zone_names.name_of(ZoneInfo("Indian/Reunion"), "fr") == "La Réunion"


async def test_the_person_chooses_their_zone(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(phone_of_reunion()), await make_worker()
    me = (await client.get("/v1/me", headers=person.headers)).json()
    assert me["time_zone"] == "Indian/Reunion"
    for name in ("Pacific/Wallis", "Europe/Paris"):
        changed = await client.patch("/v1/me", headers=person.headers, json={"time_zone": name})
        assert (changed.status_code, changed.json()["time_zone"]) == (200, name)
        assert (await client.get("/v1/me", headers=person.headers)).json()["time_zone"] == name
    for wrong in ("Europe/London", "europe/paris", "+04:00", "", None, 4):
        refused = await client.patch("/v1/me", headers=person.headers, json={"time_zone": wrong})
        is_problem(refused, 422, "invalid_request")
        assert refused.json()["errors"][0]["pointer"] == "#/time_zone"
    body = {"time_zone": "Europe/Paris"}
    assert (await client.patch("/v1/me", headers=worker.headers, json=body)).status_code == 403
    assert (await client.patch("/v1/me", json=body)).status_code == 401


async def test_the_choice_stays_when_a_phone_of_before_is_brought_forward(
    services: Services,
) -> None:
    end = new_phone()[-6:]
    person = await steps.make_person(services, f"+2120617{end}")
    await choose_zone(services, person, "Pacific/Tahiti")
    started = await ask(services, f"+212 617{end}")
    opened = await redeem(services, started, (await sent_codes(services, f"+212617{end}"))[-1])
    assert opened.subject_id == person.id
    assert (await zone_of_person(services, person)).key == "Pacific/Tahiti"


async def test_pages_and_files_tell_the_time_of_the_person(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person(phone_of_reunion())
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    log = (await client.get("/v1/access-log", headers=person.headers)).json()["items"]
    at = datetime.fromisoformat(log[-1]["at"])
    assert at.utcoffset() == timedelta(0)
    for name in ("Indian/Reunion", "Pacific/Tahiti"):
        await choose_zone(served.services, person.subject, name)
        local = at.astimezone(ZoneInfo(name))
        hour = f"{local:%H} h {local:%M}"
        async with httpx.AsyncClient(
            base_url=served.base_url, cookies={"unefois-person": person.token}, trust_env=False
        ) as browser:
            page = (await browser.get("/access-log?mine=1")).text.replace("\u00a0", " ")
        assert hour in page
        table = await rows(client, person)
        assert table[-1][0] == local.isoformat()
        pdf = await client.get("/v1/access-log.pdf", headers=person.headers)
        words = words_of(pdf.content)
        assert hour in words
        assert f"Les heures sont celles de ce lieu : {time_zone_names.NAMES[name]}" in words


async def test_a_page_chooses_the_zone(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies={"unefois-person": person.token}, trust_env=False
    ) as browser:
        assert '"Europe/Paris" selected' in (await browser.get("/sessions")).text
        for name, status in (("America/Cayenne", 303), ("Europe/London", 422), ("", 422)):
            token = await forms.token_for(served.services, person.token)
            answer = await browser.post("/time-zone", data={"form": token, "time_zone": name})
            assert answer.status_code == status
        assert '"America/Cayenne" selected' in (await browser.get("/sessions")).text
        assert (await browser.post("/time-zone", data={"time_zone": "x"})).status_code == 403


async def test_a_message_tells_the_time_of_its_addressee(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    phone = phone_of_reunion()
    person = await make_person(phone)
    await client.post("/v1/me/erasure/code", headers=person.headers)
    code = (await sent_codes(services, phone))[-1]
    asked = await client.request("DELETE", "/v1/me", headers=person.headers, json={"code": code})
    erases_at = datetime.fromisoformat(asked.json()["erases_at"])
    local = erases_at.astimezone(ZoneInfo("Indian/Reunion"))
    text = (await queued_messages(services, phone))[-1]["text"]
    assert re.search(rf"le {local.day} \S+ à {local.hour} h {local:%M}", text), text
    assert erases_at.utcoffset() == timedelta(0)


async def test_a_new_device_is_told_in_the_time_of_the_person(services: Services) -> None:
    phone = phone_of_reunion()
    for _ in range(2):
        started = await ask(services, phone)
        await redeem(services, started, (await sent_codes(services, phone))[-1])
    text = (await queued_messages(services, phone))[-1]["text"]
    async with services.database.transaction() as tx:
        now = await instant(tx)
    local = now.astimezone(ZoneInfo("Indian/Reunion"))
    possible = {local, local - timedelta(minutes=1)}
    assert any(f"à {one.hour} h {one:%M}" in text for one in possible), text


@pytest.mark.parametrize(("zone", "over"), [("Pacific/Noumea", True), ("Pacific/Tahiti", False)])
async def test_a_paper_is_over_at_midnight_where_its_owner_is(
    zone: str, over: bool, served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """On the day that is yesterday in Nouméa, or still today in Tahiti, whatever the hour is."""
    person = await make_person()
    await choose_zone(served.services, person.subject, zone)  # type: ignore[arg-type]  # one of them
    today = datetime.now(ZoneInfo(zone)).date()
    last_day = today - timedelta(days=1) if over else today
    kept = await deposit(client, person, corpus.pdf(1), type_="payslip")
    body = {"expires_on": last_day.isoformat()}
    await client.patch(f"/v1/documents/{kept['id']}", headers=person.headers, json=body)
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies={"unefois-person": person.token}, trust_env=False
    ) as browser:
        page = (await browser.get("/documents")).text
    assert ("Plus bon depuis" in page) is over
