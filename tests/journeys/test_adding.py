"""Papers, whatever the screen and language: two sides, a PDF, an error midway, an old version."""

from pathlib import Path

import pytest

from tests.fixtures import Served, new_phone
from tests.journeys.phones import (
    OpenPhone,
    Phone,
    draw_previews,
    every_way,
    open_phone,
    photo_with_a_place,
    pictures_shown,
)
from tests.vault.decoding import corpus

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser


async def send(phone: Phone, field: str, *files: Path) -> None:
    await phone.page.set_input_files(field, [str(file) for file in files])
    await phone.press(f"form:has({field}) button.send")


@every_way
async def test_two_sides_an_error_midway_a_pdf_and_an_old_version(
    open_phone: OpenPhone, served: Served, tmp_path: Path
) -> None:
    front, back, cut, bill = (tmp_path / name for name in ("f.jpg", "b.jpg", "c.jpg", "b.pdf"))
    photo_with_a_place(front, "#cfe3f5")
    photo_with_a_place(back, "#f5efcf")
    cut.write_bytes(front.read_bytes()[:900])
    bill.write_bytes(corpus.pdf(2))
    phone = await open_phone()
    await phone.sign_in("/", "#phone", new_phone())
    await photographs_the_front(phone, front, cut)
    await finds_it_again_and_keeps_it(phone, back)
    await shows_it(phone, served)
    await replaces_it(phone, back, tmp_path)
    await adds_a_bill(phone, bill, front)


async def photographs_the_front(phone: Phone, front: Path, cut: Path) -> None:
    """1. The front, with a bad picture beside it: the good one is kept, the bad one is named."""
    await phone.press("a[href='/documents/add']")
    assert not await phone.page.is_visible("form:has(#photo) button.send")
    if phone.way.script:
        # The page still has both: what is good is sent again without the other.
        await phone.page.set_input_files("#photo", str(front))
        await sees_the_photo_above_what_keeps_it(phone)
        await phone.page.set_input_files("#photo", [str(front), str(cut)])
        await phone.page.click("form:has(#photo) button.send")
        await phone.page.wait_for_selector("text=C’est la photo ou le fichier 2 sur 2.")
        await send(phone, "#photo", front)
        await phone.page.go_back()
    else:
        await send(phone, "#photo", front, cut)
        assert await phone.says("C’est la photo ou le fichier 2 sur 2.")
        assert await phone.says("gardés : 1")


async def sees_the_photo_above_what_keeps_it(phone: Phone) -> None:
    """Nothing covers it: neither the button, nor « Cacher »."""
    await phone.page.wait_for_function(
        """() => {
          const of = (one) => document.querySelector(one)?.getBoundingClientRect();
          const [photo, button, strip] = [
            of(".shot .preview"), of("form:has(#photo) button.send"), of(".hide")];
          return photo?.height > 50 && photo.top >= 0 && photo.bottom <= button.top
            && button.height > 0 && button.bottom <= strip.top;
        }"""
    )


async def finds_it_again_and_keeps_it(phone: Phone, back: Path) -> None:
    """2. They leave, and find it again where they begin; then the back."""
    await phone.go("/documents")
    await phone.press("a.waiting[href^='/documents/add/']")
    await phone.press("a[href$='?family=identity']")
    await phone.press("button[value=national_identity_card]")
    await phone.fill("#title", "Malik")
    await phone.fill("#expires_on_day", "32")
    await phone.fill("#expires_on_month", "1")
    await phone.fill("#expires_on_year", "2031")
    await phone.press("button.send")
    assert await phone.page.input_value("#title") == "Malik"
    assert await phone.page.input_value("#expires_on_day") == "32"
    await phone.fill("#expires_on_day", "31")
    await phone.press("button.send")
    assert await phone.says("Ce papier a deux côtés")
    await phone.press("a[href*='/pictures?at=check']")
    await send(phone, "#photo", back)
    # Each once, above « Garder », with what can be done with it.
    assert await pictures_shown(phone) == 2
    await phone.press("button[value=later]")
    await phone.press("button.send:has-text('Garder ce papier')")
    assert await phone.says("C’est fait")
    assert await phone.says("31 janvier 2031")


async def shows_it(phone: Phone, served: Served) -> None:
    """3. Shown to somebody opposite."""
    await draw_previews(served.services)
    await phone.press("a[href$='/show']")
    assert await pictures_shown(phone) == 1
    await phone.press("a[href*='turned=yes']")
    assert await phone.page.locator(".turned img").count() == 1


async def replaces_it(phone: Phone, back: Path, folder: Path) -> None:
    """4. A newer one: its own date, and the old one is still there."""
    await phone.press(".back a")
    await phone.press("a[href$='/version']")
    assert await phone.page.input_value("#expires_on_year") == ""
    await phone.page.set_input_files("#photo", str(back))
    await phone.press("button.send")
    assert await phone.says("Le nouveau papier est gardé")
    assert not await phone.says("31 janvier 2031")
    await phone.press("a[href$='/versions']")
    async with phone.page.expect_download() as downloading:
        await phone.page.click("a[href$='/versions/1/content']")
    await (await downloading.value).save_as(folder / "old.pdf")
    assert (folder / "old.pdf").read_bytes().startswith(b"%PDF")


async def adds_a_bill(phone: Phone, bill: Path, front: Path) -> None:
    """5. A PDF beside a photo asks whether it is one paper; alone, it is kept."""
    await phone.go("/documents/add?type=energy_bill")
    await send(phone, "#files", bill, front)
    await phone.press("button.send")
    assert await phone.says("Est-ce le même papier ?")
    await phone.press("button[value=remove] >> nth=1")
    assert not await phone.says("Est-ce le même papier ?")
    await phone.press("button.send:has-text('Garder ce papier')")
    assert await phone.says("C’est fait")
