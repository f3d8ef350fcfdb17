"""People, workers and papers to try consent upon, and reading of their logs."""

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from audit.records import events_of
from auth import profiles
from auth.desk import Desk
from auth.records import people, recipients
from auth.records.instants import instant
from auth.subjects import Client, Person, Worker
from base.ids import new_id
from vault.papers import Facts, facts_values
from vault.records.tables import Document, DocumentVersion
from vault.scopes import scope_of
from vault.terms import Terms


def a_phone() -> str:
    return f"+3361{secrets.randbelow(10**7):07}"


async def make_person(desk: Desk, phone: str | None = None) -> Person:
    person = Person(new_id())
    async with desk.database.transaction() as tx:
        await desk.fields.create_owner(tx, person.id)
        sealer = await desk.fields.of(person.id, tx)
        await people.add_person(
            tx,
            id=person.id,
            phone_tag=await desk.fields.tag("phone", phone or a_phone()),
            language="fr",
            sealed=sealer.seal("person", person.id, {"phone": phone}),
        )
    return person


async def make_worker(
    desk: Desk, *, name: str = "Inès Moreau", email: str | None = None,
    organisation_id: UUID | None = None,
) -> Worker:  # fmt: skip
    sealer = await desk.fields.of_service()
    email = email or f"{secrets.token_hex(6)}@ccas.example"
    worker_id = new_id()
    values = {"name": name, "job": "Assistante sociale", "email": email, "phone": "", "hours": ""}
    async with desk.database.transaction() as tx:
        if organisation_id is None:
            organisation_id = await _organisation(desk, tx)
        await recipients.add_worker(
            tx,
            id=worker_id,
            organisation_id=organisation_id,
            email_tag=await desk.fields.tag("email", email),
            sealed=sealer.seal("worker", worker_id, values),
        )
        row = await recipients.worker(tx, worker_id)
    assert row is not None
    return await profiles.worker(
        desk, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


async def make_client(desk: Desk) -> Client:
    sealer = await desk.fields.of_service()
    client_id = new_id()
    async with desk.database.transaction() as tx:
        await recipients.add_client(
            tx,
            id=client_id,
            organisation_id=await _organisation(desk, tx),
            client_id=f"caf-{secrets.token_hex(4)}",
            jwks={"keys": []},
            scope="consent_requests evidence",
            sealed=sealer.seal("client", client_id, {"name": "CAF 93", "contact": "3230"}),
        )
        found = await tx.execute(
            text("SELECT client_id FROM unefois.client WHERE id = :id"), {"id": client_id}
        )
        row = await recipients.client(tx, found.scalar_one())
    return await profiles.client(desk, row)


async def _organisation(desk: Desk, tx: Any) -> UUID:
    sealer = await desk.fields.of_service()
    organisation_id = new_id()
    values = {"name": "CCAS de Montreuil", "contact": "01 48 70 60 00"}
    await recipients.add_organisation(
        tx,
        id=organisation_id,
        sealed=sealer.seal("organisation", organisation_id, values),
    )
    return organisation_id


async def make_document(
    desk: Desk, person: Person, code: str, *, facts: Facts | None = None, scan: str = "clean"
) -> UUID:
    """A paper's rows, without content: nothing here opens any."""
    document_id, version_id = new_id(), new_id()
    async with desk.database.transaction() as tx:
        sealer = await desk.fields.of(person.id, tx)
        at = await instant(tx)
        values = facts_values(facts or Facts(code, title="Mon papier"), {"kind": "owner"})
        await tx.execute(
            insert(Document).values(
                id=document_id,
                person_id=person.id,
                version_id=version_id,
                type_tag=await desk.fields.tag("document-type", person.id.bytes, code),
                deposited_by_kind="owner",
                revision=new_id(),
                sealed=sealer.seal("document", document_id, values),
                created_at=at,
                typed_at=at,
            )
        )
        await tx.execute(
            insert(DocumentVersion).values(
                id=version_id,
                document_id=document_id,
                person_id=person.id,
                number=1,
                content_tag=b"",
                scan=scan,
                sealed=b"",
            )
        )
    return document_id


async def delete_document(desk: Desk, document_id: UUID) -> None:
    async with desk.database.transaction() as tx:
        await tx.execute(
            text("UPDATE unefois.document SET deleted_at = unefois.now() WHERE id = :id"),
            {"id": document_id},
        )


def asking(
    *types: str,
    ids: tuple[UUID, ...] = (),
    actions: tuple[str, ...] = ("read",),
    duration: str = "P1M",
    **other: Any,
) -> Terms:
    """A request for some types, as a worker fills it in."""
    values: dict[str, Any] = {
        "purpose_code": "housing",
        "purpose": "Demande de logement social",
        "legal_basis": "consent",
        "may_store": False,
        "store_for": None,
        "contact": {"name": "Inès Moreau", "job": "AS", "phone": "0148706000", "hours": "9-12"},
    }
    return Terms(scope=scope_of(types, ids, actions), duration=duration, **{**values, **other})


async def log_of(desk: Desk, person: Person | None, actor: Worker | Client | None = None) -> Any:
    """The lines of a person's log (or of an actor's doings), oldest first, opened."""
    async with desk.database.transaction() as tx:
        rows = await events_of(
            tx,
            person_tag=None if person is None else await desk.ledger.person_tag(person.id),
            actor_tag=None if actor is None else await desk.ledger.actor_tag(actor.actor()),
            limit=1000,
        )
        lines = await desk.ledger.open_lines(tx, rows)
    return [line.values for line in reversed(lines)]


async def instant_of(desk: Desk) -> datetime:
    async with desk.database.transaction() as tx:
        return await instant(tx)
