"""How every change of what opens a vault is made: proved, locked, done, recorded either way."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import holder_proofs, means_log
from auth.holder_proofs import Proof, ShownProof
from auth.means_log import MeansReason
from auth.pins import derive, hold_means, take_choice
from auth.records import joins
from auth.services import CoreServices
from auth.subjects import Person
from base.errors import ErrorKind, ServiceError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotChanged:
    """What a change answers in the place of its result: why, for the log, and for the caller."""

    reason: MeansReason
    error: ServiceError


Change = Callable[[AsyncConnection, Any, ShownProof], Awaitable[T | NotChanged]]
"""A change, in a transaction that holds the locks of the vault's means; given the person's row, and
the proof that was right."""


async def change(
    services: CoreServices,
    person: Person,
    action: Action,
    proof: Proof,
    act: Change[T],
    *,
    chooses_pin: str = "",
) -> T:
    """Change the caller's means. `chooses_pin`: the PIN that is chosen by it, which counts as one,
    and is `ShownProof.chosen` for `act`.

    Raises as `auth.holder_proofs.show`, `auth.pins.take_choice`, and what `act` answers;
    `ServiceError` PRECONDITION `changed_meanwhile` where the phone changed just before. Refusals
    are recorded. A crash before the commit leaves everything as it was.
    """
    shown = await holder_proofs.show(services, person, action, proof)
    if chooses_pin:
        await take_choice(services, person, action)
        shown = replace(shown, chosen=await derive(services, person.id, chooses_pin))
    async with services.database.transaction() as tx:
        outcome = await settle(services, tx, person, action, shown, act)
    if isinstance(outcome, NotChanged):
        raise outcome.error
    return outcome


async def settle(
    services: CoreServices,
    tx: AsyncConnection,
    person: Person,
    action: Action,
    shown: ShownProof,
    act: Change[T],
    held: Sequence[bytes] | None = None,
) -> T | NotChanged:
    """The same, in the caller's transaction, which it MUST commit whatever this answers. `held`: as
    for `hold_means`."""
    row = await hold_means(services, tx, person.id, held)
    outcome: T | NotChanged
    if row is None:
        error = ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
        outcome = NotChanged("changed_meanwhile", error)
    elif not await holder_proofs.serves(services, tx, person, shown):
        error = ServiceError(ErrorKind.REFUSED, "proof_wrong")
        outcome = NotChanged("proof_wrong", error)
    else:
        outcome = await act(tx, row, shown)
    if isinstance(outcome, NotChanged):
        await means_log.record(services, tx, person, action, reason=outcome.reason)
    else:
        await holder_proofs.spend(services, tx, person, shown)
        if action is not Action.JOIN_ASKED:
            # What was begun before is withdrawn: by other means, another may have begun it.
            await joins.drop_unmade(tx, person.id)
    return outcome
