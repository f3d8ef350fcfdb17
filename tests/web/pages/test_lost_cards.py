"""« Ma carte est perdue : l’arrêter »: one gesture on the page, after which nothing stays open."""

import re

import httpx
import pytest

from auth import pin_hashes
from tests.auth.means_steps import add_card, enter, enter_by_phone, means, pin_of, remove
from tests.fixtures import MakePerson, Served, SomePerson
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from web.pages import forms

GESTURE = "Ma carte est perdue : l’arrêter"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


@pytest.fixture
async def person(make_person: MakePerson) -> SomePerson:
    return await make_person()


async def test_one_gesture_stops_it_and_says_how_to_come_back(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    async with browser_of(served, person) as at:
        page = await at.get("/me/means")
        address = f"/me/means/{card['id']}/stop"
        assert GESTURE in said(page)
        assert "Tout se ferme, ici aussi." in said(page)
        shown = re.search(rf'<form method="post" action="{address}">(.*?)</form>', page.text, re.S)
        assert shown, page.text
        assert re.findall(r'<input[^>]*name="(\w+)"', shown[1]) == ["form"], "nothing is typed"
        assert (await at.post(address, data={"form": "x"})).status_code == 403
        assert (await enter(client, card["code"], pin)).status_code == 201
        token = await forms.token_for(served.services, person.token)
        answer = await at.post(address, data={"form": token})
        assert answer.headers["location"] == "/?done=card_lost"
        ended = {one.partition(";")[0] for one in answer.headers.get_list("set-cookie")}
        of = ("person", "card", "told")
        assert {f'unefois-{name}=""' for name in of} <= ended, "nor a new card's code"
        goodbye = await at.get(answer.headers["location"])
        assert "Cette carte n’ouvre plus rien, et tout est fermé, ici aussi" in said(goodbye)
        assert (await at.get("/me/means")).status_code == 303, "closed here, too"
    assert (await enter(client, card["code"], pin)).status_code == 401
    assert (await enter_by_phone(client, served.services, person.phone, pin)).status_code == 201


async def test_of_the_only_means_it_says_what_to_do(
    served: Served, client: httpx.AsyncClient, person: SomePerson
) -> None:
    pin = await pin_of(served.services, person)
    card = await add_card(client, person, pin)
    phone = (await means(client, person.headers))[0]["id"]
    assert (await remove(client, person, phone)).status_code == 204
    async with browser_of(served, person) as at:
        words = said(await at.get("/me/means"))
        assert GESTURE not in words
        assert "Ma carte est perdue, que faire ?" in words
        assert (
            "choisissez « La remplacer par une nouvelle » : la carte perdue s’arrête tout de suite"
            in words
        )
        assert "au guichet, on arrête la carte" in words
        token = await forms.token_for(served.services, person.token)
        refused = await at.post(f"/me/means/{card['id']}/stop", data={"form": token})
        assert refused.status_code == 409
        assert "C’est votre dernière façon d’entrer" in said(refused)
        assert "que faire ?" in said(refused), "the list is still there"
        gone = await at.post(f"/me/means/{phone}/stop", data={"form": token})
        assert gone.headers["location"] == "/me/means?done=means_gone"
    assert (await enter(client, card["code"], pin)).status_code == 201
