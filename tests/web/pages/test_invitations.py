"""Entering on a worker's device by a yes on one's own phone, on the pages, without script."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from auth import pin_hashes
from tests.assisted import card_of, status_of
from tests.auth.means_steps import wrong
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.invitations import invite, looked_at, say
from tests.meetings import open_meeting
from tests.steps import deposit
from tests.vault.decoding import corpus
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_entering import browser, cookie_of
from tests.web.pages.test_meetings import REFRESH, shown_code, typed, word_in


@pytest.fixture(autouse=True)
def quick_pins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


@pytest.fixture
async def worker(make_worker: MakeWorker) -> SomeWorker:
    return await make_worker(name="Camille Moreau")


@pytest.fixture
async def phone(served: Served, person: SomePerson) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(served, person=person.token, language="fr") as opened:
        yield opened


@pytest.fixture
async def at(served: Served, worker: SomeWorker) -> AsyncIterator[httpx.AsyncClient]:
    """The worker's browser."""
    async with browser(served, worker=worker.token, language="fr") as opened:
        yield opened


async def said_on(page: httpx.AsyncClient, address: str) -> str:
    """The words of a page, without its marks."""
    text = (await page.get(address)).text
    return re.sub(r"<[^>]+>|[\u2066-\u2069]", "", re.sub(r"[\xa0\u202f]", " ", text))


async def answer(phone: httpx.AsyncClient, address: str, agree: str, **more: str) -> httpx.Response:
    fields = yes_of((await phone.get(address)).text, address)
    return await send(phone, address, [*fields, ("agree", agree), *more.items()])


async def go_on(at: httpx.AsyncClient, address: str) -> httpx.Response:
    enter = f"{address}/enter"
    return await send(at, enter, yes_of((await at.get(address)).text, enter))


async def test_both_screens_from_the_code_to_the_end(
    client: httpx.AsyncClient,
    phone: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
) -> None:
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    waits, code = await shown_code(at, "/pro/beside", "/pro/invitations")
    assert waits.startswith("/pro/invitations/")
    asked = (await typed(phone, "/meetings/code", code)).headers["location"]
    assert asked == waits.removeprefix("/pro")
    words = await said_on(phone, asked)
    opens = f"s’ouvrent 15 minutes sur l’écran de Camille Moreau, {worker.subject.organisation}."
    assert f"Si vous dites oui, vos papiers {opens}" in words
    assert "Y a-t-il le même mot ?" in words, "it asks: told, one says yes without a look"
    assert "doit montrer le même mot" not in words
    assert words.index("Camille Moreau") < words.index("Le mot") < words.index("Y a-t-il")
    page = (await phone.get(asked)).text
    assert 'type="password"' not in page, "this vault has no PIN"
    assert REFRESH not in page
    shown = (await at.get(waits)).text
    assert word_in(shown) == word_in(page)
    assert REFRESH in shown
    assert 'action="' + waits + '/enter"' not in shown
    assert (await answer(phone, asked, "yes")).headers["location"] == asked
    assert REFRESH in (await phone.get(asked)).text, "it tells by itself once it is open"
    assert "Donnez-lui l’appareil" in await said_on(at, waits)
    assert REFRESH not in (await at.get(waits)).text, "nothing takes the tap away"
    entered = await go_on(at, waits)
    assert (entered.status_code, entered.headers["location"]) == (303, "/documents")
    assert "Max-Age" not in cookie_of(entered, "person")
    assert entered.headers["clear-site-data"] == '"cache"'
    assert "Camille Moreau est à côté de vous." in await said_on(at, "/documents")
    assert (await at.get("/pro/people")).status_code == 403
    words = await said_on(phone, asked)
    assert "Vos papiers sont ouverts sur un autre écran" in words
    assert "Camille Moreau" in words
    assert (await answer(phone, asked, "no")).headers["location"] == asked
    assert "C’est terminé" in await said_on(phone, asked)
    assert (await at.get("/documents")).headers["location"].startswith("/?done=")
    assert (await at.get("/pro/people")).status_code == 200
    assert await status_of(client, person) == 200


async def test_a_code_that_was_used_says_so_to_both(
    phone: httpx.AsyncClient, at: httpx.AsyncClient
) -> None:
    waits, code = await shown_code(at, "/pro/beside", "/pro/invitations")
    asked = (await typed(phone, "/meetings/code", code)).headers["location"]
    await answer(phone, asked, "yes")
    await go_on(at, waits)
    await answer(phone, asked, "no")
    words = await said_on(phone, asked)
    assert "Ce code a déjà servi. Vos papiers sont refermés sur l’autre écran." in words
    assert "J’ai un code à taper" in words
    words = await said_on(at, waits)
    assert "Ce code a déjà servi" in words
    assert "La personne est entrée avec ce code. Ses papiers sont refermés." in words
    assert "a dit non" not in words
    assert "Montrer un nouveau code" in words


async def test_a_pin_is_asked_on_the_phone(
    client: httpx.AsyncClient,
    served: Served,
    phone: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
) -> None:
    _, pin = await card_of(client, served.services, person)
    asked = f"/invitations/{await looked_at(client, worker, person)}"
    assert 'type="password"' in (await phone.get(asked)).text
    refused = await answer(phone, asked, "yes", proof=wrong(pin))
    assert refused.status_code == 403
    assert "Camille Moreau" in refused.text
    assert "aria-invalid" in refused.text
    assert pin not in refused.text
    assert (await answer(phone, asked, "yes", proof=pin)).headers["location"] == asked
    assert "Vous avez dit oui" in await said_on(phone, asked)


async def test_no_yes_in_a_browser_where_a_worker_is_signed_in(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
) -> None:
    """Theirs or another's: it is not the person's own phone. A no is one anywhere."""
    at.cookies.set("unefois-person", person.token, domain="127.0.0.1")
    asked = f"/invitations/{await looked_at(client, worker, person)}"
    led = await answer(at, asked, "yes")
    assert led.headers["location"] == "/pro/beside?done=enter_beside"
    assert "Si vous dites oui" in await said_on(at, asked), "nothing was said"
    assert (await answer(at, asked, "no")).headers["location"] == asked
    assert "Ce code ne sert plus" in await said_on(at, asked)


async def test_the_worker_stops_waiting_or_is_told_that_it_is_over(
    client: httpx.AsyncClient,
    phone: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
) -> None:
    invitation = await looked_at(client, worker, person)
    waits = f"/pro/invitations/{invitation}"
    early = await send(at, f"{waits}/enter", yes_of((await at.get(waits)).text, waits))
    assert early.headers["location"] == waits
    assert (await at.get("/pro/people")).status_code == 200
    await say(client, person, invitation, agree=False)
    assert "Le temps est passé, ou la personne a dit non." in await said_on(at, waits)
    opened = await invite(client, worker)
    waits = f"/pro/invitations/{opened['id']}"
    stopped = await send(at, waits, yes_of((await at.get(waits)).text, waits))
    assert stopped.headers["location"] == "/pro/beside"
    wrong_code = await typed(phone, "/meetings/code", opened["code"])
    assert wrong_code.status_code == 403
    assert "Ce code ne marche pas" in wrong_code.text
    words = await said_on(phone, f"/invitations/{invitation}")
    assert "Ce code ne sert plus. Rien ne s’est ouvert sur l’autre écran." in words
    assert "demandez un nouveau code à la personne devant vous" in words


async def test_one_field_takes_both_codes_and_beside_a_worker_one(
    client: httpx.AsyncClient,
    phone: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    colleague = await make_worker()
    meeting = await open_meeting(client, colleague)
    led = await typed(phone, "/meetings/code", meeting["code"])
    assert led.headers["location"] == f"/meetings/{meeting['id']}"
    waits, code = await shown_code(at, "/pro/beside", "/pro/invitations")
    asked = (await typed(phone, "/meetings/code", code)).headers["location"]
    await answer(phone, asked, "yes")
    await go_on(at, waits)
    opened = await invite(client, colleague)
    refused = await typed(at, "/meetings/code", opened["code"])
    assert refused.status_code == 403
    assert "Ce code ne marche pas" in refused.text
    led = await typed(phone, "/meetings/code", opened["code"])
    assert led.headers["location"] == f"/invitations/{opened['id']}"
