"""« Personne de confiance » on the pages, without script: named, accepted, vouched, removed."""

import re
from datetime import timedelta

import httpx
import pytest

from auth import pin_hashes
from tests.auth.means_steps import wrong as wrong_pin
from tests.fixtures import MakePerson, MoveClock, Served
from tests.trusted import WEEK, answered_naming, for_me, mine, trusted, with_pin
from tests.web.pages.test_joins import code_proof, post
from tests.web.pages.test_own_means import said
from tests.web.pages.test_pages import browser_of

TRUSTED, NEW = "/me/trusted", "/me/trusted/new"
WORDS = {"label": "Ma sœur <b>Awa</b>", "own_name": "Amina"}


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a PIN costs to guess is not tested here."""
    monkeypatch.setattr(pin_hashes, "_MEMORY_KIB", 8)


def digits(page: httpx.Response) -> str:
    found = re.search(r'class="digits" dir="ltr"><strong>(\d{4}) (\d{4})</strong>', page.text)
    assert found, page.text
    return found[1] + found[2]


async def test_one_names_and_the_other_says_yes(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa = await make_person(), await make_person()
    async with browser_of(served, amina) as here, browser_of(served, awa) as there:
        assert f'href="{TRUSTED}"' in (await here.get("/me")).text
        start = await here.get(TRUSTED)
        assert "Elle ne voit pas vos papiers" in said(start)
        assert f'href="{NEW}"' in start.text
        proof = await code_proof(served, amina, here, NEW)
        named = await post(served, amina, here, NEW, **proof, **WORDS)
        address = named.headers["location"]
        shown = await here.get(address)
        assert "Donnez ce code à" in said(shown)
        assert "<b>Awa</b>" not in shown.text, "it is text"
        code = digits(shown)
        typed = await post(served, awa, there, "/trusted/code", code=f"{code[:4]} {code[4:]}")
        theirs = typed.headers["location"]
        asked = await there.get(theirs)
        assert "Amina vous choisit" in said(asked)
        assert "Awa" not in said(asked), "what the other one calls them is not theirs to read"
        assert "Il manque le oui" in said(await here.get(address))
        yes = await post(served, awa, there, f"{theirs}/accept")
        assert yes.headers["location"] == f"{theirs}?done=trust_accepted"
        accepted = await there.get(yes.headers["location"])
        assert "Vous êtes sa personne de confiance" in said(accepted)
        assert "Vous pourrez dire au guichet que c’est cette personne à partir du" in said(accepted)
        assert "/vouch" not in accepted.text, "not before a week"
        assert "peut dire au guichet que c’est vous à partir du" in said(await here.get(address))
        for at, one in ((here, TRUSTED), (there, TRUSTED)):
            assert "Depuis le" in said(await at.get(one))


async def test_a_no_a_wrong_code_and_what_is_there_no_more(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa = await make_person(), await make_person()
    asked = await answered_naming(client, amina, awa)
    async with browser_of(served, awa) as at:
        refused = await post(served, awa, at, "/trusted/code", code="0000 0000")
        assert refused.status_code == 403, refused.text
        assert "Ce code ne marche pas" in said(refused)
        no = await post(served, awa, at, f"/trusted/{asked['id']}/end")
        assert no.headers["location"] == f"{TRUSTED}?done=trust_ended"
        late = await post(served, awa, at, f"/trusted/{asked['id']}/accept")
        assert late.status_code == 409
        assert "Ce n’est plus possible" in said(late)
        unknown = awa.id
        for path in (
            f"/trusted/{unknown}",
            f"{TRUSTED}/{asked['id']}",
            f"{TRUSTED}/{unknown}/remove",
        ):
            assert (await at.get(path)).headers["location"] == f"{TRUSTED}?done=trust_gone"
        gone = await post(served, awa, at, f"/trusted/{unknown}/end")
        assert gone.headers["location"] == f"{TRUSTED}?done=trust_gone"
    assert [one["state"] for one in await mine(client, amina)] == ["ended"]


async def test_with_a_pin_digits_for_the_desk_and_a_wrong_pin_shows_none(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson, moved_clock: MoveClock
) -> None:
    amina, awa = await make_person(), await make_person()
    pin = await with_pin(client, awa)
    naming = await trusted(client, amina, awa)
    moved_clock(WEEK + timedelta(minutes=1))
    path = f"/trusted/{naming}"
    async with browser_of(served, awa) as at:
        asked = await at.get(path)
        assert "Parlez-lui d’abord" in said(asked)
        refused = await post(served, awa, at, f"{path}/vouch", proof=wrong_pin(pin))
        assert refused.status_code == 403, refused.text
        assert "Ce n’est pas le bon code" in said(refused)
        assert 'class="digits"' not in refused.text
        done = await post(served, awa, at, f"{path}/vouch", proof=pin)
        assert done.headers["location"] == path
        assert "Dites ce code au guichet" in said(await at.get(path))
        assert len(digits(await at.get(path))) == 8
        end = await post(served, awa, at, f"{path}/end")
        assert end.headers["location"] == f"{TRUSTED}?done=trust_ended"
        assert "Terminé le" in said(await at.get(path))
    assert [one["state"] for one in await for_me(client, awa)] == ["ended"]


async def test_removed_with_a_proof_alone(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina, awa = await make_person(), await make_person()
    pin = await with_pin(client, amina)
    path = f"{TRUSTED}/{await trusted(client, amina, awa)}/remove"
    async with browser_of(served, amina) as at:
        asked = await at.get(path)
        assert "Ne plus faire confiance à Ma sœur Awa ?" in said(asked)
        refused = await post(served, amina, at, path, proof=wrong_pin(pin))
        assert refused.status_code == 403
        assert [one["state"] for one in await mine(client, amina)] == ["accepted"]
        done = await post(served, amina, at, path, proof=pin)
        assert done.headers["location"] == f"{TRUSTED}?done=trust_ended"
        assert (await at.get(path)).headers["location"] == f"{TRUSTED}?done=trust_gone"
    assert [one["state"] for one in await mine(client, amina)] == ["ended"]


async def test_two_are_all_and_an_empty_name_says_which_field(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    amina = await make_person()
    pin = await with_pin(client, amina)
    async with browser_of(served, amina) as at:
        empty = {"label": " ", "own_name": "Amina", "proof": pin}
        refused = await post(served, amina, at, NEW, **empty)
        assert refused.status_code == 422, refused.text
        assert re.search(r'id="label"[^>]*aria-invalid="true"', refused.text), refused.text
        assert 'value="Amina"' in refused.text, "what was typed is shown again"
        for _ in range(2):
            await trusted(client, amina, await make_person())
        assert "Il y en a déjà deux" in said(await at.get(TRUSTED))
        full = await post(served, amina, at, NEW, label="Zoé", own_name="Amina", proof=pin)
        assert (full.status_code, "Il y en a déjà assez" in said(full)) == (409, True)
