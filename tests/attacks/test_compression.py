"""Nothing that holds a secret, or is about a person, is compressed: its length would tell a
stranger whether what they made somebody send is also elsewhere in it (BREACH)."""

import ast
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import ask, deposit, granted, log_of
from tests.vault.decoding import corpus
from tests.web.public_addresses import COMPRESSED
from web.app import bare_app

ROOT = Path(__file__).resolve().parents[2]
# Whoever answers everyone with the same. A file that is added here makes nothing for one caller.
PUBLIC = {
    "web/api/catalogue.py",
    "web/api/oauth.py",
    "web/http/openapi.py",
    "web/http/public_log.py",
    "web/pages/assets.py",
    "web/pages/problems.py",
}
COMPRESSORS = {"gzip", "zlib", "brotli", "zstandard", "starlette.middleware.gzip"}
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
    compress, use = set(), set()
    for file in (ROOT / "web").rglob("*.py"):
        names = _imported(ast.parse(file.read_text(encoding="utf-8")))
        path = file.relative_to(ROOT).as_posix()
        if names & COMPRESSORS:
            compress.add(path)
        if "web.http.public_resources.public_answer" in names:
            use.add(path)
    assert compress == {"web/http/public_resources.py"}
    assert use == PUBLIC


async def test_no_answer_to_one_caller_is_compressed(
    client: httpx.AsyncClient, served: Served, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """Each GET of the API and of the pages, by whoever is signed in."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(1), type_="payslip")
    ids = {
        "document_id": document["id"],
        "request_id": await ask(client, worker.headers, person.phone, "payslip"),
        "grant_id": await granted(client, person, worker.headers, "payslip"),
        "event_id": (await log_of(client, person))[0]["id"],
    }
    cookies = {"unefois-person": person.token, "unefois-worker": worker.token}
    public = {address.path for address in COMPRESSED.values()}
    paths = {_filled(path, ids) for path in _routes(bare_app())} - public
    assert {"/documents", f"/v1/documents/{document['id']}", "/v1/access-log"} <= paths
    answered = 0
    async with httpx.AsyncClient(
        base_url=served.base_url, cookies=cookies, trust_env=False
    ) as browser:
        for path in sorted(paths):
            for caller in (person, worker):
                answer = await browser.get(path, headers={**ACCEPT, **caller.headers})
                answered += answer.status_code == 200
                assert "content-encoding" not in answer.headers, path
    assert answered > 40


def _filled(path: str, ids: dict[str, str]) -> str:
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    return path
