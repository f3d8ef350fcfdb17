"""My own page: my number, what else is open, and the way to the end of the vault."""

from tests.fixtures import MakePerson, Served
from tests.web.pages.test_pages import browser_of
from web.i18n.typography import national, no_break


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
