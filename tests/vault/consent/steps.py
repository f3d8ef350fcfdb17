"""People, workers and documents for the tests of consent, and reading of their logs."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text

from audit.records import events_of
from auth import profiles
from auth.records import people, recipients
from auth.services import CoreServices
from auth.subjects import Client, Person, Worker
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from vault.consent.requests import ask
from vault.consent.scopes import scope_of
from vault.consent.terms import Terms
from vault.document_view import DocumentMetadata, metadata_values
from vault.documents.records import change_document
from vault.tables import DOCUMENT_ROW, VERSION_ROW, Document, DocumentVersion

WEEK = timedelta(days=7)


def a_phone() -> str:
    return f"+3361{secrets.randbelow(10**7):07}"


async def make_person(services: CoreServices, phone: str | None = None) -> Person:
    person = Person(new_id())
    async with services.database.transaction() as tx:
        await services.field_encryption.create_owner(tx, person.id)
        writer = await services.field_encryption.writer(person.id, tx)
        await people.add_person(
            tx,
            await services.field_encryption.row_macs(),
            await instant(tx),
            id=person.id,
            phone_tag=await services.field_encryption.tag("phone", phone or a_phone()),
            language="fr",
            sealed=writer.seal("person", person.id, {"phone": phone}),
        )
    return person


async def make_worker(
    services: CoreServices, *, name: str = "Inès Moreau", email: str | None = None,
    organisation_id: UUID | None = None,
) -> Worker:  # fmt: skip
    writer = await services.field_encryption.writer(None)
    email = email or f"{secrets.token_hex(6)}@ccas.example"
    worker_id = new_id()
    values = {"name": name, "job": "Assistante sociale", "email": email, "phone": "", "hours": ""}
    async with services.database.transaction() as tx:
        if organisation_id is None:
            organisation_id = await _organisation(services, tx)
        macs = await services.field_encryption.row_macs()
        await recipients.add_worker(
            tx,
            macs,
            await instant(tx),
            id=worker_id,
            organisation_id=organisation_id,
            email_tag=await services.field_encryption.tag("email", email),
            sealed=writer.seal("worker", worker_id, values),
        )
        row = await recipients.worker(tx, macs, worker_id)
    assert row is not None
    return await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


async def make_client(services: CoreServices) -> Client:
    writer = await services.field_encryption.writer(None)
    client_id = new_id()
    async with services.database.transaction() as tx:
        macs = await services.field_encryption.row_macs()
        await recipients.add_client(
            tx,
            macs,
            await instant(tx),
            id=client_id,
            organisation_id=await _organisation(services, tx),
            client_id=f"caf-{secrets.token_hex(4)}",
            jwks={"keys": []},
            scope="consent_requests evidence",
            sealed=writer.seal("client", client_id, {"name": "CAF 93", "contact": "3230"}),
        )
        result = await tx.execute(
            text("SELECT client_id FROM unefois.client WHERE id = :id"), {"id": client_id}
        )
        row = await recipients.client(tx, macs, result.scalar_one())
    return await profiles.client(services, row)


async def _organisation(services: CoreServices, tx: Any) -> UUID:
    writer = await services.field_encryption.writer(None)
    organisation_id = new_id()
    values = {"name": "CCAS de Montreuil", "contact": "01 48 70 60 00"}
    await recipients.add_organisation(
        tx,
        id=organisation_id,
        sealed=writer.seal("organisation", organisation_id, values),
    )
    return organisation_id


async def make_document(
    services: CoreServices,
    person: Person,
    code: str,
    *,
    metadata: DocumentMetadata | None = None,
    scan: str = "clean",
) -> UUID:
    """The rows of a document, without content: no test here opens it."""
    document_id, version_id = new_id(), new_id()
    async with services.database.transaction() as tx:
        writer = await services.field_encryption.writer(person.id, tx)
        at = await instant(tx)
        values = metadata_values(
            metadata or DocumentMetadata(code, title="Mon papier"), {"kind": "owner"}
        )
        macs = await services.field_encryption.row_macs()
        document = {
            "id": document_id,
            "person_id": person.id,
            "version_id": version_id,
            "type_tag": await services.field_encryption.tag("document-type", person.id.bytes, code),
            "deposited_by_kind": "owner",
            "deposited_by_id": None,
            "revision": new_id(),
            "sealed": writer.seal("document", document_id, values),
            "created_at": at,
            "deleted_at": None,
            "typed_at": at,
        }
        await tx.execute(insert(Document).values(macs.add(DOCUMENT_ROW, document)))
        version = {
            "id": version_id,
            "document_id": document_id,
            "person_id": person.id,
            "number": 1,
            "content_tag": b"",
            "scan": scan,
            "sealed": b"",
            "created_at": at,
        }
        await tx.execute(insert(DocumentVersion).values(macs.add(VERSION_ROW, version)))
    return document_id


async def delete_document(services: CoreServices, document_id: UUID) -> None:
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        found = await tx.execute(select(Document.__table__).where(Document.id == document_id))
        await change_document(tx, macs, found.one(), deleted_at=await instant(tx))


def asking(
    *types: str,
    ids: tuple[UUID, ...] = (),
    actions: tuple[str, ...] = ("read",),
    duration: str = "P1M",
    **other: Any,
) -> Terms:
    """The terms of a request for some document types, as a worker enters them."""
    values: dict[str, Any] = {
        "purpose_code": "housing",
        "purpose": "Demande de logement social",
        "legal_basis": "consent",
        "may_store": False,
        "store_for": None,
        "contact": {"name": "Inès Moreau", "job": "AS", "phone": "0148706000", "hours": "9-12"},
    }
    return Terms(scope=scope_of(types, ids, actions), duration=duration, **{**values, **other})


async def log_of(
    services: CoreServices, person: Person | None, actor: Worker | Client | None = None
) -> Any:
    """The entries of a person's log (or of an actor's own log), oldest first, opened."""
    async with services.database.transaction() as tx:
        rows = await events_of(
            tx,
            person_tag=None if person is None else await services.audit_log.person_tag(person.id),
            actor_tag=None if actor is None else await services.audit_log.actor_tag(actor.actor()),
            limit=1000,
        )
        entries = await services.audit_log.open_entries(tx, rows)
    return [entry.values for entry in reversed(entries)]


async def instant_of(services: CoreServices) -> datetime:
    async with services.database.transaction() as tx:
        return await instant(tx)


async def request_from_worker(
    services: CoreServices, *types: str, **terms: Any
) -> tuple[Person, Worker, UUID]:
    """A person, a worker, and the worker's request to the person."""
    phone = a_phone()
    person, worker = await make_person(services, phone), await make_worker(services)
    sent = await ask(services, worker, phone, asking(*types, **terms))
    return person, worker, sent.id


async def fails(awaitable: Any) -> tuple[ErrorKind, str]:
    with pytest.raises(ServiceError) as failed:
        await awaitable
    return failed.value.kind, failed.value.code
