"""What ends of a vault's consents with it: its living grants and its waiting requests, each by an
act of its own, as its person's."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.services import CoreServices
from auth.subjects import Person
from storage.row_macs import RowAltered
from vault.consent.answers import refuse_within
from vault.consent.consent_acts import ConsentAct
from vault.consent.grants import living_ids, opened, revoke_within
from vault.consent.records import grants as grant_records
from vault.consent.records import requests as request_records
from vault.consent.request_views import received
from vault.decisions import Denial

_PAGE = 100


@dataclass(frozen=True, slots=True)
class EndedConsents:
    """Whose accesses end, and whose requests: the name and the structure of each."""

    grants: tuple[tuple[str, str], ...] = field(repr=False)
    requests: tuple[tuple[str, str], ...] = field(repr=False)


async def of_vault(services: CoreServices, tx: AsyncConnection, person_id: UUID) -> EndedConsents:
    """What would end: the first hundred of each, to be shown."""
    grants = await grant_records.grants_of_person(
        tx, person_id, state="live", after=None, limit=_PAGE
    )
    waiting = await request_records.requests_of_person(tx, person_id, after=None, limit=_PAGE)
    views = [await opened(services, row, tx) for row in grants[:_PAGE]]
    asked = [await received(services, tx, row) for row in waiting[:_PAGE] if row.rank]
    return EndedConsents(
        tuple(_named(one.recipient) for one in views),
        tuple(_named(one.requester) for one in asked),
    )


async def seeing_later(
    services: CoreServices, tx: AsyncConnection, person_id: UUID
) -> tuple[tuple[str, str], ...]:
    """Who sees the papers of their types that come into a vault: the first hundred."""
    grants = await grant_records.grants_of_later(tx, person_id, limit=_PAGE)
    views = [await opened(services, row, tx) for row in grants[:_PAGE]]
    return tuple(_named(one.recipient) for one in views)


async def end_all(
    services: CoreServices, tx: AsyncConnection, person: Person, act: ConsentAct | None
) -> None:
    """End them all, in the caller's transaction, which MUST hold the vault. Running downloads stop
    when it commits; who asked sees what an unanswered request looks like. `act`: by which the
    person ends them; None by the API."""
    for grant_id in await living_ids(tx, person.id):
        ended = await revoke_within(services, tx, person, grant_id, act)
        if isinstance(ended, Denial):
            raise RowAltered("grant")
    while True:
        rows = await request_records.requests_of_person(tx, person.id, after=None, limit=_PAGE)
        waiting = [row for row in rows if row.rank]
        for row in waiting:
            await refuse_within(services, tx, person, row.id)
        if not waiting:
            return


def _named(who: dict[str, str]) -> tuple[str, str]:
    return who["name"], who.get("organisation", "")
