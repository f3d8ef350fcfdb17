"""What is said of a change of means: a line in the vault's log, and a message to its phone."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, Event, Outcome
from auth import messages, notifications
from auth.person_contact import contact_to_tell
from auth.services import CoreServices
from auth.subjects import Person
from base.db_time import instant
from base.ids import new_id

MeansReason = Literal[
    "not_found",
    "pin_weak",
    "last_means",
    "phone_not_added",
    "proof_needed",
    "proof_wrong",
    "too_many_proofs",
    "session_too_short",
    "too_many_pins",
    "changed_meanwhile",
    "too_many_cards",
    "assisted",
    "card_stopped",
    "too_many_anchors",
    "join_over",
    "join_not_now",
    "no_room",
    "paced",
    "phone_too_new",
    "card_too_new",
    "recovery_not_yet",
    "recovery_stopped",
    "recovery_over",
    "recovery_rival",
    "warning_unsent",
    "too_many_trusted",
    "trusted_over",
    "trusted_too_new",
    "too_many_representatives",
    "representation_over",
]
"""Why a change of means is refused: stored in the log, only ever added to."""


async def record(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    action: Action,
    *,
    reason: str = "",
    **details: str | int,
) -> None:
    """A line in the person's own log, refused when there is a `reason`."""
    await record_by(services, tx, person, action, person.actor(), details, reason)


async def record_by(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    action: Action,
    actor: Actor,
    details: Mapping[str, str | int],
    reason: str = "",
) -> None:
    """The same, of what a worker did beside them."""
    event = Event(
        new_id(),
        await instant(tx),
        action,
        Outcome.REFUSED if reason else Outcome.ALLOWED,
        actor,
        person.id,
        reason,
        details={"level": person.means.value, **details},
    )
    await services.audit_log.record(tx, event)


async def tell(
    services: CoreServices, tx: AsyncConnection, person_id: UUID, action: Action
) -> None:
    """A message to the phone that the vault has now; nobody is told where it has none."""
    contact = await contact_to_tell(services, tx, person_id)
    if contact.phone is not None:
        text = notifications.means_changed(services, contact.language, action)
        await messages.queue(services, tx, channel="sms", to=contact.phone, text=text)
