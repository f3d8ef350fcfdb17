"""Pages over HTTP: who may see them, their headers and content, and their error messages."""

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO

import httpx
import pytest
from fastapi import Response
from PIL import Image

from base.settings import Settings
from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson, SomeWorker
from tests.web.pages.answers import Browser
from tests.web.pages.test_entering import browser, hidden
from vault.documents import own_documents
from web.pages import assets, cookies, forms

PRIVATE = ["/documents", "/documents/add", "/documents/deleted", "/requests", "/grants"]
PRIVATE += ["/access-log", "/pro/people", "/pro/requests", "/pro/requests/new"]
PRIVATE += ["/pro/doings", "/pro/doings.csv", "/pro/account"]
PRIVATE += ["/me", "/me/name", "/me/means", "/me/cards/new", "/me/pin", "/me/phone"]
PRIVATE += [
    "/me/anchor",
    "/me/trusted",
    "/me/trusted/new",
    "/trusted/code",
    "/me/protection",
    "/me/representative",
    "/me/representative/new",
    "/represented/code",
    "/represented/new",
    "/grants/new",
    "/grants/stop-all",
    "/sessions",
    "/pro/sessions",
    "/erasure",
]


def a_photo(colour: str = "white") -> bytes:
    out = BytesIO()
    Image.new("RGB", (80, 60), colour).save(out, "JPEG")
    return out.getvalue()


def browser_of(served: Served, who: SomePerson | SomeWorker) -> httpx.AsyncClient:
    kind = "person" if isinstance(who, SomePerson) else "worker"
    return Browser(
        base_url=served.base_url, cookies={f"unefois-{kind}": who.token}, trust_env=False
    )


def as_a_browser_sends(fields: dict[str, str], photo: bytes) -> tuple[bytes, dict[str, str]]:
    """A form with one photo and two empty file inputs, whose file name is empty."""
    head = 'Content-Disposition: form-data; name="{}"'
    parts = [(head.format(name), value.encode()) for name, value in fields.items()]
    for name, content in (("photo.jpg", photo), ("", b""), ("", b"")):
        kind = "image/jpeg" if name else "application/octet-stream"
        parts.append((f'{head.format("file")}; filename="{name}"\r\nContent-Type: {kind}', content))
    body = b"".join(
        b"--limit\r\n" + disposition.encode() + b"\r\n\r\n" + content + b"\r\n"
        for disposition, content in parts
    )
    return body + b"--limit--\r\n", {"content-type": "multipart/form-data; boundary=limit"}


async def add(
    served: Served, person: SomePerson, browser: httpx.AsyncClient, photo: bytes, **fields: str
) -> httpx.Response:
    """Add a paper page by page, as far as it goes: the answer of the last one."""
    token = await forms.token_for(served.services, person.token)
    body, headers = as_a_browser_sends({"form": token}, photo)
    query = {"type": fields.pop("type", "")}
    answer = await browser.post("/documents/add", params=query, content=body, headers=headers)
    return await details_and_keep(served, person, browser, answer, **fields)


async def details_and_keep(
    served: Served,
    person: SomePerson,
    browser: httpx.AsyncClient,
    answer: httpx.Response,
    **fields: str,
) -> httpx.Response:
    """The pages after the pictures, if `answer` leads there."""
    token = {"form": await forms.token_for(served.services, person.token)}
    if answer.status_code != 303:
        return answer
    step = answer.headers["location"]
    if step.endswith("/type"):
        return await browser.post(step, data={**token, "type": ""})
    if step.endswith("/details"):
        answer = await browser.post(step, data={**token, **as_days(fields)})
        if answer.status_code != 303:
            return answer
        step = answer.headers["location"]
    assert step.endswith("/check")
    return await browser.post(step, data=token)


def as_days(fields: dict[str, str]) -> dict[str, str]:
    """A date of a form, in the three fields that a person fills in."""
    split: dict[str, str] = {}
    for name, value in fields.items():
        if name.endswith("_on"):
            parts = value.split("/") if "/" in value else reversed(value.split("-"))
            split |= {
                f"{name}_{part}": one
                for part, one in zip(("day", "month", "year"), parts, strict=True)
            }
        else:
            split[name] = value
    return split


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_stranger_is_led_to_the_door(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(address)
    assert answer.status_code == 303
    door = "/pro" if address.startswith("/pro") else "/"
    assert answer.headers["location"] == f"{door}?done=signed_out"


@pytest.mark.parametrize("address", PRIVATE)
async def test_one_s_session_does_not_open_the_other_s_pages(
    served: Served, make_person: MakePerson, make_worker: MakeWorker, address: str
) -> None:
    other = await (make_person if address.startswith("/pro") else make_worker)()
    token = {"unefois-person": other.token, "unefois-worker": other.token}
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=token, trust_env=False
    ) as browser:
        assert (await browser.get(address)).status_code == 303


POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "media-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "unefois",
}


async def test_pages_are_kept_by_nobody_and_run_one_module_of_ours(
    served: Served, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/pro")
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"].split("; ")
    assert dict(directive.split(" ", 1) for directive in policy) == POLICY
    scripts = re.findall(r"<script[^>]*>.*?</script>", answer.text, flags=re.S)
    assert scripts == [f'<script type="module" src="{assets.address("script/page.js")}"></script>']
    for inline in ("style=", "javascript:", " onclick=", " onload="):
        assert inline not in answer.text
    # An outline's namespace, and where « Cacher » leads.
    known = {"http://www.w3.org/2000/svg", served.services.settings.quick_exit_url}
    assert set(re.findall(r"https?://[^\s\"'<]+", answer.text)) <= known


async def test_every_page_has_the_same_policy_and_the_interfaces_load_nothing(
    client: httpx.AsyncClient,
) -> None:
    expected = (await client.get("/pro")).headers["content-security-policy"]
    html = {"Accept": "text/html"}
    for address in ("/", "/language", "/nowhere", "/problems", "/offline", "/service-worker.js"):
        answer = await client.get(address, headers=html)
        assert answer.headers["content-security-policy"] == expected, address
    for address in ("/v1/document-types", "/v1/nowhere", "/oauth/nowhere"):
        policy = (await client.get(address)).headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'; sandbox", address


async def test_the_first_page_is_light(client: httpx.AsyncClient) -> None:
    """The choice of a language and the page after it, as they are sent, with all that they load."""
    first = await client.get("/")
    assert (first.status_code, first.headers["location"]) == (303, "/language")
    languages = await client.get("/language")
    page = await client.get("/", headers={"Cookie": "unefois-language=fr"})
    weight = sum(int(one.headers["content-length"]) for one in (languages, page))
    assert languages.headers["content-encoding"] == page.headers["content-encoding"] == "gzip"
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', languages.text + page.text)):
        part = await client.get(address)
        assert part.status_code == 200
        assert "immutable" in part.headers["cache-control"]
        weight += int(part.headers["content-length"])
    assert weight < 12 * 1024
    assert len(gzip.compress(assets.assets()["style.css"].content)) < 5 * 1024


async def test_a_file_under_another_fingerprint_is_not_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/000000000000/style.css")
    assert answer.status_code == 404


def test_cookies_are_bound_to_the_host_over_https() -> None:
    response = Response()
    settings = Settings(mode="demo", public_url="https://papiers.example")
    cookies.put_session(response, settings, "person", "uf_token")
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-unefois-person=uf_token;")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie


async def test_a_paper_is_added_once_and_shown(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        photo = a_photo()
        answer = await add(served, person, browser, photo, type="payslip", title="<b>Mars</b>")
        assert answer.status_code == 303
        page = await browser.get(answer.headers["location"])
        assert "&lt;b&gt;Mars&lt;/b&gt;" in page.text
        assert "<b>Mars" not in page.text
        assert "Télécharger le papier (photo, " in page.text
        again = await add(served, person, browser, photo, type="payslip")
        assert again.headers["location"].endswith("?done=held")
        held = await browser.get(answer.headers["location"].split("?")[0] + "/content")
        assert held.content == photo
        assert held.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("photo", "fields", "status", "words", "field"),
    [
        (b"", {"type": "payslip"}, 422, "Fichier vide", "photo"),
        (b"MZ" + b"\0" * 5000, {"type": "payslip"}, 415, "Type de fichier", "photo"),
        (a_photo()[:300], {"type": "payslip"}, 422, "Fichier illisible", "photo"),
        (a_photo("red"), {"type": ""}, 422, "Quel papier est-ce", "type"),
        (a_photo("red"), {"type": "payslip", "issued_on": "32/1/2026"}, 422, "Date inc", "issued"),
    ],
)
async def test_a_paper_that_cannot_be_kept_says_why_and_keeps_what_was_typed(
    served: Served,
    make_person: MakePerson,
    photo: bytes,
    fields: dict[str, str],
    status: int,
    words: str,
    field: str,
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        answer = await add(served, person, browser, photo, title="Mon titre", **fields)
    assert answer.status_code == status
    assert words in answer.text
    assert f'href="#{field}' in answer.text
    if field == "issued":
        assert 'value="Mon titre"' in answer.text
    elif field == "photo":
        assert "bulletin de salaire" in answer.text
        assert f'action="/documents/add?type={fields["type"]}' in answer.text
    kept = await own_documents.list_own(served.services, person.subject, cursor=None, limit=10)
    assert kept.items == []


@pytest.mark.parametrize("address", ["/documents/{}", "/documents/{}/correct", "/requests/{}"])
@pytest.mark.parametrize("id_", ["nonsense", "01890000-0000-7000-8000-000000000000"])
async def test_what_is_not_one_s_own_is_not_there(
    served: Served, make_person: MakePerson, address: str, id_: str
) -> None:
    async with browser_of(served, await make_person()) as browser:
        answer = await browser.get(address.format(id_))
    assert answer.status_code == 404
    assert "Page introuvable" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


async def test_another_s_paper_is_not_there(served: Served, make_person: MakePerson) -> None:
    owner, other = await make_person(), await make_person()
    async with browser_of(served, owner) as browser:
        added = await add(served, owner, browser, a_photo("blue"), type="payslip")
    address = added.headers["location"].split("?")[0]
    async with browser_of(served, other) as browser:
        for end in ("", "/preview", "/content", "/correct", "/delete", "/version"):
            assert (await browser.get(address + end)).status_code == 404


async def test_machines_addresses_answer_for_themselves(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nowhere")).headers["content-type"].startswith("text/html")
    for address in ("/v1/nowhere", "/v1", "/oauth/nowhere"):
        answer = await client.get(address)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("/documents", "/documents"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/documents?cursor=a-b_c=", "/documents?cursor=a-b_c="),
        ("/documents/add?type=payslip", "/documents/add?type=payslip"),
        ("/?back=//elsewhere.example", "/"),
    ],
)
async def test_the_language_is_remembered_and_leads_nowhere_else(
    client: httpx.AsyncClient, back: str, to: str
) -> None:
    answer = await client.get("/language/en", params={"back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    page = await client.get("/")
    assert '<html lang="en" dir="ltr">' in page.text
    assert "Your phone number" in page.text
    assert (await client.get("/language/xx")).status_code == 404


@contextmanager
def served_with(served: Served, **changes: object) -> Iterator[None]:
    """The same service, with other settings inside the block."""
    settings = served.services.settings.model_copy(update=changes)
    served.app.state.services = replace(served.services, settings=settings)
    try:
        yield
    finally:
        served.app.state.services = served.services


async def test_a_paper_too_heavy_is_told_so_and_what_was_typed_is_kept(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    heavy = a_photo() + b"\0" * 120_000
    with served_with(served, max_document_bytes=100_000):
        async with browser_of(served, person) as browser:
            answer = await add(served, person, browser, heavy, type="payslip", title="Mon titre")
    assert answer.status_code == 413
    assert "Fichier trop lourd" in answer.text
    assert "bulletin de salaire" in answer.text
    assert 'action="/documents/add?type=payslip' in answer.text


async def test_a_newer_version_that_cannot_be_kept_leaves_the_old_one(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    async with browser_of(served, person) as browser:
        added = await add(served, person, browser, a_photo("green"), type="payslip")
        address = added.headers["location"].split("?")[0]
        token = await forms.token_for(served.services, person.token)
        for photo, status in ((b"not a photo" * 500, 415), (a_photo("brown"), 303)):
            body, headers = as_a_browser_sends({"form": token}, photo)
            answer = await browser.post(address + "/version", content=body, headers=headers)
            assert answer.status_code == status
        assert (await browser.get(address + "/content")).content == a_photo("brown")
        assert "Mis à la place de l’ancien</dt><dd>le " in (await browser.get(address)).text


async def test_the_inbox_is_shown_in_the_demo_only(served: Served, make_person: MakePerson) -> None:
    person = await make_person()
    async with browser(served) as at:
        page = (await at.get("/?done=x")).text
        begun = await at.post("/sign-in", data={**hidden(page), "phone": person.phone})
        address = begun.headers["location"]
        assert "Démonstration" in (await at.get(address)).text
        for changes in ({"mode": "production"}, {"messenger": "smtp"}):
            with served_with(served, **changes):
                assert "Démonstration" not in (await at.get(address)).text
