"""The desk: a vault opened beside somebody who has no phone, by a card and a PIN that they choose.

The worker beside them is named in its first line, and gets nothing by it: no grant, no id. Whether
the person has a vault already nobody can tell without their phone or their card: the worker asks
them first. ADR: docs/adr/0057-a-vault-at-the-desk.md.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Event, Outcome
from auth import means_log, pin_hashes, profiles
from auth.card_means import NewCard, add_card
from auth.empty_vaults import open_empty_vault
from auth.levels import Level
from auth.pin_rules import pin_weak, read_pin
from auth.pins import put_pin
from auth.rate_buckets import Rate, SharedBuckets
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.ids import new_id
from base.locks import hold_vault

AT_ONCE = 10
_RATE = Rate(AT_ONCE, timedelta(minutes=3))
"""A vault takes three minutes to open beside somebody: ten in a row are a day at a reception
centre, and one every three minutes after."""


async def open_vault(
    services: CoreServices, worker: Worker, *, language: str, pin: str, again: str
) -> NewCard:
    """Open a vault without a phone, with its first card.

    Raises `ServiceError` INVALID `pin_digits`, `pin_again`, `pin_weak`; REFUSED `desk_not_allowed`;
    TOO_MANY `too_many_vaults`; the two last are recorded, in the service's log. A crash before the
    commit leaves nothing; after it, a vault that nobody enters, which is empty.
    """
    digits = read_pin(pin, again)
    async with services.database.transaction() as tx:
        allowed = await may_open_vaults(services, tx, worker.organisation_id)
    if not allowed:
        await _refuse(services, worker, "desk_not_allowed")
        raise ServiceError(ErrorKind.REFUSED, "desk_not_allowed")
    taken = await SharedBuckets(services, "desk", _RATE).take(worker.id.bytes, 1)
    if not taken.granted:
        await _refuse(services, worker, "paced")
        wait = int(taken.wait) + 1
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_vaults", retry_after=wait)
    person = Person(await _id_for(services, digits), language, means=Level.CARD_PIN)
    async with services.database.transaction() as tx:
        # 1. The vault, whose first line names the worker.
        await open_empty_vault(
            services,
            tx,
            person,
            phone_tag=None,
            values={},
            opened_by=worker.actor(),
            details={"desk": 1},
        )
        # 2. Its PIN and its card, each a line.
        await hold_vault(tx, person.id)
        chosen = await put_pin(services, tx, person.id, digits)
        if chosen is None:
            raise pin_weak()
        card = await add_card(services, tx, person.id, chosen)
        told: dict[Action, dict[str, str | int]] = {
            Action.PIN_SET: {"edition": chosen.edition},
            Action.MEANS_ADDED: {"means": str(card.id), "kind": "card"},
        }
        for action, details in told.items():
            await means_log.record_by(services, tx, person, action, worker.actor(), details)
    return card


async def may_open_vaults(
    services: CoreServices, tx: AsyncConnection, organisation_id: UUID
) -> bool:
    """Whether the operator lets a structure open vaults."""
    organisation = await profiles.organisation(services, tx, organisation_id)
    return organisation is not None and organisation.opens_vaults


async def _id_for(services: CoreServices, digits: str) -> UUID:
    """An id for which the PIN is no decoy: none is needed where no other vault is on a phone."""
    while await pin_hashes.is_decoy(services, person_id := new_id(), digits):
        pass
    return person_id


async def _refuse(services: CoreServices, worker: Worker, reason: str) -> None:
    async with services.database.transaction() as tx:
        event = Event(
            new_id(),
            await instant(tx),
            Action.VAULT_OPENED,
            Outcome.REFUSED,
            worker.actor(),
            None,
            reason,
            details={"desk": 1},
        )
        await services.audit_log.record(tx, event)
