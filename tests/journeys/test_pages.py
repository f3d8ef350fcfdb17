"""The whole journey in a phone's browser at 360×640, without script: a person and a worker."""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, Response, async_playwright
from sqlalchemy import text

from tests.fixtures import MakeOrganisation, MakeWorker, Served, new_phone
from vault.documents.previews import draw_preview
from vault.services import Services
from web.pages.families import family_of

pytestmark = pytest.mark.browser
CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
FIRST_PAGE = 25 * 1024

OpenPhone = Callable[[], Awaitable["Phone"]]

# Run by the test: the page itself may run no script. Measures every element that holds text of its
# own.
_SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  .filter(e => e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
_SMALLEST_TARGET = """() => Math.min(...[...document.querySelectorAll(
  'button, a.button, nav a, .bar a, .foot a, .back a, select, summary, .tick, '
  + 'input:not([type=hidden], .unseen, [type=checkbox], [type=radio])')]
  .filter(e => e.getClientRects().length).map(e => e.getBoundingClientRect().height))"""
_UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
  .filter(e => !e.labels.length).map(e => e.name)"""


class Phone:
    """A small phone's browser. Every page that it opens passes the common checks."""

    def __init__(self, context: BrowserContext, page: Page, base_url: str) -> None:
        self.context = context
        self.page = page
        self._base_url = base_url

    async def go(self, address: str) -> None:
        await self.page.goto(self._base_url + address)
        await self.check()

    async def press(self, selector: str) -> None:
        await self.page.locator(selector).first.click()
        await self.page.wait_for_load_state()
        await self.check()

    async def says(self, words: str) -> bool:
        return words in " ".join((await self.page.inner_text("body")).split())

    async def sign_in(self, path: str, field: str, address: str) -> None:
        """Sign in with the code that the demo shows on the page; the language, the first time. The
        phone is its holder's own."""
        await self.go(path)
        if "/language" in self.page.url:
            await self.press("a[hreflang=fr]")
        await self.page.fill(field, address)
        if await self.page.locator("input[name=device]").count():
            await self.page.check("input[name=device][value=own]")
        await self.press("button.main")
        code = re.search(r"\d{6}", await self.page.inner_text("aside.demo"))
        assert code
        await self.page.fill("#code", code[0])
        await self.press("button.main")

    async def check(self) -> None:
        """Check for no horizontal scroll, no small text, no small target, no unnamed field."""
        page = self.page
        where = page.url
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, f"{where} is {width} wide"
        assert await page.evaluate(_SMALLEST_TEXT) >= 16, where
        assert await page.evaluate(_SMALLEST_TARGET) >= 44, where
        assert await page.evaluate(_UNNAMED) == [], where
        assert await page.locator("h1").count() >= 1, where
        assert await page.get_attribute("html", "lang") in ("fr", "en")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if not os.access(CHROMIUM, os.X_OK):
        reason = "no Chromium here: apt install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        await opened.close()


@pytest.fixture
async def open_phone(browser: Browser, served: Served) -> AsyncIterator[OpenPhone]:
    contexts = []

    async def open_() -> Phone:
        context = await browser.new_context(
            viewport={"width": 360, "height": 640},
            java_script_enabled=False,
            locale="fr-FR",
            accept_downloads=True,
        )
        contexts.append(context)
        return Phone(context, await context.new_page(), served.base_url)

    yield open_
    for context in contexts:
        await context.close()


def photo_with_a_place(path: Path, colour: str) -> bytes:
    """A phone's picture of a paper, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 8.0)}
    out = BytesIO()
    Image.new("RGB", (600, 400), colour).save(out, "JPEG", exif=exif)
    path.write_bytes(out.getvalue())
    return out.getvalue()


async def draw_previews(services: Services) -> None:
    """Draw the previews of the last depositor's documents; others may be on another store."""
    async with services.database.transaction() as tx:
        found = await tx.execute(
            text(
                "SELECT person_id, id FROM unefois.document_version WHERE person_id ="
                " (SELECT person_id FROM unefois.document_version ORDER BY id DESC LIMIT 1)"
            )
        )
        rows = found.all()
    for row in rows:
        await draw_preview(services, row.person_id, row.id)


async def add_a_photo(phone: Phone, type_: str, photo: Path) -> None:
    """Page by page: the picture, its family, its type, no date, a last look."""
    await phone.go("/documents/add")
    await phone.page.set_input_files("#photo", str(photo))
    assert await phone.says("La photo est prête")
    await phone.press("button.send")
    await phone.press(f"a[href$='?family={family_of(type_)}']")
    await phone.press(f"button[value={type_}]")
    await phone.press("button.send")
    assert await phone.says("Vérifier et garder")
    assert await pictures_shown(phone) == 1
    await phone.press("button.send")
    assert await phone.says("C’est fait")


async def pictures_shown(phone: Phone) -> int:
    """The number of document previews that the page really shows."""
    shown = "e => e.complete && e.naturalWidth > 0"
    return sum([await one.evaluate(shown) for one in await phone.page.locator("img").all()])


async def test_a_person_and_a_worker_on_two_phones(
    open_phone: OpenPhone,
    served: Served,
    make_worker: MakeWorker,
    make_organisation: MakeOrganisation,
    tmp_path: Path,
) -> None:
    number = new_phone()
    worker = await make_worker(await make_organisation("CCAS de Lille"))
    person_phone, worker_phone = await open_phone(), await open_phone()

    # 1. The person signs in by a code: an empty vault opens.
    await person_phone.sign_in("/", "#phone", number)
    assert await person_phone.says("Vous n’avez pas encore de papier ici")

    card = await photographs_three(person_phone, served, tmp_path)
    await worker_phone.sign_in("/pro", "#email", worker.email)
    await asks_for_four(worker_phone, number)
    await narrows_and_says_yes(person_phone)
    grant = await finds_the_card_alone(worker_phone, served)
    await opens_it_without_its_place(worker_phone, card, tmp_path)
    await learns_that_another_is_not_there(worker_phone, grant)
    await sees_who_looked_and_stops_it(person_phone)

    # 7. The worker gets that answer, and the person sees the new attempt.
    await worker_phone.go(grant)
    assert await worker_phone.says("Cet accord a été arrêté avant sa fin")
    await person_phone.go("/access-log")
    assert await person_phone.says("Refusé : l’accès est arrêté")
    await worker_phone.go("/pro/doings")
    assert await worker_phone.says("Refusé : l’accès est arrêté")

    await deletes_takes_back_and_leaves(person_phone)


async def photographs_three(phone: Phone, served: Served, folder: Path) -> bytes:
    """2. They photograph three papers, and see the first."""
    card = photo_with_a_place(folder / "card.jpg", "#cfe3f5")
    photo_with_a_place(folder / "pay.jpg", "#f5efcf")
    photo_with_a_place(folder / "health.jpg", "#e3f5cf")
    await add_a_photo(phone, "payslip", folder / "pay.jpg")
    await add_a_photo(phone, "mdph_notification", folder / "health.jpg")
    await add_a_photo(phone, "national_identity_card", folder / "card.jpg")
    assert await phone.says("Nous avons retiré le lieu")
    await draw_previews(served.services)
    await phone.go(phone.page.url.removeprefix(served.base_url).split("?")[0])
    assert await pictures_shown(phone) == 1
    return card


async def asks_for_four(phone: Phone, number: str) -> None:
    """3. A worker asks for four kinds of paper."""
    await phone.press("main a[href='/pro/requests/new']")
    page = phone.page
    await page.fill("#phone", number)
    wanted = ("national_identity_card", "payslip", "rent_receipt", "mdph_notification")
    for code in wanted:
        family = page.locator(f"details:has(input[value={code}])")
        if await family.get_attribute("open") is None:
            await family.locator("summary").click()
        await page.check(f"input[value={code}]")
    await page.select_option("#purpose_code", "housing")
    await page.fill("#purpose", "Pour votre demande de logement social.")
    await page.select_option("#duration", "P3M")
    await phone.press("main button.main")
    assert await phone.says("Ce que la personne lira")
    await phone.press("main button.main")
    assert await phone.says("La demande est partie")
    assert await phone.says("En attente de réponse")


async def narrows_and_says_yes(phone: Phone) -> None:
    """4. The person finds it first on their page, narrows it, and says yes."""
    await phone.go("/documents")
    await phone.press("a.waiting")
    for words in ("Camille Moreau", "CCAS de Lille", "03 20 00 00 01"):
        assert await phone.says(words)
    await phone.press("main button.main")
    assert await phone.says("demande de logement social")
    await phone.press("main button.main")
    page = phone.page
    assert await page.locator("input:checked").count() == 0
    await page.locator("fieldset", has_text="Carte").locator("input").first.check()
    await page.check("input[name=type][value=rent_receipt]")
    await phone.press("main button.main")
    await page.check("input[value=P7D]")
    await phone.press("main button.main")
    assert await phone.says("Vous allez montrer 1 papier à Camille Moreau")
    await phone.press("button.yes")
    assert await phone.says("Vous avez dit oui")


async def finds_the_card_alone(phone: Phone, served: Served) -> str:
    """5. The worker finds the card and nothing else, and opens it; the grant's page."""
    await phone.go("/pro/people")
    await phone.press("main h2 a")
    assert await phone.says("Carte nationale d’identité")
    await phone.press("main a[href^='/pro/grants/']:text('Voir cet accord')")
    grant = phone.page.url.removeprefix(served.base_url)
    assert await phone.says("Carte nationale d’identité")
    assert not await phone.says("mon nom")
    assert await phone.says("avec votre nom")
    for hidden in ("Bulletin de salaire", "MDPH"):
        assert not await phone.says(hidden)
    await phone.press("section.card a.button >> nth=0")
    assert await pictures_shown(phone) == 1
    return grant


async def opens_it_without_its_place(phone: Phone, card: bytes, folder: Path) -> None:
    async with phone.page.expect_download() as downloading:
        await phone.page.click("main a.main")
    await (await downloading.value).save_as(folder / "copy.jpg")
    copy = (folder / "copy.jpg").read_bytes()
    assert Image.open(BytesIO(copy)).size == Image.open(BytesIO(card)).size
    assert not Image.open(BytesIO(copy)).getexif().get_ifd(0x8825)


async def learns_that_another_is_not_there(phone: Phone, grant: str) -> None:
    await phone.go(grant)
    await phone.page.check("input[value=rent_receipt]")
    await phone.press("form[method=get] button")
    assert await phone.says("Non, ce papier n’est pas")


async def sees_who_looked_and_stops_it(phone: Phone) -> None:
    """6. The person sees who looked, and stops it."""
    await phone.press("nav a[href='/grants']")
    await phone.press("main a[href='/access-log']")
    for words in ("Camille Moreau", "Regardé", "03 20 00 00 01"):
        assert await phone.says(words)
    await phone.go("/grants")
    await phone.press("a.danger")
    await phone.press("button.danger")
    assert await phone.says("C’est arrêté")


async def deletes_takes_back_and_leaves(phone: Phone) -> None:
    """8. They delete a paper, take it back, read it all in English, and leave."""
    await phone.go("/documents")
    await phone.press("ul.papers a")
    await phone.press("a.danger")
    await phone.press("button.danger")
    await phone.press(".aside a[href='/documents/deleted']")
    await phone.press("main form button")
    assert await phone.says("Le papier est de nouveau là")
    await phone.press("a[href^='/language']")
    await phone.press("a[hreflang=en]")
    assert await phone.says("Delete this paper")
    await phone.press("header form[action='/sign-out'] button")
    await phone.go("/documents")
    assert await phone.says("You are not signed in")


async def test_saying_no_and_not_me_look_alike_to_the_worker(
    open_phone: OpenPhone, make_worker: MakeWorker
) -> None:
    worker, number = await make_worker(), new_phone()
    worker_phone, person_phone = await open_phone(), await open_phone()
    await person_phone.sign_in("/", "#phone", number)
    await worker_phone.sign_in("/pro", "#email", worker.email)
    for purpose in ("Une raison.", "Une autre raison."):
        await worker_phone.go("/pro/requests/new")
        await worker_phone.page.fill("#phone", number)
        await worker_phone.page.locator("summary").first.click()
        await worker_phone.page.check("input[value=passport]")
        await worker_phone.page.select_option("#purpose_code", "housing")
        await worker_phone.page.fill("#purpose", purpose)
        await worker_phone.press("main button.main")
        await worker_phone.press("main button.main")
    for button, words in (("Non", "Vous avez dit non"), ("Ce n’est pas moi", "pas pour vous")):
        await person_phone.go("/requests")
        await person_phone.press("a.waiting")
        await person_phone.press(f"button:text-is('{button}')")
        assert await person_phone.says(words)
    await worker_phone.go("/pro/requests")
    states = await worker_phone.page.locator("ul.papers .when").all_inner_texts()
    assert len(states) == 2
    assert all(state.startswith("En attente de réponse") for state in states)


async def test_the_first_page_is_light_and_asks_nobody_else(
    open_phone: OpenPhone, served: Served
) -> None:
    phone = await open_phone()
    answers: list[Response] = []

    def heard(answer: Response) -> None:
        answers.append(answer)

    phone.page.on("response", heard)
    await phone.page.goto(served.base_url + "/", wait_until="networkidle")
    await phone.press("a[hreflang=fr]")
    assert {one.url.split("/")[2] for one in answers} == {served.base_url.split("/")[2]}
    assert all(one.ok or one.status == 303 for one in answers)
    sizes = [await one.request.sizes() for one in answers]
    total = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
    assert total < FIRST_PAGE


async def test_devices_and_the_end_of_a_vault_on_a_phone(open_phone: OpenPhone) -> None:
    """Signed in on two phones; one ends the other, then asks for the end, and keeps the vault."""
    number = new_phone()
    mine, other = await open_phone(), await open_phone()
    for phone in (other, mine):
        await phone.sign_in("/", "#phone", number)
    await mine.press("footer a[href='/me']")
    assert await mine.says("ouvert aussi sur 1 autre appareil")
    await mine.press("main a[href='/sessions']")
    await mine.press("main form[action$='/end'] button")
    assert await mine.says("C’est fermé sur cet appareil")
    await other.go("/documents")
    assert await other.says("Entrez pour continuer")
    await mine.press("a[href='/erasure']")
    await mine.press("form[action='/erasure/code'] button")
    code = re.search(r"\d{6}", await mine.page.inner_text("aside.demo"))
    assert code
    await mine.page.fill("#code", code[0])
    await mine.press("form[action='/erasure'] button")
    assert await mine.says("Votre coffre sera effacé")
    await mine.press("button.main")
    assert await mine.says("Votre coffre ne sera pas effacé")
    await mine.press("footer button[name=everywhere]")
    assert await mine.says("C’est fermé sur tous vos appareils")
