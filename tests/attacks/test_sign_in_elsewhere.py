"""A sign-in is finished where it was begun, and its rows say nothing that was not written with the
key: nobody is led into another one's vault."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from auth import one_time_codes
from auth.services import CoreServices
from base.embedded.server import Addresses
from base.errors import ServiceError
from storage.row_macs import RowAltered
from tests.attacks.statements import statements
from tests.auth.steps import (
    MoveClock,
    ask,
    begin,
    code_for,
    new_email,
    new_phone,
    new_worker,
    redeem,
    sent_codes,
    sign_in,
    wrong,
)
from tests.fixtures import Served
from tests.web.pages.answers import Browser

KINDS = ["person", "worker"]
FIRST = {"person": "/", "worker": "/pro"}
FIELD = {"person": "phone", "worker": "email"}
NO_SIGN_IN = "01890000-0000-7000-8000-000000000000"


def browser(served: Served) -> httpx.AsyncClient:
    """One in which a language was chosen: at the first visit, that comes before."""
    return Browser(
        base_url=served.base_url,
        cookies={"unefois-language": "fr"},
        trust_env=False,
        timeout=30,
    )


def token_in(page: httpx.Response) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found
    return found[1]


async def begin_on_page(at: httpx.AsyncClient, kind: str, address: str) -> str:
    """Type an address on the first page; returns the address of the page for the code."""
    first = FIRST[kind]
    form = {"form": token_in(await at.get(first)), FIELD[kind]: address, "device": "own"}
    answer = await at.post(f"{first.rstrip('/')}/sign-in", data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def finish_on_page(at: httpx.AsyncClient, page: str, code: str) -> httpx.Response:
    """Type the code on a page, as that browser shows it."""
    form = {"form": token_in(await at.get(page)), "code": code, "device": "own"}
    return await at.post(page, data=form)


async def someone(services: CoreServices, kind: str) -> str:
    if kind == "person":
        return new_phone()
    email = new_email()
    await new_worker(services, email)
    return email


@pytest.mark.parametrize("kind", KINDS)
async def test_a_sign_in_begun_elsewhere_is_not_finished_in_another_browser(
    served: Served, kind: str
) -> None:
    """An attacker begins one for their own phone, and gives the link and the code to someone."""
    attackers = await someone(served.services, kind)
    async with browser(served) as there, browser(served) as here:
        page = await begin_on_page(there, kind, attackers)
        code = await code_for(served.services, attackers)
        refused = await finish_on_page(here, page, code)
        assert refused.status_code == 401
        assert "Ce code ne marche pas" in refused.text
        assert not {"unefois-person", "unefois-worker"} & {*here.cookies}
        done = await finish_on_page(there, page, code)
        assert (done.status_code, f"unefois-{kind}" in there.cookies) == (303, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_where_a_code_went_is_shown_in_the_browser_that_typed_it_while_it_lives(
    served: Served, kind: str, moved_clock: MoveClock
) -> None:
    address = await someone(served.services, kind)
    tail = address[-4:] if kind == "person" else address
    async with browser(served) as there, browser(served) as here:
        page = await begin_on_page(there, kind, address)
        assert tail not in page
        assert tail in digits_joined((await there.get(page)).text)
        elsewhere = (await here.get(page)).text
        assert tail not in digits_joined(words_of(elsewhere))
        assert "il a été demandé sur un autre appareil" in elsewhere
        form = {"form": token_in(await here.get("/?done=bye"))}
        again = await here.post(f"{page.split('?')[0]}/again", data=form)
        assert "/sign-in/" not in again.headers["location"], "sends nothing for anyone else"
        nobodys = page.replace(page.split("?")[0].rsplit("/", 1)[1], NO_SIGN_IN)
        unknown = (await here.get(nobodys)).text
        assert without_its_own(elsewhere) == without_its_own(unknown)
        moved_clock(timedelta(minutes=11))
        late = digits_joined(words_of((await there.get(page)).text))
        assert tail not in late, "the next one at a shared computer reads no number"


async def test_another_code_says_the_same_of_a_known_number_and_an_unknown_one(
    served: Served, moved_clock: MoveClock
) -> None:
    known, unknown = new_phone(), new_phone()
    async with browser(served) as at:
        page = await begin_on_page(at, "person", known)
        code = await code_for(served.services, known)
        assert (await finish_on_page(at, page, code)).status_code == 303
    answers = []
    for phone in (known, unknown):
        moved_clock(timedelta())
        async with browser(served) as at:
            page = await begin_on_page(at, "person", phone)
            form = {"form": token_in(await at.get(page)), "device": "own"}
            again = f"{page.split('?')[0]}/again"
            early = await at.post(again, data=form)
            moved_clock(timedelta(seconds=61))
            sent = await at.post(again, data=form)
            shown = await at.get(sent.headers["location"])
            told = digits_joined(without_its_own(shown.text)).replace(phone[3:], "")
            answers.append((early.status_code, sent.status_code, re.sub(r"\d+", "", told)))
            assert len(await code_for(served.services, phone)) == 6
    assert answers[0] == answers[1]


async def test_asking_again_has_the_limits_of_a_number(
    served: Served, moved_clock: MoveClock
) -> None:
    """However often it is asked for: codes of one's own, then one that all share."""
    phone = new_phone()
    async with browser(served) as at:
        page = await begin_on_page(at, "person", phone)
        for number in range(1, 7):
            moved_clock(timedelta(seconds=61 * number))
            form = {"form": token_in(await at.get(page)), "device": "own"}
            sent = await at.post(f"{page.split('?')[0]}/again", data=form)
            page = sent.headers["location"]
    lengths = [len(code) for code in await sent_codes(served.services, phone)]
    assert lengths == [6, 6, 6, 6, 8], "two joined the shared one: nothing more was sent"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_browser_that_signed_in_is_known_again_on_pages(served: Served, kind: str) -> None:
    services, address = served.services, await someone(served.services, kind)
    async with browser(served) as here, browser(served) as there:
        page = await begin_on_page(here, kind, address)
        answer = await finish_on_page(here, page, await code_for(services, address))
        cookies = answer.headers.get_list("set-cookie")
        (cookie,) = [one for one in cookies if one.startswith("unefois-browser=")]
        assert f"Max-Age={400 * 24 * 3600}" in cookie
        assert "HttpOnly" in cookie
        kept = here.cookies["unefois-browser"]
        here.cookies.delete(f"unefois-{kind}")
        for _ in range(5):
            await begin_on_page(there, kind, address)
        assert len((await sent_codes(services, address))[-1]) == 8
        page = await begin_on_page(here, kind, address)
        code = await code_for(services, address)
        assert len(code) == 6, "a known browser shares nothing with strangers"
        assert (await finish_on_page(here, page, code)).status_code == 303
        assert here.cookies["unefois-browser"] == kept


@pytest.mark.parametrize("kind", KINDS)
async def test_a_long_code_is_typed_as_it_is_read(served: Served, kind: str) -> None:
    services, address = served.services, await someone(served.services, kind)
    async with browser(served) as here:
        for _ in range(5):
            page = await begin_on_page(here, kind, address)
        code = await code_for(services, address)
        assert len(code) == 8
        answer = await finish_on_page(here, page, f"{code[:4]} {code[4:]}")
        assert answer.status_code == 303


async def test_the_api_knows_a_browser_again_by_what_it_was_given(
    client: httpx.AsyncClient, services: CoreServices
) -> None:
    phone = new_phone()

    async def enter(**known: str) -> tuple[str, str]:
        started = await client.post("/v1/sign-ins", json={"phone": phone} | known)
        code = await code_for(services, phone)
        body = {"secret": started.json()["secret"], "code": code} | known
        opened = await client.post(f"/v1/sign-ins/{started.json()['id']}", json=body)
        assert opened.status_code == 201, opened.text
        return str(opened.json()["browser"]), code

    kept, _ = await enter()
    other, _ = await enter()
    assert other != kept
    for _ in range(2):
        await ask(services, phone)
    again, code = await enter(browser=kept)
    assert (again, len(code)) == (kept, 6)
    _, code = await enter(browser="A" * 43)
    assert len(code) == 8


async def test_a_recycled_number_gets_the_answer_of_a_wrong_code(
    client: httpx.AsyncClient, services: CoreServices, moved_clock: MoveClock
) -> None:
    phone = new_phone()
    await sign_in(services, phone)
    moved_clock(timedelta(days=200))
    started = (await client.post("/v1/sign-ins", json={"phone": phone})).json()
    code = await code_for(services, phone)
    answers = []
    for typed in (wrong(code), code):
        answer = await client.post(
            f"/v1/sign-ins/{started['id']}", json={"secret": started["secret"], "code": typed}
        )
        answers.append((answer.status_code, {**answer.json(), "request_id": ""}))
    assert answers[0] == answers[1]
    assert "allez au guichet" in answers[1][1]["what_to_do"]


async def test_another_ones_sign_in_and_no_sign_in_cost_the_same(services: CoreServices) -> None:
    started, code = await begin(services, new_phone())
    stranger = replace(started, secret="A" * 43)
    nothing = replace(stranger, id=(await ask(services, new_phone())).id)
    done = []
    for one in (stranger, nothing, stranger):
        with statements(services) as sent, pytest.raises(ServiceError, match="code_wrong"):
            await redeem(services, one, code)
        done.append(sent)
    assert done[0] == done[1] == done[2]
    assert await one_time_codes.sent_to(services, started.id, "A" * 43) is None


ALTERED = {
    "another account": "sign_in SET address_tag = %(other)s",
    "another kind": "sign_in SET kind = 'worker'",
    "more tries": "sign_in SET tries = 1000000",
    "a longer life": "sign_in SET expires_at = expires_at + interval '1 day'",
    "another network": "sign_in SET network_tag = %(other)s",
    "a code's longer life": "sign_in_code SET expires_at = expires_at + interval '1 day'",
    "a code of another lane": "sign_in_code SET lane = 'known'",
    "a code that strangers know": "sign_in_code SET code_tag = %(other)s",
    "a code said to be longer": "sign_in_code SET digits = 14",
    "a code of another account": "sign_in_code SET address_tag = %(other)s",
    "wrong codes forgotten": "wrong_codes SET count = 0",
}


@pytest.mark.parametrize("what", ALTERED)
async def test_a_row_changed_without_the_key_is_refused(
    services: CoreServices, postgres: Addresses, what: str
) -> None:
    phone, victim = new_phone(), new_phone()
    started, code = await begin(services, phone)
    with pytest.raises(ServiceError, match="code_wrong"):
        await redeem(services, started, wrong(code))
    values = {
        "other": await services.field_encryption.tag("phone", victim),
        "tag": await services.field_encryption.tag("phone", phone),
    }
    _change(postgres, f"UPDATE unefois.{ALTERED[what]} WHERE address_tag = %(tag)s", values)
    with pytest.raises(RowAltered):
        await redeem(services, started, code)


async def test_a_sign_in_pointed_at_another_code_is_refused(
    services: CoreServices, postgres: Addresses
) -> None:
    """Whoever writes the database begins a sign-in for the victim's phone, with their own code."""
    mine, code = await begin(services, new_phone())
    victims = await ask(services, new_phone())
    moved = (
        "UPDATE unefois.sign_in SET code_id ="
        " (SELECT code_id FROM unefois.sign_in WHERE id = %(mine)s) WHERE id = %(victims)s"
    )
    _change(postgres, moved, {"mine": mine.id, "victims": victims.id})
    with pytest.raises(RowAltered):
        await redeem(services, victims, code)


async def test_a_sign_in_given_to_another_secret_is_refused(
    services: CoreServices, postgres: Addresses
) -> None:
    started, code = await begin(services, new_phone())
    stolen = replace(started, secret="A" * 43)
    hashed = one_time_codes._secret_hash(stolen.id, stolen.secret)
    _change(
        postgres,
        "UPDATE unefois.sign_in SET secret_hash = %(hash)s WHERE id = %(id)s",
        {"hash": hashed, "id": started.id},
    )
    with pytest.raises(RowAltered):
        await redeem(services, stolen, code)


def test_the_service_itself_changes_no_sign_in(postgres: Addresses) -> None:
    address = postgres.service_url.replace("+psycopg", "")
    for forbidden in (
        "UPDATE unefois.sign_in SET tries = 9",
        "DELETE FROM unefois.sign_in",
        "UPDATE unefois.sign_in_code SET digits = 4",
        "UPDATE unefois.sign_in_try SET succeeded = false",
        "DELETE FROM unefois.sign_in_try",
        "UPDATE unefois.wrong_codes SET hour = unefois.now()",
        "UPDATE unefois.browser SET used_at = unefois.now()",
    ):
        with (
            psycopg.connect(address) as service,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            service.execute(forbidden)  # type: ignore[arg-type]  # a list above


def _change(postgres: Addresses, change: str, values: dict[str, Any]) -> None:
    """As who owns the tables and has no key."""
    with psycopg.connect(postgres.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        assert owner.execute(change, values).rowcount >= 1  # type: ignore[arg-type]  # ours


def words_of(page: str) -> str:
    """What a reader of a page sees, without the demonstration's message and its code."""
    seen = re.sub(r"<(head|svg|aside)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", "", seen)


def digits_joined(text: str) -> str:
    """A text whose numbers are written as they are typed."""
    return re.sub(r"(?<=\d)\s+(?=\d)", "", text)


def without_its_own(page: str) -> str:
    """A page without what differs each time: the form's token, the field that is named after it,
    the address, its own time."""
    return re.sub(r'value="[^"]*"|name="asked-[^"]*"|/sign-in/[0-9a-f-]+', "", page)
