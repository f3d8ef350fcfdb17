"""A bounded load of people and a worker, which remembers what was acknowledged and what was not."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pikepdf

from auth.code_limits import NEW_CODES
from tests.fixtures import new_phone
from tests.steps import request_body
from tests.vault.decoding.corpus import blank_pdf, pdf_bytes

PATIENCE = 60.0
"""Seconds that a caller waits for an answer: what hangs longer is counted as `silent`."""
PAUSE = 0.25
TYPE = "payslip"
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one caller got: a status, `half` (a paper that had begun to come, and was cut), `cut`
    (no answer, or half of another one) or `silent`."""

    act: str
    instance: str
    status: str
    began: float
    seconds: float
    retry_after: bool


@dataclass
class Vault:
    """A person, their worker's grant, and what was acknowledged to them."""

    phone: str
    headers: Headers = field(repr=False)
    grant: str = ""
    deposited: dict[str, bytes] = field(default_factory=dict)
    read: Counter[str] = field(default_factory=Counter)
    checked: set[str] = field(default_factory=set)


@dataclass
class Acknowledged:
    """What the service said that it did, beside the vaults."""

    requests: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    emails: Counter[str] = field(default_factory=Counter)


class Load:
    """Callers who go on, each with a pause between two acts, until they are stopped.

    `addresses` are those of the instances, by name; callers use them in turn.
    """

    def __init__(
        self, addresses: dict[str, str], vaults: list[Vault], worker: Headers, emails: list[str]
    ) -> None:
        self.addresses = addresses
        self.vaults = vaults
        self.worker = worker
        self.emails = iter(emails * NEW_CODES)
        self.answers: list[Answer] = []
        self.acknowledged = Acknowledged()
        self._turns = count()
        self._tasks: list[asyncio.Task[None]] = []
        self._going = False
        self._http: httpx.AsyncClient | None = None

    async def deposit_in_each(self) -> None:
        """One paper in each vault, so that there is something to read."""
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as self._http:
            for vault in self.vaults:
                answer = await self.deposit(vault)
                assert answer.status == "201", answer

    async def start(self) -> None:
        """Begin."""
        self._http = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
        self._going = True
        acts = (self.deposit, self.deposit, self.read, self.read, self.ask, self.sms, self.email)
        self._tasks = [asyncio.create_task(self._repeat(act)) for act in acts]

    async def stop(self) -> None:
        """Let each caller have its answer, then no more."""
        self._going = False
        await asyncio.gather(*self._tasks)
        if self._http is not None:
            await self._http.aclose()

    def between(self, since: float, until: float) -> list[Answer]:
        """The answers to acts that began in this time."""
        return [one for one in self.answers if since <= one.began < until]

    async def _repeat(self, act: Callable[[], Awaitable[Answer]]) -> None:
        while self._going:
            self.answers.append(await act())
            await asyncio.sleep(PAUSE * (0.5 + secrets.randbelow(100) / 100))

    async def deposit(self, vault: Vault | None = None) -> Answer:
        """A person deposits a small PDF, unlike every other."""
        vault = vault or secrets.choice(self.vaults)
        data = _pdf()
        answer, response = await self._send(
            "deposit", "POST", "/v1/documents", vault.headers,
            files={"file": ("avis.pdf", data)}, data={"type": TYPE},
        )  # fmt: skip
        if response is not None and response.status_code == 201:
            vault.deposited[response.json()["id"]] = data
        return answer

    async def read(self) -> Answer:
        """The worker reads a document under the grant."""
        vault = secrets.choice(self.vaults)
        document = secrets.choice(list(vault.deposited))
        path = f"/v1/grants/{vault.grant}/documents/{document}/content"
        answer, response = await self._send("read", "GET", path, self.worker)
        if response is not None and response.status_code == 200:
            vault.read[document] += 1
        return answer

    async def ask(self) -> Answer:
        """The worker asks a person for consent."""
        body = request_body(secrets.choice(self.vaults).phone, "income_tax_notice")
        path = "/v1/consent-requests"
        answer, response = await self._send("ask", "POST", path, self.worker, json=body)
        if response is not None and response.status_code == 202:
            self.acknowledged.requests.append(response.json()["id"])
        return answer

    async def sms(self) -> Answer:
        """Someone begins to sign in by phone."""
        phone = new_phone()
        answer, response = await self._send(
            "sms", "POST", "/v1/sign-ins", {}, json={"phone": phone}
        )
        if response is not None and response.status_code == 202:
            self.acknowledged.phones.append(phone)
        return answer

    async def email(self) -> Answer:
        """A worker begins to sign in by e-mail, with a code of their own. Slower than the others:
        each worker gets few of them."""
        await asyncio.sleep(2 * PAUSE)
        email = next(self.emails)
        answer, response = await self._send(
            "email", "POST", "/v1/sign-ins", {}, json={"email": email}
        )
        if response is not None and response.status_code == 202:
            self.acknowledged.emails[email] += 1
        return answer

    async def _send(
        self, act: str, method: str, path: str, headers: Headers, **content: Any
    ) -> tuple[Answer, httpx.Response | None]:
        assert self._http is not None
        names = list(self.addresses)
        instance = names[next(self._turns) % len(names)]
        began = time.monotonic()
        response, begun = None, False
        url = self.addresses[instance] + path
        try:
            async with self._http.stream(method, url, headers=headers, **content) as coming:
                begun = coming.is_success
                await coming.aread()
            response, status = coming, str(coming.status_code)
        except httpx.TimeoutException:
            status = "silent"
        except httpx.TransportError:
            status = "half" if begun and act == "read" else "cut"
        retry_after = response is not None and "retry-after" in response.headers
        took = time.monotonic() - began
        return Answer(act, instance, status, began, took, retry_after), response


def _pdf() -> bytes:
    pdf: pikepdf.Pdf = blank_pdf()
    pdf.docinfo["/Title"] = secrets.token_hex(16)
    return pdf_bytes(pdf)
