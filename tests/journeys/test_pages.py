"""The whole journey in a phone's browser at 360×640, without script: a person and a worker."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Response

from tests.fixtures import MakeOrganisation, MakeWorker, Served, new_phone
from tests.journeys.phones import (
    OpenPhone,
    Phone,
    add_a_photo,
    draw_previews,
    every_way,
    open_phone,
    photo_with_a_place,
    pictures_shown,
)

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser
FIRST_PAGE = 25 * 1024


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
    await page.check("input[name=action][value=read]")
    await page.select_option("#purpose_code", "housing")
    await page.fill("#purpose", "Pour votre demande de logement social.")
    await page.select_option("#duration", "P3M")
    await phone.press("main form:has(#purpose) button.main")
    assert await phone.says("Ce que la personne lira")
    await phone.press("main button.main")
    assert await phone.says("La demande est partie")
    assert await phone.says("En attente de réponse")


async def narrows_and_says_yes(phone: Phone) -> None:
    """4. The person finds it first on their page, narrows it, and says yes."""
    await phone.go("/documents")
    await phone.press(".waiting a")
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
        await worker_phone.page.check("input[name=action][value=read]")
        await worker_phone.page.select_option("#purpose_code", "housing")
        await worker_phone.page.fill("#purpose", purpose)
        await worker_phone.press("main form:has(#purpose) button.main")
        await worker_phone.press("main button.main")
    said = (("Non, je ne montre rien", "dit non"), ("Ce n’est pas moi", "pas pour vous"))
    for button, words in said:
        await person_phone.go("/requests")
        await person_phone.press(".waiting a")
        if button.startswith("Non"):
            await person_phone.press("main form[method=get] button")
        await person_phone.press(f"button:text-is('{button}')")
        assert await person_phone.says(words)
    await worker_phone.go("/pro/requests")
    states = await worker_phone.page.locator("ul.papers .flag").all_inner_texts()
    assert states == ["En attente de réponse"] * 2


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


@every_way
async def test_devices_and_the_end_of_a_vault(open_phone: OpenPhone) -> None:
    """Signed in on two phones; one ends the other, then asks for the end, and keeps the vault."""
    number = new_phone()
    mine, other = await open_phone(), await open_phone()
    for phone in (other, mine):
        await phone.sign_in("/", "#phone", number)
    await mine.press("footer a[href='/me']")
    assert await mine.says("ouverts aussi sur 1 autre appareil")
    await mine.press("main a[href='/sessions']")
    await mine.press("main form[action$='/end'] button")
    assert await mine.says("C’est fermé sur un ordinateur Linux")
    await other.go("/documents")
    assert await other.says("Entrez pour continuer")
    await mine.press("a[href='/erasure']")
    await mine.press("form[action='/erasure/code'] button")
    code = re.search(r"\d{6}", await mine.page.inner_text("aside.demo"))
    assert code
    await mine.fill("#code", code[0])
    await mine.press("form[action='/erasure'] button")
    assert await mine.says("Tous vos papiers seront effacés")
    await mine.press("button.main")
    assert await mine.says("Rien ne sera effacé")
    await mine.go("/me")
    await mine.press("main button[name=everywhere]")
    assert await mine.says("C’est fermé sur tous vos appareils")
