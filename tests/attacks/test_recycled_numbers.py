"""A number that changed hands after six months of silence: who has it now is served, and opens
nothing of who had it before. Whoever was away for long, and has a PIN, is not locked out."""

from datetime import timedelta
from secrets import randbelow

import httpx
from sqlalchemy import update

from auth import administration
from auth.records import people
from auth.records.people import PersonRow
from auth.sessions import subject_of
from auth.subjects import Person
from base.database import Database
from tests.auth.means_steps import (
    add_card,
    add_phone,
    bearer,
    choose_pin,
    enter,
    enter_by_phone,
    know,
    means,
    type_code,
    type_pin,
    usable_pins,
    wrong,
)
from tests.auth.steps import log_of
from tests.fixtures import (
    MakePerson,
    MakeWorker,
    MoveClock,
    Served,
    SomePerson,
    last_code,
    new_phone,
)
from tests.steps import ask, request_body
from tests.vault.consent import steps
from tests.web.pages.test_entering import browser, hidden
from vault.services import Services

AWAY = timedelta(days=215)
LINE = "ce numéro était à quelqu’un d’autre avant"


async def changed_hands(
    http: httpx.AsyncClient, services: Services, make_person: MakePerson, moved_clock: MoveClock
) -> tuple[SomePerson, SomePerson, str]:
    """Amina, who was away for seven months; Bilal, who has her number now, added to his vault; and
    his PIN."""
    amina = await make_person()
    moved_clock(AWAY)
    bilal = await make_person()
    (pin, *_) = await usable_pins(services, bilal, amina)
    added = await add_phone(http, services, bilal, amina.phone, pin)
    assert added.status_code == 201, added.text
    return amina, bilal, pin


async def test_a_right_pin_opens_a_vault_that_was_not_used_for_long(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """More than a year: whoever has the number now does not know it."""
    person = await make_person()
    (pin, *_) = await usable_pins(services, person)
    assert (await choose_pin(client, person, pin)).status_code == 204
    moved_clock(timedelta(days=420))
    assert (await enter_by_phone(client, services, person.phone, wrong(pin))).status_code == 401
    opened = bearer(await enter_by_phone(client, services, person.phone, pin))
    assert (await means(client, opened))[0]["label"] == person.phone[-2:]
    log = await log_of(services, person.id)
    assert "vault_asleep" not in repr(log)
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        tag = await services.field_encryption.tag("phone", person.phone)
        row = await people.person_by_phone(tx, macs, [tag])
    assert row is not None
    assert not row.asleep, "it is awake again"


async def test_who_has_the_number_now_adds_it_and_opens_their_own(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    amina, bilal, pin = await changed_hands(client, services, make_person, moved_clock)
    before = await log_of(services, amina.id)
    own = await means(client, bilal.headers)
    assert [one["label"] for one in own] == [amina.phone[-2:]]
    opened = await enter_by_phone(client, services, amina.phone, pin)
    assert await means(client, bearer(opened)) == await means(client, bilal.headers)
    # No code and no PIN opens what was hers: she has none.
    begun, _ = await type_code(client, services, amina.phone)
    for typed in (wrong(pin), "000000", "0000"):
        assert (await type_pin(client, begun, typed)).status_code == 401
    assert await log_of(services, amina.id) == before, "he leaves nothing in her log"


async def test_both_are_served_through_the_desk(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """Who has the number comes to the desk without anything: a vault with a card, to which they add
    the number there. Who had it, and has a card, enters as ever."""
    amina = await make_person()
    (hers, *_) = await usable_pins(services, amina)
    card = await add_card(client, amina, hers)
    moved_clock(AWAY)
    _, refused = await type_code(client, services, amina.phone)
    assert refused.status_code == 202, "her PIN is asked: he does not know it"
    worker = await make_worker()
    await administration.let_open_vaults(services, worker.organisation_id, allowed=True)
    body = {"pin": "482693", "again": "482693"}
    opened = await client.post("/v1/desk/vaults", headers=worker.headers, json=body)
    assert opened.status_code == 201, opened.text
    entered = bearer(await enter(client, opened.json()["code"], "482693"))
    bilal = await _person_of(services, entered, amina.phone)
    know(bilal, "482693", opened.json()["code"])
    his = next(one for one in await usable_pins(services, bilal, amina) if one != hers)
    added = await add_phone(client, services, bilal, amina.phone, his)
    assert added.status_code == 201, added.text
    for pin, whose in ((his, bilal), (hers, amina)):
        inside = bearer(await enter_by_phone(client, services, amina.phone, pin))
        assert (await _person_of(services, inside, amina.phone)).id == whose.id
    assert (await enter(client, card["code"], hers)).status_code == 201


async def _person_of(services: Services, headers: dict[str, str], phone: str) -> SomePerson:
    token = headers["Authorization"].removeprefix("Bearer ")
    async with services.database.transaction() as tx:
        subject = await subject_of(services, tx, token)
    assert isinstance(subject, Person)
    return SomePerson(subject.id, phone, token, subject, services)


async def test_a_number_of_a_vault_in_use_is_not_added(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """Five months: the one who reads the phone's messages takes nothing from who it belongs to."""
    amina = await make_person()
    moved_clock(timedelta(days=150))
    bilal = await make_person()
    (pin, *_) = await usable_pins(services, bilal)
    refused = await add_phone(client, services, bilal, amina.phone, pin)
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_not_added")


async def test_beside_one_that_sleeps_there_is_one_place(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    amina, bilal, pin = await changed_hands(client, services, make_person, moved_clock)
    third = await make_person()
    pins = await usable_pins(services, third, bilal)
    refused = await add_phone(client, services, third, amina.phone, pins[1])
    assert (refused.status_code, refused.json()["code"]) == (409, "phone_not_added")
    again = await add_phone(client, services, bilal, amina.phone, pin)
    assert again.status_code == 201, "his own, as before"


async def test_a_number_kept_in_a_form_of_before_stays_in_it(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    moved_clock: MoveClock,
) -> None:
    """Else the one that sleeps would not be seen beside the other, and be alone once that one has
    gone."""
    end = f"{randbelow(10**6):06}"
    kept, typed = f"+2120618{end}", f"+212618{end}"
    await steps.make_person(services, kept)
    moved_clock(AWAY)
    bilal = await make_person()
    (pin, *_) = await usable_pins(services, bilal)
    added = await add_phone(client, services, bilal, typed, pin)
    assert added.status_code == 201, added.text
    async with services.database.transaction() as tx:
        row = await people.person(tx, await services.field_encryption.row_macs(), bilal.id)
    assert row is not None
    assert row.phone_tag == await services.field_encryption.tag("phone", kept)
    assert (await enter_by_phone(client, services, typed, pin)).status_code == 201


async def test_a_request_by_the_number_reaches_who_has_it_now(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    amina, bilal, _ = await changed_hands(client, services, make_person, moved_clock)
    worker = await make_worker()
    before = await log_of(services, amina.id)
    sent = await ask(client, worker.headers, amina.phone, "payslip")
    found = await client.get("/v1/consent-requests", headers=bilal.headers)
    assert [one["id"] for one in found.json()["items"]] == [sent]
    assert await log_of(services, amina.id) == before


async def test_two_that_sleep_get_no_request(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    moved_clock: MoveClock,
) -> None:
    """As two that are in use: nobody can say for whom it is."""
    amina, _, pin = await changed_hands(client, services, make_person, moved_clock)
    moved_clock(AWAY * 2)
    await ask(client, (await make_worker()).headers, amina.phone, "payslip")
    opened = bearer(await enter_by_phone(client, services, amina.phone, pin))
    found = await client.get("/v1/consent-requests", headers=opened)
    assert found.json()["items"] == []


async def test_a_vault_that_somebody_put_to_sleep_in_its_row_is_believed_by_nobody(
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    make_worker: MakeWorker,
    as_owner: Database,
) -> None:
    """With the database alone one would have requests, or the number, go to another vault."""
    amina, bilal = await make_person(), await make_person()
    pins = await usable_pins(services, amina, bilal)
    assert (await choose_pin(client, amina, pins[0])).status_code == 204
    added = await add_phone(client, services, bilal, amina.phone, pins[1])
    assert added.status_code == 201, added.text
    worker = await make_worker()
    hers = update(PersonRow).where(PersonRow.id == amina.id)
    async with as_owner.transaction() as tx:
        await tx.execute(hers.values(used_at=PersonRow.used_at - AWAY))
    body = request_body(amina.phone, "payslip")
    asked = await client.post("/v1/consent-requests", headers=worker.headers, json=body)
    entering = await client.post("/v1/sign-ins", json={"phone": amina.phone})
    async with as_owner.transaction() as tx:
        await tx.execute(hers.values(used_at=PersonRow.used_at + AWAY))
    for answer in (asked, entering):
        assert (answer.status_code, answer.json()["code"]) == (503, "row_altered")
    found = await client.get("/v1/consent-requests", headers=bilal.headers)
    assert found.json()["items"] == []


async def test_the_page_says_where_to_go_after_every_wrong_code(
    served: Served, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    """The same of a number that nobody has, and of a right code for one that changed hands."""
    amina = await make_person()
    moved_clock(AWAY)
    seen = []
    for phone, right in ((new_phone(), False), (amina.phone, False), (amina.phone, True)):
        async with browser(served, language="fr") as at:
            page = (await at.get("/?done=x")).text
            begun = await at.post("/sign-in", data={**hidden(page), "phone": phone})
            shown = (await at.get(begun.headers["location"])).text
            assert LINE not in shown
            code = await last_code(served.services, phone)
            typed = code if right else wrong(code)
            refused = await at.post(
                begun.headers["location"], data={**hidden(shown), "code": typed}
            )
            assert LINE in refused.text
            seen.append((refused.status_code, refused.text.count("allez au guichet")))
    assert seen == [(401, 1)] * 3
