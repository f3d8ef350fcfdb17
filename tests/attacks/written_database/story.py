"""People whose rows an attacker writes, and every way in which those rows are used.

A use (`Probe`) answers with a status and with what its caller learns, without ids and times that
change from one call to the next.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import httpx

from auth import one_time_codes, profiles
from auth.oauth import signing_keys
from base.errors import ServiceError
from tests.auth.means_steps import enter, type_code, type_pin
from tests.fixtures import (
    SomeClient,
    SomePerson,
    SomeWorker,
    last_code,
)
from tests.steps import client_headers
from tests.uploads import TUS
from vault.consent import receipt_keys
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
    dora: SomePerson
    zoe: SomePerson  # in the vault that waits for Dora's
    documents: dict[str, str]
    grants: dict[str, str]
    requests: dict[str, str]
    meetings: dict[str, str] = field(default_factory=dict)
    mandates: dict[str, str] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)
    trusts: tuple[SomePerson, str] | None = None
    """Somebody who trusts another, and the id of the naming."""
    represents: SomePerson | None = None
    """Somebody in the vault of whom they represent."""
    representation: tuple[SomePerson, str] | None = None
    """The same in their own vault, and the id of it."""
    uploads: dict[str, str] = field(default_factory=dict)
    """The address of what each person has sent in part."""
    card: dict[str, Any] = field(default_factory=dict, repr=False)  # Bilal's, with its `pin`
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
            "Bilal enters with his card": self._card_opens,
            "Bilal enters with his phone and PIN": self._phone_and_pin_open,
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

    def _represents(self) -> Headers:
        assert self.represents is not None
        return self.represents.headers

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
            "Bilal's mandate": (bilal, f"/v1/mandates/{self.mandates['Bilal']}/signed"),
            "Amina looks at his mandate": (amina, f"/v1/mandates/{self.mandates['Bilal']}/signed"),
            "Bilal's vault": (bilal, "/v1/me"),
            "a representative lists": (self._represents(), "/v1/documents"),
            "Dora's joined vaults": (self.dora.headers, "/v1/me/joins"),
            "Dora's recoveries": (self.dora.headers, "/v1/me/recoveries"),
            "Zoé's recovery": (self.zoe.headers, "/v1/me/recovery"),
            "Bilal looks for one": (bilal, "/v1/me/recovery"),
            "the log of one": (self.dora.headers, self._log_of_joined("Dora")),
            "Bilal looks at it": (bilal, self._log_of_joined("Dora")),
            "Bilal's means": (bilal, "/v1/me/means"),
            "Bilal's anchor": (bilal, "/v1/me/anchor"),
            "Amina's anchor": (amina, "/v1/me/anchor"),
            "Wanda lists": (wanda, f"/v1/grants/{self.grants['type']}/documents"),
            "Wanda's grants": (wanda, "/v1/grants"),
            "Wanda's requests": (wanda, "/v1/consent-requests"),
            "Wanda's meeting": (wanda, f"/v1/meetings/{self.meetings['Amina']}"),
            "Amina's meeting": (amina, f"/v1/meetings/{self.meetings['Amina']}"),
            "Bilal looks at her meeting": (bilal, f"/v1/meetings/{self.meetings['Amina']}"),
            "Victor's meeting": (victor, f"/v1/meetings/{self.meetings['Bilal']}"),
            "Wanda's log": (wanda, "/v1/access-log?limit=100"),
            "Victor lists": (victor, f"/v1/grants/{self.grants['bilal']}/documents"),
        }  # fmt: skip

    def _log_of_joined(self, name: str) -> str:
        return f"/v1/me/joins/{self.joins[name]}/access-log"

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

    async def _card_opens(self) -> Seen:
        try:
            return await self._opened(await enter(self.http, self.card["code"], self.card["pin"]))
        except AssertionError:
            return 503, ""  # its first step

    async def _phone_and_pin_open(self) -> Seen:
        try:
            begun, coded = await type_code(self.http, self.services, self.bilal.phone)
        except (AssertionError, ServiceError, RuntimeError):
            return 503, ""  # no code was sent, or its message does not open
        if coded.status_code == 202:
            coded = await type_pin(self.http, begun, self.card["pin"])
        return await self._opened(coded)

    async def _opened(self, answer: httpx.Response) -> Seen:
        if not answer.is_success:
            return answer.status_code, ""
        token = answer.json()["token"]
        return await self._listing({"Authorization": f"Bearer {token}"}, "/v1/documents")()

    async def _signs_in(self, **address: str) -> Seen:
        try:
            begun = await one_time_codes.send_code(self.services, **address)
            code = await last_code(self.services, next(iter(address.values())))
            opened = await one_time_codes.redeem_code(
                self.services, begun.id, secret=begun.secret, code=code
            )
        except ServiceError as failure:
            return STATUS[failure.kind], ""
        except RuntimeError:
            return 403, ""  # no message came (`StopIteration` in a coroutine)
        path = "/v1/documents" if "phone" in address else "/v1/grants"
        return await self._listing({"Authorization": f"Bearer {opened.token}"}, path)()

    async def _repeated(self) -> Seen:
        """With the idempotency key of the payslip: the same answer, and nobody else's."""
        answer = await self.http.post(
            "/v1/grants",
            headers={**self.amina.headers, "Idempotency-Key": "once"},
            json=given_to(self.wanda),
        )
        return answer.status_code, _learnt(answer.json()) if answer.is_success else ""


def given_to(worker: SomeWorker) -> dict[str, Any]:
    return {
        "recipient": {"worker_id": str(worker.id)},
        "scope": {"document_types": ["lease"], "document_ids": [], "actions": ["read"]},
        "purpose": {"code": "housing", "text": "Logement"},
        "duration": "P1M",
    }


_CHANGING = {
    "last_used_at",
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
