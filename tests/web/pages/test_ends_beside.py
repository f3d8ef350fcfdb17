"""Three months at most, to the worker who is beside: to that one alone, and said so."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from auth import pin_hashes
from tests.assisted import Card, card_of
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import ask, deposit
from tests.vault.decoding import corpus
from tests.web.pages.answers import Pairs, send, summary, yes_of
from tests.web.pages.test_assisted_sessions import enter
from tests.web.pages.test_entering import browser
from tests.web.pages.test_pages import browser_of

LIMIT = "À Camille Moreau, à côté de vous : 3 mois au plus."
WHY = "purpose_code=housing"


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
async def card(client: httpx.AsyncClient, served: Served, person: SomePerson) -> Card:
    return await card_of(client, served.services, person)


@pytest.fixture
async def hers(client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker) -> str:
    """What the worker asked before the person sat down."""
    return await ask(client, worker.headers, person.phone, "payslip", duration="P6M")


@pytest.fixture
async def at(served: Served, worker: SomeWorker, card: Card) -> AsyncIterator[httpx.AsyncClient]:
    """The worker's browser, where the person is inside."""
    async with browser(served, worker=worker.token, language="fr") as opened:
        assert (await enter(opened, card)).status_code == 303
        yield opened


def said(page: httpx.Response) -> str:
    return re.sub(r"<[^>]+>|[\u2066-\u2069]", "", re.sub(r"[\xa0\u202f]", " ", page.text))


async def test_a_longer_time_is_for_others(
    client: httpx.AsyncClient,
    at: httpx.AsyncClient,
    person: SomePerson,
    worker: SomeWorker,
    make_worker: MakeWorker,
) -> None:
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    other = await make_worker(name="Nadia Benali")
    chosen = f"document={paper['id']}&{WHY}"
    until = await at.get(f"/grants/new/until?{chosen}")
    assert LIMIT in said(until)
    assert "1 an" in said(until)
    for_others = await at.get(f"/grants/new/until?{chosen}&worker=other")
    assert LIMIT not in said(for_others)
    who = (await at.get(f"/grants/new/who?{chosen}&duration=P12M")).text
    fields = yes_of(who, "/grants/new/check")
    # To the one beside: at the question that it is about, which offers what is possible.
    refused = await send(at, "/grants/new/check", [*fields, ("worker", str(worker.subject.id))])
    assert refused.status_code == 403
    assert "vous pouvez donner un accès de 3 mois au plus" in said(refused)
    assert 'name="duration"' in refused.text
    assert LIMIT in said(refused)
    assert "6 mois" not in said(refused)
    # To anyone else: as ever.
    to: Pairs = [("worker", "other"), ("email", other.email)]
    check = await send(at, "/grants/new/check", [*fields, *to])
    assert check.status_code == 200
    given = await send(at, "/grants/new", yes_of(check.text, "/grants/new"))
    assert given.status_code == 303, given.text
    # By the address of the one beside, which only the answer knows.
    to = [("worker", "other"), ("email", worker.email)]
    check = await send(at, "/grants/new/check", [*fields, *to])
    refused = await send(at, "/grants/new", yes_of(check.text, "/grants/new"))
    assert refused.status_code == 403
    assert 'name="duration"' in refused.text
    grants = await client.get("/v1/grants", headers=person.headers)
    assert len(grants.json()["items"]) == 1


async def test_three_months_are_the_same_day_whoever_receives(
    client: httpx.AsyncClient, at: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """It is chosen before it is said to whom, and the day that was shown is given."""
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    chosen = f"document={paper['id']}&{WHY}"
    until = (await at.get(f"/grants/new/until?{chosen}")).text
    [shown] = re.findall(r'value="P3M"[^>]*><span><strong>([^<]+)</strong>', until)
    who = (await at.get(f"/grants/new/who?{chosen}&duration=P3M")).text
    fields = yes_of(who, "/grants/new/check")
    for to in (
        [("worker", str(worker.subject.id))],
        [("worker", "other"), ("email", "nadia@exemple.fr")],
    ):
        check = said(await send(at, "/grants/new/check", [*fields, *to]))
        assert shown.split(" ", 1)[1] in check


async def test_to_a_request_of_somebody_else(
    client: httpx.AsyncClient,
    hers: str,
    at: httpx.AsyncClient,
    person: SomePerson,
    make_worker: MakeWorker,
) -> None:
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    other = await make_worker(name="Nadia Benali")
    theirs = await ask(client, other.headers, person.phone, "payslip", duration="P6M")
    picked = ("document", paper["id"])
    page = await at.get(f"/requests/{hers}/until", params=[picked])
    assert LIMIT in said(page)
    assert "C’est ce que" not in said(page)
    page = await at.get(f"/requests/{theirs}/until", params=[picked])
    assert "3 mois au plus" not in said(page)
    assert "C’est ce que Nadia Benali demande" in said(page)
    address = f"/requests/{theirs}/approve"
    answer = await send(at, address, yes_of(await summary(at, theirs, picked), address))
    assert answer.status_code == 303, answer.text


async def test_nobody_beside(
    client: httpx.AsyncClient, served: Served, person: SomePerson, hers: str
) -> None:
    """On one's own device, a worker's request is answered for as long as it asks."""
    paper = await deposit(client, person, corpus.pdf(1), type_="payslip")
    async with browser(served, person=person.token, language="fr") as phone:
        params = [("document", paper["id"])]
        page = said(await phone.get(f"/requests/{hers}/until", params=params))
    assert "C’est ce que Camille Moreau demande" in page
    assert "3 mois au plus" not in page


async def test_ones_other_devices_are_not_told_beside_a_worker(
    served: Served, person: SomePerson, at: httpx.AsyncClient
) -> None:
    async with browser_of(served, person) as own:
        mine = {address: said(await own.get(address)) for address in ("/me", "/documents")}
    for address, page in mine.items():
        assert "ouverts aussi sur" in page, address
        assert "ouverts aussi sur" not in said(await at.get(address)), address
