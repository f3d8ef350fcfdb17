"""What the tests of this folder share: reconciling, and the people of a story."""

import io
from typing import Any
from uuid import UUID

import httpx
from PIL import ExifTags, Image

from audit.events import Action, Event, Outcome
from auth import administration, profiles
from auth.records import recipients
from auth.subjects import Worker
from base.db_time import instant
from base.ids import new_id
from tests.fixtures import SomePerson
from tests.steps import Document, deposit
from vault.consent import grant_issue
from vault.consent.grant_issue import GrantDraft, RecipientRef
from vault.consent.grants import GrantView
from vault.consent.scopes import scope_of
from vault.reconciliation.reconciliation import Reconciled, reconcile
from vault.services import Services


async def report(services: Services) -> Reconciled:
    return await reconcile(services, lambda _done, _of: None)


async def found(services: Services) -> set[str]:
    """The faults: `what table id` each."""
    faults = (await report(services)).faults.listed
    return {f"{fault.what} {fault.table} {fault.id}" for fault in faults}


async def worker_id(services: Services, email: str = "") -> str:
    """A worker, added as the operator does."""
    organisation = await administration.add_organisation(services, name="CCAS", contact="01")
    address = email or f"m{new_id().hex}@ccas.example"
    return str(
        await administration.add_worker(
            services, organisation_id=organisation, name="Inès", job="AS", email=address
        )
    )


async def a_worker(services: Services) -> Worker:
    """The same, as the subject of what they do."""
    added = UUID(await worker_id(services))
    async with services.database.transaction() as tx:
        row = await recipients.worker(tx, await services.field_encryption.row_macs(), added)
    assert row is not None
    return await profiles.worker(
        services, row.id, row.organisation_id, row.sealed, row.organisation_sealed
    )


def picture(shade: int) -> bytes:
    """A photograph that says by which device it was made: recipients get another file."""
    data, exif = io.BytesIO(), Image.Exif()
    exif[ExifTags.Base.Make] = "Fabricant"
    Image.new("RGB", (60, 40), (shade, 90, 90)).save(data, "JPEG", exif=exif)
    return data.getvalue()


async def a_document(client: httpx.AsyncClient, person: SomePerson, shade: int = 1) -> Document:
    return await deposit(client, person, picture(shade), name="photo.jpg", type_="payslip")


async def a_grant(services: Services, person: SomePerson, worker: str, *papers: UUID) -> GrantView:
    """Of the pay slips, or of some papers."""
    return await grant_issue.give(
        services,
        person.subject,
        GrantDraft(
            recipient=RecipientRef(worker_id=UUID(worker)),
            scope=scope_of(() if papers else ("payslip",), papers, ("read",)),
            purpose_code="housing",
            purpose="Un logement",
            duration="P1M",
        ),
    )


async def record(
    services: Services, action: Action, person: SomePerson | None, **rest: Any
) -> None:
    """An event, as the service writes it."""
    async with services.database.transaction() as tx:
        actor = rest.pop("actor", None) or (person.subject.actor() if person else None)
        assert actor is not None
        event = Event(
            id=new_id(),
            at=rest.pop("at", None) or await instant(tx),
            action=action,
            outcome=rest.pop("outcome", Outcome.ALLOWED),
            actor=actor,
            person=None if person is None else person.id,
            **rest,
        )
        await services.audit_log.record(tx, event)
