"""The pages for a code, where a PIN is asked after it."""

import httpx
import pytest

from tests.auth.means_steps import (
    choose_pin,
    pin_of,
    wrong,
)
from tests.fixtures import MakePerson, Served, last_code
from tests.web.pages.test_entering import browser, hidden


@pytest.mark.parametrize("device", ["own", "shared"])
async def test_the_pin_is_asked_after_the_code(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, device: str
) -> None:
    person = await make_person()
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser(served, language="fr") as at:
        page = (await at.get("/?done=x")).text
        said = {"phone": person.phone, "device": device}
        begun = await at.post("/sign-in", data={**hidden(page), **said})
        address = begun.headers["location"]
        shown = (await at.get(address)).text
        assert "Code secret" not in shown
        code = await last_code(served.services, person.phone)
        asked = await at.post(address, data={**hidden(shown), "code": code})
        assert asked.headers["location"].partition("?")[0] == address.partition("?")[0]
        page = (await at.get(asked.headers["location"])).text
        assert "Écrivez votre code secret" in page
        assert person.phone[-4:] not in page
        assert '<input type="password" id="code"' in page, "it is shown to nobody"
        assert "demandez le changement en 7 jours" in page.replace("\xa0", " ")
        of_the_desk = [line for line in page.splitlines() if "guichet" in line]
        assert len(of_the_desk) == 1
        assert "Vous n’avez jamais choisi" in of_the_desk[0], "it gives nobody another PIN"
        refused = await at.post(address, data={**hidden(page), "code": wrong(pin)})
        assert refused.status_code == 401
        assert "Ce code secret n’ouvre rien" in refused.text
        assert "Écrivez votre code secret" in refused.text
        entered = await at.post(address, data={**hidden(refused.text), "code": pin})
        assert entered.headers["location"] == "/documents"
        shown = (await at.get("/documents")).text
        assert f'data-device="{device}"' in shown


async def test_another_browser_is_not_asked(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """It did not type the code: it learns no more than of a sign-in that is not there."""
    person = await make_person()
    pin = await pin_of(served.services, person)
    assert (await choose_pin(client, person, pin)).is_success
    async with browser(served, language="fr") as at, browser(served, language="fr") as other:
        page = (await at.get("/?done=x")).text
        begun = await at.post("/sign-in", data={**hidden(page), "phone": person.phone})
        address = begun.headers["location"]
        shown = (await at.get(address)).text
        code = await last_code(served.services, person.phone)
        await at.post(address, data={**hidden(shown), "code": code})
        elsewhere = (await other.get(address)).text
        assert "code secret" not in elsewhere
        assert "il a été demandé sur un autre appareil" in elsewhere
        assert 'id="code"' not in elsewhere
