"""An address that is opened signed out leads back after the code: to a page of this site alone,
whatever a stranger makes of it."""

import re
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import uuid4

import httpx
import pytest
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from base.settings import Settings
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker, last_code
from web.pages import return_address

HTML = {"Accept": "text/html"}
# What a browser may read as another site's address, or as none of ours.
ELSEWHERE = (
    "//evil.example",
    "//evil.example/documents",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%2f/evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/%09/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/documents/..//evil.example",
    "/;@evil.example",
    "/@evil.example",
    "/documents@evil.example",
    "/documents?next=//evil.example",
    "/documents#//evil.example",
    "https://evil.example",
    "HTTPS:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/documents\r\nLocation: https://evil.example",
    "/documents?done=\u2028//evil.example",
    "/／evil.example",
    "",
    "/" + "a" * 4000,
    # Other scripts, and what hides in them.
    "/é",
    "/%C3%A9",
    "/pro/people?q=Zoé",
    "/pro/people?q=Zo%C3",
    "/pro/people?q=%C3%28",
    "/pro/people?q=%ED%A0%80",
    "/pro/people?q=%C0%AF%C0%AFevil",
    "/pro/people?q=%2F%2Fevil.example",
    "/pro/people?q=%5Cevil.example",
    "/pro/people?q=%0D%0ALocation%3A",
    "/pro/people?q=%00",
    "/pro/people?q=%E2%80%A8evil",
    "/pro/people?q=%E2%80%AEevil",
    "/pro/people?q=%EF%BB%BFevil",
    "/pro/people?q=%",
    "/pro/people?q=%u00e9",
    "/pro/people?q=a@evil.example",
    "/pro/people?q=a:b",
    "/pro/people?q=a#b",
    "/..?q=Zo%C3%A9",
    "//evil.example?q=Zo%C3%A9",
)
WORDS = ("Zoé", "Zoé Muñoz", "M. Diop", "Ольга", "محمد", "李", "N'Diaye", "a+b", "Zoe\u0301")


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_address_of_another_site_is_ours(address: str) -> None:
    assert return_address.own_address(address, "") == ""
    assert return_address.own_address(address) == "/"


@pytest.mark.parametrize("words", WORDS)
async def test_words_of_a_search_are_kept_in_any_script(
    served: Served, make_worker: MakeWorker, words: str
) -> None:
    """Through a choice of language, and through signing in."""
    worker = await make_worker()
    query = urlencode({"q": words})
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        await browser.get(f"/pro/people?{query}", headers=HTML)
        assert await _sign_in(served, browser, worker) == f"/pro/people?{query}"
        page = (await browser.get(f"/pro/people?{query}")).text
        there = re.search(r'href="(/language\?back=[^"]+)"', page)
        assert there
        choices = (await browser.get(there[1])).text
        chosen = re.search(r'href="(/language/en\?back=[^"]+)"', choices)
        assert chosen
        back = (await browser.get(chosen[1])).headers["location"]
        assert parse_qs(urlsplit(back).query) == {"q": [words]}
        assert urlsplit(back).path == "/pro/people"


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_a_kept_address_that_somebody_changed_leads_home(
    served: Served, make_person: MakePerson, address: str
) -> None:
    """The cookie is `HttpOnly`, and over https no other host can set it; it is not believed."""
    for value in (quote(address, safe=""), quote(quote(address, safe=""), safe="")):
        assert await _after_the_code(served, await make_person(), value) == "/documents"


@pytest.mark.parametrize("address", ["//evil.example", "/\\evil.example", "/%2f%2fevil.example"])
async def test_what_a_stranger_writes_in_the_address_is_not_followed(
    served: Served, address: str
) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        for ask in (f"/documents/{address}", f"/documents?next={address}", f"/sessions{address}"):
            answer = await browser.get(ask, headers=HTML)
            kept = return_address.own_address(browser.cookies.get("unefois-next") or "", "")
            assert "evil" not in answer.headers.get("location", "")
            assert "evil" not in kept


async def test_a_page_that_was_asked_for_comes_after_the_code_and_once(
    served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    person, worker = await make_person(), await make_worker()
    wanted = f"/requests/{uuid4()}"
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        asked = await browser.get(wanted, headers=HTML)
        assert asked.headers["location"] == "/?done=signed_out"
        cookie = asked.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "Max-Age=900" in cookie
        assert "SameSite=lax" in cookie
        assert await _sign_in(served, browser, person) == wanted
        assert browser.cookies.get("unefois-next") is None
    # A worker's page is not where a person is led, nor the other way.
    theirs = quote("/pro/doings", safe="")
    assert await _after_the_code(served, person, theirs) == "/documents"
    assert await _after_the_code(served, worker, quote(wanted, safe="")) == "/pro/people"
    assert await _after_the_code(served, worker, theirs) == "/pro/doings"


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("/documents/0189ab-cd/content", "/documents/0189ab-cd"),
        ("/documents/0189ab-cd/preview", "/documents/0189ab-cd"),
        ("/access-log?cursor=AbC_-9=", "/access-log?cursor=AbC_-9="),
        ("/access-log.pdf", None),
        ("/requests/x%2F..%2F", None),
        ("/", None),
        ("/problems", "/problems"),
        ("/pro/grants", None),
    ],
)
def test_what_is_kept_is_a_page(base_settings: Settings, asked: str, kept: str | None) -> None:
    given = Response()
    asking = Request({"type": "http", "headers": []})
    return_address.keep(asking, given, base_settings, "person", URL(f"http://h{asked}"))
    cookie = given.headers.get("set-cookie")
    assert (cookie is None) == (kept is None)
    if kept is not None and cookie is not None:
        assert f"unefois-next={quote(kept, safe='')};" in cookie


async def test_what_a_script_or_a_picture_asks_for_is_not_kept(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        for accept in ("*/*", "image/avif,image/webp,*/*", "application/json"):
            answer = await browser.get("/documents", headers={"Accept": accept})
            assert "unefois-next" not in answer.headers.get("set-cookie", "")


async def test_a_form_that_came_too_late_leads_back_to_its_page_and_says_so(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        sent = await browser.post(
            "/documents/add",
            headers={**HTML, "Referer": f"{served.base_url}/documents/add?type=payslip"},
            files={"file": ("a.jpg", b"x" * 4_000_000, "image/jpeg")},
        )
        assert sent.headers["location"] == "/?done=not_sent"
        assert "Rien n’est parti" in (await browser.get(sent.headers["location"])).text
        assert await _sign_in(served, browser, person) == "/documents/add?type=payslip"


async def _after_the_code(served: Served, someone: SomePerson | SomeWorker, cookie: str) -> str:
    async with httpx.AsyncClient(base_url=served.base_url, trust_env=False) as browser:
        browser.cookies.set("unefois-next", cookie, domain="127.0.0.1")
        return await _sign_in(served, browser, someone)


async def _sign_in(
    served: Served, browser: httpx.AsyncClient, someone: SomePerson | SomeWorker
) -> str:
    """Sign in as the pages do; where it leads."""
    address, name, prefix = (
        (someone.phone, "phone", "")
        if isinstance(someone, SomePerson)
        else (someone.email, "email", "/pro")
    )
    page = await browser.get((prefix or "/") + ("" if prefix else "?done=x"))
    token = {"form": page.text.split('name="form" value="')[1].split('"')[0]}
    begun = await browser.post(f"{prefix}/sign-in", data={**token, name: address})
    code = await last_code(served.services, address)
    ended = await browser.post(begun.headers["location"], data={**token, "code": code})
    return ended.headers["location"]
