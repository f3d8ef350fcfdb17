"""A card made on the pages: shown for minutes, with its page to print; replaced; sent twice."""

import asyncio
import base64
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest

from auth.card_means import MAX_CARDS
from tests.auth.means_steps import (
    add_card,
    choose_pin,
    enter,
    means,
    pin_of,
    proof_of,
    usable_pins,
)
from tests.fixtures import MakePerson, Served, SomePerson
from tests.web.api.test_printed_cards import code_on, scanned
from tests.web.pages.answers import yes_of
from tests.web.pages.test_own_means import proof_fields, said
from tests.web.pages.test_pages import browser_of
from tests.web.printouts.reading import text_of
from web.pages import sealed_values

_DATA = re.compile(r'href="data:application/pdf;base64,([^"]*)" download="unefois-carte.pdf"')


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def fields_of(at: httpx.AsyncClient, query: str = "") -> dict[str, str]:
    page = (await at.get(f"/me/cards/new{query}")).text
    return dict(yes_of(page, "/me/cards"))


async def make(
    at: httpx.AsyncClient, person: SomePerson, pin: str, query: str = "", **more: str
) -> tuple[httpx.Response, dict[str, str]]:
    """Fill in the form of somebody who has a PIN, and send it: the answer, and what was sent."""
    proof = {"proof": (await proof_of(at, person))["pin"]}
    sent = await fields_of(at, query) | proof | {"pin": pin, "again": pin, **more}
    return await at.post("/me/cards", data=sent), sent


def printed(page: str) -> bytes:
    (data,) = _DATA.findall(page)
    return base64.b64decode(data)


async def test_a_card_is_shown_for_minutes_with_its_page_to_print(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        made, sent = await make(at, person, pin)
        assert made.status_code == 200
        assert made.headers["cache-control"] == "no-store"
        pdf = printed(made.text)
        code = code_on(pdf)
        assert code in made.text
        assert pin not in made.text
        assert scanned(pdf).partition("#")[2] not in made.text
        assert "Cette page se montre 5 minutes." in said(made)
        assert "réserve" not in said(made), "nobody knows what that is"
        assert "la deuxième carte, qui est la même" in said(made)
        # While it is shown, it is shown again: by its address, and by a form that is sent again.
        assert code in (await at.get("/me/cards/ready")).text
        assert code in (await at.post("/me/cards", data=sent)).text
        at.cookies.delete("unefois-card")  # as the browser does after these minutes
        again = await at.post("/me/cards", data=sent)
        assert again.headers["location"] == "/me/means?done=card_once"
        told = said(await at.get(again.headers["location"]))
        assert "Elle se montre 5 minutes, là où vous l’avez faite." in told
        assert "Choisissez « La remplacer par une nouvelle »" in told
    assert len(await means(client, person.headers)) == 2
    assert (await enter(client, code, pin)).status_code == 201
    assert (await enter(client, scanned(pdf), pin)).status_code == 201


async def test_a_browser_that_keeps_it_for_longer_shows_nothing_of_it(
    served: Served,
    client: httpx.AsyncClient,
    person: SomePerson,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        await make(at, person, pin)
        for seconds, location in ((280, None), (301, "/me/means?done=card_once")):
            later = datetime.now(UTC) + timedelta(seconds=seconds)
            monkeypatch.setattr(sealed_values, "clock", SimpleNamespace(now=lambda at=later: at))
            assert at.cookies.get("unefois-card")
            shown = await at.get("/me/cards/ready")
            assert shown.headers.get("location") == location


async def test_a_double_click_makes_one_card(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    """Also where it chooses another PIN: the second one is not told that its proof is wrong."""
    pin, other, *_ = await usable_pins(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        sent = await fields_of(at) | {"pin": other, "again": other, "proof": pin}
        both = await asyncio.gather(*(at.post("/me/cards", data=sent) for _ in range(2)))
    assert sorted(one.status_code for one in both) == [200, 303]
    assert len(await means(client, person.headers)) == 2


async def test_a_replaced_card_dies_at_once(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin, other, *_ = await usable_pins(served.services, person)
    card = await add_card(client, person, pin)
    query = f"?replaces={card['id']}"
    async with browser_of(served, person) as at:
        page = said(await at.get(f"/me/cards/new{query}"))
        assert f"Remplacer la carte qui finit par {card['label']}" in page
        assert "L’ancienne carte s’arrête tout de suite" in page
        made, sent = await make(at, person, other, query)
        code = code_on(printed(made.text))
        at.cookies.delete("unefois-card")
        again = await at.post("/me/cards", data=sent)
        assert again.headers["location"] == "/me/means?done=card_once"
    assert (await enter(client, card["code"], pin)).status_code == 401
    assert (await enter(client, card["code"], other)).status_code == 401
    assert (await enter(client, code, other)).status_code == 201
    assert len(await means(client, person.headers)) == 2


async def test_the_helper_and_the_name_are_printed_if_one_wishes(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        assert "with_name" not in (await at.get("/me/cards/new")).text, "there is no name"
        body = {"name": "Malika"}
        await client.put("/v1/me/name", headers=person.headers, json=body)
        assert "Écrire mon nom sur la carte : Malika" in said(await at.get("/me/cards/new"))
        plain, _ = await make(at, person, pin)
        assert "Malika" not in text_of(printed(plain.text))
        beside = {"with_name": "yes", "help_phone": "03 20 00 00 01"}
        # What was typed is kept where it is refused, but for PINs.
        refused, _ = await make(at, person, "123456", **beside)
        assert 'value="03 20 00 00 01"' in refused.text
        assert re.search(r'name="with_name"[^>]*checked', refused.text)
        assert "123456" not in re.sub(r"<[^>]*>", "", refused.text).replace("comme 123456", "")
        made, _ = await make(at, person, pin, **beside)
        words = text_of(printed(made.text)).replace("\xa0", " ")
        assert words.count("Malika") == 2
        assert words.count("03 20 00 00 01") == 2


async def test_a_number_that_is_too_long_is_said_at_its_field(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser_of(served, person) as at:
        refused, _ = await make(at, person, pin, help_phone="0" * 41)
        assert refused.status_code == 422
        assert 'id="help_phone-wrong"' in refused.text


async def test_a_fifth_card_is_refused_and_said_before(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    for _ in range(MAX_CARDS):
        await add_card(client, person, pin)
    async with browser_of(served, person) as at:
        page = await at.get("/me/means")
        assert 'href="/me/cards/new"' not in page.text
        assert "Vous avez déjà 4 cartes" in said(page)
        # One that is stopped still counts: what makes room is to take one off the list.
        items = (await client.get("/v1/me/means", headers=person.headers)).json()["items"]
        for card in (one for one in items if one["kind"] == "card"):
            assert f'href="/me/means/{card["id"]}/remove"' in page.text
        refused, _ = await make(at, person, pin)
        assert refused.status_code == 409
        assert "Retirez une carte, ou remplacez-en une" in said(refused)


async def test_a_first_card_of_a_vault_without_a_pin_takes_a_code(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    async with browser_of(served, person) as at:
        assert 'name="pin"' not in (await at.get("/me/cards/new")).text
        shown = await proof_fields(served, person, at)
        query = f"?sent={shown['sent']}"
        page = said(await at.get(f"/me/cards/new{query}"))
        assert "Il sera demandé avec la carte, et après le code du SMS" in page
        sent = await fields_of(at, query) | {"pin": pin, "again": pin, **shown}
        made = await at.post("/me/cards", data=sent)
    assert made.status_code == 200, made.text
    assert (await enter(client, code_on(printed(made.text)), pin)).status_code == 201
