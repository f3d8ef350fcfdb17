"""Nothing that holds a secret, or is about a person, is compressed where a stranger made somebody
ask for it: its length would tell whether what they put into it is also elsewhere in it (BREACH).
The API compresses nothing of anybody; pages only what their reader asked for (ADR 0039)."""

import ast
import gzip
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.public_addresses import COMPRESSED
from web.app import bare_app
from web.pages.compression import compress, noise_length

ROOT = Path(__file__).resolve().parents[2]
# Whoever answers everyone with the same. A file that is added here makes nothing for one caller.
PUBLIC = {
    "web/api/catalogue.py",
    "web/api/oauth.py",
    "web/api/receipts.py",
    "web/http/openapi.py",
    "web/http/public_log.py",
    "web/pages/assets.py",
    "web/pages/installation.py",
    "web/pages/problems.py",
    "web/pages/voices.py",
}
COMPRESSORS = {"gzip", "zlib", "brotli", "zstandard", "starlette.middleware.gzip"}
# Pages of visitors: they hold nothing but what everybody gets, and a token that is never the same.
OF_NOBODY = {"/session/over", "/language", "/styles", "/offline", "/voices/{name}"}
OF_NOBODY |= {"/stop-recovery"}
OF_NOBODY |= {"/sign-in/{sign_in_id}", "/pro/sign-in/{sign_in_id}", "/card", "/card/{step_id}"}
# What everybody gets who holds the paper with the code.
OF_NOBODY |= {"/verify/{code}"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}
ACCEPT = {"Accept-Encoding": "gzip, deflate, br, zstd", "Accept": "text/html"}


def _routes(app: FastAPI) -> set[str]:
    """The path of each GET, of the API and of the pages."""
    found = set()
    for route in app.routes:
        included = getattr(route, "original_router", None)
        for one in [route] if included is None else included.routes:
            nested = getattr(one, "original_router", None)
            for each in [one] if nested is None else nested.routes:
                if isinstance(each, APIRoute | Route) and "GET" in (each.methods or ()):
                    found.add(each.path)
    return found


def _imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_one_file_compresses_and_few_use_it() -> None:
    compress, use, pages = set(), set(), set()
    for file in (ROOT / "web").rglob("*.py"):
        names = _imported(ast.parse(file.read_text(encoding="utf-8")))
        path = file.relative_to(ROOT).as_posix()
        if names & COMPRESSORS:
            compress.add(path)
        if "web.http.public_resources.public_answer" in names:
            use.add(path)
        if "web.pages.compression.compress" in names:
            pages.add(path)
    assert compress == {"web/http/public_resources.py", "web/pages/compression.py"}
    assert use == PUBLIC
    assert pages == {"web/pages/page_response.py"}


async def test_no_answer_to_one_caller_that_another_asked_for_is_compressed(
    client: httpx.AsyncClient, served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Each GET of the API and of the pages, by whoever is signed in: of the API never; of a page
    not when another site's page asked, or when the browser does not say who did."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    ids = {
        "document_id": document["id"],
        "request_id": await ask(client, worker.headers, person.phone, "payslip"),
        "grant_id": await granted(client, person, worker.headers, "payslip"),
        "event_id": (await log_of(client, person))[0]["id"],
    }
    cookies = {"unefois-person": person.token, "unefois-worker": worker.token}
    public = {address.path for address in COMPRESSED.values()} | OF_NOBODY
    paths = {_filled(path, ids) for path in _routes(bare_app())} - public
    assert {"/documents", f"/v1/documents/{document['id']}", "/v1/access-log"} <= paths
    answered = 0
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=cookies, trust_env=False
    ) as browser:
        for path in sorted(paths):
            for caller in (person, worker):
                for site in ({}, CROSS_SITE):
                    headers = {**ACCEPT, **caller.headers, **site}
                    answer = await browser.get(path, headers=headers)
                    answered += answer.status_code == 200
                    assert "content-encoding" not in answer.headers, path
    assert answered > 80


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "same-origin, cross-site"])
async def test_a_stranger_s_page_gets_no_compressed_page(
    served: Served, make_person: MakePerson, site: str
) -> None:
    """What a stranger puts into the address is in the page: the way back from the languages, and
    of a page that is not there. None of them is compressed for them."""
    person = await make_person()
    cookie = {"unefois-person": person.token}
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=cookie, trust_env=False
    ) as browser:
        for path in ("/documents?x=guess", "/nowhere/guess", "/access-log?cursor=guess"):
            answer = await browser.get(path, headers={**ACCEPT, "Sec-Fetch-Site": site})
            assert "content-encoding" not in answer.headers
            assert "Sec-Fetch-Site" in answer.headers["vary"]


async def test_a_page_that_its_reader_asked_for_is_compressed_to_a_length_that_says_little(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    cookie = {"unefois-person": person.token}
    lengths = set()
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=cookie, trust_env=False
    ) as browser:
        for site in ("same-origin", "none") * 8:
            answer = await browser.get("/documents", headers={**ACCEPT, "Sec-Fetch-Site": site})
            assert answer.headers["content-encoding"] == "gzip"
            assert "Mes papiers" in answer.text
            lengths.add(int(answer.headers["content-length"]))
        plain = await browser.get("/documents", headers={"Accept-Encoding": "identity"})
        assert _without_token(plain.text) == _without_token(answer.text)
        # An answer to a form repeats what was typed.
        sent = await browser.post(
            "/sign-in", headers={**ACCEPT, "Sec-Fetch-Site": "same-origin"}, data={"phone": "guess"}
        )
        assert "content-encoding" not in sent.headers
    assert len(lengths) > 8
    assert max(lengths) < len(plain.content) / 2


async def test_no_page_loads_itself_again(
    client: httpx.AsyncClient, served: Served, make_person: MakePerson
) -> None:
    """A stranger opens one with a guess in its address; it would ask for that again and again, as a
    page of its own site. What is not ready yet has a button, to an address without the guess."""
    person = await make_person()
    await deposit(client, person, corpus.pdf(1), type_="payslip")
    line = (await log_of(client, person))[0]["id"]  # in no tree yet
    cookie = {"unefois-person": person.token}
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=cookie, trust_env=False
    ) as browser:
        own = {**ACCEPT, "Sec-Fetch-Site": "same-origin"}
        page = await browser.get(f"/access-log/{line}/receipt?x=guess", headers=own)
    assert "refresh" not in page.headers
    assert "http-equiv" not in page.text
    assert f'href="/access-log/{line}/receipt"' in page.text


def test_the_noise_is_as_long_as_said_and_read_by_nobody() -> None:
    body = b"<p>" + b"x" * 2000
    lengths = [len(compress(body) or b"") for _ in range(400)]
    assert 120 < max(lengths) - min(lengths) < 253
    assert gzip.decompress(compress(body) or b"") == body


@pytest.mark.parametrize("read", [min, max, fmean])
def test_300_visits_hardly_tell_whether_a_guess_made_a_page_two_bytes_shorter(
    read: Callable[[Sequence[int]], float],
) -> None:
    """Whoever saw the page at leisure, and so knows what its shortest, its longest and its usual
    length are without the guess, sees it 300 times with a guess that is right, and with one that is
    not. One draw of noise would give them eight answers of ten by its ends; a coin gives five."""
    rounds, visits = 300, 300
    usual = median(read([noise_length() for _ in range(visits)]) for _ in range(rounds))
    wrong = [read([noise_length() for _ in range(visits)]) for _ in range(rounds)]
    right = [read([noise_length() - 2 for _ in range(visits)]) for _ in range(rounds)]
    told = sum(length < usual - 1 for length in right) + sum(
        length >= usual - 1 for length in wrong
    )
    assert told / (2 * rounds) < 0.77


def _without_token(page: str) -> str:
    """The page up to its first token, without the seconds that are left of the session."""
    return re.sub(r'data-seconds="\d+"', "", page.split('name="form"', maxsplit=1)[0])


def _filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path
