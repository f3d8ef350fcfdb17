"""What is the same for everyone: its tag, 304 for who has it, gzip for who takes it."""

import gzip
import secrets
from functools import partial

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.audit.tlog.logs import EAGER
from tests.fixtures import MakePerson
from tests.steps import is_problem, until
from tests.web.public_addresses import AS_THEY_ARE, COMPRESSED, PublicAddress
from vault.services import Services
from web.http.public_resources import accepts_gzip, public_answer
from web.process.sequencer import run_sequencer

LONG = b"the same words again and again, " * 100


def asked(**headers: str) -> Request:
    """A request with these headers."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw})


answer = partial(public_answer, media_type="text/plain", cache="public, max-age=600")


@pytest.mark.parametrize("name", COMPRESSED)
async def test_gzip_is_the_same_content_under_another_tag(
    client: httpx.AsyncClient, name: str
) -> None:
    whole = await get(client, COMPRESSED[name], "identity")
    short = await get(client, COMPRESSED[name], "gzip")
    assert "content-encoding" not in whole.headers
    assert short.headers["content-encoding"] == "gzip"
    assert short.content == whole.content
    assert int(short.headers["content-length"]) < len(whole.content)
    assert short.headers["etag"] != whole.headers["etag"]
    for one in (whole, short):
        assert one.headers["cache-control"].startswith("public, max-age=")
        assert one.headers["vary"].endswith("Accept-Encoding")
        await is_not_sent_again(client, COMPRESSED[name], one)


async def test_what_gzip_would_not_shorten_has_its_tag_too(
    client: httpx.AsyncClient, make_person: MakePerson, services: Services
) -> None:
    await make_person()
    async with run_sequencer(services, EAGER):
        size = await published(client)
        tile = "/log/tile/0/000" if size >= 256 else f"/log/tile/0/000.p/{size}"
        for address in (*AS_THEY_ARE.values(), PublicAddress(tile)):
            one = await get(client, address, "gzip")
            assert "content-encoding" not in one.headers
            await is_not_sent_again(client, address, one)


@pytest.mark.parametrize("name", [*COMPRESSED, *AS_THEY_ARE])
async def test_a_query_is_refused_except_by_pages(client: httpx.AsyncClient, name: str) -> None:
    address = (COMPRESSED | AS_THEY_ARE)[name]
    headers = {"Accept": address.accept}
    answer = await client.get(f"{address.path}?unheard=of", headers=headers)
    if address.path.startswith(("/problems", "/static", "/service-worker", "/manifest")):
        assert answer.status_code == 200
    else:
        is_problem(answer, 422, "invalid_request")
        assert answer.json()["errors"][0]["parameter"] == "unheard"


async def published(client: httpx.AsyncClient) -> int:
    """The size of the public tree, once it is not empty."""
    size = 0

    async def there() -> bool:
        nonlocal size
        answer = await client.get("/log/checkpoint")
        size = int(answer.text.split("\n")[1]) if answer.status_code == 200 else 0
        return size > 0

    await until(there)
    return size


async def get(
    client: httpx.AsyncClient, address: PublicAddress, coding: str, **more: str
) -> httpx.Response:
    """200 or 304."""
    headers = {"Accept": address.accept, "Accept-Encoding": coding, **more}
    answer = await client.get(address.path, headers=headers)
    assert answer.status_code in (200, 304), address
    return answer


async def is_not_sent_again(
    client: httpx.AsyncClient, address: PublicAddress, had: httpx.Response
) -> None:
    """304 to who has it, with the headers that a cache keeps; whole to who has another."""
    coding = had.headers.get("content-encoding", "identity")
    known = {"If-None-Match": f'"other", W/{had.headers["etag"]}'}
    again = await get(client, address, coding, **known)
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "vary", "content-language"):
        assert again.headers.get(name) == had.headers.get(name), name
    other = await get(client, address, coding, **{"If-None-Match": '"other"'})
    assert other.status_code == 200


def test_each_coding_has_its_length_and_its_tag() -> None:
    whole, short = answer(asked(), LONG), answer(asked(accept_encoding="br, gzip;q=0.5"), LONG)
    assert whole.body == LONG
    assert gzip.decompress(bytes(short.body)) == LONG
    assert short.headers["content-encoding"] == "gzip"
    assert short.headers["content-length"] == str(len(short.body))
    assert whole.headers["etag"] != short.headers["etag"]
    assert whole.headers["vary"] == short.headers["vary"] == "Accept-Encoding"


def test_another_content_has_another_tag() -> None:
    assert answer(asked(), LONG).headers["etag"] != answer(asked(), LONG + b".").headers["etag"]


def test_the_tag_of_one_coding_is_not_that_of_the_other() -> None:
    tag = answer(asked(), LONG).headers["etag"]
    assert _status(answer(asked(if_none_match=tag), LONG)) == 304
    both = asked(if_none_match=tag, accept_encoding="gzip")
    assert _status(answer(both, LONG)) == 200
    assert _status(answer(asked(if_none_match="*"), LONG)) == 304


def test_gzip_is_made_once() -> None:
    first, second = (answer(asked(accept_encoding="gzip"), bytes(LONG)) for _ in range(2))
    assert first.body is second.body


def test_what_gzip_does_not_shorten_is_sent_as_it_is() -> None:
    for content in (b"ok " * 100, secrets.token_bytes(1024)):
        sent = answer(asked(accept_encoding="gzip"), content)
        assert sent.body == content
        assert "content-encoding" not in sent.headers
        assert "vary" not in sent.headers
    hashes = public_answer(asked(accept_encoding="gzip"), LONG, "x", cache="", compress=False)
    assert hashes.body == LONG


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("gzip;q=0, *", False),
        ("gzip; q=0.000", False),
        ("gzip;q=much", False),
        ("identity, gzipped", False),
    ],
)
def test_who_takes_gzip(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def _status(response: Response) -> int:
    return response.status_code
