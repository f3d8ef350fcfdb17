"""A card freed or stopped on the desk's pages: the same words, whatever the card is."""

import re

import httpx
import pytest

from auth import administration, card_codes, pin_hashes
from tests.auth.means_steps import add_card, enter, pin_of, wrong
from tests.fixtures import MakePerson, MakeWorker, Served, SomeWorker
from tests.steps import granted
from tests.web.pages.answers import send, yes_of
from tests.web.pages.test_pages import browser_of
from vault.services import Services


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def worker(services: Services, make_worker: MakeWorker) -> SomeWorker:
    """Of a structure that opens vaults."""
    made = await make_worker()
    await administration.let_open_vaults(services, made.organisation_id, allowed=True)
    return made


TYPED_ON = {"/pro/desk/free": "/pro/desk/free", "/pro/desk/stop": "/pro/desk/stop/code"}


async def sent(browser: httpx.AsyncClient, page: str, code: str) -> httpx.Response:
    fields = [*yes_of((await browser.get(TYPED_ON[page])).text, page), ("card", code)]
    return await send(browser, page, fields)


def words(page: str) -> str:
    """What a page says, without tokens and the seconds that are left."""
    return re.sub(r'value="[^"]*"|name="asked-[^"]*"|data-seconds="\d+"', "", page)


async def test_a_barred_card_is_freed_and_an_unknown_one_reads_the_same(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    worker: SomeWorker,
) -> None:
    person = await make_person()
    pin = await pin_of(services, person)
    card = await add_card(client, person, pin)
    for _ in range(5):
        await enter(client, card["code"], wrong(pin))
    unknown = card_codes.new_code(card_codes.read(card["code"]).mark)
    async with browser_of(served, worker) as at_work:
        read = []
        for code in (card["code"], unknown):
            answer = await sent(at_work, "/pro/desk/free", code)
            assert answer.headers["location"] == "/pro/desk/free?done=desk_freed"
            read.append(words((await at_work.get(answer.headers["location"])).text))
        assert read[0] == read[1]
        assert "Si cette carte était bloquée" in read[0].replace("\xa0", " ")
        assert (await enter(client, card["code"], pin)).status_code == 201
        read = []
        for code in (card["code"], unknown):
            answer = await sent(at_work, "/pro/desk/stop", code)
            assert answer.headers["location"] == "/pro/desk/stop?done=desk_stopped"
            read.append(words((await at_work.get(answer.headers["location"])).text))
        # Neither whether there was such a card, nor whether its person has another way in.
        assert read[0] == read[1]
        assert "Et maintenant" in read[0]
        assert "Cela continue jusqu’à la date" in read[0]
        assert (await enter(client, card["code"], pin)).status_code == 401


async def test_who_lost_their_card_is_led_to_where_a_card_is_typed(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        assert 'href="/pro/desk/stop"' in (await at_work.get("/pro/desk/has-card")).text
        for page in ("/pro/desk/stop", "/pro/desk/stop/sure", "/pro/desk/stop?done=desk_stopped"):
            asked = (await at_work.get(page)).text
            # In the worker's browser a card that is typed leads to the assisted session, where none
            # is made: no page leads there.
            assert 'href="/card"' not in asked, page
            assert "Cela ne se fait pas dans votre espace." in asked
            assert "sortez d’abord de votre espace" in asked
        here = await at_work.get("/card")
        typed = [*yes_of(here.text, "/card"), ("card", "ABCD")]
        beside = await at_work.post("/card", data=dict(typed))
        assert beside.headers["location"].startswith("/pro/beside")


async def test_what_a_stopped_card_means_is_said_before_its_code_is_asked_for(
    served: Served, worker: SomeWorker
) -> None:
    async with browser_of(served, worker) as at_work:
        asked = words((await at_work.get("/pro/desk/stop")).text)
        assert 'name="card"' not in asked
        # Each of what a person may have left, the best first; nothing of it needs a code.
        answers = ["carte et son code secret", "mais plus son code secret", "<h2>Rien</h2>"]
        assert sorted(answers, key=asked.index) == answers
        assert 'href="/pro/desk/stop/sure"' in asked
        assert "stop/code" not in asked
        sure = words((await at_work.get("/pro/desk/stop/sure")).text)
        assert "ses papiers restent fermés" in sure
        assert "elle ne pourra plus l’arrêter" in sure
        assert sure.index("dans votre espace") < sure.index('href="/pro/desk/stop/code"')


async def test_what_others_see_goes_on_for_whoever_has_only_the_code_of_a_card(
    served: Served,
    client: httpx.AsyncClient,
    services: Services,
    make_person: MakePerson,
    worker: SomeWorker,
) -> None:
    person = await make_person()
    grant = await granted(client, person, worker.headers, "payslip")
    card = await add_card(client, person, await pin_of(services, person))
    async with browser_of(served, worker) as at_work:
        assert (await sent(at_work, "/pro/desk/stop", card["code"])).status_code == 303
    live = (await client.get("/v1/grants?state=live", headers=worker.headers)).json()["items"]
    assert [one["id"] for one in live] == [grant]


@pytest.mark.parametrize("page", ["/pro/desk/free", "/pro/desk/stop"])
async def test_a_typo_is_told_beside_the_field(
    served: Served, worker: SomeWorker, page: str
) -> None:
    async with browser_of(served, worker) as at_work:
        answer = await sent(at_work, page, "ABCD-EFGH")
        assert answer.status_code == 422
        assert 'id="card-wrong"' in answer.text
        assert "faute de frappe" in answer.text


@pytest.mark.parametrize("page", ["/pro/desk/free", "/pro/desk/stop"])
async def test_a_worker_of_another_structure_is_refused(
    served: Served, make_worker: MakeWorker, page: str, worker: SomeWorker
) -> None:
    mark = card_codes.mark_of(await served.services.field_encryption.tag("card-mark"))
    async with browser_of(served, await make_worker()) as at_work:
        assert (await sent(at_work, page, card_codes.new_code(mark))).status_code == 403
    async with browser_of(served, worker) as at_work:
        assert (await sent(at_work, page, card_codes.new_code(mark))).status_code == 303
