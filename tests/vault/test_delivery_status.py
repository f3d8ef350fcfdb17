"""Whether content was sent: what cannot be written never holds up the rest."""

from uuid import UUID

import httpx
from sqlalchemy import select

from audit.records import AccessOutcome
from base.ids import new_id
from tests.fixtures import MakePerson
from tests.steps import deposit, log_of
from tests.vault.decoding import corpus
from vault.delivery_status import DeliveryStatusWriter
from vault.services import Services


async def test_an_unknown_event_does_not_hold_up_its_batch(
    services: Services, client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    """A row refers to its event: one id that is no event's would fail the whole batch, for ever."""
    person = await make_person()
    await deposit(client, person, corpus.pdf(1))
    known, unknown = UUID((await log_of(client, person))[0]["id"]), new_id()
    writer = DeliveryStatusWriter(services.database, services.field_encryption)
    writer.note(unknown, completed=True)
    writer.note(known, completed=True)
    await writer.stop()  # writes what is queued, or raises
    query = select(AccessOutcome.event_id).where(AccessOutcome.event_id.in_([known, unknown]))
    async with services.database.transaction() as tx:
        assert (await tx.execute(query)).scalars().all() == [known]
