"""Two people at one table, each with a screen: the worker shows the code, or the person does; with
script the pages look again by themselves, and without it they do too."""

import httpx
import pytest
from playwright.async_api import expect

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.journeys.phones import LARGE, SMALL, OpenPhone, Phone, Way, open_phone
from tests.steps import deposit
from tests.vault.decoding import corpus

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser
both_ways = pytest.mark.parametrize(
    "open_phone", [Way(SMALL), Way(LARGE, script=True)], ids=["plain", "script"], indirect=True
)


@pytest.fixture
async def two(make_person: MakePerson, make_worker: MakeWorker) -> tuple[SomePerson, SomeWorker]:
    return await make_person(), await make_worker(name="Camille Moreau")


@pytest.fixture
async def phones(
    open_phone: OpenPhone, served: Served, two: tuple[SomePerson, SomeWorker]
) -> tuple[Phone, Phone]:
    """The person's, then the worker's: both are signed in."""
    opened = []
    for kind, token in (("person", two[0].token), ("worker", two[1].token)):
        phone = await open_phone()
        values = {kind: token, "language": "fr"}
        await phone.context.add_cookies(
            [
                {"name": f"unefois-{name}", "value": value, "url": served.base_url}
                for name, value in values.items()
            ]
        )
        opened.append(phone)
    return opened[0], opened[1]


async def code_on(phone: Phone) -> str:
    assert await phone.page.locator("figure.drawn svg").count() == 1
    return (await phone.page.inner_text(".digits")).replace(" ", "")


async def both_agree(shows: Phone, types: Phone) -> None:
    """Both read one word, and say yes; whoever waits sees it come."""
    await expect(shows.page.locator("h1")).to_contain_text("Est-ce bien", timeout=15_000)
    words = [await one.page.inner_text("dd .word") for one in (shows, types)]
    assert words[0] == words[1]
    await types.press("button.yes")
    assert await types.says("Il manque la réponse de l’autre personne")
    await shows.press("button.yes")
    for one in (shows, types):
        await expect(one.page.locator("h1")).to_contain_text("tous les deux", timeout=15_000)


@both_ways
async def test_the_worker_shows_a_code_and_asks(phones: tuple[Phone, Phone]) -> None:
    person, worker = phones
    await worker.go("/pro/requests")
    await worker.press("main a[href='/pro/requests/new']")
    await worker.press("form[action='/pro/meetings'] button")
    code = await code_on(worker)
    await person.go("/requests")
    await person.press("main a[href='/meetings/code']")
    await person.fill("#code", code)
    await person.press("main form:has(#code) button.main")
    for words in ("Camille Moreau", "Assistante sociale"):
        assert await person.says(words)
    await both_agree(worker, person)
    await worker.press("main a[href^='/pro/requests/new?meeting=']")
    assert await worker.page.locator("#phone").count() == 0
    await worker.page.locator("details:has(input[value=payslip]) > summary").click()
    await worker.page.check("input[value=payslip]")
    await worker.choose("#purpose_code", "housing")
    await worker.fill("#purpose", "Pour votre demande de logement social.")
    await worker.press("main button.main")
    assert await worker.says("la personne devant vous")
    await worker.press("main button.main")
    assert await worker.says("Personne rencontrée le")
    await person.press("main a[href^='/meetings/']")
    await expect(person.page.locator("h1")).to_contain_text("C’est fait", timeout=15_000)
    await person.press("main a[href='/requests']")
    await person.press(".waiting a")
    assert await person.says("Camille Moreau")


@both_ways
async def test_the_person_shows_a_code_and_gives(
    phones: tuple[Phone, Phone], client: httpx.AsyncClient, two: tuple[SomePerson, SomeWorker]
) -> None:
    person, worker = phones
    await deposit(client, two[0], corpus.pdf(1), type_="payslip")
    await person.go("/grants/new")
    await person.press("button[formaction^='/meetings']")
    code = await code_on(person)
    if worker.way.script:
        # As a camera opens it: the field is filled, and the history keeps no code.
        await worker.go(f"/pro/meetings/code#{code}")
        await expect(worker.page.locator("#code")).to_have_value(code)
        assert worker.page.url.endswith("/pro/meetings/code")
    else:
        await worker.go("/pro/requests/new")
        await worker.press("main a[href='/pro/meetings/code']")
        await worker.fill("#code", code)
    await worker.press("main form:has(#code) button.main")
    assert await worker.says("la personne devant vous")
    await both_agree(person, worker)
    await person.press("main a[href^='/grants/new?meeting=']")
    await person.page.wait_for_url("**/grants/new?meeting=*")
    assert await person.says("Pour : Camille Moreau")
    await person.tick("input[name=document]")
    await person.press("main button.main")
    await person.tick("input[value=housing]")
    await person.press("main button.main")
    await person.tick("input[value=P7D]")
    await person.press("main button.main")
    assert await person.says("Vous allez montrer 1 papier à Camille Moreau")
    await person.press("button.yes")
    assert await person.says("Camille Moreau peut voir")
    await worker.go("/pro/people")
    assert await worker.says("accès donné le")
