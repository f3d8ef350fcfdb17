"""A caller who writes headers about where it comes from, over a raw socket: it changes nothing.

127.0.0.1 is the listed proxy here; 127.0.0.2 is a peer that nobody listed.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from base.networks import parse_networks
from tests.attacks.pace import AT_ONCE, Strict
from web.http.caller_address import UNLISTED
from web.http.rate_limit import address_of, network_of
from web.process.server import listen, run_server, server_for

PROXY, UNLISTED_PEER = "127.0.0.1", "127.0.0.2"
SOMEBODY = "198.51.100.20"


@dataclass
class Server:
    """A real server that answers where it believes a request comes from."""

    proxies: str = PROXY
    behind_one: bool = False
    port: int = field(default=0, init=False)

    async def seen(self, *headers: str, peer: str = PROXY, path: str = "/") -> Any:
        """What the server believes of a request with these header lines."""
        return json.loads(await send(self.port, "GET", path, headers, peer))


async def send(
    port: int,
    method: str,
    path: str,
    headers: tuple[str, ...],
    peer: str,
    body: tuple[str, ...] = (),
) -> bytes:
    """The body of the answer to one request written by hand, sent from this address. `body`: its
    lines as they are on the wire."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(peer, 0))
    lines = [f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", *body, ""]
    writer.write("\r\n".join(lines).encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    known = {"address": address_of(scope), "unlisted": UNLISTED in scope}
    await JSONResponse(known)(scope, receive, send)


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    made = Server(*getattr(request, "param", ()))
    proxies = parse_networks(made.proxies)
    with listen("127.0.0.1", 0) as listener:
        async with run_server(
            server_for(echo, proxies=proxies, behind_one=made.behind_one), listener
        ):
            made.port = listener.getsockname()[1]
            yield made


@pytest.mark.parametrize(
    "lies",
    [
        (f"X-Forwarded-For: {SOMEBODY}",),
        (f"X-Forwarded-For: 10.0.0.1, 127.0.0.1, {SOMEBODY}",),
        ("X-Forwarded-For: 10.0.0.1", f"X-Forwarded-For: {SOMEBODY}"),
        ("X-Forwarded-For: 10.0.0.1", f"x-forwarded-for:{SOMEBODY}, 127.0.0.1"),
        (f"X-Forwarded-For: 10.0.0.1,,{SOMEBODY} ,127.0.0.1",),
        (f"X-Forwarded-For: {SOMEBODY}:443",),
        (f"X-Forwarded-For: 10.0.0.1, ::ffff:{SOMEBODY}",),
        (f"X-Forwarded-For: {SOMEBODY}", "X-Real-IP: 10.0.0.1", "Forwarded: for=10.0.0.1"),
    ],
)
async def test_behind_a_listed_proxy_only_its_own_word_counts(
    server: Server, lies: tuple[str, ...]
) -> None:
    """The rightmost address that is no proxy's: the ones before it are the caller's words."""
    assert await server.seen(*lies) == {"address": SOMEBODY, "unlisted": False}


@pytest.mark.parametrize(
    "broken",
    ["unknown", "_hidden", "1.2.3", "<script>", "10.0.0.1, ", "a" * 30_000, "[2001:db8::1", "é"],
)
async def test_a_word_that_is_no_address_is_nobodys(server: Server, broken: str) -> None:
    seen = await server.seen(f"X-Forwarded-For: {broken}")
    assert seen["address"] in {"", "2001:db8::1"}
    assert network_of(seen["address"]) != network_of(PROXY)


async def test_thousands_of_hops_are_not_walked(server: Server) -> None:
    hops = ",".join([SOMEBODY] + ["127.0.0.1"] * 4000)
    assert (await server.seen(f"X-Forwarded-For: {hops}"))["address"] == ""


async def test_a_request_of_the_proxy_itself_is_its_own(server: Server) -> None:
    assert (await server.seen())["address"] == PROXY
    assert (await server.seen("X-Forwarded-For: 127.0.0.1"))["address"] == PROXY


@pytest.mark.parametrize(
    "lie",
    [
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-For: 10.0.0.1, 198.51.100.20",
        "x-FORWARDED-for:",
        "X-Real-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
    ],
)
async def test_an_unlisted_peer_is_believed_for_nothing(server: Server, lie: str) -> None:
    seen = await server.seen(lie, peer=UNLISTED_PEER)
    assert seen == {"address": UNLISTED_PEER, "unlisted": True}
    assert await server.seen(peer=UNLISTED_PEER) == {"address": UNLISTED_PEER, "unlisted": False}


@pytest.mark.parametrize("said", [("X-Forwarded-For: 198.51.100.20",), ()])
async def test_what_follows_a_body_is_nobodys_word(server: Server, said: tuple[str, ...]) -> None:
    """A proxy that passes trailers on writes its own header before them: theirs would be last."""
    chunked = (*said, "Transfer-Encoding: chunked", "Trailer: X-Forwarded-For")
    body = ("2", "{}", "0", "X-Forwarded-For: 10.0.0.1", "")
    told = json.loads(await send(server.port, "POST", "/", chunked, PROXY, body))
    assert told == {"address": SOMEBODY if said else PROXY, "unlisted": False}


@pytest.mark.parametrize("server", [("127.0.0.0/30, 2001:db8::/32",)], indirect=True)
async def test_a_network_lists_all_its_addresses(server: Server) -> None:
    for peer in ("127.0.0.1", "127.0.0.3"):
        assert (await server.seen(f"X-Forwarded-For: {SOMEBODY}", peer=peer))["address"] == SOMEBODY
    chain = f"X-Forwarded-For: 10.0.0.1, {SOMEBODY}, 2001:db8::5, 127.0.0.2"
    assert (await server.seen(chain))["address"] == SOMEBODY
    assert (await server.seen(chain, peer="127.0.0.4"))["unlisted"]


@pytest.mark.parametrize("server", [("none",)], indirect=True)
async def test_with_no_proxy_nobody_is_believed(server: Server) -> None:
    assert (await server.seen("X-Forwarded-For: 10.0.0.1"))["unlisted"]


async def test_the_operator_is_warned_once_and_without_an_address(server: Server) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            await server.seen(f"X-Forwarded-For: {SOMEBODY}", peer=UNLISTED_PEER)
            await server.seen(f"X-Forwarded-For: {SOMEBODY}")
            await server.seen()
    assert [line["event"] for line in lines] == ["forwarding_header_from_unlisted_peer"]
    assert lines[0]["log_level"] == "warning"
    assert SOMEBODY not in str(lines)
    assert UNLISTED_PEER not in str(lines)


@pytest.mark.parametrize("server", [(PROXY, True)], indirect=True)
async def test_a_proxy_that_says_nothing_of_its_callers_is_warned_of(server: Server) -> None:
    """All of them would share its address, and its pace."""
    with capture_logs() as lines:
        await server.seen(path="/healthz")
        await server.seen(f"X-Forwarded-For: {SOMEBODY}")
        assert lines == []
        await server.seen("X-Real-IP: 198.51.100.20")
        await server.seen()
    assert [line["event"] for line in lines] == ["forwarding_header_missing_from_listed_proxy"]


async def test_an_unlisted_peer_has_one_pace_whatever_it_writes(strict: Strict) -> None:
    """Neither a fresh bucket for each address it claims, nor the bucket of the one it claims."""
    port = int(strict.url.rpartition(":")[2])
    statuses = []
    for turn in range(AT_ONCE + 3):
        lie = f"X-Forwarded-For: 203.0.113.{turn}"
        body = await send(port, "POST", "/oauth/token", (lie, "Content-Length: 0"), UNLISTED_PEER)
        statuses.append(json.loads(body)["code" if b'"code"' in body else "error"])
    assert statuses[:AT_ONCE].count("too_many_failures") == 0
    assert set(statuses[AT_ONCE:]) == {"too_many_failures"}
    assert await strict.refused("203.0.113.1") == 401
