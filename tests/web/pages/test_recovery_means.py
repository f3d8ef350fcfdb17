"""What somebody still has, on the pages of a desk: a card without its PIN, a phone that answers,
digits of a trusted person; and no page that tells whether it is theirs."""

import httpx
import pytest

from tests.auth.means_steps import add_card, usable_pins
from tests.fixtures import Served, SomePerson, SomeWorker, last_code, new_phone
from tests.recoveries import ReadPaper, recoveries, some_paper
from tests.web.pages.answers import Pairs
from tests.web.pages.test_pages import browser_of
from tests.web.pages.test_recoveries import AT, begun, count, follow, slip_code, typed, words
from tests.web.printouts.reading import text_of
from vault.recovery.recovery_rules import WAIT
from vault.services import Services

pytestmark = pytest.mark.usefixtures("pins_are_cheap")


@pytest.fixture
async def card(services: Services, client: httpx.AsyncClient, unknown: SomePerson) -> str:
    """A card of `unknown`, whose PIN nobody types here."""
    (pin, *_) = await usable_pins(services, unknown)
    code: str = (await add_card(client, unknown, pin))["code"]
    return code


async def asked(at_work: httpx.AsyncClient) -> httpx.Response:
    """The page that asks what is left, of a first agent."""
    page = await at_work.get(f"{AT}/language")
    return await follow(at_work, page, "language", ("language", "fr"))


async def test_a_card_without_its_code_needs_no_second_agent(
    served: Served, services: Services, camille: SomeWorker, unknown: SomePerson, card: str
) -> None:
    async with browser_of(served, camille) as at_work:
        pages = await begun(at_work, some_paper(), left=[("card", card)])
    said = words(pages["end"])
    assert "dans 48 heures, au plus tôt" in said
    assert "deuxième personne" not in said
    assert "deuxième personne" not in words(pages["agree"])
    slip = text_of(pages["slip.pdf"].content)
    assert "une preuve de plus" in slip.replace("\n", " ")
    assert card not in "".join(page.text for step, page in pages.items() if step != "left")
    row = (await recoveries(services))[0]
    assert (row.former_id, row.opens_at - row.complete_at) == (unknown.id, WAIT)


async def test_whose_card_it_is_no_page_tells(
    served: Served, client: httpx.AsyncClient, camille: SomeWorker, card: str
) -> None:
    body = {"language": "fr", "pin": "482693", "again": "482693"}
    made = await client.post("/v1/desk/vaults", headers=camille.headers, json=body)
    read = []
    async with browser_of(served, camille) as at_work:
        for shown in (card, made.json()["code"]):
            pages = await begun(at_work, some_paper(), left=[("card", shown)])
            read.append([words(page) for step, page in pages.items() if "pdf" not in step])
    assert read[0] == read[1]


async def test_a_phone_answers_by_a_code_that_the_person_says(
    served: Served, services: Services, camille: SomeWorker, unknown: SomePerson
) -> None:
    async with browser_of(served, camille) as at_work:
        left = await asked(at_work)
        phone = await follow(at_work, left, "left", ("phone", unknown.phone))
        assert "ne laisse entrer nulle part" in words(phone)
        wrong = await follow(at_work, phone, "phone", ("code", "000000"))
        assert (wrong.status_code, 'id="code-wrong"' in wrong.text) == (401, True)
        code = await last_code(services, unknown.phone)
        who = await follow(at_work, wrong, "phone", ("code", code))
        agree = await follow(at_work, who, "who", *typed(some_paper()))
        assert "deuxième personne" not in words(agree)


async def test_a_phone_that_receives_nothing_is_left_out(
    served: Served, camille: SomeWorker
) -> None:
    async with browser_of(served, camille) as at_work:
        left = await asked(at_work)
        phone = await follow(at_work, left, "left", ("phone", new_phone()))
        who = await follow(at_work, phone, "phone", ("code", ""), ("without", "yes"))
        agree = await follow(at_work, who, "who", *typed(some_paper()))
    assert "deuxième personne" in words(agree)


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("card", "ABCD-EFGH", "card"),
        ("phone", "0123", "phone"),
        ("former_phone", "0123", "former_phone"),
    ],
)
async def test_a_typo_is_told_beside_the_field(
    served: Served, services: Services, camille: SomeWorker, name: str, value: str, wrong: str
) -> None:
    before = await count(services)
    async with browser_of(served, camille) as at_work:
        refused = await follow(at_work, await asked(at_work), "left", (name, value))
    assert refused.status_code == 422
    assert f'id="{wrong}-wrong"' in refused.text
    assert f'value="{value}"' in refused.text
    assert "<details open>" in refused.text, "the part that is folded is open"
    assert await count(services) == before


async def test_who_holds_the_slip_shows_one_more_later(
    served: Served,
    services: Services,
    camille: SomeWorker,
    unknown: SomePerson,
    card: str,
    paper: ReadPaper,
) -> None:
    """The first agent themself: no second one is needed then."""
    async with browser_of(served, camille) as at_work:
        pages = await begun(at_work, paper)
        code = slip_code(pages["slip.pdf"].content)
        page = await at_work.get(f"{AT}/second")
        left = await follow(at_work, page, "second", ("code", code))
        shown: Pairs = [("card", card)]
        who = await follow(at_work, left, "left", *shown)
        noted = await follow(at_work, who, "who", *typed(paper))
    assert "C’est noté" in words(noted)
    row = (await recoveries(services))[0]
    assert (row.former_id, row.complete_at is not None) == (unknown.id, True)
