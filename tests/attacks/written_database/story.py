"""People whose rows an attacker writes, and every way in which those rows are used.

A use (`Probe`) answers with a status and with what its caller learns, without ids and times that
change from one call to the next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import httpx

from auth import one_time_codes, profiles, sessions
from auth.oauth import signing_keys
from auth.subjects import Worker
from base.db_time import instant
from base.errors import ServiceError
from tests.fixtures import (
    MakeClient,
    MakePerson,
    MakeWorker,
    SomeClient,
    SomePerson,
    SomeWorker,
    last_code,
    new_phone,
)
from tests.steps import ask, client_headers, deposit, granted, log_of, revoke
from tests.uploads import TUS, begin, said, send
from tests.vault.decoding import corpus
from vault.access_log.records import add_warning
from vault.consent import receipt_keys
from vault.maintenance.key_rotation import rotate_keys
from vault.services import Services
from web.http.problems import STATUS

Seen = tuple[int, str]
"""A status, and what was learnt."""
Probe = Callable[[], Awaitable[Seen]]
Headers = dict[str, str]


@dataclass(kw_only=True)
class Story:
    """Two people, two workers, an administration, and what stands between them."""

    services: Services = field(repr=False)
    http: httpx.AsyncClient = field(repr=False)
    amina: SomePerson
    bilal: SomePerson
    wanda: SomeWorker
    victor: SomeWorker
    system: SomeClient
    documents: dict[str, str]
    grants: dict[str, str]
    requests: dict[str, str]
    uploads: dict[str, str] = field(default_factory=dict)
    """The address of what each person has sent in part."""
    files: dict[str, str] = field(default_factory=dict)
    """The name of each known content, by its SHA-256."""

    def probes(self) -> dict[str, Probe]:
        """Every way in. Logs first, before this very use adds to them."""
        listed = self._lists()
        first = [name for name in listed if name.endswith("log")]
        return {
            **{name: self._listing(*listed.pop(name)) for name in first},
            **{name: self._opening(*what) for name, what in self._contents().items()},
            **{name: self._listing(*what) for name, what in listed.items()},
            "the administration asks": self._evidence,
            "Amina signs in anew": self._person_signs_in,
            "Wanda signs in anew": self._worker_signs_in,
            "Amina gives a grant again": self._repeated,
        }

    def _contents(self) -> dict[str, tuple[Headers, str]]:
        """Who opens what: headers and path."""
        amina, bilal = self.amina.headers, self.bilal.headers
        wanda, victor = self.wanda.headers, self.victor.headers
        pay, tax, theirs = (self.documents[name] for name in ("pay", "tax", "theirs"))
        return {
            "Amina opens her payslip": (amina, f"/v1/documents/{pay}/content"),
            "Bilal opens her payslip": (bilal, f"/v1/documents/{pay}/content"),
            "Bilal opens his own": (bilal, f"/v1/documents/{theirs}/content"),
            "Wanda opens the payslip": (wanda, self.under("type", pay)),
            "Wanda opens another type": (wanda, self.under("type", tax)),
            "Wanda opens a deleted payslip": (wanda, self.under("type", self.documents["gone"])),
            "Wanda opens a payslip called sensitive": (
                wanda, self.under("type", self.documents["kept"]),
            ),
            "Wanda opens Bilal's payslip": (wanda, self.under("type", theirs)),
            "Wanda opens under a revoked grant": (wanda, self.under("revoked", tax)),
            "Wanda opens under a grant to read nothing": (wanda, self.under("attest", tax)),
            "Wanda opens what was picked": (wanda, self.under("picked", tax)),
            "Victor opens under Wanda's grant": (victor, self.under("type", pay)),
            "Victor opens Bilal's payslip": (victor, self.under("bilal", theirs)),
        }  # fmt: skip

    def _lists(self) -> dict[str, tuple[Headers, str]]:
        """Who lists what."""
        amina, bilal = self.amina.headers, self.bilal.headers
        wanda, victor = self.wanda.headers, self.victor.headers
        return {
            "Amina lists": (amina, "/v1/documents"),
            "Amina's grants": (amina, "/v1/grants"),
            "Amina's receipt": (amina, f"/v1/grants/{self.grants['type']}/receipt"),
            "Amina's receipt of what she stopped": (
                amina, f"/v1/grants/{self.grants['revoked']}/receipt",
            ),
            "Amina's requests": (amina, "/v1/consent-requests"),
            "Amina's log": (amina, "/v1/access-log?limit=100"),
            "Amina's sessions": (amina, "/v1/sessions"),
            "Amina's vault": (amina, "/v1/me"),
            "Amina's upload": (amina | TUS, self.uploads["Amina"]),
            "Bilal looks at her upload": (bilal | TUS, self.uploads["Amina"]),
            "Bilal's upload": (bilal | TUS, self.uploads["Bilal"]),
            "Bilal lists": (bilal, "/v1/documents"),
            "Bilal's vault": (bilal, "/v1/me"),
            "Wanda lists": (wanda, f"/v1/grants/{self.grants['type']}/documents"),
            "Wanda's grants": (wanda, "/v1/grants"),
            "Wanda's requests": (wanda, "/v1/consent-requests"),
            "Wanda's log": (wanda, "/v1/access-log?limit=100"),
            "Victor lists": (victor, f"/v1/grants/{self.grants['bilal']}/documents"),
        }  # fmt: skip

    def under(self, grant: str, document: str) -> str:
        return f"/v1/grants/{self.grants[grant]}/documents/{document}/content"

    def forget(self) -> None:
        """Nothing read before is kept in memory: what is written is seen at once."""
        self.services.storage.keys.forget_all()
        self.services.audit_log._public_keys.clear()
        profiles._caches.clear()
        signing_keys._cache.clear()
        receipt_keys._cache.clear()

    def _opening(self, headers: Headers, path: str) -> Probe:
        async def probe() -> Seen:
            answer = await self.http.get(path, headers=headers)
            name = self.files.get(sha256(answer.content).hexdigest(), "unknown content")
            return answer.status_code, name if answer.is_success else ""

        return probe

    def _listing(self, headers: Headers, path: str) -> Probe:
        async def probe() -> Seen:
            answer = await self.http.get(path, headers=headers)
            return answer.status_code, _learnt(answer.json()) if answer.is_success else ""

        return probe

    async def _evidence(self) -> Seen:
        try:
            headers = await client_headers(self.http, self.system)
        except AssertionError:
            return 401, ""
        path = f"/v1/grants/{self.grants['evidence']}/evidence"
        answer = await self.http.get(path, params={"type": "income_tax_notice"}, headers=headers)
        return answer.status_code, _learnt(answer.json()) if answer.is_success else ""

    async def _person_signs_in(self) -> Seen:
        return await self._signs_in(phone=self.amina.phone)

    async def _worker_signs_in(self) -> Seen:
        return await self._signs_in(email=self.wanda.email)

    async def _signs_in(self, **address: str) -> Seen:
        try:
            begun = await one_time_codes.send_code(self.services, **address)
            code = await last_code(self.services, next(iter(address.values())))
            opened = await one_time_codes.redeem_code(
                self.services, begun.id, secret=begun.secret, code=code
            )
        except ServiceError as failure:
            return STATUS[failure.kind], ""
        except StopIteration:
            return 403, ""  # no message came
        path = "/v1/documents" if "phone" in address else "/v1/grants"
        return await self._listing({"Authorization": f"Bearer {opened.token}"}, path)()

    async def _repeated(self) -> Seen:
        """With the idempotency key of the payslip: the same answer, and nobody else's."""
        answer = await self.http.post(
            "/v1/grants",
            headers={**self.amina.headers, "Idempotency-Key": "once"},
            json=_given(self.wanda),
        )
        return answer.status_code, _learnt(answer.json()) if answer.is_success else ""


def _given(worker: SomeWorker) -> dict[str, Any]:
    return {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["lease"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }


_CHANGING = {
    "at",
    "description",
    "used_at",
    "request_id",
    "next",
    "as_of",
    "expires_at",
    "opened_at",
    "dct:issued",
    "jws",
}


def _learnt(value: Any) -> str:
    """What an answer tells, without what differs at each call."""
    return repr(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        new_event = "sentence" in value
        left_out = _CHANGING | ({"id", "details", "confirmed"} if new_event else set())
        left_out |= {"id"} if "current" in value else set()
        left_out |= {"ends_at"} if "asked_at" in value else set()  # of a grant approved now
        return {name: _plain(one) for name, one in value.items() if name not in left_out}
    return [_plain(one) for one in value] if isinstance(value, list) else value


async def tell(
    services: Services,
    http: httpx.AsyncClient,
    make_person: MakePerson,
    make_worker: MakeWorker,
    make_client: MakeClient,
) -> Story:
    """Make them: every table gets a row, most get several."""
    amina, bilal = await make_person(), await make_person()
    wanda, victor = [await _at_work(services, http, await make_worker()) for _ in range(2)]
    system = await make_client()
    story = Story(
        services=services, http=http, amina=amina, bilal=bilal, wanda=wanda, victor=victor,
        system=system, documents={}, grants={}, requests={},
    )  # fmt: skip
    await _deposits(story)
    await _uploads(story)
    await _consents(story)
    await _others(story)
    # The key that signs receipts, and the secret of their codes, are made by the first one.
    path = f"/v1/grants/{story.grants['type']}/receipt"
    assert (await http.get(path, headers=amina.headers)).is_success
    return story


async def _at_work(services: Services, http: httpx.AsyncClient, worker: SomeWorker) -> SomeWorker:
    """Signed in by a code, with no other session."""
    begun = await one_time_codes.send_code(services, email=worker.email)
    opened = await one_time_codes.redeem_code(
        services, begun.id, secret=begun.secret, code=await last_code(services, worker.email)
    )
    signed_in = replace(worker, token=opened.token)
    assert (await http.delete("/v1/sessions", headers=signed_in.headers)).is_success
    async with services.database.transaction() as tx:
        subject = await sessions.subject_of(services, tx, opened.token)
    assert isinstance(subject, Worker)
    return replace(signed_in, subject=subject)


async def _deposits(story: Story) -> None:
    http, amina = story.http, story.amina
    papers = {
        "pay": (amina, "payslip", 1, {}),
        "tax": (amina, "income_tax_notice", 2, {}),
        "gone": (amina, "payslip", 3, {}),
        "kept": (amina, "payslip", 4, {"sensitive": "true"}),
        "theirs": (story.bilal, "payslip", 5, {}),
    }
    for name, (owner, type_, pages, fields) in papers.items():
        content = corpus.pdf(pages)
        story.documents[name] = (await deposit(http, owner, content, type_=type_, **fields))["id"]
        await _known(story, owner, name, 1)
    newer = await http.post(
        f"/v1/documents/{story.documents['tax']}/versions",
        headers=amina.headers,
        files={"file": ("newer.pdf", corpus.pdf(6))},
    )
    assert newer.status_code == 201, newer.text
    await _known(story, amina, "tax", 2)
    path = f"/v1/documents/{story.documents['gone']}"
    assert (await http.delete(path, headers=amina.headers)).is_success


async def _uploads(story: Story) -> None:
    """Each sends two pieces of a file, and not its end."""
    data = corpus.pdf(7)
    for name, person in (("Amina", story.amina), ("Bilal", story.bilal)):
        begun = await begin(story.http, person, len(data), first=data[:100], **said(title="Paie"))
        story.uploads[name] = path = begun.headers["location"]
        sent = await send(story.http, person, path, 100, data[100:200])
        assert sent.status_code == 204, sent.text


async def _known(story: Story, owner: SomePerson, name: str, version: int) -> None:
    path = f"/v1/documents/{story.documents[name]}/content"
    content = (await story.http.get(path, headers=owner.headers)).content
    story.files[sha256(content).hexdigest()] = f"{name} {version}"


async def _consents(story: Story) -> None:
    http, amina, wanda, tax = story.http, story.amina, story.wanda, story.documents["tax"]
    grants = story.grants
    grants["type"] = await granted(http, amina, wanda.headers, "payslip")
    one = {"document_ids": [tax]}
    grants["picked"] = await granted(http, amina, wanda.headers, **one)
    grants["revoked"] = await granted(http, amina, wanda.headers, **one)
    await revoke(http, amina, grants["revoked"])
    grants["attest"] = await granted(
        http, amina, wanda.headers, "income_tax_notice", actions=["attest"]
    )
    system = await client_headers(http, story.system)
    grants["evidence"] = await granted(http, amina, system, "income_tax_notice", actions=["attest"])
    grants["bilal"] = await granted(http, story.bilal, story.victor.headers, "payslip")
    story.requests["waiting"] = await ask(http, story.victor.headers, amina.phone, "payslip")
    story.requests["nobody"] = await ask(http, wanda.headers, new_phone(), "payslip")
    given = await http.post(
        "/v1/grants",
        headers={**amina.headers, "Idempotency-Key": "once"},
        json=_given(wanda),
    )
    assert given.status_code == 201, given.text
    # Another answer that its key could be pointed at.
    other = await http.post(
        "/v1/grants",
        headers={**story.bilal.headers, "Idempotency-Key": "once"},
        json=_given(story.victor),
    )
    assert other.status_code == 201, other.text
    for worker in (wanda, story.victor):
        (known, *_) = (await http.get("/v1/people", headers=worker.headers)).json()["items"]
        path = f"/v1/people/{known['id']}"
        answer = await http.patch(path, headers=worker.headers, json={"label": "Mme A."})
        assert answer.is_success, answer.text
    opened = await http.get(story.under("type", story.documents["pay"]), headers=wanda.headers)
    assert opened.is_success


async def _others(story: Story) -> None:
    """A report, an erasure that waits, a wrong code, a rotation, a warning of the log's end."""
    http, services = story.http, story.services
    entry = (await log_of(http, story.amina))[0]["id"]
    reported = await http.post(
        f"/v1/access-log/{entry}/report", headers=story.amina.headers, json={"text": "?"}
    )
    assert reported.is_success, reported.text
    sent = await http.post("/v1/me/erasure/code", headers=story.bilal.headers)
    assert sent.is_success, sent.text
    code = await last_code(services, story.bilal.phone)
    path = "/v1/me"
    asked = await http.request("DELETE", path, headers=story.bilal.headers, json={"code": code})
    assert asked.status_code == 202, asked.text
    for address in ({"phone": story.amina.phone}, {"email": story.wanda.email}):
        begun = await one_time_codes.send_code(services, **address)
        try:
            await one_time_codes.redeem_code(services, begun.id, secret=begun.secret, code="1")
        except ServiceError as failure:
            assert failure.code == "code_wrong"
    await rotate_keys(services, lambda _done, _of: None)
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        await add_warning(tx, macs, story.amina.id, 2020, await instant(tx))
    await services.delivery_status._flush()
