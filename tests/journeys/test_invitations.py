"""Two people at one table: somebody takes the worker's code in a picture with their own phone, says
yes there, and is in their papers on the worker's screen, until they close it from the phone."""

import httpx
import pytest
from playwright.async_api import expect

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.journeys.phones import SMALL, OpenPhone, Way, open_phone
from tests.steps import deposit
from tests.vault.decoding import corpus

__all__ = ["open_phone"]

pytestmark = pytest.mark.browser
_SOON = 15_000


@pytest.mark.parametrize("open_phone", [Way(SMALL, script=True)], ids=["script"], indirect=True)
async def test_a_phone_lets_its_person_in(
    open_phone: OpenPhone,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = await make_person(), await make_worker(name="Camille Moreau")
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    phone, screen = await open_phone(), await open_phone()
    for one, kind, token in ((phone, "person", person.token), (screen, "worker", worker.token)):
        for name, value in ((kind, token), ("language", "fr")):
            cookie = {"name": f"unefois-{name}", "value": value, "url": served.base_url}
            await one.context.add_cookies([cookie])  # type: ignore[list-item]
    await screen.go("/pro/beside")
    await screen.press("form[action='/pro/invitations'] button")
    assert await screen.page.locator("figure.drawn svg").count() == 1
    code = (await screen.page.inner_text(".digits")).replace(" ", "")
    # As a camera opens it: the field is filled, and the history keeps no code.
    await phone.go(f"/meetings/code#{code}")
    await expect(phone.page.locator("#code")).to_have_value(code)
    assert phone.page.url.endswith("/meetings/code")
    await phone.press("main form:has(#code) button.main")
    assert await phone.says("Camille Moreau")
    assert await phone.says("15 minutes sur l’écran de")
    # The worker's screen comes by itself, with the same word.
    await expect(screen.page.locator("dd .word")).to_be_visible(timeout=_SOON)
    assert await screen.page.inner_text("dd .word") == await phone.page.inner_text("dd .word")
    await phone.press("button.yes")
    await expect(screen.page.locator("h1")).to_have_text("La personne a dit oui", timeout=_SOON)
    await screen.press("form[action$='/enter'] button")
    assert screen.page.url.endswith("/documents")
    await expect(screen.page.locator(".beside")).to_contain_text(
        "Camille Moreau est à côté de vous"
    )
    # So does the phone's, which ends it in one gesture.
    title = phone.page.locator("h1")
    await expect(title).to_have_text("Vos papiers sont ouverts sur un autre écran", timeout=_SOON)
    await phone.press("main button.danger")
    await expect(title).to_have_text("C’est terminé")
    await screen.page.goto(f"{served.base_url}/pro/people")
    await expect(screen.page.locator("h1")).to_contain_text("Mes personnes")
    await phone.go("/documents")
