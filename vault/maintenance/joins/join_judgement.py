"""Why two vaults may not become one now: judged before the costly work of a yes, and again under
the locks of both. Each is a refusal of a change of means, which its caller records."""

from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from auth import joined_means, proof_waits
from auth.card_means import too_many_cards
from auth.means_changes import NotChanged
from auth.new_means import judge_age
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError
from vault.documents.moves.moved_papers import check_room_for
from vault.maintenance.erasure_requests import erases_at_within
from vault.maintenance.joins.join_rules import state_of_join
from vault.maintenance.joins.join_views import facts_of, is_asked
from vault.services import Services


async def judge_yes(
    services: Services, tx: AsyncConnection, person: Person, row: Row[Any] | None
) -> NotChanged | None:
    """Whether a yes in the vault of `person`, which stays, is refused; `row`: of the join, which
    was checked. `join_over`, `join_not_now`, `means_too_new`, `too_many_cards`, no room."""
    if row is None or row.stays_id != person.id or state_of_join(facts_of(row)) != "answered":
        return over()
    if not await is_asked(services, tx, row):
        return over()  # it was withdrawn: closed elsewhere, as after a card that was stopped
    if not await joined_means.is_there(services, tx, row.person_id):
        return over()
    # The means of the other vault were old enough when it asked: any change withdraws the join.
    refused = await judge_age(services, tx, person.id)
    for one in (person.id, row.person_id):
        refused = refused or await judge_waits(services, tx, one)
    if refused is not None:
        return refused
    if (await joined_means.coming_means(services, tx, person.id, row.person_id)).too_many:
        return NotChanged("too_many_cards", too_many_cards())
    try:
        await check_room_for(services, tx, person.id, row.person_id)
    except ServiceError as error:
        return NotChanged("no_room", error)
    return None


async def judge_waits(
    services: Services, tx: AsyncConnection, person_id: UUID
) -> NotChanged | None:
    """`join_not_now` while an erasure, or a change without a proof, waits in a vault."""
    waiting = await erases_at_within(services, tx, person_id) is not None
    if waiting or await proof_waits.first_of(services, tx, Person(person_id)) is not None:
        return NotChanged("join_not_now", ServiceError(ErrorKind.CONFLICT, "join_not_now"))
    return None


def over() -> NotChanged:
    """What is there no more, or came too late."""
    return NotChanged("join_over", ServiceError(ErrorKind.CONFLICT, "join_over"))
