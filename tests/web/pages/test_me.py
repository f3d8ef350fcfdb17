"""My own page: my number, what else is open, and the way to the end of the vault."""

import re

from tests.fixtures import MakePerson, Served
from tests.web.pages.test_pages import browser_of
from web.i18n.typography import national, no_break
from web.pages import forms


async def test_my_page_has_my_number_and_nobody_else_s(
    served: Served, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as browser:
        page = (await browser.get("/me")).text
    assert no_break(national(person.phone)) in page
    assert no_break(national(other.phone)) not in page
    assert "Français" in page
    for address in ("/sessions", "/erasure", "/language?back=/me"):
        assert f'href="{address}"' in page


async def test_the_name_of_this_site_is_hidden_from_my_page(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        page = (await browser.get("/me")).text
        assert "Cacher le nom de ce site" in page
        form = await forms.token_for(served.services, person.token)
        data = {"form": form, "back": "/me", "discreet": "yes"}
        assert 'action="/me/discreet"' in page
        done = await browser.post("/me/discreet", data=data)
        assert done.headers["location"] == "/me"
        hidden = (await browser.get("/me")).text
    assert "– Carnet</title>" in hidden
    assert "Unefois" not in re.sub(r"<[^>]*>", "", hidden)
    assert "Montrer le nom" in hidden
