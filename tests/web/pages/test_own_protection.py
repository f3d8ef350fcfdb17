"""« Si un juge me protège »: a name is written, read again, taken away; what is wrong is said by
its field."""

import httpx
import pytest

from auth import pin_hashes
from tests.fixtures import MakePerson, Served
from tests.trusted import with_pin
from tests.web.pages.test_joins import post
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of
from web.pages import forms

AT = "/me/protection"
TYPED = {"kind": "curatorship", "name": "Mme Petit", "until": "31/12/2030"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


async def test_a_name_is_written_read_and_taken_away(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    pin = await with_pin(client, person)
    async with browser_of(served, person) as at:
        assert f'href="{AT}"' in (await at.get("/me")).text
        asked = await at.get(AT)
        assert "c’est vous qui agissez" in said(asked)
        assert "Avant 15 ans, ce n’est pas possible" in said(asked)
        assert (await at.get(f"{AT}/remove")).headers["location"] == AT
        done = await post(served, person, at, AT, proof=pin, **TYPED)
        assert done.headers["location"] == "/me?done=protection_noted"
        assert "Mme Petit, jusqu’au 31 décembre 2030" in said(await at.get(AT))
        asked = await at.get(f"{AT}/remove")
        assert "Retirer Mme Petit ?" in said(asked)
        wrong = await post(served, person, at, f"{AT}/remove", proof="135790")
        assert wrong.status_code == 403
        gone = await post(served, person, at, f"{AT}/remove", proof=pin)
        assert gone.headers["location"] == "/me?done=protection_forgotten"
        twice = await post(served, person, at, f"{AT}/remove", proof=pin)
        assert twice.headers["location"] == AT
        assert "Mme Petit" not in (await at.get(AT)).text


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"kind": ""}, "kind", "Il manque la sorte de curatelle"),
        ({"name": " "}, "name", "ne contient aucun caractère visible"),
        ({"until": "hier"}, "until", "date"),
        ({"until": "01/01/2020"}, "until", "est déjà passé"),
        ({"until": "01/01/2099"}, "until", "20 ans au plus"),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(
    typed: dict[str, str],
    field: str,
    words: str,
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
) -> None:
    person = await make_person()
    pin = await with_pin(client, person)
    token = await forms.token_for(served.services, person.token)
    async with browser_of(served, person) as at:
        data = {"form": token, "proof": pin, **TYPED, **typed}
        refused = await at.post(AT, data=data)
        assert refused.status_code == 422, refused.text
        assert f'id="{field}-wrong"' in refused.text
        assert words in said(refused)
        if field != "name":
            assert 'value="Mme Petit"' in refused.text, "what was right is there"
