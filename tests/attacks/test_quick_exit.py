"""« Cacher »: the session is dead on the server, without script too; nobody else can press it."""

import re

import httpx
import pytest

from tests.fixtures import MakePerson, Served, SomePerson
from web.pages import forms


def browser_of(served: Served, token: str) -> httpx.AsyncClient:
    cookies = {"unefois-person": token}
    return httpx.AsyncClient(base_url=served.base_url, cookies=cookies, trust_env=False)


async def lives(served: Served, person: SomePerson) -> bool:
    """Whether the cookie still opens the vault, whatever the browser made of it."""
    async with browser_of(served, person.token) as browser:
        return (await browser.get("/documents")).status_code == 200


async def test_it_ends_the_session_on_the_server_and_leads_elsewhere(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person.token) as browser:
        page = (await browser.get("/documents")).text
        assert 'action="/quick-exit"' in page
        data = {"form": await forms.token_for(served.services, person.token)}
        left = await browser.post("/quick-exit", data=data)
    url = served.services.settings.quick_exit_url
    assert left.status_code == 200, "a redirection would be stopped by `form-action 'self'`"
    assert left.headers["refresh"] == f"0;url={url}"
    assert left.headers["referrer-policy"] == "no-referrer"
    assert left.headers["cache-control"] == "no-store"
    assert "nefois" not in left.text.lower()
    dropped = " ".join(left.headers.get_list("set-cookie"))
    for kind in ("person", "visit", "next", "told", "card"):
        assert f'unefois-{kind}=""' in dropped, kind
    assert not await lives(served, person)


async def test_a_page_without_a_token_ends_it_when_the_browser_says_that_it_is_ours(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person.token) as browser:
        await browser.post("/quick-exit", headers={"Sec-Fetch-Site": "same-origin"})
    assert not await lives(served, person)


@pytest.mark.parametrize(
    "says",
    [
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
        {"Referer": "https://elsewhere.example/127.0.0.1"},
        {"Referer": "http://["},
        {},
    ],
)
async def test_another_site_ends_nothing_and_deletes_no_cookie(
    served: Served, make_person: MakePerson, says: dict[str, str]
) -> None:
    person = await make_person()
    async with browser_of(served, person.token) as browser:
        form = {"Content-Type": "application/x-www-form-urlencoded", **says}
        left = await browser.post("/quick-exit", content=b"form=x", headers=form)
    assert "refresh" in left.headers, "to leave comes first"
    assert "set-cookie" not in left.headers
    assert await lives(served, person)


async def test_leaving_takes_no_session_and_twice_is_no_error(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    ours = {"Sec-Fetch-Site": "same-origin"}
    async with browser_of(served, person.token) as browser:
        for _ in range(2):
            assert "refresh" in (await browser.post("/quick-exit", headers=ours)).headers
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        assert "refresh" in (await browser.post("/quick-exit", headers=ours)).headers


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/language", "token"),
        ("/language", "origin"),
        ("/problems", "origin"),
        ("/offline", "referer"),
    ],
)
async def test_from_a_page_for_visitors_it_ends_the_session_in_an_older_browser_too(
    served: Served, make_person: MakePerson, address: str, said: str
) -> None:
    """It says no `Sec-Fetch-Site`; the token of such a page is the visit's, or there is none."""
    person = await make_person()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with browser_of(served, person.token) as browser:
        page = (await browser.get(address)).text
        token = re.search(r'name="form" value="([^"]+)"', page)
        if said == "origin":
            headers["Origin"] = served.base_url
        elif said == "referer":
            headers["Referer"] = served.base_url + address
        body = f"form={token[1]}" if token and said == "token" else ""
        left = await browser.post("/quick-exit", content=body, headers=headers)
    assert "refresh" in left.headers
    assert not await lives(served, person)


OURS = {"Sec-Fetch-Site": "same-origin"}
CHOICES = {"unefois-language": "ar", "unefois-second": "fr", "unefois-discreet": "yes"}
OF_WHO = {"unefois-visit": "v" * 32, "unefois-next": "n", "unefois-told": "t", "unefois-card": "c"}


async def test_nothing_stays_of_who_was_there(served: Served, make_person: MakePerson) -> None:
    """On one's own device too: no card to print, nothing of what was typed, no step of a
    sign-in; what the browser is known by, and how it speaks, stays."""
    person = await make_person()
    kept = {"unefois-browser": "b", **CHOICES}
    async with browser_of(served, person.token) as browser:
        for name, value in {**OF_WHO, **kept}.items():
            browser.cookies.set(name, value, domain="127.0.0.1")
        await browser.post("/quick-exit", headers=OURS)
        assert set(browser.cookies) - {"unefois-person"} == set(kept)
        assert 'unefois-person=""' in str((await browser.post("/quick-exit", headers=OURS)).headers)


async def test_nor_of_who_did_not_say_whose_device_it_is(served: Served) -> None:
    """On the way in: a language says where somebody comes from."""
    async with httpx.AsyncClient(base_url=served.base_url, cookies=CHOICES | OF_WHO) as browser:
        left = await browser.post("/quick-exit", headers=OURS)
    dropped = {one.partition("=")[0] for one in left.headers.get_list("set-cookie") if '=""' in one}
    assert set(CHOICES | OF_WHO) <= dropped
    assert left.headers["clear-site-data"] == '"cache", "storage"'
