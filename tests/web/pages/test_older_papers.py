"""A paper that is older than the one that is held: one is asked before it is kept."""

import re
from urllib.parse import urlencode

import httpx
import pytest

from tests.fixtures import MakePerson, Served, SomePerson
from tests.web.pages.draft_steps import draft_of, killed_before_the_end, say, send
from tests.web.pages.test_pages import a_photo, add, as_a_browser_sends, browser_of
from tests.web.pages.test_versions import NEW, date_alone, only, replace
from web.pages import forms

OLDER = "Ce papier est plus ancien que celui que vous avez"
REPLACED: list[tuple[dict[str, str], str, str]] = [
    ({}, "", "2046"),
    ({"expires_on": ""}, "", "2036"),
]


def plain(answer: httpx.Response) -> str:
    return answer.text.replace("\u00a0", " ")


async def held(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, **fields: str
) -> str:
    """The address of a paper that ends in 2041."""
    said = {"type": "passport", "expires_on": "01/02/2041"} | fields
    said = {name: value for name, value in said.items() if value}
    added = await add(served, person, browser, a_photo("green"), **said)
    return added.headers["location"].split("?")[0]


async def test_an_older_paper_takes_the_place_of_none_before_a_yes(
    served: Served, make_person: MakePerson
) -> None:
    person, other = await make_person(), await make_person()
    async with browser_of(served, person) as browser, browser_of(served, other) as stranger:
        address = await held(served, person, browser)
        sent = await replace(served, person, browser, address, **NEW)
        asking = sent.headers["location"]
        assert asking.startswith(f"{address}/version?draft=")
        asked = plain(await browser.get(asking))
        assert f"{OLDER} (bon jusqu’au 1er février 2041)." in asked
        assert "Le garder quand même" in asked
        assert (await only(served, person)).version == 1
        assert (await browser.get(f"{address}/content")).content == a_photo("green")
        assert (await stranger.get(asking)).status_code == 404
        # It waits where one comes back to, and the date is there to be changed.
        assert f'href="{asking}"' in (await browser.get("/documents")).text
        changing = plain(await browser.get(f"{asking}&change=yes"))
        assert OLDER not in changing
        assert 'value="2036"' in changing
        # Sent again with the older date, it is asked again.
        again = await date_alone(served, person, browser, asking)
        assert again.headers["location"] == asking
        done = await yes_to(served, person, browser, asked, asking)
        assert done.headers["location"] == f"{address}?done=version_older"
        assert (await browser.get(f"{address}/content")).content == a_photo("brown")
    document = await only(served, person)
    assert (document.version, str(document.metadata.expires_on)) == (2, "2036-06-05")


async def yes_to(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, page: str, address: str
) -> httpx.Response:
    """The button that keeps it, with what its form has."""
    form = page.split('data-answer="page">')[1].split("</form>", maxsplit=1)[0]
    named = [part.split('"')[1] for part in form.split("name=")[1:]]
    values = [part.split('"')[1] for part in form.split("value=")[1:]]
    fields = dict(zip(named, values, strict=True))
    fields["form"] = await forms.token_for(served.services, person.token)
    pairs = {name: (None, value) for name, value in fields.items()}
    return await browser.post(address, files=pairs)


async def test_a_date_that_is_put_right_is_not_asked_about(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await held(served, person, browser)
        sent = await replace(served, person, browser, address, **NEW)
        token = await forms.token_for(served.services, person.token)
        put_right = {"form": token, **NEW, "expires_on_year": "2046"}
        pairs = {name: (None, value) for name, value in put_right.items()}
        done = await browser.post(sent.headers["location"], files=pairs)
        assert done.headers["location"] == f"{address}?done=version"
    document = await only(served, person)
    assert (document.version, str(document.metadata.expires_on)) == (2, "2046-06-05")


async def test_the_wrong_photo_is_taken_again_and_not_beside_it(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await held(served, person, browser)
        sent = await replace(served, person, browser, address, **NEW)
        asking = sent.headers["location"]
        changing = (await browser.get(f"{asking}&change=yes")).text
        (again,) = re.findall(r'href="(/documents/add/[^"]+/pictures/[^"/]+)"', changing)
        taken = await send(served, person, browser, again, a_photo("blue"))
        assert taken.headers["location"] == asking
        await yes_to(served, person, browser, plain(await browser.get(asking)), asking)
        assert (await browser.get(f"{address}/content")).content == a_photo("blue")


async def test_of_photos_that_became_the_paper_nothing_is_asked(
    served: Served, make_person: MakePerson
) -> None:
    """A crash after the commit, and a newer paper since: the same form leads to the paper."""
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await held(served, person, browser)
        asking = (await replace(served, person, browser, address, **NEW)).headers["location"]
        asked = plain(await browser.get(asking))
        with killed_before_the_end():
            assert (await yes_to(served, person, browser, asked, asking)).status_code == 500
        token = await forms.token_for(served.services, person.token)
        later = NEW | {"expires_on_year": "2046"}
        body, headers = as_a_browser_sends({"form": token, **later}, a_photo("red"))
        await browser.post(f"{address}/version", content=body, headers=headers)
        done = await date_alone(served, person, browser, asking)
        assert done.headers["location"].startswith(f"{address}?done=")
    assert (await only(served, person)).version == 3


@pytest.mark.parametrize(
    ("held_as", "new", "words"),
    [
        (
            {"type": "income_tax_notice", "income_year": "2025"},
            {"income_year": "2024"},
            f"{OLDER} (Année des revenus : 2025).",
        ),
        (
            {"type": "payslip", "issued_on": "30/09/2026"},
            {"issued_on_day": "1", "issued_on_month": "9", "issued_on_year": "2026"},
            f"{OLDER} (Date du document : 30 septembre 2026).",
        ),
    ],
)
async def test_each_date_that_matters_is_compared(
    served: Served,
    make_person: MakePerson,
    held_as: dict[str, str],
    new: dict[str, str],
    words: str,
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        added = await add(served, person, browser, a_photo("green"), **held_as)
        address = added.headers["location"].split("?")[0]
        sent = await replace(served, person, browser, address, **new)
        asked = plain(await browser.get(sent.headers["location"]))
        assert words in asked
        done = await yes_to(served, person, browser, asked, sent.headers["location"])
        assert done.headers["location"] == f"{address}?done=version_older"


async def test_a_script_is_led_to_the_question(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await held(served, person, browser)
        token = await forms.token_for(served.services, person.token)
        body, headers = as_a_browser_sends({"form": token, **NEW}, a_photo("brown"))
        headers |= {"accept": "application/json"}
        sent = await browser.post(f"{address}/version", content=body, headers=headers)
        assert OLDER in plain(await browser.get(sent.json()["go"]))
    assert (await only(served, person)).version == 1


@pytest.mark.parametrize(
    ("held_as", "title", "year", "asked"),
    [
        ({}, "", "2036", True),
        ({}, "", "2046", False),
        ({}, "Malik", "2036", False),
        ({"title": "Malik"}, "Malik", "2036", True),
        ({"type": "residence_permit"}, "", "2036", False),
        ({"expires_on": ""}, "", "2036", False),
    ],
)
async def test_beside_a_newer_one_of_the_same_person_it_is_said_before_it_is_kept(
    served: Served,
    make_person: MakePerson,
    held_as: dict[str, str],
    title: str,
    year: str,
    asked: bool,
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        address = await held(served, person, browser, **held_as)
        first = f"/documents/add?{urlencode({'type': 'passport'})}"
        draft = draft_of(await send(served, person, browser, first, a_photo("red")))
        fields = NEW | {"title": title, "expires_on_year": year}
        await say(served, person, browser, f"{draft}/details", **fields)
        page = plain(await browser.get(f"{draft}/check"))
        assert (f"{OLDER} (bon jusqu’au 1er février 2041)." in page) is asked
        # One of which it is not known whether it is newer may be replaced.
        former = "Remplacer l’ancien ?" in page
        assert former is ((held_as, title, year) in REPLACED)
        assert (f'href="{address}"' in page) is (asked or former)
        assert ("Le garder quand même" in page) is asked
        assert ("Garder ce papier" in page) is not asked
        kept = await say(served, person, browser, f"{draft}/check", replace="no")
        assert kept.headers["location"].endswith("?done=added")
