"""Somebody asks at a desk to open a vault again, and its holder is inside: named on every page,
stopped in one gesture; stopped without entering, by the digits of a message; or « c’est moi »."""

import re

import httpx
import pytest

from auth import pin_hashes
from base.database import Database
from tests.fixtures import MakePerson, MakeWorker, Served
from tests.openings import Agents, Waiting, waits, waits_for
from tests.recoveries import agent, begun, some_paper, stop_digits, texts_to
from tests.trusted import trusted
from tests.web.pages.answers import Browser, send, yes_of
from tests.web.pages.test_own_recovery import browser_with, words
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_recoveries import AT as DESK
from tests.web.pages.test_recoveries import follow
from vault.services import Services

ASKED = "Quelqu’un demande à rouvrir vos papiers"
PAGES = ("/documents", "/requests", "/grants", "/access-log", "/me")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def agents(services: Services, as_owner: Database, make_worker: MakeWorker) -> Agents:
    first = await agent(services, as_owner, make_worker, "Camille Moreau")
    return first, await agent(services, as_owner, make_worker, "Nadia Benali")


@pytest.fixture
async def waiting(client: httpx.AsyncClient, agents: Agents, make_person: MakePerson) -> Waiting:
    return await waits(client, agents, make_person)


async def state(client: httpx.AsyncClient, waiting: Waiting) -> str:
    found = await client.get("/v1/me/recovery", headers=waiting.headers)
    return str(found.json()["state"])


def stops(page: httpx.Response) -> str:
    """Where the button that stops it leads."""
    found = re.search(r'action="(/recoveries/[0-9a-f-]+/stop)"', page.text)
    assert found
    return found[1]


async def test_it_is_said_on_every_page_and_stopped_in_one_gesture(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, waiting: Waiting
) -> None:
    async with browser_of(served, waiting.lost) as browser:
        for path in PAGES:
            said = words(await browser.get(path))
            assert ASKED in said, path
            assert "Camille Moreau" in said, path
            assert "Nadia Benali" in said, path
        page = await browser.get("/documents")
        stopped = await send(browser, stops(page), yes_of(page.text, stops(page)))
        assert stopped.headers["location"] == "/documents?done=recovery_stopped"
        assert ASKED not in words(await browser.get("/documents"))
    async with browser_with(served, waiting.headers) as browser:
        assert ASKED not in words(await browser.get("/documents")), "it is theirs"
        assert "La demande est arrêtée." in words(await browser.get("/recovery"))
    async with browser_of(served, await make_person()) as browser:
        assert ASKED not in words(await browser.get("/documents"))


async def test_its_page_says_from_when_on_and_whoever_it_is_opens_it_at_once(
    served: Served, client: httpx.AsyncClient, waiting: Waiting
) -> None:
    async with browser_of(served, waiting.lost) as browser:
        page = await browser.get("/documents")
        address = stops(page).removesuffix("/stop")
        assert f'href="{address}"' in page.text
        asked = await browser.get(address)
        assert "vos papiers s’ouvrent le" in words(asked)
        assert await state(client, waiting) == "waiting"
        sent = await proved(browser, asked, address)
        assert sent.headers["location"] == "/documents?done=recovery_confirmed"
    assert await state(client, waiting) == "ready"


async def proved(browser: httpx.AsyncClient, asked: httpx.Response, address: str) -> httpx.Response:
    """« C’est moi », with a code that is sent to the phone for it."""
    fields = [*yes_of(asked.text, "/me/proof/code")]
    led = await send(browser, "/me/proof/code", fields)
    page = await browser.get(led.headers["location"])
    code = re.search(r"\b\d{6}\b", page.text.split('class="demo"')[1])
    assert code
    form = f"{address}/confirm"
    return await send(browser, form, [*yes_of(page.text, form), ("proof", code[0])])


async def test_one_that_is_over_leads_home(served: Served, make_person: MakePerson) -> None:
    async with browser_of(served, await make_person()) as browser:
        page = await browser.get("/recoveries/01a22262-7a2c-773d-a93a-6dc73e035fe5")
    assert page.headers["location"] == "/documents?done=recovery_gone"


async def test_the_digits_of_the_message_stop_it_without_entering(
    served: Served, client: httpx.AsyncClient, services: Services, waiting: Waiting
) -> None:
    told = [one for one in await texts_to(services, waiting.lost.phone) if "Arrêter" in one]
    digits = stop_digits(told[0])
    async with Browser(base_url=served.base_url, trust_env=False) as nobody:
        nobody.cookies.set("unefois-language", "fr", domain="127.0.0.1")
        assert 'href="/stop-recovery"' in (await nobody.get("/")).text
        said = []
        for code in ("00000000", digits):
            page = await nobody.get("/stop-recovery")
            form = [*yes_of(page.text, "/stop-recovery"), ("code", code)]
            sent = await nobody.post("/stop-recovery", data=dict(form))
            said.append(words(await nobody.get(sent.headers["location"])))
            assert code not in sent.headers["location"]
    assert "Si ce code est celui d’une demande" in said[0]
    clean = [re.sub(r'name="(?:form|asked)[^>]*>', "", one) for one in said]
    assert clean[0] == clean[1]
    assert await state(client, waiting) == "stopped"


async def test_its_own_person_gives_up_and_keeps_what_they_put_there(
    served: Served, client: httpx.AsyncClient, waiting: Waiting
) -> None:
    async with browser_with(served, waiting.headers) as browser:
        page = await browser.get("/recovery")
        sent = await send(browser, "/recovery/end", yes_of(page.text, "/recovery/end"))
        assert sent.headers["location"] == "/recovery?done=recovery_given_up"
        assert "La demande est arrêtée." in words(await browser.get("/recovery"))
    assert (await client.get("/v1/documents", headers=waiting.headers)).status_code == 200


async def test_an_agent_cancels_what_they_began(
    served: Served, client: httpx.AsyncClient, agents: Agents
) -> None:
    told = await begun(client, agents[0], some_paper())
    async with browser_of(served, agents[0]) as at_work:
        page = await at_work.get(f"{DESK}/cancel")
        wrong = await follow(at_work, page, "cancel", ("code", "0000000000"))
        assert wrong.status_code == 403
        sent = await follow(at_work, page, "cancel", ("code", told["code"]))
        assert sent.headers["location"] == f"{DESK}?done=recovery_withdrawn"


async def test_somebody_trusted_stops_it_and_reads_nothing_of_it(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, agents: Agents
) -> None:
    lost, friend = await make_person(), await make_person()
    address = f"/trusted/{await trusted(client, lost, friend)}"
    said = []
    async with browser_of(served, friend) as browser:
        for asked in (False, True):
            waiting = await waits_for(client, agents, lost) if asked else None
            page = await browser.get(address)
            sent = await send(browser, f"{address}/stop", yes_of(page.text, f"{address}/stop"))
            said.append(words(await browser.get(sent.headers["location"])))
            if waiting is not None:
                assert await state(client, waiting) == "stopped"
    hidden = re.compile(r'name="asked-[^"]*"|name="form" value="[^"]*"')
    assert hidden.sub("", said[0]) == hidden.sub("", said[1])
    assert "Si quelqu’un demandait ses papiers au guichet" in said[0]
