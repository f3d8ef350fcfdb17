"""A card that a desk stopped as lost, on its person's own pages: told as it is, freed with care."""

import httpx
import pytest

from auth import administration, pin_hashes
from tests.auth.means_steps import add_card, bearer, enter, enter_by_phone, pin_of
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.web.pages.test_entering import browser
from tests.web.pages.test_own_means import bar, said

WARNED = "Débloquez-la seulement si elle est de nouveau dans vos mains"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def stop(client: httpx.AsyncClient, served: Served, make: MakeWorker, card: str) -> None:
    worker = await make()
    await administration.let_open_vaults(served.services, worker.organisation_id, allowed=True)
    body = {"card": card}
    answer = await client.post("/v1/desk/cards/stop", headers=worker.headers, json=body)
    assert answer.status_code == 204, answer.text


async def test_it_is_not_said_to_be_barred_by_wrong_pins(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person: SomePerson = await make_person()
    pin = await pin_of(served.services, person)
    stopped, barred = await add_card(client, person, pin), await add_card(client, person, pin)
    await bar(client, barred["code"], pin)
    await stop(client, served, make_worker, stopped["code"])
    token = bearer(await enter_by_phone(client, served.services, person.phone, pin))
    session = token["Authorization"].removeprefix("Bearer ")
    async with browser(served, language="fr", person=session) as at:
        page = await at.get("/me/means")
        words = said(page)
        of_stopped, of_barred = words.split("Carte qui finit par")[1:3]
        assert "Arrêtée comme perdue." in of_stopped
        assert "Trop de codes secrets faux" not in of_stopped
        # What helps comes first: another card, then this one gone.
        offered = ["La remplacer", "La retirer de la liste", "la débloquer"]
        assert sorted(offered, key=of_stopped.index) == offered
        assert "Trop de codes secrets faux" in of_barred
        assert "Arrêtée comme perdue" not in of_barred
        assert WARNED in said(await at.get(f"/me/means/{stopped['id']}/free"))
        assert WARNED not in said(await at.get(f"/me/means/{barred['id']}/free"))
        # To take it off the list is not to stop it once more.
        off = said(await at.get(f"/me/means/{stopped['id']}/remove"))
        stops = said(await at.get(f"/me/means/{barred['id']}/remove"))
        for words, of_off in (
            ("Retirer de la liste la carte qui finit par", True),
            ("Elle est déjà arrêtée.", True),
            ("Arrêter la carte qui finit par", False),
            ("Oui, arrêter cette carte", False),
        ):
            assert ((words in off), (words in stops)) == (of_off, not of_off), words
        assert "sauf celles arrêtées comme perdues" in said(await at.get("/me/pin"))
    assert (await enter(client, stopped["code"], pin)).status_code == 401
