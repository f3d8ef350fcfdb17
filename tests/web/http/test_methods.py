"""`Allow`, OPTIONS and HEAD, on every path of the application over HTTP."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served
from tests.steps import deposit, drawn, granted, log_of
from tests.vault.decoding import corpus
from tests.web.http.walk import paths
from vault.services import Services

OTHERS = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
# Different at each answer, or only in one that makes a cookie.
VOLATILE = {"date", "x-request-id", "set-cookie"}
# Their length changes from one call to the next: the access itself is in it.
STREAMED = ("/v1/access-log.", "/v1/me", "/pro/doings.csv")
GROWING = ("/v1/access-log", "/access-log", "/pro/doings")


def allow(answer: httpx.Response) -> set[str]:
    named: list[str] = answer.headers["allow"].split(", ")
    assert len(named) == len(set(named)), "a method is named twice"
    return set(named)


async def test_each_path_names_all_its_methods(served: Served, client: httpx.AsyncClient) -> None:
    """On 405 and to OPTIONS, the same, without credentials; a 405 is one for every id."""
    walked = paths(served.app)
    assert len(walked) > 60
    assert {"/v1/documents/{document_id}", "/documents", "/log/checkpoint"} <= {
        each.path for each in walked
    }
    for each in walked:
        expected = each.methods | {"OPTIONS"} | ({"HEAD"} if "GET" in each.methods else set())
        options = await client.options(each.filled())
        assert (options.status_code, options.content) == (204, b""), each
        # A path may be one of a wider form too: `/v1/sessions/current` is one of an id.
        assert allow(options) >= expected, each
        if each.named or each.path == "/v1/document-types":
            assert allow(options) == expected, each
        assert not [name for name in options.headers if name.startswith("access-control")]
        for method in set(OTHERS) - allow(options):
            answer = await client.request(method, each.filled())
            assert answer.status_code == 405, (method, each)
            assert answer.json()["code"] == "method_not_allowed"
            assert answer.headers["allow"] == options.headers["allow"]


async def test_what_a_path_names_is_what_it_answers(
    served: Served, client: httpx.AsyncClient
) -> None:
    """No method of `Allow` is answered 405."""
    for each in paths(served.app):
        for method in allow(await client.options(each.filled())):
            answer = await client.request(method, each.filled())
            assert answer.status_code != 405, (method, each)


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/log/nothing", "/v1/documents/a/b"])
async def test_where_there_is_nothing_every_method_says_so(
    client: httpx.AsyncClient, path: str
) -> None:
    for method in ("GET", "OPTIONS", *OTHERS):
        answer = await client.request(method, path)
        assert answer.status_code == 404, method
        assert "allow" not in answer.headers


async def test_head_is_answered_as_get_everywhere(
    served: Served,
    services: Services,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    """The same status and headers, the length included, and nothing after them."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, corpus.pdf(2))
    await drawn(services, person, document)
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    request = (await client.get("/v1/consent-requests", headers=person.headers)).json()
    ids = {
        "document_id": document["id"],
        "grant_id": grant,
        "request_id": request["items"][0]["id"],
        "event_id": (await log_of(client, person))[0]["id"],
    }
    found = []
    for each in paths(served.app):
        if "GET" not in each.methods:
            continue
        for who in (person, worker):
            cookie = "unefois-worker" if who is worker else "unefois-person"
            headers = {**who.headers, "Cookie": f"{cookie}={who.token}"}
            got = await client.get(each.filled(ids), headers=headers)
            head = await client.head(each.filled(ids), headers=headers)
            assert head.status_code == got.status_code, each
            assert head.content == b""
            ignored = VOLATILE | ({"content-length"} if each.path.startswith(GROWING) else set())
            if "gzip" in got.headers.get("content-encoding", "") and "etag" not in got.headers:
                # A page, whose form has another token and whose length another noise each time.
                lengths = [int(one.headers["content-length"]) for one in (head, got)]
                assert max(lengths) - min(lengths) < 256, each
                ignored = ignored | {"content-length"}
            if each.path.startswith(STREAMED) or got.status_code >= 400:
                ignored = ignored | {"content-length", "transfer-encoding"}
            assert _without(head, ignored) == _without(got, ignored), each
            found += [each.path] * (got.status_code == 200)
    assert len(set(found)) > 40
    for end in ("content", "preview"):
        assert f"/v1/documents/{{document_id}}/{end}" in found
        assert f"/v1/grants/{{grant_id}}/documents/{{document_id}}/{end}" in found


def _without(answer: httpx.Response, names: set[str]) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in names}


async def test_not_one_byte_follows_the_head(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """On the socket itself: a client would take them for the next answer."""
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(2))
    for path in (f"/v1/documents/{document['id']}/content", "/v1/access-log.csv", "/", "/v1/x"):
        at = urlsplit(served.base_url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(
            f"HEAD {path} HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: close\r\n"
            f"Authorization: Bearer {person.token}\r\n\r\n".encode()
        )
        sent = await reader.read()
        assert sent.startswith(b"HTTP/1.1 "), path
        assert sent.endswith(b"\r\n\r\n"), path
        assert sent.count(b"\r\n\r\n") == 1, path
        writer.close()


async def test_a_head_is_counted_as_a_head_and_knows_no_range(
    client: httpx.AsyncClient, management: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(2))
    path = f"/v1/documents/{document['id']}/content"
    for range_ in ("bytes=0-9", "bytes=999999999-"):
        answer = await client.head(path, headers={**person.headers, "Range": range_})
        assert answer.status_code == 200
        assert int(answer.headers["content-length"]) == len(corpus.pdf(2))
    measures = (await management.get("/metrics")).text
    assert 'method="HEAD",route="/v1/documents/{document_id}/content",status="200"' in measures
