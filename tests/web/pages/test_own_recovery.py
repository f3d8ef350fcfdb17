"""« Mes papiers d’avant », without script: what its person reads while they wait, and the yes that
opens what they had."""

import re

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.auth.means_steps import bearer, enter
from tests.fixtures import MakePerson, MakeWorker, MoveClock, Served, SomePerson
from tests.openings import LATER, Agents, Waiting, waits, waits_for
from tests.recoveries import PIN, agent, begun, some_paper
from tests.steps import deposit
from tests.vault.decoding import corpus
from tests.web.pages.answers import Browser, send, yes_of
from tests.web.pages.test_pages import browser_of
from tests.web.printouts.reading import text_of
from vault.services import Services

AT = "/recovery"
_HOURS = re.compile(r"\d+ h \d+|name=\"asked-[^\"]*\"|value=\"[^\"]*\"")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def agents(services: Services, as_owner: Database, make_worker: MakeWorker) -> Agents:
    first = await agent(services, as_owner, make_worker, "Camille Moreau")
    return first, await agent(services, as_owner, make_worker, "Nadia Benali")


def browser_with(served: Served, headers: dict[str, str]) -> Browser:
    """The browser in which somebody is inside."""
    browser = Browser(base_url=served.base_url, trust_env=False)
    token = headers["Authorization"].removeprefix("Bearer ")
    browser.cookies.set("unefois-person", token, domain="127.0.0.1")
    return browser


def words(page: httpx.Response) -> str:
    return page.text.split("<main")[1].replace("\xa0", " ")


async def test_what_was_found_is_read_only_once_its_time_has_come(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: Agents,
    moved_clock: MoveClock,
) -> None:
    found = await waits(client, agents, make_person)
    nothing = await waits_for(client, agents, found.lost, some_paper())
    one, other = (browser_with(served, waiting.headers) for waiting in (found, nothing))
    async with one, other:
        assert f'href="{AT}"' in words(await one.get("/me"))
        read = [words(await browser.get(AT)) for browser in (one, other)]
        assert "C’est en attente." in read[0]
        assert "Camille Moreau" in read[0]
        assert "Nadia Benali" in read[0]
        assert f'action="{AT}"' not in read[0]
        assert _HOURS.sub("", read[0]) == _HOURS.sub("", read[1])
        moved_clock(LATER)
        read = [words(await browser.get(AT)) for browser in (one, other)]
    assert "Vous pouvez les ouvrir." in read[0]
    assert "Nous n’avons rien retrouvé." in read[1]
    assert f'action="{AT}"' not in read[1]


async def test_one_agent_is_not_enough_and_the_page_says_what_is_missing(
    served: Served, client: httpx.AsyncClient, agents: Agents
) -> None:
    told = await begun(client, agents[0], some_paper())
    headers = bearer(await enter(client, told["card"]["code"], PIN))
    async with browser_with(served, headers) as browser:
        read = words(await browser.get(AT))
    assert "Il faut encore une deuxième personne du guichet." in read


async def open_it(browser: Browser, waiting: Waiting, **changes: str) -> httpx.Response:
    page = await browser.get(AT)
    chosen = {"card": waiting.card, "proof": PIN, "pin": waiting.pin, "again": waiting.pin}
    return await send(browser, AT, [*yes_of(page.text, AT), *(chosen | changes).items()])


async def test_the_yes_opens_what_they_had_with_what_they_added(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    agents: Agents,
    moved_clock: MoveClock,
) -> None:
    waiting = await waits(client, agents, make_person)
    old = await deposit(client, waiting.lost, corpus.plain_jpeg())
    async with browser_with(served, waiting.headers) as browser:
        moved_clock(LATER)
        wrong = await open_it(browser, waiting, proof="482694")
        assert wrong.status_code == 403
        assert PIN not in wrong.text
        typo = await open_it(browser, waiting, again="482695")
        assert (typo.status_code, 'id="again-wrong"' in typo.text) == (422, True)
        opened = await open_it(browser, waiting)
        assert opened.headers["location"] == "/documents?done=recovery_opened"
        shown = await browser.get(opened.headers["location"])
        assert old["id"] in shown.text
        assert "Vos papiers d’avant sont ici" in words(shown)
        assert "Ils sont rouverts." in words(await browser.get(AT))
        receipt = await browser.get("/recovery/receipt.pdf")
    said = text_of(receipt.content)
    assert receipt.headers["content-type"] == "application/pdf"
    for named in ("Camille Moreau", "Nadia Benali", "Carte d’identité"):
        assert named in said
    assert waiting.paper["family_name"] not in said


async def test_whoever_waits_for_nothing_has_no_such_page(
    served: Served, make_person: MakePerson
) -> None:
    person: SomePerson = await make_person()
    async with browser_of(served, person) as browser:
        assert (await browser.get(AT)).headers["location"] == "/me"
        assert f'href="{AT}"' not in (await browser.get("/me")).text
