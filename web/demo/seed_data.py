"""What the demo starts with: one person, three workers, one administration, documents, consents.

Every step first checks whether it was done, so that a demo killed midway continues at its next
start.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from auth import administration, desk_rights, message_delivery, one_time_codes, profiles
from auth.oauth import clients, signing_keys
from auth.oauth.clients import token_endpoint
from auth.oauth.tokens import SigningKey
from auth.records import people, recipients
from auth.session_start import open_recorded_session
from auth.subjects import Person, Worker
from auth.visitor import Visitor
from base import key_names
from base.db_time import instant
from base.files import write_private
from base.ids import new_id
from vault.consent import answers, grant_issue, grants, request_views, requests
from vault.consent.grant_issue import GrantDraft, RecipientRef
from vault.consent.request_transfer import adopt_requests
from vault.consent.scopes import Scope
from vault.consent.terms import Approval, Terms
from vault.document_view import DocumentMetadata
from vault.documents import own_documents, page_views
from vault.documents.own_deposit import deposit_own
from vault.rules import GrantAction
from vault.services import Services
from web.demo.accounts import PARTNER_EMAIL, PHONE, WORKER_EMAIL

if TYPE_CHECKING:
    from web.demo.specimens import Specimen

COLLEAGUE_EMAIL = "sacha.petit@maison-des-solidarites.example"
CLIENT_ID = "caisse-inventee"
_HER_PHONE, _API = Visitor("android_phone"), Visitor("program")


@dataclass(frozen=True, slots=True)
class Demo:
    """What is needed to try the demo: the content of `--json`, all strings."""

    base_url: str
    person: dict[str, str] = field(repr=False)
    worker: dict[str, str] = field(repr=False)
    colleague: dict[str, str] = field(repr=False)
    administration: dict[str, str] = field(repr=False)
    management_url: str = ""

    def json(self) -> str:
        """The text of the file."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


async def seed(services: Services, key: SigningKey) -> Demo:
    """Creates what is missing; a new token for each account."""
    worker, colleague = await _workers(services)
    await _partner(services)
    await _client(services, key)
    person = await _person(services)
    await _documents(services, person)
    await _consents(services, person, worker)
    return Demo(
        base_url=signing_keys.issuer(services),
        person={"token": await _token(services, person), "phone": PHONE},
        worker={"token": await _token(services, worker), "email": WORKER_EMAIL},
        colleague={"token": await _token(services, colleague)},
        administration={
            "client_id": CLIENT_ID,
            "kid": key.kid,
            "token_endpoint": token_endpoint(services),
            "audience": signing_keys.issuer(services),
            "scope": " ".join(clients.SCOPES),
            "private_key_pem": key.to_pem().decode(),
        },
    )


async def _workers(services: Services) -> tuple[Worker, Worker]:
    """Two of the same organisation: what one may read, the other may not."""
    camille = await _worker(services, WORKER_EMAIL)
    if camille is None:
        organisation = await administration.add_organisation(
            services, name="Maison des solidarités des Tilleuls", contact="03 20 00 00 00"
        )
        await _add_worker(services, organisation, WORKER_EMAIL, "Camille Moreau")
        camille = await _worker(services, WORKER_EMAIL)
    assert camille is not None  # noqa: S101  (just added)
    if not await desk_rights.is_allowed(services, camille):
        await administration.let_open_vaults(services, camille.organisation_id, allowed=True)
    sacha = await _worker(services, COLLEAGUE_EMAIL)
    if sacha is None:
        await _add_worker(services, camille.organisation_id, COLLEAGUE_EMAIL, "Sacha Petit")
        sacha = await _worker(services, COLLEAGUE_EMAIL)
    assert sacha is not None  # noqa: S101  (idem)
    return camille, sacha


async def _partner(services: Services) -> None:
    """One of another structure."""
    idrissa = await _worker(services, PARTNER_EMAIL)
    if idrissa is None:
        organisation = await administration.add_organisation(
            services, name="Permanence Saint-Roch", contact="03 20 00 00 03"
        )
        await _add_worker(services, organisation, PARTNER_EMAIL, "Idrissa Fall")
        idrissa = await _worker(services, PARTNER_EMAIL)
    assert idrissa is not None  # noqa: S101  (just added)
    if not await desk_rights.is_allowed(services, idrissa):
        await administration.let_open_vaults(services, idrissa.organisation_id, allowed=True)


async def _add_worker(services: Services, organisation: UUID, email: str, name: str) -> None:
    await administration.add_worker(
        services,
        organisation_id=organisation,
        name=name,
        job="Travail social",
        email=email,
        phone="03 20 00 00 01",
        hours="du lundi au vendredi, 9 h - 17 h",
        there_for=timedelta(days=365),
    )


async def _worker(services: Services, email: str) -> Worker | None:
    tag = await services.field_encryption.tag(key_names.EMAIL, email)
    async with services.database.transaction() as tx:
        row = await recipients.worker_by_email(tx, await services.field_encryption.row_macs(), tag)
        if row is None:
            return None
        return await profiles.worker(
            services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
        )


def client_key(file: Path) -> SigningKey:
    """The administration's key, written before it is registered: a crash here leaves one that is
    registered nowhere."""
    if not file.exists():
        write_private(file, SigningKey.generate().to_pem().decode())
    return SigningKey.from_pem(file.read_bytes())


async def _client(services: Services, key: SigningKey) -> None:
    """An administration's system."""
    async with services.database.transaction() as tx:
        existing = await recipients.client(
            tx, await services.field_encryption.row_macs(), CLIENT_ID
        )
    if existing is None:
        organisation = await administration.add_organisation(
            services, name="Caisse inventée d’allocations", contact="03 20 00 00 02"
        )
        await administration.add_client(
            services,
            organisation_id=organisation,
            name="Guichet en ligne",
            jwks={"keys": [key.public_jwk()]},
            scope=" ".join(clients.SCOPES),
            contact="03 20 00 00 02",
            client_id=CLIENT_ID,
        )


async def _person(services: Services) -> Person:
    """Amina, who opened her vault by the code sent to her phone."""
    tag = await services.field_encryption.tag(key_names.PHONE, PHONE)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await people.person_by_phone(tx, macs, [tag])
    if row is None:
        started = await one_time_codes.send_code(services, phone=PHONE)
        code = re.search(r"\d{6}", (await message_delivery.inbox(services, to=PHONE))[0].text)
        assert code is not None  # noqa: S101  (the message that was just queued)
        await one_time_codes.redeem_code(
            services,
            started.id,
            secret=started.secret,
            code=code[0],
            on_vault_opened=adopt_requests,
            visitor=_HER_PHONE,
        )
        async with services.database.transaction() as tx:
            row = await people.person_by_phone(tx, macs, [tag])
    assert row is not None  # noqa: S101  (just opened)
    return Person(row.id, row.language)


async def _token(services: Services, subject: Person | Worker) -> str:
    async with services.database.transaction() as tx:
        return (await open_recorded_session(services, tx, subject, _API)).token


async def _documents(services: Services, person: Person) -> None:
    """Deposits the specimens that she does not hold yet."""
    from web.demo.specimens import specimens  # noqa: PLC0415  (memory: for the demo alone)

    held = {document.metadata.title for document in await _list_documents(services, person)}
    async with services.database.transaction() as tx:
        today = (await instant(tx)).date()
    for specimen in specimens(today):
        if specimen.title not in held:
            metadata = DocumentMetadata(
                specimen.type,
                specimen.title,
                specimen.issued_on,
                specimen.expires_on,
                income_year=specimen.income_year,
            )
            upload = _SpecimenUpload(specimen)
            await deposit_own(services, person, upload, partial(_unchanged, metadata))


def _unchanged(metadata: DocumentMetadata) -> DocumentMetadata:
    return metadata


async def _list_documents(services: Services, person: Person) -> list[Any]:
    return (await own_documents.list_own(services, person, cursor=None, limit=100)).items


class _SpecimenUpload:
    """A specimen, in the form of an upload."""

    def __init__(self, specimen: "Specimen") -> None:
        self.name: str | None = specimen.file_name
        self._content = specimen.content()
        self.announced = len(self._content)

    async def files(self) -> AsyncIterator["_SpecimenUpload"]:
        """The one file."""
        yield self

    async def slices(self) -> AsyncIterator[bytes]:
        """In one slice: it is small."""
        yield self._content


async def _consents(services: Services, person: Person, worker: Worker) -> None:
    """One live grant to the worker, who asked by phone as workers do; one to the administration;
    one request that waits."""
    live = (await grants.list_grants(services, person, state="live")).items
    kinds = {grant.recipient_kind for grant in live}
    if "worker" not in kinds:
        await _ask_and_approve(services, person, worker)
    if "client" not in kinds:
        await _give(
            services,
            person,
            RecipientRef(client_id=CLIENT_ID),
            Scope(("caf_payment_certificate", "payslip"), (), (GrantAction.ATTEST,)),
            ("benefits", "Étude des droits"),
        )
    received = (await request_views.list_received(services, person)).items
    if not any(request.state == "waiting" for request in received):
        await requests.ask(services, worker, PHONE, _health(worker))


async def _ask_and_approve(services: Services, person: Person, worker: Worker) -> None:
    """A crash between the two leaves a request that waits, which the next start approves."""
    received = (await request_views.list_received(services, person)).items
    waiting = [one for one in received if one.state == "waiting" and one.asked == _housing(worker)]
    asked = waiting[0].id if waiting else None
    if asked is None:
        asked = (await requests.ask(services, worker, PHONE, _housing(worker))).id
    given = await answers.approve(services, person, asked, Approval())
    await _look(services, worker, given.id, await _list_documents(services, person))


async def _look(services: Services, worker: Worker, grant_id: UUID, held: list[Any]) -> None:
    """She looks at a paper once, so that somebody did: what the log of a vault is read for."""
    for document in held:
        if document.metadata.type == "rent_receipt":
            await page_views.open_granted_page(services, worker, grant_id, document.id, 1)


async def _give(
    services: Services, person: Person, to: RecipientRef, scope: Scope, why: tuple[str, str]
) -> None:
    draft = GrantDraft(
        recipient=to, scope=scope, purpose_code=why[0], purpose=why[1], duration="P3M"
    )
    await grant_issue.give(services, person, draft, idempotency_key=str(new_id()))


def _housing(worker: Worker) -> Terms:
    return _terms(
        worker,
        Scope(("rent_receipt", "income_tax_notice"), (), (GrantAction.READ, GrantAction.DEPOSIT)),
        ("housing", "Demande de logement social"),
        "P3M",
    )


def _health(worker: Worker) -> Terms:
    return _terms(
        worker,
        Scope(("caf_payment_certificate", "health_insurance_certificate"), (), (GrantAction.READ,)),
        ("health_rights", "Renouveler la complémentaire santé solidaire"),
        "P1M",
    )


def _terms(worker: Worker, scope: Scope, why: tuple[str, str], duration: str) -> Terms:
    return Terms(
        scope=scope,
        purpose_code=why[0],
        purpose=why[1],
        legal_basis="consent",
        duration=duration,
        may_store=False,
        store_for=None,
        contact={
            "name": worker.name,
            "job": worker.job,
            "phone": "03 20 00 00 01",
            "hours": "9 h - 17 h",
        },
    )
