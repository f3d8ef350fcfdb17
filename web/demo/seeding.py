"""What the demo starts with: one person, two workers, one administration, papers and consents.

Every step looks first whether it was done, so that a demo killed midway goes on at its next start.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from auth import administration, clients, messages, sessions, sign_ins, signing_keys
from auth.clients import token_endpoint
from auth.records import people, recipients
from auth.records.instants import instant
from auth.subjects import Person, Worker
from auth.tokens import SigningKey
from base.files import write_private
from base.ids import new_id
from vault import consent, documents, grants, requested
from vault.consent import adopt_requests
from vault.deposit import deposit
from vault.grants import Gift, Named
from vault.house import House
from vault.keeping import Depositor
from vault.papers import Facts
from vault.rules import GrantAction
from vault.scopes import Scope
from vault.terms import Terms
from web.demo.specimens import Specimen, specimens

PHONE = "+33600000001"
WORKER_EMAIL = "camille.moreau@maison-des-solidarites.example"
COLLEAGUE_EMAIL = "sacha.petit@maison-des-solidarites.example"
CLIENT_ID = "caisse-inventee"


@dataclass(frozen=True, slots=True)
class Demo:
    """What one needs to try the demo: the content of `--json`, all strings."""

    base_url: str
    person: dict[str, str] = field(repr=False)
    worker: dict[str, str] = field(repr=False)
    colleague: dict[str, str] = field(repr=False)
    administration: dict[str, str] = field(repr=False)

    def json(self) -> str:
        """As written."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


async def seed(house: House, key: SigningKey) -> Demo:
    """Everything that is missing, and a fresh token for each."""
    worker, colleague = await _workers(house)
    await _client(house, key)
    person = await _person(house)
    await _papers(house, person)
    await _consents(house, person, worker)
    return Demo(
        base_url=signing_keys.issuer(house),
        person={"token": await _token(house, "person", person.id), "phone": PHONE},
        worker={"token": await _token(house, "worker", worker.id), "email": WORKER_EMAIL},
        colleague={"token": await _token(house, "worker", colleague.id)},
        administration={
            "client_id": CLIENT_ID,
            "kid": key.kid,
            "token_endpoint": token_endpoint(house),
            "audience": signing_keys.issuer(house),
            "scope": " ".join(clients.SCOPES),
            "private_key_pem": key.to_pem().decode(),
        },
    )


async def _workers(house: House) -> tuple[Worker, Worker]:
    """Two of the same structure: what one may read, the other may not."""
    camille = await _worker(house, WORKER_EMAIL)
    if camille is None:
        organisation = await administration.add_organisation(
            house, name="Maison des solidarités des Tilleuls", contact="03 20 00 00 00"
        )
        await _add_worker(house, organisation, WORKER_EMAIL, "Camille Moreau")
        camille = await _worker(house, WORKER_EMAIL)
    assert camille is not None  # noqa: S101  (just added)
    sacha = await _worker(house, COLLEAGUE_EMAIL)
    if sacha is None:
        await _add_worker(house, camille.organisation_id, COLLEAGUE_EMAIL, "Sacha Petit")
        sacha = await _worker(house, COLLEAGUE_EMAIL)
    assert sacha is not None  # noqa: S101  (idem)
    return camille, sacha


async def _add_worker(house: House, organisation: UUID, email: str, name: str) -> None:
    await administration.add_worker(
        house,
        organisation_id=organisation,
        name=name,
        job="Travail social",
        email=email,
        phone="03 20 00 00 01",
        hours="du lundi au vendredi, 9 h - 17 h",
    )


async def _worker(house: House, email: str) -> Worker | None:
    tag = await house.fields.tag("email", email)
    async with house.database.transaction() as tx:
        row = await recipients.worker_by_email(tx, tag)
        return None if row is None else await _subject(house, tx, "worker", row.id)


async def _subject(house: House, tx: Any, kind: Literal["worker"], subject_id: UUID) -> Worker:
    """As they are when signed in."""
    token, _ = await sessions.open_session(house, tx, kind=kind, subject_id=subject_id)
    found = await sessions.subject_of(house, tx, token)
    assert isinstance(found, Worker)  # noqa: S101  (of that kind)
    return found


def client_key(file: Path) -> SigningKey:
    """The administration's key, kept before it is registered: a crash leaves one that nobody
    knows yet."""
    if not file.exists():
        write_private(file, SigningKey.generate().to_pem().decode())
    return SigningKey.from_pem(file.read_bytes())


async def _client(house: House, key: SigningKey) -> None:
    """An administration's system."""
    async with house.database.transaction() as tx:
        there = await recipients.client(tx, CLIENT_ID)
    if there is None:
        organisation = await administration.add_organisation(
            house, name="Caisse inventée d’allocations", contact="03 20 00 00 02"
        )
        await administration.add_client(
            house,
            organisation_id=organisation,
            name="Guichet en ligne",
            jwks={"keys": [key.public_jwk()]},
            scope=" ".join(clients.SCOPES),
            contact="03 20 00 00 02",
            client_id=CLIENT_ID,
        )


async def _person(house: House) -> Person:
    """Amina, who opened her vault by the code sent to her phone."""
    tag = await house.fields.tag("phone", PHONE)
    async with house.database.transaction() as tx:
        row = await people.person_by_phone(tx, tag)
    if row is None:
        started = await sign_ins.start(house, phone=PHONE)
        code = re.search(r"\d{6}", (await messages.inbox(house, to=PHONE))[0].text)
        assert code is not None  # noqa: S101  (the message that was just queued)
        await sign_ins.finish(house, started.id, code=code[0], on_opened=adopt_requests)
        async with house.database.transaction() as tx:
            row = await people.person_by_phone(tx, tag)
    assert row is not None  # noqa: S101  (just opened)
    return Person(row.id, row.language)


async def _token(house: House, kind: str, subject_id: UUID) -> str:
    async with house.database.transaction() as tx:
        token, _ = await sessions.open_session(house, tx, kind=kind, subject_id=subject_id)
    return token


async def _papers(house: House, person: Person) -> None:
    """The specimens that she does not hold yet."""
    held = {paper.facts.title for paper in await _held(house, person)}
    async with house.database.transaction() as tx:
        today = (await instant(tx)).date()
    for specimen in specimens(today):
        if specimen.title not in held:
            facts = Facts(specimen.type, specimen.title, specimen.issued_on, specimen.expires_on)
            depositor = Depositor(person.actor())
            await deposit(house, person.id, depositor, _Drawn(specimen), partial(_as_said, facts))


def _as_said(facts: Facts) -> Facts:
    return facts


async def _held(house: House, person: Person) -> list[Any]:
    return (await documents.list_own(house, person, cursor=None, limit=100)).items


class _Drawn:
    """A specimen, as an upload comes in."""

    def __init__(self, specimen: Specimen) -> None:
        self.name: str | None = specimen.file_name
        self._content = specimen.content()

    async def files(self) -> AsyncIterator["_Drawn"]:
        """The one file."""
        yield self

    async def slices(self) -> AsyncIterator[bytes]:
        """Whole: it is small."""
        yield self._content


async def _consents(house: House, person: Person, worker: Worker) -> None:
    """One request that waits, one live grant to the worker, one to the administration."""
    live = (await grants.list_grants(house, person, state="live")).items
    kinds = {grant.recipient_kind for grant in live}
    if "worker" not in kinds:
        await _give(
            house,
            person,
            Named(worker_email=WORKER_EMAIL),
            Scope(("rent_receipt", "income_tax_notice"), (), (GrantAction.READ,)),
            ("housing", "Demande de logement social"),
        )
    if "client" not in kinds:
        await _give(
            house,
            person,
            Named(client_id=CLIENT_ID),
            Scope(("caf_payment_certificate", "payslip"), (), (GrantAction.ATTEST,)),
            ("benefits", "Étude des droits"),
        )
    received = (await requested.list_received(house, person)).items
    if not any(request.state == "waiting" for request in received):
        await consent.ask(house, worker, PHONE, _asked(worker))


async def _give(
    house: House, person: Person, to: Named, scope: Scope, why: tuple[str, str]
) -> None:
    gift = Gift(recipient=to, scope=scope, purpose_code=why[0], purpose=why[1], duration="P3M")
    await grants.give(house, person, gift, idempotency_key=str(new_id()))


def _asked(worker: Worker) -> Terms:
    return Terms(
        scope=Scope(
            ("caf_payment_certificate", "health_insurance_certificate"), (), (GrantAction.READ,)
        ),
        purpose_code="health_rights",
        purpose="Renouveler la complémentaire santé solidaire",
        legal_basis="consent",
        duration="P1M",
        may_store=False,
        store_for=None,
        contact={
            "name": worker.name,
            "job": worker.job,
            "phone": "03 20 00 00 01",
            "hours": "9 h - 17 h",
        },
    )
