"""What people do over HTTP, as steps of a story: deposit, ask, approve, open, read the log.

Each step calls the real server and checks that the call succeeded; a test that expects a failure
uses `httpx` directly.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from joserfc import jwt
from sqlalchemy import text

from auth import sessions
from base.ids import new_id
from tests.fixtures import MakePerson, MakeWorker, SomeClient, SomePerson, SomeWorker
from vault.documents.previews import draw_preview
from vault.maintenance import erasure
from vault.services import Services

Headers = dict[str, str]
Document = dict[str, Any]

CONTACT = {"name": "Camille Moreau", "job": "Assistante sociale", "phone": "03 20 00 00 01",
           "hours": "9 h - 17 h"}  # fmt: skip


async def deposit(
    client: httpx.AsyncClient,
    person: SomePerson,
    data: bytes | Sequence[bytes],
    *,
    type_: str = "income_tax_notice",
    name: str = "scan.pdf",
    **fields: str,
) -> Document:
    """The person deposits a file, or several that are one paper; returns the document."""
    files = [data] if isinstance(data, bytes) else data
    answer = await client.post(
        "/v1/documents",
        headers=person.headers,
        files=[("file", (name, each)) for each in files],
        data={"type": type_, **fields},
    )
    assert answer.status_code == 201, answer.text
    document: Document = answer.json()
    return document


def request_body(phone: str, *types: str, **changes: Any) -> dict[str, Any]:
    """A consent request as clients write it; `actions`, `document_ids` or any field changed."""
    scope = {
        "document_types": list(types),
        "document_ids": changes.pop("document_ids", []),
        "actions": changes.pop("actions", ["read"]),
    }
    asked: dict[str, Any] = {
        "person": {"phone": phone},
        "scope": scope,
        "purpose": {"code": "housing", "text": "Demande de logement social"},
        "legal_basis": "consent",
        "duration": "P1M",
        "may_store": False,
        "contact": CONTACT,
    }
    return asked | changes


async def ask(
    client: httpx.AsyncClient, headers: Headers, phone: str, *types: str, **changes: Any
) -> str:
    """Send a consent request; returns its id."""
    body = request_body(phone, *types, **changes)
    answer = await client.post("/v1/consent-requests", headers=headers, json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def approve(
    client: httpx.AsyncClient, person: SomePerson, request_id: str, **narrower: Any
) -> dict[str, Any]:
    """The person approves; returns the grant."""
    answer = await client.post(
        f"/v1/consent-requests/{request_id}/approve", headers=person.headers, json=narrower
    )
    assert answer.status_code == 201, answer.text
    grant: dict[str, Any] = answer.json()
    return grant


async def granted(
    client: httpx.AsyncClient,
    person: SomePerson,
    headers: Headers,
    *types: str,
    narrower: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Send a request and approve it unchanged; returns the grant's id."""
    request_id = await ask(client, headers, person.phone, *types, **changes)
    return str((await approve(client, person, request_id, **(narrower or {})))["id"])


@dataclass(frozen=True)
class GivenPaper:
    """A paper that its owner lets a worker read, under a grant."""

    person: SomePerson
    worker: SomeWorker
    document: Document
    grant: str

    @property
    def own(self) -> str:
        """Its address for its owner: below /v1, or among the pages."""
        return f"/documents/{self.document['id']}"

    @property
    def under(self) -> str:
        """Its address for the worker: below /v1 or /pro."""
        return f"/grants/{self.grant}{self.own}"


async def given_paper(
    client: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    data: bytes | Sequence[bytes],
    **fields: str,
) -> GivenPaper:
    """Somebody deposits a pay slip and lets a worker read such papers."""
    person, worker = await make_person(), await make_worker()
    document = await deposit(client, person, data, type_="payslip", **fields)
    grant = await granted(client, person, worker.headers, "payslip")
    return GivenPaper(person, worker, document, grant)


async def revoke(client: httpx.AsyncClient, person: SomePerson, grant: str) -> None:
    """The person revokes a grant."""
    answer = await client.post(f"/v1/grants/{grant}/revoke", headers=person.headers)
    assert answer.status_code == 200, answer.text


async def log_of(
    client: httpx.AsyncClient, who: SomePerson | SomeWorker | Headers, language: str = "fr"
) -> list[dict[str, Any]]:
    """The caller's whole log, newest first."""
    headers = who if isinstance(who, dict) else who.headers
    entries: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(
            "/v1/access-log", params=query, headers={**headers, "Accept-Language": language}
        )
        assert answer.status_code == 200, answer.text
        entries += answer.json()["items"]
        cursor = answer.json()["next"]
        if cursor is None:
            return entries


async def client_headers(
    client: httpx.AsyncClient,
    system: SomeClient,
    base_url: str | None = None,
    *,
    scope: str | None = None,
) -> Headers:
    """An administration signs in by `private_key_jwt` (RFC 7523) and gets an access token, with
    its whole scope or with the words of `scope`."""
    metadata = (await client.get("/.well-known/oauth-authorization-server")).json()
    now = int(time.time())
    claims = {
        "iss": system.client_id,
        "sub": system.client_id,
        "aud": metadata["token_endpoint"],
        "jti": str(new_id()),
        "iat": now,
        "exp": now + 60,
    }
    assertion = jwt.encode({"alg": "ES256", "kid": system.kid}, claims, system.jwk)
    answer = await client.post(
        base_url or metadata["token_endpoint"],
        data={
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
            **({} if scope is None else {"scope": scope}),
        },
    )
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def again(services: Services, worker: SomeWorker) -> Headers:
    """The worker signs in again: their session ends with the working day."""
    async with services.database.transaction() as tx:
        token = (
            await sessions.open_session(services, tx, kind="worker", subject_id=worker.id)
        ).token
    return {"Authorization": f"Bearer {token}"}


async def erase(services: Services, person: SomePerson) -> None:
    """Erase the vault now, as the job does seven days after its owner asked for it."""
    assert await erasure.erase(services, person.subject)


async def drawn(services: Services, person: SomePerson, document: Document) -> None:
    """Run the job that draws a preview: the document then has one, if its deposit gave it none."""
    assert await draw_preview(services, person.id, UUID(document["version"]["id"]))


async def counted(services: Services, table: str, person: SomePerson | None = None) -> int:
    """Count the rows of a table, or of one person in it."""
    query = f"SELECT count(*) FROM unefois.{table}"  # noqa: S608  (our own names)
    values = {}
    if person is not None:
        query += " WHERE person_id = :person"
        values = {"person": person.id}
    async with services.database.transaction() as tx:
        return int((await tx.execute(text(query), values)).scalar_one())


async def blobs(services: Services) -> set[str]:
    """Every key in the store."""
    keys: set[str] = set()
    after = None
    while page := await services.storage.blobs.page("", after, 500):
        keys |= {str(one.key) for one in page}
        after = page[-1].key
    return keys


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until a condition (a coroutine function or a plain one) holds, with a time limit."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline, "the condition did not hold in time"
        await asyncio.sleep(0.02)


def is_problem(answer: httpx.Response, status: int, code: str | None) -> None:
    """Check an error answer: what is wrong and what to do, in the shape of RFC 9457."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    details = answer.json()
    assert details["status"] == status
    assert details["what_to_do"]
    assert details["request_id"] == answer.headers["x-request-id"]
    if code is not None:
        assert details["code"] == code
