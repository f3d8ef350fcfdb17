"""The opening of a recovery: the vault that waits ends in the one that its person had lost, in one
commit. A crash before it leaves both as they were; after it, the card and the PIN enter.

Nobody is inside the former vault before that, and nothing of it is erased. Judged by the database's
clock, when its person says so: no job has to run. ADR: docs/adr/0063-recovery-with-people.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import holder_proofs, joined_means, means_log, proof_waits
from auth.holder_proofs import ShownProof
from auth.joined_means import Manner
from auth.levels import Level
from auth.living_vaults import hold_living_vault
from auth.means_changes import NotChanged, settle
from auth.pin_rules import read_pin
from auth.pins import TypedChoice
from auth.records import joins, people
from auth.session_start import NewSession, open_recorded_session
from auth.subjects import Person
from auth.visitor import UNKNOWN, Visitor
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, not_found
from base.ids import new_id
from base.key_names import JOIN
from base.locks import hold_tags
from storage.row_macs import RowAltered
from vault.documents.moves import moved_papers
from vault.maintenance import erasure_requests
from vault.maintenance.cleanup import remove_blobs
from vault.maintenance.joins.union import TypedYes
from vault.maintenance.joins.united_vaults import United, lead_on, record_left, unite
from vault.recovery import records, recovery_agents, stop_lines
from vault.recovery.formers import JudgedRecovery, judged
from vault.recovery.recovery_rules import NotOpened, may_open
from vault.recovery.recovery_values import Agent, kept_of
from vault.services import Services

_OPENED = Action.RECOVERY_OPENED
_ERRORS: Mapping[NotOpened, tuple[ErrorKind, str]] = {
    "recovery_not_yet": (ErrorKind.CONFLICT, "recovery_not_yet"),
    "recovery_stopped": (ErrorKind.CONFLICT, "recovery_stopped"),
    "recovery_over": (ErrorKind.CONFLICT, "recovery_over"),
    "recovery_rival": (ErrorKind.CONFLICT, "recovery_rival"),
    "warning_unsent": (ErrorKind.CONFLICT, "recovery_warning_unsent"),
}


async def open_former(
    services: Services, person: Person, typed: TypedYes, visitor: Visitor = UNKNOWN
) -> NewSession:
    """Open the former vault from the one that waits, which ends in it: a session of it.

    Raises as `auth.holder_proofs.show`, `auth.pin_rules.read_pin`; `ServiceError` NOT_FOUND where
    there is no recovery, CONFLICT `recovery_not_yet`, `recovery_stopped`, `recovery_over`,
    `recovery_rival`, `recovery_warning_unsent`; INVALID `pin_weak`, TOO_MANY `too_many_pins`,
    PRECONDITION `changed_meanwhile`. Refusals are recorded. Raises `RowAltered` for a row that was
    put back after it was stopped.
    """
    digits = read_pin(typed.pin, typed.again)
    shown = await holder_proofs.show(services, person, _OPENED, typed.proof, or_waited=False)
    prepared = await _prepare(services, person, digits)
    outcome = await _open(services, person, prepared, shown, typed, visitor)
    if isinstance(outcome, NotChanged):
        raise outcome.error
    opened, blob_keys = outcome
    await remove_blobs(services, blob_keys)
    return opened


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is costly, or counted, and done before any lock: looked at again under it. `phones`: of
    the former vault and of the one that waits; `tags`: of the papers that may be in both."""

    former: Person
    phones: list[bytes]
    manner: Manner
    chosen: TypedChoice
    tags: dict[UUID, bytes] = field(repr=False)


_Opened = tuple[NewSession, tuple[str, ...]]


async def _prepare(services: Services, person: Person, digits: str) -> _Prepared:
    """Refused first, and at little cost, where it cannot be."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.of_waiting(tx, macs, person.id)
        found = await _judge(services, tx, row)
        if isinstance(found, NotChanged):
            await means_log.record(services, tx, person, _OPENED, reason=found.reason)
        elif row is not None:
            has, gets = [
                await joined_means.phones_of(services, tx, one) for one in (found.id, person.id)
            ]
            manner = await _manner(services, row)
    if isinstance(found, NotChanged):
        raise found.error
    kept = ([] if manner.phone_goes else has, gets)
    vaults = (found.id, person.id)
    chosen = await joined_means.choose(services, person, vaults, digits, kept, manner)
    tags = await moved_papers.possible_doubles(services, *vaults)
    return _Prepared(found, [*has, *gets], manner, chosen, tags)


async def _judge(
    services: Services, tx: AsyncConnection, row: Row[Any] | None
) -> Person | NotChanged:
    """The former vault, if its person may open it now; `row`: of the recovery, which was checked.
    A worker who was barred meanwhile vouches for nobody."""
    if row is None:
        return NotChanged("not_found", not_found())
    recovery = await judged(services, tx, row)
    agents = (await kept_of(services, row)).agents
    refused = may_open(
        recovery.facts,
        agents_active=await recovery_agents.are_active(services, tx, agents),
        warning_waits=await _warning_waits(services, tx, row),
    )
    if refused is not None:
        return NotChanged(refused, ServiceError(*_ERRORS[refused]))
    return await _former(services, tx, recovery)


async def _warning_waits(_services: Services, _tx: AsyncConnection, _row: Row[Any]) -> bool:
    """Whether a warning was not sent yet: it could not be answered."""
    return False


async def _former(services: Services, tx: AsyncConnection, recovery: JudgedRecovery) -> Person:
    """The person of the former vault, who spoke for themselves in the one that waits."""
    assert recovery.former_id is not None  # noqa: S101  (else it is not ready)
    macs = await services.field_encryption.row_macs()
    found = await people.person(tx, macs, recovery.former_id)
    if found is None:
        raise LookupError("a vault vanished within a transaction")
    return Person(found.id, found.language, means=Level.CARD_PIN)


async def _check_log(services: Services, tx: AsyncConnection, former: UUID, row: Row[Any]) -> None:
    """Raises `RowAltered` for a row that lives where the log says that it was stopped."""
    for vault in {former, row.former_id}:
        if await stop_lines.was_stopped(services, tx, vault, row):
            raise RowAltered("recovery")


async def _manner(services: Services, row: Row[Any]) -> Manner:
    """The number of a vault that slept may be another's."""
    kept = await kept_of(services, row)
    return Manner(_OPENED, replaces=True, phone_goes=kept.asleep)


async def _open(
    services: Services,
    person: Person,
    prepared: _Prepared,
    shown: ShownProof,
    typed: TypedYes,
    visitor: Visitor,
) -> _Opened | NotChanged:
    former, phones = prepared.former, prepared.phones

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> _Opened | NotChanged:
        if await joined_means.phones_of(services, tx, former.id, person.id) != phones:
            return _changed()
        # All of it, or nothing but the line of the refusal.
        async with tx.begin_nested() as attempt:
            outcome = await _unite(services, tx, person, prepared, typed, visitor)
            if isinstance(outcome, NotChanged):
                await attempt.rollback()
        return outcome

    async with services.database.transaction() as tx:
        # The phones, then both vaults, in one order for everyone; then the row: of an opening and a
        # stop at once, the second finds what the first did.
        await hold_tags(tx, phones)
        await hold_tags(tx, (former.id.bytes[8:], person.id.bytes[8:]))
        await hold_living_vault(tx, person.id)
        return await settle(services, tx, person, _OPENED, shown, act, phones)


async def _unite(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    prepared: _Prepared,
    typed: TypedYes,
    visitor: Visitor,
) -> _Opened | NotChanged:
    """The caller holds both vaults and their phones."""
    macs = await services.field_encryption.row_macs()
    row = await records.of_waiting_to_change(tx, macs, person.id)
    # 1. Judged again: stopped, erased, or another one opened it meanwhile.
    former = await _judge(services, tx, row)
    if isinstance(former, NotChanged):
        return former
    if row is None or former.id != prepared.former.id:
        return _changed()
    await _check_log(services, tx, former.id, row)
    # 2. What waits in either vault was asked by who had its means before.
    for one in (former, person):
        await _end_waits(services, tx, one)
    # 3. The means, what ends with the vault that waits, and its papers.
    manner = await _manner(services, row)
    united = await unite(
        services, tx, former, person, prepared.chosen, prepared.tags, typed.act, manner
    )
    if isinstance(united, NotChanged):
        return united
    # 4. That it is done, in both rows and both logs; and a session of the former vault.
    await records.change(tx, macs, row, opened_at=await instant(tx), former_id=former.id)
    await _keep_join(services, tx, former, person)
    await _record(services, tx, (former, person), row, united)
    return await _enter(services, tx, former, person, visitor), united.moved.blob_keys


async def _end_waits(services: Services, tx: AsyncConnection, person: Person) -> None:
    """A change without a proof, an erasure, a join that was not made: each its line."""
    await proof_waits.withdraw_all(services, tx, person)
    await erasure_requests.keep_vault(services, tx, person)
    if await joins.drop_unmade(tx, person.id):
        await means_log.record(services, tx, person, Action.JOIN_WITHDRAWN)


async def _keep_join(
    services: Services, tx: AsyncConnection, former: Person, waiting: Person
) -> None:
    """Which vault ended in which, as of one that its person joined."""
    macs, join_id, at = await services.field_encryption.row_macs(), new_id(), await instant(tx)
    writer = await services.field_encryption.writer(None)
    await joins.add_join(
        tx,
        macs,
        id=join_id,
        person_id=waiting.id,
        stays_id=former.id,
        code_tag=None,
        sealed=writer.seal(JOIN, join_id, {"asked_in": str(waiting.session_id)}),
        created_at=at,
        answered_at=at,
        joined_at=at,
    )
    await lead_on(services, tx, waiting.id, former.id)


async def _record(
    services: Services,
    tx: AsyncConnection,
    vaults: tuple[Person, Person],
    row: Row[Any],
    united: United,
) -> None:
    """Both workers are named in both logs."""
    agents = (await kept_of(services, row)).agents
    told = {
        "recovery": str(row.id),
        "workers": " ".join(one.worker_id for one in agents),
        "with": ", ".join(_named(one) for one in agents),
    }
    former, waiting = vaults
    papers = {"papers": united.moved.papers}
    for one, more in ((former, {**papers, **united.told}), (waiting, papers)):
        await means_log.record_by(services, tx, one, _OPENED, one.actor(), {**told, **more})
    await record_left(services, tx, waiting, united)


def _named(agent: Agent) -> str:
    return f"{agent.name} ({agent.job}, {agent.organisation})"


async def _enter(
    services: Services, tx: AsyncConnection, former: Person, waiting: Person, visitor: Visitor
) -> NewSession:
    """On a device that others use, as the session was in which it was opened."""
    await people.touch_person(tx, await services.field_encryption.row_macs(), former.id)
    here = replace(visitor, shared=visitor.shared or waiting.shared)
    shown, level = {"level": waiting.means.value}, waiting.means
    entered = Person(former.id, former.language)
    return await open_recorded_session(services, tx, entered, here, level=level, shown=shown)


def _changed() -> NotChanged:
    error = ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
    return NotChanged("changed_meanwhile", error)
