"""The desk: a card that wrong PINs barred is freed beside its person, a lost one is stopped.

Whoever does it shows the card, or its spare: its code is typed or scanned. The answer is the same
whatever becomes of it, so that the worker learns neither whose card it is nor whether it is one
that works; the person's log names the worker. ADR: docs/adr/0058-a-card-at-the-desk.md.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import card_means, card_tries, desk_rights, means_log, sessions
from auth.card_codes import CardText
from auth.rate_buckets import Rate, SharedBuckets
from auth.records import cards, pins
from auth.services import CoreServices
from auth.subjects import Worker
from base.errors import ErrorKind, ServiceError, about
from base.locks import hold_vault

AT_ONCE = 10
_RATE = Rate(AT_ONCE, timedelta(minutes=10))
"""Of cards that one worker frees or stops: a day at a reception centre, then one every ten
minutes."""


async def free(services: CoreServices, worker: Worker, typed: str) -> None:
    """Give back the tries of a card that wrong PINs barred, a few times between two right ones.

    Raises `ServiceError` INVALID `card_typo`, `card_of_another`, which no database is asked for;
    REFUSED `desk_not_allowed`; TOO_MANY `too_many_desk_cards`. Nothing says whether a card was
    freed.
    """
    text = await _shown(services, worker, typed, Action.MEANS_FREED)
    async with services.database.transaction() as tx:
        card, digits = await _held(services, tx, text)
        if card is None:
            await _not_there(services, tx, worker, Action.MEANS_FREED)
            return
        # Of two desks at once, the second sees what the first did: the vault is locked.
        reason = card_tries.refused_at_desk(card.wrong, digits)
        if reason is None:
            await _change(
                services, tx, worker, card, Action.MEANS_FREED, card_tries.freed_at_desk(card.wrong)
            )
            return
        await _not_done(services, tx, worker, card, Action.MEANS_FREED, reason)


async def stop(services: CoreServices, worker: Worker, typed: str) -> None:
    """Stop a card that was lost or stolen, by its spare: at once, with all that is open of its
    vault. Only another means of its person frees it again. A second time changes nothing, and is
    recorded.

    Raises as `free`.
    """
    text = await _shown(services, worker, typed, Action.MEANS_STOPPED)
    async with services.database.transaction() as tx:
        card, _ = await _held(services, tx, text)
        if card is None:
            await _not_there(services, tx, worker, Action.MEANS_STOPPED)
            return
        if card.wrong == card_tries.STOPPED:
            # Else whoever keeps the card ends what its person opens, and writes to them, at will.
            await _not_done(services, tx, worker, card, Action.MEANS_STOPPED, "card_stopped")
            return
        # Who found it may have opened a session before.
        ended = await sessions.end_with_account(tx, "person", card.person_id)
        named = {"ended": " ".join(str(one) for one in ended)} if ended else {}
        await _change(services, tx, worker, card, Action.MEANS_STOPPED, card_tries.STOPPED, **named)


async def _shown(services: CoreServices, worker: Worker, typed: str, action: Action) -> CardText:
    """What was typed, once a worker may do it now."""
    with about("card"):
        text = await card_means.read_card(services, typed)
    await desk_rights.check(services, worker, action)
    buckets = SharedBuckets(services, "desk-card", _RATE)
    wait = await desk_rights.take_turn(services, worker, action, buckets)
    if wait is not None:
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_desk_cards", retry_after=wait)
    return text


async def _held(services: CoreServices, tx: AsyncConnection, text: CardText) -> tuple[Any, int]:
    """The card as it is under its vault's lock, and how many digits its PIN has."""
    found = await card_means.card_of(services, tx, text)
    if found is None:
        return None, 0
    await hold_vault(tx, found.person_id)
    card = await card_means.card_of(services, tx, text)
    row = await pins.pin(tx, await services.field_encryption.row_macs(), found.person_id)
    return (None, 0) if card is None or row is None else (card, row.digits)


async def _change(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    card: Any,
    action: Action,
    wrong: int,
    **details: str,
) -> None:
    """Write it, tell the person, and a line that names the worker. A crash before the commit leaves
    the card as it was."""
    macs = await services.field_encryption.row_macs()
    await cards.change_card(tx, macs, card, wrong=wrong)
    await means_log.tell(services, tx, card.person_id, action)
    told: dict[str, str | int] = {"means": str(card.id), "kind": "card", "wrong": wrong, **details}
    await desk_rights.record(services, tx, worker, action, card.person_id, details=told)


async def _not_done(
    services: CoreServices,
    tx: AsyncConnection,
    worker: Worker,
    card: Any,
    action: Action,
    reason: card_tries.DeskRefusal,
) -> None:
    means, vault = {"means": str(card.id)}, card.person_id
    await desk_rights.record(services, tx, worker, action, vault, reason=reason, details=means)


async def _not_there(
    services: CoreServices, tx: AsyncConnection, worker: Worker, action: Action
) -> None:
    await desk_rights.record(services, tx, worker, action, None, reason="not_found")
