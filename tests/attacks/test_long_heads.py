"""An anonymous connection cannot make the server keep a head above the limit."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.fixtures import Served
from web.http.http_protocol import MAX_HEAD

CHUNKED = (
    b"POST /v1/sign-ins HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
)
MIB = b"a" * (1024 * 1024)


async def _first_answer(served: Served, *pieces: bytes) -> tuple[bytes, int]:
    """The server's first answer, and how many pieces it took before it closed the connection."""
    address = urlsplit(served.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    taken = 0
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            taken += 1
        return await asyncio.wait_for(reader.readline(), 20), taken
    except (ConnectionError, TimeoutError):
        return b"", taken
    finally:
        writer.close()


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-",
        b"GET /",
        CHUNKED + b"X-Trailer: ",
    ],
    ids=["value", "name", "address", "trailer"],
)
async def test_a_head_without_an_end_is_cut(served: Served, begun: bytes) -> None:
    first, taken = await _first_answer(served, begun, *[MIB] * 64)
    # A client that is cut off while it sends may miss the answer.
    assert first == b"" or first.startswith(b"HTTP/1.1 4")
    assert taken < 64


@pytest.mark.parametrize("end", [b"\r\n", b""], ids=["whole", "unfinished"])
async def test_a_head_of_many_lines_is_cut(served: Served, end: bytes) -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (at, b"a" * 100) for at in range(MAX_HEAD // 100))
    first, _ = await _first_answer(served, b"GET /healthz HTTP/1.1\r\nHost: x\r\n", lines, end)
    assert first == b"HTTP/1.1 400 Bad Request\r\n"


async def test_a_long_head_within_the_bound_is_heard(served: Served) -> None:
    value = b"a" * (MAX_HEAD - 1024)
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + value + b"\r\n\r\n"
    assert await _first_answer(served, asked) == (b"HTTP/1.1 200 OK\r\n", 1)


async def test_a_body_larger_than_any_head_is_no_head(served: Served) -> None:
    """Refused because nobody is signed in, not because of its length."""
    body = MIB * 2
    head = b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert (await _first_answer(served, head + body))[0] == b"HTTP/1.1 401 Unauthorized\r\n"
