"""The desk: a vault opened beside somebody who has no phone, by a card and a PIN that they choose.

The worker beside them is named in its first line, and gets nothing by it: no grant, no id. Whether
the person has a vault already nobody can tell without their phone or their card: the worker asks
them first. ADR: docs/adr/0057-a-vault-at-the-desk.md.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import anchors, closings, desk_rights, means_log, pin_hashes
from auth.card_codes import CardText
from auth.card_means import PlannedCard, add_card, card_of, plan_card
from auth.empty_vaults import open_empty_vault
from auth.levels import Level
from auth.pin_rules import pin_weak, read_pin
from auth.pins import TypedChoice, derive, put_pin
from auth.rate_buckets import Rate, SharedBuckets
from auth.records import desk_forms
from auth.services import CoreServices
from auth.subjects import Person, Worker
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, about
from base.ids import new_id
from base.key_names import DESK_FORM
from base.locks import hold_tag, hold_vault
from base.user_text import clean_title

AT_ONCE = 10
_RATE = Rate(AT_ONCE, timedelta(minutes=3))
"""A vault takes three minutes to open beside somebody: ten in a row are a day at a reception
centre, and one every three minutes after."""
MAX_NAME = 60
FORMS_KEPT = timedelta(hours=1)
"""A form can be sent for half an hour after its card was drawn (`web/pages/desk_visits.py`)."""
InCommit = Callable[[AsyncConnection, Person], Awaitable[None]]
"""What a caller does with a vault that is being opened, in the same commit."""
_Made = Literal["open", "ended"]
"""What a form opened: a vault whose card is there, or was ended since."""


@dataclass(frozen=True, slots=True)
class DeskVault:
    """What the person beside the worker chose: a language, a PIN that they typed twice, what they
    want to be called and the tag of their `anchor` (`auth/anchors.py: tag_of`), if they do."""

    language: str
    pin: str = field(repr=False)
    again: str = field(repr=False)
    name: str = field(default="", repr=False)
    anchor: bytes | None = field(default=None, repr=False)


async def open_vault(services: CoreServices, worker: Worker, wanted: DeskVault) -> PlannedCard:
    """Open a vault without a phone, with its first card.

    Raises `ServiceError` INVALID `pin_digits`, `pin_again`, `pin_weak`, `text_too_long`; REFUSED
    `desk_not_allowed`; TOO_MANY `too_many_vaults`; the two last are recorded, in the service's log.
    A crash before the commit leaves nothing; after it, a vault that nobody enters, which is empty.
    """
    card = await plan_card(services)
    await open_planned(services, worker, card, wanted)
    return card


async def open_planned(
    services: CoreServices,
    worker: Worker,
    card: PlannedCard,
    wanted: DeskVault,
    *,
    in_commit: InCommit | None = None,
) -> bool:
    """The same, with a card that was planned before; False where it is there already: the form was
    sent twice, and the PIN is the one that came first. `in_commit` runs last, and not for a form
    that was sent. Raises as `open_vault`; CONFLICT `desk_form_sent` for a form that opened a vault
    whose card was ended since, REFUSED `service_closed` after the last day, both recorded."""
    digits = read_pin(wanted.pin, wanted.again)
    with about("name"):
        name = clean_title(wanted.name, MAX_NAME)
    await desk_rights.check(services, worker, Action.VAULT_OPENED)
    async with services.database.transaction() as tx:
        made = await _made(services, tx, card)
        closed = await closings.is_over(services, tx)
    if made is not None:
        return await _not_again(services, worker, made)
    if closed:
        await desk_rights.refuse(services, worker, Action.VAULT_OPENED, "closed")
        raise closings.service_closed()
    buckets = SharedBuckets(services, "desk", _RATE)
    wait = await desk_rights.take_turn(services, worker, Action.VAULT_OPENED, buckets)
    if wait is not None:
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_vaults", retry_after=wait)
    person = Person(await _id_for(services, digits), wanted.language, means=Level.CARD_PIN)
    typed = await derive(services, person.id, digits)
    async with services.database.transaction() as tx:
        # Of two forms at once, the second sees what the first made.
        await hold_tag(tx, card.id.bytes[8:])
        made = await _made(services, tx, card)
        if made is None:
            await _open(services, tx, worker, person, wanted, name, typed, card)
            if in_commit is not None:
                await in_commit(tx, person)
    return True if made is None else await _not_again(services, worker, made)


async def _open(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    person: Person,
    wanted: DeskVault,
    name: str | None,
    typed: TypedChoice,
    card: PlannedCard,
) -> None:
    """The caller holds the card's tag."""
    await desk_forms.note_sent(tx, await _form_tag(services, card), await instant(tx))
    # 1. The vault, whose first line names the worker.
    await open_empty_vault(
        services,
        tx,
        person,
        phone_tag=None,
        values={"name": name} if name else {},
        opened_by=worker.actor(),
        details={"desk": 1},
    )
    # 2. Its PIN, its card and its anchor, each a line.
    await _add_means(services, tx, worker, person, typed, card)
    if wanted.anchor is not None:
        await anchors.enrol_at_desk(services, tx, worker, person, wanted.anchor)


async def _not_again(services: CoreServices, worker: Worker, made: _Made) -> bool:
    """A form that opened a vault opens no second one, whatever became of the card."""
    if made == "ended":
        await desk_rights.refuse(services, worker, Action.VAULT_OPENED, "desk_form_sent")
        raise ServiceError(ErrorKind.CONFLICT, "desk_form_sent")
    return False


async def is_open(services: CoreServices, card: PlannedCard) -> bool:
    """Whether a planned card is there: its vault was opened, and the card was not ended since."""
    async with services.database.transaction() as tx:
        return await _is_there(services, tx, card)


async def _made(services: CoreServices, tx: AsyncConnection, card: PlannedCard) -> _Made | None:
    """What became of a form that was sent before; None for one that opened nothing."""
    if await _is_there(services, tx, card):
        return "open"
    sent = await desk_forms.was_sent(tx, await _form_tag(services, card))
    return "ended" if sent else None


async def _form_tag(services: CoreServices, card: PlannedCard) -> bytes:
    """A form, by the card that was drawn for it; no tag of that card's is the same."""
    return await services.field_encryption.tag(DESK_FORM, card.id.bytes)


async def _add_means(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    person: Person,
    typed: TypedChoice,
    card: PlannedCard,
) -> None:
    await hold_vault(tx, person.id)
    chosen = await put_pin(services, tx, person.id, typed)
    if chosen is None:
        raise pin_weak()
    await add_card(services, tx, person.id, chosen, card)
    told: dict[Action, dict[str, str | int]] = {
        Action.PIN_SET: {"edition": chosen.edition},
        Action.MEANS_ADDED: {"means": str(card.id), "kind": "card"},
    }
    for action, details in told.items():
        await means_log.record_by(services, tx, person, action, worker.actor(), details)


async def _is_there(services: CoreServices, tx: AsyncConnection, card: PlannedCard) -> bool:
    return await card_of(services, tx, CardText("code", card.code)) is not None


async def _id_for(services: CoreServices, digits: str) -> UUID:
    """An id for which the PIN is no decoy: none is needed where no other vault is on a phone."""
    while await pin_hashes.is_decoy(services, person_id := new_id(), digits):
        pass
    return person_id
