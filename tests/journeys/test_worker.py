"""A worker with the keyboard alone, on a small screen and on a large one, with script and without:
knows who is who, asks after a look, sees, says what a paper is, adds, withdraws, gives back."""

import re
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.steps import approve, ask, deposit, granted, log_of
from tests.vault.decoding import corpus

pytestmark = pytest.mark.browser
SMALL: ViewportSize = {"width": 360, "height": 640}
LARGE: ViewportSize = {"width": 1366, "height": 768}
BROWSERS = {
    "small": (SMALL, False),
    "large": (LARGE, False),
    "small-script": (SMALL, True),
    "large-script": (LARGE, True),
}
"""The size of the screen, and whether script runs."""
plain = pytest.mark.parametrize("worker", ["small", "large"], indirect=True)
LABEL = "Malik, rue des Lilas"
_FITS = "s => document.activeElement !== null && document.activeElement.matches(s)"
_ROTATE = "e => getComputedStyle(e).rotate"
_WIDTH = "e => e.getBoundingClientRect().width"


class Keyboard:
    """A worker's browser, moved by the keyboard alone."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self._base_url = base_url

    async def go(self, address: str) -> None:
        await self.page.goto(self._base_url + address)
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    async def reach(self, selector: str) -> None:
        """Tab until the focus is there."""
        for _step in range(160):
            if await self.page.evaluate(_FITS, selector):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"no key leads to {selector} on {self.page.url}")

    async def press(self, selector: str, key: str = "Enter") -> None:
        """Reach it, then open or send it."""
        await self.reach(selector)
        async with self.page.expect_navigation():
            await self.page.keyboard.press(key)

    async def write(self, selector: str, text: str) -> None:
        await self.reach(selector)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def says(self, words: str) -> bool:
        return words in " ".join((await self.page.inner_text("body")).split())


@pytest.fixture(params=BROWSERS)
async def worker(request: pytest.FixtureRequest, make_worker: MakeWorker) -> SomeWorker:
    return await make_worker(name="Camille Moreau")


@pytest.fixture
async def context(
    request: pytest.FixtureRequest, browser: Browser, served: Served, worker: SomeWorker
) -> AsyncIterator[BrowserContext]:
    size, script = BROWSERS[request.node.callspec.params["worker"]]
    context = await browser.new_context(viewport=size, java_script_enabled=script, locale="fr-FR")
    values = {"worker": worker.token, "language": "fr"}
    await context.add_cookies(
        [
            {"name": f"unefois-{name}", "value": value, "url": served.base_url}
            for name, value in values.items()
        ]
    )
    yield context
    await context.close()


@pytest.fixture
async def keyboard(context: BrowserContext, served: Served) -> Keyboard:
    return Keyboard(await context.new_page(), served.base_url)


@pytest.fixture
async def person(
    client: httpx.AsyncClient, make_person: MakePerson, worker: SomeWorker
) -> SomePerson:
    """Who gave the worker their pay slip, of which there is a picture."""
    person = await make_person()
    picture = BytesIO()
    Image.new("RGB", (300, 400), "#cfe3f5").save(picture, "JPEG")
    await deposit(client, person, picture.getvalue(), type_="payslip", name="paie.jpg")
    await granted(client, person, worker.headers, "payslip")
    return person


async def known(client: httpx.AsyncClient, worker: SomeWorker) -> str:
    answer = await client.get("/v1/people", headers=worker.headers)
    return str(answer.json()["items"][0]["id"])


@plain
async def test_a_worker_writes_who_is_who_and_finds_them_again(
    keyboard: Keyboard, person: SomePerson
) -> None:
    await keyboard.go("/pro/people")
    national = f"0{person.phone[3:]}"
    assert national in (await keyboard.page.inner_text("main h2")).replace("\u202f", "").replace(
        "\xa0", ""
    ).replace(" ", "")
    await keyboard.press("a[href$='/label']")
    await keyboard.write("#label", LABEL)
    await keyboard.press("main button.main")
    assert await keyboard.says("Ce nom n’est visible que pour vous")
    for typed, found in (("MALIK", True), (person.phone[-6:], True), ("Zoé", False)):
        await keyboard.write("#q", typed)
        async with keyboard.page.expect_navigation():
            await keyboard.page.keyboard.press("Enter")
        assert await keyboard.says(LABEL) is found
        assert await keyboard.says("Personne ne correspond") is not found
        assert typed not in keyboard.page.url
        assert await keyboard.page.input_value("#q") == typed
    await keyboard.page.go_back()
    assert await keyboard.says(LABEL)


async def test_a_worker_sees_a_paper_large_and_turned_and_whose_it_is(
    client: httpx.AsyncClient, keyboard: Keyboard, person: SomePerson, worker: SomeWorker
) -> None:
    shown = await known(client, worker)
    body = {"label": LABEL}
    await client.patch(f"/v1/people/{shown}", headers=worker.headers, json=body)
    await keyboard.go("/pro/people")
    await keyboard.press(f"h2 a[href='/pro/people/{shown}']")
    assert await keyboard.says(LABEL)
    assert await keyboard.says("Bulletin de salaire")
    await keyboard.press("section.card a[href*='/documents/']:not([href$='/content'])")
    assert LABEL in await keyboard.page.inner_text(".whom")
    picture = keyboard.page.locator(".sheet img")
    assert await picture.evaluate("e => e.complete && e.naturalWidth > 0")
    seen = await keyboard.page.locator(".sheet").evaluate(_WIDTH)
    window = await keyboard.page.locator(".window").evaluate(_WIDTH)
    assert seen <= window
    await keyboard.reach("input[name=size]")
    for times in (1.25, 1.5, 2, 3):
        await keyboard.page.keyboard.press("ArrowDown")
        now = await keyboard.page.locator(".sheet").evaluate(_WIDTH)
        assert now == pytest.approx(times * seen, rel=0.05)
    await keyboard.reach("input[name=turn]")
    await keyboard.page.keyboard.press("ArrowDown")
    assert await picture.evaluate("e => getComputedStyle(e).rotate") == "90deg"
    written = await keyboard.page.inner_text(".watermark span >> nth=0")
    assert re.match(r"Camille Moreau, \d+(?:er)? \w+ \d{4}", written)
    assert await keyboard.says("Le fichier que vous téléchargez n’est pas changé")
    # To turn and to magnify opened it once.
    lines = [one["action"] for one in await log_of(client, person)]
    assert lines.count("document.read") == 1


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1366, 768)])
async def test_the_first_look_at_a_paper_is_on_the_first_screen_and_turns_by_a_quarter(
    client: httpx.AsyncClient,
    keyboard: Keyboard,
    person: SomePerson,
    worker: SomeWorker,
    width: int,
    height: int,
) -> None:
    """Half of the screen and more is the paper; the name on it stays straight."""
    paper = await deposit(client, person, corpus.pdf(1), type_="lease")
    grant = await granted(client, person, worker.headers, "lease")
    page = keyboard.page
    await page.set_viewport_size({"width": width, "height": height})
    await keyboard.go(f"/pro/grants/{grant}/documents/{paper['id']}")
    box = await page.locator(".window").bounding_box()
    assert box is not None
    assert box["y"] < height / 2
    picture, mark = page.locator(".sheet img"), page.locator(".watermark")
    for button, turns in (("Tourner à droite", (90, 180, -90, 0)), ("Tourner à gauche", (-90,))):
        for degrees in turns:
            await page.locator(".turning label:visible", has_text=button).click()
            assert await picture.evaluate(_ROTATE) == (f"{degrees}deg" if degrees else "none")
            assert await page.locator(".turning label:visible").count() == 2
    assert await mark.evaluate(_ROTATE) == "none"
    # The whole of a line of it is on the sheet.
    seen = await mark.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert seen


async def test_a_worker_leafs_through_a_paper_as_large_and_turned_as_it_was(
    client: httpx.AsyncClient, keyboard: Keyboard, person: SomePerson, worker: SomeWorker
) -> None:
    paper = await deposit(client, person, corpus.pdf(3), type_="lease")
    grant = await granted(client, person, worker.headers, "lease")
    await keyboard.go(f"/pro/grants/{grant}/documents/{paper['id']}")
    picture = keyboard.page.locator(".sheet img")

    async def is_as_chosen(number: int) -> None:
        assert await keyboard.says(f"Page {number} sur 3")
        assert await picture.evaluate("e => getComputedStyle(e).rotate") == "90deg"
        assert await keyboard.page.is_checked("input[name=size][value='150']")

    for radio, times in (("size", 2), ("turn", 1)):
        await keyboard.reach(f"input[name={radio}]")
        for _time in range(times):
            await keyboard.page.keyboard.press("ArrowDown")
    await is_as_chosen(1)
    # Enter in a choice stays on the page.
    await keyboard.press("input[name=turn]:checked")
    await is_as_chosen(1)
    for number in (2, 3):
        await keyboard.press(f"button[name=page][value='{number}']")
        await is_as_chosen(number)
        assert keyboard.page.url.endswith(f"?page={number}&turn=90&size=150#paper")


async def test_the_watermark_hides_no_word_and_is_seen(
    client: httpx.AsyncClient, keyboard: Keyboard, person: SomePerson, worker: SomeWorker
) -> None:
    """What is black stays black under it; on white it is there, as on a photo of the screen."""
    shades = {}
    size = keyboard.page.viewport_size
    assert size is not None
    # As high as a screen must be for the whole sheet to be in its window.
    await keyboard.page.set_viewport_size({"width": size["width"], "height": 1600})
    for shade in ("black", "white"):
        picture = BytesIO()
        Image.new("RGB", (400, 400), shade).save(picture, "PNG")
        paper = await deposit(client, person, picture.getvalue(), type_="lease")
        grant = await granted(client, person, worker.headers, document_ids=[paper["id"]])
        await keyboard.go(f"/pro/grants/{grant}/documents/{paper['id']}")
        shot = await keyboard.page.locator(".sheet").screenshot()
        inside = Image.open(BytesIO(shot)).convert("L")
        width, height = inside.size
        shades[shade] = inside.crop((4, 4, width - 4, height - 4)).getextrema()
    assert shades["black"] == (0, 0)
    darkest, lightest = shades["white"]
    assert lightest == 255
    assert 150 <= darkest <= 225


async def test_a_worker_reads_what_the_person_will_read_sends_it_and_withdraws_it(
    client: httpx.AsyncClient, keyboard: Keyboard, person: SomePerson, worker: SomeWorker
) -> None:
    await keyboard.go(f"/pro/people/{await known(client, worker)}")
    await keyboard.press("a[href^='/pro/requests/new']")
    assert (await keyboard.page.input_value("#phone")).replace(" ", "") == f"0{person.phone[3:]}"
    await keyboard.reach("#purpose_code")
    await keyboard.page.keyboard.press("ArrowDown")
    await keyboard.write("#purpose", "Pour votre dossier de logement.")
    await keyboard.reach("details:has(input[value=rent_receipt]) summary")
    await keyboard.page.keyboard.press("Enter")
    await keyboard.reach("input[value=rent_receipt]")
    await keyboard.page.keyboard.press("Space")
    await keyboard.press("main form button.main")
    for words in ("Ce que la personne lira", "Pour votre dossier de logement.", "Camille Moreau"):
        assert await keyboard.says(words)
    assert await keyboard.says("(quittance de loyer)")
    assert await keyboard.says("Une demande attend votre réponse")
    # Nothing is sent yet; what was typed is still there to correct.
    waiting = (await client.get("/v1/consent-requests", headers=worker.headers)).json()["items"]
    assert [one["state"] for one in waiting] == ["approved"]
    await keyboard.press("button[name=change]")
    assert await keyboard.page.input_value("#purpose") == "Pour votre dossier de logement."
    assert await keyboard.page.is_checked("input[value=rent_receipt]")
    await keyboard.press("main form button.main")
    await keyboard.press("main button.main")
    assert await keyboard.says("La demande est partie")
    await keyboard.press("ul.papers a")
    await keyboard.press("a.danger")
    assert await keyboard.says("La personne ne pourra plus répondre")
    await keyboard.press("button.danger")
    assert await keyboard.says("La demande est retirée")
    assert await keyboard.says("Demande retirée")
    theirs = (await client.get("/v1/consent-requests", headers=person.headers)).json()["items"]
    assert "withdrawn" in {one["state"] for one in theirs}


async def test_a_worker_adds_several_papers_and_each_is_told(
    client: httpx.AsyncClient,
    keyboard: Keyboard,
    person: SomePerson,
    worker: SomeWorker,
    tmp_path: Path,
) -> None:
    request = await ask(client, worker.headers, person.phone, actions=["deposit"])
    await approve(client, person, request)
    for number, colour in enumerate(("red", "blue")):
        Image.new("RGB", (80, 60), colour).save(tmp_path / f"{number}.jpg")
    (tmp_path / "program.exe").write_bytes(b"MZ" + b"\0" * 500)
    await keyboard.go(f"/pro/people/{await known(client, worker)}")
    await keyboard.press("a[href$='/add']")
    assert await keyboard.says("Ces papiers vont avec les papiers de cette personne")
    page, go_on = keyboard.page, "main form > button.main"
    for row, code in enumerate(("national_identity_card", "passport"), 1):
        await page.select_option(f"#type_{row}", code)
    await keyboard.press(go_on)
    for part, typed in (("day", "3"), ("month", "4"), ("year", "2031")):
        await page.fill(f"#expires_on_1_{part}", typed)
    await keyboard.press(go_on)
    assert await keyboard.says("Relisez avant d’ajouter")
    assert "3 avril 2031" in (await page.inner_text("main")).replace("\xa0", " ")
    await page.set_input_files("#photo", [tmp_path / "0.jpg", tmp_path / "1.jpg"])
    await page.set_input_files("#file_2", tmp_path / "program.exe")
    await keyboard.press(go_on)
    told = [" ".join(one.split()) for one in await page.locator("section li").all_inner_texts()]
    assert told[0] == "Carte nationale d’identité C’est ajouté."
    assert told[1].startswith("Passeport Ce fichier")
    held = (await client.get("/v1/documents", headers=person.headers)).json()["items"]
    kinds = {one["type"]: one["file"]["parts"] for one in held}
    assert kinds == {"payslip": 1, "national_identity_card": 2}


async def test_a_worker_says_what_a_paper_is(
    client: httpx.AsyncClient, keyboard: Keyboard, person: SomePerson, worker: SomeWorker
) -> None:
    picture = BytesIO()
    Image.new("RGB", (300, 400), "#eee").save(picture, "JPEG")
    paper = await deposit(client, person, picture.getvalue(), type_="other", name="papier.jpg")
    await granted(client, person, worker.headers, document_ids=[paper["id"]])
    await keyboard.go(f"/pro/people/{await known(client, worker)}")
    await keyboard.press(f"a[href*='/documents/{paper['id']}?']")
    await keyboard.press("a[href$='/type']")
    await keyboard.reach("#type")
    await keyboard.page.keyboard.type("Passeport")
    await keyboard.press("main form button.main")
    assert (await keyboard.page.inner_text("h1")).strip() == "Passeport"
    for part, digits in (("day", "1"), ("month", "2"), ("year", "2031")):
        await keyboard.write(f"#expires_on_{part}", digits)
    await keyboard.press("main form button.main")
    assert await keyboard.says("Rien ne change avant")
    assert await keyboard.says("Vous avez proposé : Passeport")
    seen = (await client.get(f"/v1/documents/{paper['id']}", headers=person.headers)).json()
    assert seen["type"] == "other"
    (one,) = seen["type_suggestions"]
    assert (one["type"], one["expires_on"]) == ("passport", "2031-02-01")


@plain
async def test_what_one_does_first_comes_before_long_lists(
    keyboard: Keyboard, client: httpx.AsyncClient, person: SomePerson, worker: SomeWorker
) -> None:
    """To ask for papers, before all of a person's; the filter, before all that was done."""
    shown = await known(client, worker)
    for address, first, then in (
        (f"/pro/people/{shown}", "a[href^='/pro/requests/new']", "section.card a"),
        (f"/pro/doings?person={shown}", "#person", "li.card a"),
    ):
        await keyboard.go(address)
        await keyboard.reach(first)
        await keyboard.reach(then)
        assert await keyboard.says("Pour :") or await keyboard.says("Ses papiers")


@plain
async def test_a_worker_gives_back_an_access(
    client: httpx.AsyncClient, keyboard: Keyboard, person: SomePerson, worker: SomeWorker
) -> None:
    await keyboard.go(f"/pro/people/{await known(client, worker)}")
    await keyboard.press("a[href^='/pro/grants/']:not(.button)")
    await keyboard.press("a[href$='/give-back']")
    await keyboard.press("button.danger")
    assert await keyboard.says("L’accès est rendu")
    await keyboard.press("main h2 a")
    assert await keyboard.says("Vous avez rendu cet accès le")
    assert await keyboard.says("Aucun papier ouvert pour vous maintenant")
    grants = (await client.get("/v1/grants", headers=person.headers)).json()["items"]
    assert [one["ended_by"] for one in grants] == ["recipient"]


@plain
async def test_the_head_has_two_rows_and_a_large_screen_two_columns(
    keyboard: Keyboard, person: SomePerson
) -> None:
    await keyboard.go("/pro/people")
    rows = {
        round(await one.evaluate("e => e.getBoundingClientRect().top"))
        for one in await keyboard.page.locator("nav.tabs a").all()
    }
    assert len(rows) == 1
    assert await keyboard.page.locator(".bar").evaluate("e => e.clientHeight") < 60
    columns = [
        await one.evaluate("e => e.getBoundingClientRect().left")
        for one in await keyboard.page.locator(".columns > div").all()
    ]
    size = keyboard.page.viewport_size
    assert size is not None
    assert (columns[1] > columns[0]) is (size["width"] > 960)
