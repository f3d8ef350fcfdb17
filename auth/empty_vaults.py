"""An empty vault: keys, row and the first line of its log, in the caller's transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, Event, Outcome
from auth.records import people
from auth.services import CoreServices
from auth.subjects import Person
from base.db_time import instant
from base.ids import new_id
from base.key_names import PERSON

_NOTHING: Mapping[str, str | int] = {}


async def open_empty_vault(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    *,
    phone_tag: bytes | None,
    values: Mapping[str, Any],
    opened_by: Actor,
    details: Mapping[str, str | int] = _NOTHING,
) -> None:
    """`values`: what is sealed of the person, such as their phone. A crash before the commit leaves
    nothing."""
    at = await instant(tx)
    await services.field_encryption.create_owner(tx, person.id)
    await services.audit_log.prepare(tx, person.id, at.year)
    writer = await services.field_encryption.writer(person.id, tx)
    await people.add_person(
        tx,
        await services.field_encryption.row_macs(),
        at,
        id=person.id,
        phone_tag=phone_tag,
        language=person.language,
        sealed=writer.seal(PERSON, person.id, dict(values)),
    )
    event = Event(
        new_id(),
        at,
        Action.VAULT_OPENED,
        Outcome.ALLOWED,
        opened_by,
        person.id,
        details=dict(details),
    )
    await services.audit_log.record(tx, event)
