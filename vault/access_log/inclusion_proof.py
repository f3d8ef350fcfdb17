"""The proof of an entry of a person's own log: event, key, index, inclusion, checkpoint."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from audit.records import events_of
from audit.tlog.transparency_log import Inclusion
from auth.subjects import Person
from base.errors import not_found
from vault.access_log.entries import see_for_person
from vault.services import Services


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What can be verified offline with only the log's public key. `inclusion` is None until the
    event is integrated into the tree."""

    event: dict[str, Any] = field(repr=False)
    k_event: bytes = field(repr=False)
    commitment: bytes
    sealed_sha256: bytes
    inclusion: Inclusion | None


async def prove_inclusion(services: Services, person: Person, event_id: UUID) -> InclusionProof:
    """The proof of one entry of the person's own log. Reading it is not an access: not recorded.
    Raises `ServiceError` `not_found`, also for one that is kept back from who is beside them."""
    if person.beside is not None or person.represented_by is not None:
        await see_for_person(services, person, event_id)
    tag = await services.audit_log.person_tag(person.id)
    async with services.database.transaction() as tx:
        rows = await events_of(tx, person_tag=tag, event_id=event_id, limit=1)
        entries = await services.audit_log.open_entries(tx, rows)
    if not entries or entries[0].values is None or entries[0].k_event is None:
        raise not_found()
    return InclusionProof(
        event=entries[0].values,
        k_event=entries[0].k_event,
        commitment=rows[0].commitment,
        sealed_sha256=sha256(rows[0].sealed).digest(),
        inclusion=await services.transparency_log.inclusion(event_id),
    )
