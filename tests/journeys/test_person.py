"""A person, whatever the screen and language: answers with a paper added on the way, gives
unasked, stops one, then all."""

from pathlib import Path

import pytest

from tests.fixtures import MakeWorker, new_phone
from tests.journeys.phones import (
    OpenPhone,
    Phone,
    add_a_photo,
    every_way,
    open_phone,
    photo_with_a_place,
)

__all__ = ["open_phone"]
pytestmark = pytest.mark.browser


@every_way
async def test_a_request_is_answered_with_a_paper_added_on_the_way_and_papers_are_given(
    open_phone: OpenPhone, make_worker: MakeWorker, tmp_path: Path
) -> None:
    number, worker = new_phone(), await make_worker()
    mine, theirs = await open_phone(), await open_phone()
    await mine.sign_in("/", "#phone", number)
    await theirs.sign_in("/pro", "#email", worker.email)
    await has_one_of_two_papers(mine, theirs, number, tmp_path)
    await answers_with_one_added(mine, tmp_path)
    await gives_one_more(mine)
    await stops_one_then_all(mine)
    await theirs.go("/pro/grants")
    assert await theirs.page.locator("section.card a.button").count() == 0


async def has_one_of_two_papers(mine: Phone, theirs: Phone, number: str, tmp_path: Path) -> None:
    """1. A worker asks for two kinds; one of them is not there yet."""
    for name, colour in (("pay", "#f5efcf"), ("rent", "#cfe3f5")):
        photo_with_a_place(tmp_path / f"{name}.jpg", colour)
    await add_a_photo(mine, "payslip", tmp_path / "pay.jpg")
    await theirs.go("/pro/requests/new")
    await theirs.fill("#phone", number)
    for code in ("payslip", "rent_receipt"):
        family = theirs.page.locator(f"details:has(input[value={code}])")
        await theirs.unfold(family)
        await theirs.tick(f"input[value={code}]")
    await theirs.tick("input[name=action][value=read]")
    await theirs.choose("#purpose_code", "housing")
    await theirs.fill("#purpose", "Pour votre demande de logement.")
    await theirs.choose("#duration", "P3M")
    await theirs.press("main form:has(#purpose) button.main")
    await theirs.press("main button.main")


async def answers_with_one_added(mine: Phone, tmp_path: Path) -> None:
    """2. The person ticks one, adds the other on the way, and it is counted in."""
    await mine.go("/requests")
    await mine.press(".waiting a")
    await mine.press("main button.main")
    await mine.press("main button.main")
    await mine.tick("input[name=document]")
    await mine.press("button[name=add][value=rent_receipt]")
    await mine.page.set_input_files("#photo", str(tmp_path / "rent.jpg"))
    await mine.press("button.send")
    await mine.press("button.send")
    assert await mine.says("Vérifier et garder")
    await mine.press("button.send")
    assert await mine.page.locator("input[name=document]:checked").count() == 2
    # Nothing chosen: it is said, and what was chosen is kept.
    await mine.press("main button.main")
    await mine.press("main button.main")
    assert await mine.says("Vous n’avez pas choisi de date")
    await mine.tick("input[value=P7D]")
    await mine.press("main button.main")
    assert await mine.says("Vous allez montrer 2 papiers à Camille Moreau")
    await mine.press("button.yes")
    assert await mine.says("Vous avez dit oui")


async def gives_one_more(mine: Phone) -> None:
    """3. They give one paper more, to the same person, by name."""
    await mine.press("main a[href='/grants/new']")
    await mine.tick("input[name=document]")
    await mine.press("main button.main")
    await mine.tick("input[value=benefits]")
    await mine.press("main button.main")
    await mine.tick("input[value=P1D]")
    await mine.press("main button.main")
    await mine.tick(mine.page.locator("label", has_text="Camille Moreau").locator("input"))
    await mine.press("main button.main")
    assert await mine.says("Vous allez montrer 1 papier à Camille Moreau")
    # She sees it for longer already: what becomes of that is said.
    await mine.tick("input[name=longer][value=keep]")
    await mine.press("button.yes")
    assert await mine.says("C’est fait. Camille Moreau peut voir :")
    assert await mine.page.locator("section.card").count() == 1


async def stops_one_then_all(mine: Phone) -> None:
    """4. One stops, and what goes on is named; then everything stops."""
    await mine.press("section.card a.danger[href$='/stop']")
    assert await mine.says("Ce qui continue")
    await mine.press("button.danger")
    assert await mine.says("Cet accord est arrêté")
    await mine.press("main a[href='/grants/stop-all']")
    assert await mine.says("Cette copie ne peut pas être reprise")
    await mine.press("button.danger")
    assert await mine.says("Tout est arrêté")
