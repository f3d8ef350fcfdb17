"""A whole installation of real processes: instances, a worker of jobs, and people who use it."""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.faults.load import TYPE, Headers, Load, Vault
from tests.faults.messages import Mailbox, SmsGateway, code_of
from tests.faults.processes import Process, command, module
from tests.fixtures import OPERATOR_EMAIL, new_phone
from tests.steps import request_body

START_SECONDS = 120.0
WORKERS = 60


@dataclass(frozen=True)
class Readiness:
    """What an instance says of itself; `status` 0 when it says nothing."""

    status: int
    failing: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.status == 0:
            return "no answer"
        words = [str(self.status), *self.failing]
        return " ".join(words) + (
            f" (degraded: {', '.join(self.degraded)})" if self.degraded else ""
        )


@dataclass
class Installation:
    """Its processes by name, and where each is asked: callers' address, readiness' address."""

    home: Path
    environment: dict[str, str] = field(repr=False)
    owner_url: str = field(repr=False)
    mailbox: Mailbox
    gateway: SmsGateway
    processes: dict[str, Process] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    management: dict[str, str] = field(default_factory=dict)

    def instance(
        self,
        name: str,
        changes: Mapping[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        inside: tuple[str, ...] = (),
    ) -> None:
        """Add an instance of the API; it is not started."""
        port, management = free_port(), free_port()
        own = {
            "UNEFOIS_HOST": host,
            "UNEFOIS_PORT": str(port),
            "UNEFOIS_MANAGEMENT_HOST": host,
            "UNEFOIS_MANAGEMENT_PORT": str(management),
        }
        environment = self.environment | own | (changes or {})
        self._add(Process(name, ("serve",), environment, self._log(name), inside))
        self.addresses[name] = f"http://{host}:{port}"
        self.management[name] = f"http://{host}:{management}"

    def worker(self, name: str) -> None:
        """Add a process that does the jobs; it is not started."""
        management = free_port()
        own = {"UNEFOIS_MANAGEMENT_PORT": str(management)}
        self._add(Process(name, ("work",), self.environment | own, self._log(name)))
        self.management[name] = f"http://127.0.0.1:{management}"

    async def start(self) -> None:
        """Make the tables and the first key, start every process, wait until all are ready."""
        await command(self.environment, "init")
        for process in self.processes.values():
            process.start()
        await self.until_answering(*self.addresses)

    async def until_answering(self, *names: str) -> None:
        """Wait until these instances answer callers."""
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            for name in names:
                while not await _answers(http, self.addresses[name]):
                    assert time.monotonic() < deadline, self.processes[name].lines()[-5:]
                    assert self.processes[name].alive, self.processes[name].lines()[-5:]
                    await asyncio.sleep(0.1)

    def stop(self) -> None:
        """End every process."""
        for process in self.processes.values():
            process.kill()

    async def readiness(self, name: str) -> Readiness:
        """What this process says of itself now."""
        async with httpx.AsyncClient(timeout=20, trust_env=False) as http:
            for address in (self.management[name], self.addresses.get(name)):
                try:
                    answer = await http.get(f"{address}/readyz")
                    said = answer.json()
                except (httpx.HTTPError, httpx.InvalidURL, ValueError):
                    continue
                failing = sorted(part for part, good in said["parts"].items() if not good)
                return Readiness(answer.status_code, tuple(failing), tuple(said["degraded"]))
        return Readiness(0)

    async def query(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Ask the database, as the tables' owner."""
        address = self.owner_url.replace("+psycopg", "")
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
            return await (await connection.execute(sql, values)).fetchall()  # type: ignore[arg-type]  # our own text

    def _add(self, process: Process) -> None:
        self.processes[process.name] = process

    def _log(self, name: str) -> Path:
        return self.home.parent / f"{name}.log"


def environment_of(home: Path, mailbox_port: int, sms_port: int, **more: str) -> dict[str, str]:
    """Production settings as environment variables; `more` without the prefix `UNEFOIS_`, except
    those in capitals, which keep their names."""
    settings = {
        "mode": "production",
        "home": str(home),
        "public_url": "https://coffre.example",
        "trusted_proxies": "none",
        "messenger": "smtp",
        "smtp_host": "127.0.0.1",
        "smtp_port": str(mailbox_port),
        "smtp_start_tls": "false",
        "mail_from": "ne-pas-repondre@coffre.example",
        "operator_email": OPERATOR_EMAIL,
        "sms_gateway_url": f"http://127.0.0.1:{sms_port}/",
        "sms_gateway_token": secrets.token_hex(8),
        "log_cadence_seconds": "5",
        "log_padding_events": "16",
        "jobs_in_process": "false",
        # One machine makes all the load of these tests, and one worker all their requests.
        "requests_per_hour": "100000",
        "requests_per_hour_of_a_client": "100000",
        "sign_ins_per_hour": "100000",
        "sign_ins_per_hour_from_one_address": "1000000",
        "failures_at_once": "1000000",
        "worker_session_hours": "100",
    }
    kept = ("PATH", "HOME", "LANG")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    own = {
        name if name.isupper() else f"UNEFOIS_{name.upper()}": value
        for name, value in (settings | more).items()
    }
    return inherited | own


def free_port() -> int:
    """A port of loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def populate(site: Installation, people: int) -> Load:
    """A structure with a worker, and people who each gave the worker a month of their papers."""
    said = await module(site.environment, "tests.faults.add_workers", str(WORKERS))
    emails = said.split()
    address = next(iter(site.addresses.values()))
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
        worker = await _sign_in(http, site, email=emails[0])
        vaults = [await _vault(http, site, worker) for _ in range(people)]
    load = Load(site.addresses, vaults, worker, emails[1:])
    await load.deposit_in_each()
    return load


async def _vault(http: httpx.AsyncClient, site: Installation, worker: Headers) -> Vault:
    phone = new_phone()
    vault = Vault(phone, await _sign_in(http, site, phone=phone))
    vault.grant = await give(http, vault, worker, TYPE, "P1M")
    return vault


async def give(
    http: httpx.AsyncClient, vault: Vault, worker: Headers, type_: str, duration: str
) -> str:
    """The worker asks, the person approves, papers to come included; the grant's id."""
    body = request_body(vault.phone, type_, duration=duration)
    asked = await http.post("/v1/consent-requests", headers=worker, json=body)
    assert asked.status_code == 202, asked.text
    path = f"/v1/consent-requests/{asked.json()['id']}/approve"
    approved = await http.post(path, headers=vault.headers, json={"covers_future": True})
    assert approved.status_code == 201, approved.text
    return str(approved.json()["id"])


async def _sign_in(http: httpx.AsyncClient, site: Installation, **who: str) -> Headers:
    started = await http.post("/v1/sign-ins", json=who)
    assert started.status_code == 202, started.text
    [address] = who.values()
    box = site.gateway if "phone" in who else site.mailbox
    deadline = time.monotonic() + 30
    while address not in box.last:
        assert time.monotonic() < deadline, "the code did not arrive"
        await asyncio.sleep(0.05)
    code = {"secret": started.json()["secret"], "code": code_of(box.last[address])}
    opened = await http.post(f"/v1/sign-ins/{started.json()['id']}", json=code)
    assert opened.status_code == 201, opened.text
    return {"Authorization": f"Bearer {opened.json()['token']}"}


async def _answers(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(f"{address}/healthz")).status_code == 200
    except httpx.TransportError:
        return False
