"""The promises behind the real nginx and the real Caddy, with the samples that we ship: no byte of
a paper on their disks, a revoked download that stops, errors in the service's own words.

Beside them a stock nginx, where the promises break: it shows that what is measured here can fail.
"""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import httpx
import pytest

from tests.fixtures import MakePerson, MakeWorker, Served, SomePerson
from tests.servers.networks import Network, network
from tests.servers.proxies import (
    FileWatch,
    Proxy,
    client_of,
    missing_proxy,
    proxy,
    watched_files,
)
from tests.slow_reader import SlowReader
from tests.steps import deposit, granted, is_problem, log_of, revoke, until
from tests.vault.decoding import corpus
from web.process.server import SEND_BUFFER, run_server, server_for

SHIPPED = ["nginx", "caddy"]
MIB = 1024 * 1024
MARKER = b"PAPER-OF-" + secrets.token_hex(16).encode()
FOR_CADDY = {"tcp_notsent_lowat": "131072", "tcp_rmem": "4096 131072 524288"}
"""What docs/runbooks/proxy.md asks for of the machine of a Caddy, which has no setting for it."""


def large_paper(size: int) -> bytes:
    """A valid PDF of `size` bytes and a little more, recognisable all over."""
    step = 64 * 1024
    noise = b"".join(MARKER + secrets.token_bytes(step - len(MARKER)) for _ in range(size // step))
    return corpus.pdf_of(noise)


def upstream_of(served: Served) -> str:
    return urlsplit(served.base_url).netloc


@contextmanager
def running(name: str, upstream: str, within: Network | None = None) -> Iterator[Proxy]:
    """The proxy of that name; skipped where it is not installed."""
    if missing_proxy(name):
        pytest.skip(f"no {name} here: apt install nginx-light caddy")
    with proxy(name, upstream, within) as started:
        yield started


# Uploads


async def send_slowly(client: httpx.AsyncClient, person: SomePerson, data: bytes) -> httpx.Response:
    """A form with its length announced, as browsers send it, over half a second."""
    part = b"--edge\r\nContent-Disposition: form-data; name="
    head = part + b'"type"\r\n\r\nincome_tax_notice\r\n'
    head += part + b'"file"; filename="a.pdf"\r\n\r\n'
    body = head + data + b"\r\n--edge--\r\n"
    step = len(body) // 40 + 1

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), step):
            yield body[at : at + step]
            await asyncio.sleep(0.0125)

    headers = {
        **person.headers,
        "Content-Type": "multipart/form-data; boundary=edge",
        "Content-Length": str(len(body)),
    }
    return await client.post("/v1/documents", headers=headers, content=pieces())


async def read_slowly(at: Proxy, person: SomePerson, document: str, seconds: float) -> None:
    """Begin to read a paper at a phone's pace, and give up."""
    path = f"/v1/documents/{document}/content"
    reader = SlowReader(at.base_url, path, person.headers, trust=at.trust)
    with suppress(TimeoutError):
        await asyncio.wait_for(reader.run(), seconds)
    assert 0 < reader.taken < reader.length


def found_nothing(watch: FileWatch) -> None:
    assert watch.looks > 20
    assert watch.readable == set()
    assert watch.temporary == set()


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_paper_of_50_mb_passes_and_lies_on_no_disk(
    served: Served, make_person: MakePerson, name: str
) -> None:
    person, paper = await make_person(), large_paper(50_000_000)
    with running(name, upstream_of(served)) as at:
        async with client_of(at) as client:
            with watched_files(at, MARKER) as watch:
                answer = await send_slowly(client, person, paper)
                assert answer.status_code == 201, answer.text
                url = f"/v1/documents/{answer.json()['id']}/content"
                back = await client.get(url, headers=person.headers)
                assert back.content == paper
                await read_slowly(at, person, answer.json()["id"], 1.0)
            found_nothing(watch)


async def by_curl(at: Proxy, person: SomePerson, data: bytes, version: str) -> list[str]:
    """Deposit with curl, which reads while it sends, as browsers do, and speaks HTTP/2. Returns the
    version that was spoken, the status, and the type of the answer."""
    if shutil.which("curl") is None:
        pytest.skip("no curl here: apt install curl")
    command = [
        "curl", "-sS", f"--http{version}", "--cacert", str(at.certificate), "--limit-rate", "40M",
        "-H", f"Authorization: {person.headers['Authorization']}", "-H", "Expect:",
        "-F", "type=income_tax_notice", "-F", "file=@-;filename=a.pdf",
        "-o", "/dev/null", "-w", "%{http_version} %{http_code} %{content_type}",
        f"{at.base_url}/v1/documents",
    ]  # fmt: skip
    sent = await asyncio.to_thread(
        subprocess.run, command, input=data, capture_output=True, timeout=60, check=False
    )
    return sent.stdout.decode().split()


@pytest.mark.parametrize("name", SHIPPED)
async def test_nor_when_it_comes_by_http_2(
    served: Served, make_person: MakePerson, name: str
) -> None:
    person = await make_person()
    with running(name, upstream_of(served)) as at, watched_files(at, MARKER) as watch:
        answer = await by_curl(at, person, large_paper(10_000_000), "2")
        assert answer == ["2", "201", "application/json"]
    found_nothing(watch)


async def test_a_stock_nginx_keeps_papers_on_its_disk(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """In files without a name: only the descriptors of its processes show them."""
    person = await make_person()
    with running("stock nginx", upstream_of(served)) as at:
        async with client_of(at) as through:
            with watched_files(at, MARKER) as watch:
                answer = await send_slowly(through, person, large_paper(900_000))
                assert answer.status_code == 201, answer.text
            assert any(one.endswith("(deleted)") for one in watch.readable)
            document = await deposit(client, person, large_paper(8 * MIB))
            with watched_files(at, MARKER) as watch:
                await read_slowly(at, person, document["id"], 1.0)
            # `X-Accel-Buffering` asked for this.
            found_nothing(watch)


async def test_and_what_is_read_if_it_is_deaf_to_the_service(
    served: Served, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, large_paper(8 * MIB))
    with running("deaf nginx", upstream_of(served)) as at:
        with watched_files(at, MARKER) as watch:
            await read_slowly(at, person, document["id"], 1.0)
        assert any(one.endswith("(deleted)") for one in watch.readable)


# A revoked download


async def begin_reading(
    at: Proxy, path: str, headers: dict[str, str], within: Network | None
) -> tuple[SlowReader, "asyncio.Task[None]"]:
    """Read for one second."""
    slow = SlowReader(at.base_url, path, headers, trust=at.trust, within=within)
    reading = asyncio.create_task(slow.run())
    await until(lambda: slow.taken > 0)
    await asyncio.sleep(1.0)
    return slow, reading


async def outcome_of_the_read(client: httpx.AsyncClient, person: SomePerson) -> str:
    (read,) = [one for one in await log_of(client, person) if one["action"] == "document.read"]
    return str(read["confirmed"])


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_revoked_download_stops_at_the_client_within_two_seconds(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    name: str,
) -> None:
    """The client reads 1.2 MB/s; what the machines in between hold still reaches it."""
    if name == "caddy" and os.geteuid() != 0:
        pytest.skip("a network of its own, for the settings that Caddy needs: as root")
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, large_paper(20 * MIB))
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    async with AsyncExitStack() as opened:
        within = opened.enter_context(network(FOR_CADDY)) if name == "caddy" else None
        upstream = upstream_of(served)
        if within is not None:
            listener = opened.enter_context(within.connection())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            listener.bind(("127.0.0.1", 0))
            await opened.enter_async_context(run_server(server_for(served.app), listener))
            upstream = f"127.0.0.1:{listener.getsockname()[1]}"
        at = opened.enter_context(running(name, upstream, within))
        slow, reading = await begin_reading(at, path, worker.headers, within)
        await revoke(client, person, grant)
        revoked_at, had = time.monotonic(), slow.taken
        await asyncio.wait_for(reading, 30)
        delay = slow.ended_at - revoked_at
        print(f"\n{name}: ended {delay:.2f} s and {slow.taken - had} bytes after the revocation")
        assert delay < 2.0
        assert slow.taken < slow.length
        await until(lambda: _is(client, person, "interrupted"), seconds=5)


async def _is(client: httpx.AsyncClient, person: SomePerson, outcome: str) -> bool:
    return await outcome_of_the_read(client, person) == outcome


async def test_through_a_deaf_nginx_it_arrives_whole_and_reads_completed(
    served: Served,
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
) -> None:
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, large_paper(20 * MIB))
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    path = f"/v1/grants/{grant}/documents/{document['id']}/content"
    with running("deaf nginx", upstream_of(served)) as at:
        slow, reading = await begin_reading(at, path, worker.headers, None)
        await revoke(client, person, grant)
        assert slow.taken < 4 * MIB
        slow.pause = 0
        await asyncio.wait_for(reading, 30)
    assert slow.taken == slow.length > 20 * MIB
    assert await outcome_of_the_read(client, person) == "completed"


# Errors and headers


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_what_is_too_large_is_said_by_the_service(
    served: Served, make_person: MakePerson, name: str, version: str
) -> None:
    person = await make_person()
    with running(name, upstream_of(served)) as at:
        answer = await by_curl(at, person, bytes(60 * MIB), version)
        assert answer == [version, "413", "application/problem+json"]
        async with client_of(at) as client:
            small = await client.post("/v1/sign-ins", json={"phone": "0" * 100_000})
            is_problem(small, 413, "body_too_large")
            if name == "nginx":
                files = {"file": ("a.pdf", bytes(60 * MIB))}
                large = await client.post("/v1/documents", headers=person.headers, files=files)
                is_problem(large, 413, "too_large")


async def test_a_stock_nginx_says_it_in_its_own_words_at_one_megabyte(
    served: Served, make_person: MakePerson
) -> None:
    person = await make_person()
    with running("stock nginx", upstream_of(served)) as at:
        async with client_of(at) as client:
            files = {"file": ("a.pdf", bytes(2 * MIB))}
            answer = await client.post("/v1/documents", headers=person.headers, files=files)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html")


@pytest.mark.parametrize("name", SHIPPED)
async def test_while_the_service_is_away_programs_read_a_problem_and_people_french(
    name: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    with running(name, nobody) as at:
        async with client_of(at) as client:
            for path in ("/v1/documents", "/oauth/token"):
                answer = await client.get(path)
                assert answer.status_code == 503
                assert answer.headers["content-type"] == "application/problem+json"
                problem = answer.json()
                assert (problem["status"], problem["code"]) == (503, "unavailable")
                assert problem["type"] == "/problems/unavailable"
                assert problem["what_to_do"]
            page = await client.get(f"/documents/{MARKER.decode()}?{MARKER.decode()}")
        assert page.status_code == 503
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "Réessayez dans quelques minutes" in page.text
        for one in (answer, page):
            assert one.headers["retry-after"] == "5"
            assert one.headers["cache-control"] == "no-store"
            assert one.headers["strict-transport-security"] == "max-age=31536000"
        written = b"".join(one.read_bytes() for one in at.folder.glob("*.log"))
    # Neither what was asked for nor who asked.
    assert MARKER not in written
    assert b"remote_" not in written
    assert b"client: " not in written


@pytest.mark.parametrize("name", SHIPPED)
async def test_what_a_stranger_says_of_their_address_is_not_passed_on(name: str) -> None:
    heads: list[bytes] = []

    async def record(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).lower())
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(record, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    claimed = "203.0.113.9"
    names = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto")
    async with server:
        with running(name, f"127.0.0.1:{port}") as at:
            async with client_of(at) as client:
                await client.get("/", headers=dict.fromkeys(names, claimed))
    (head,) = heads
    lines = head.split(b"\r\n")
    assert b"x-forwarded-for: 127.0.0.1" in lines
    assert b"x-forwarded-proto: https" in lines
    assert claimed.encode() not in head


# Without TLS


@pytest.mark.parametrize("host", ["localhost", "elsewhere.example", "localhost.elsewhere.example"])
@pytest.mark.parametrize("name", SHIPPED)
async def test_without_tls_one_is_led_here_and_nowhere_else(
    served: Served, name: str, host: str
) -> None:
    """Whatever host a stranger names."""
    with running(name, upstream_of(served)) as at:
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{at.plain_url}//elsewhere.example/v1/me?a=b"
            answer = await client.get(url, headers={"Host": host})
    led_to = urlsplit(answer.headers["location"])
    assert answer.status_code == 301
    assert (led_to.scheme, led_to.hostname) == ("https", "localhost")
    assert (led_to.path, led_to.query) == ("//elsewhere.example/v1/me", "a=b")
