"""One gesture stops a recovery: a tap in the vault that would be opened, the digits of a warning, a
trusted person's tap; an agent who withdraws it, or its own person who gives it up.

A stop without a proof ends it once and weighs on the next one; it does not end one that waited for
that (`strong`). Stopped, it opens nothing, and nothing was erased.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import holder_proofs, means_log
from auth.holder_proofs import NO_PROOF, Proof, ShownProof
from auth.living_vaults import hold_living_vault
from auth.means_changes import NotChanged
from auth.rate_buckets import Rate, SharedBuckets
from auth.subjects import Person, Worker
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, not_found
from base.ids import new_id
from vault import decisions
from vault.decisions import AccessAttempt, Denial
from vault.recovery import records, recovery_agents, recovery_log, warnings
from vault.recovery.formers import leading_to
from vault.recovery.held_vaults import hold
from vault.recovery.recovery_codes import stop_tag_of, tag_of
from vault.recovery.recovery_rules import REMEMBERED, EndedBy, may_stop
from vault.recovery.recovery_values import facts_of, kept_of
from vault.recovery.second_agents import attempt_of, wrong_codes
from vault.rules import Reason
from vault.services import Services
from vault.trusted import vouching

TYPED = Rate(5, timedelta(minutes=12))
"""How many digits a network types: five at once, and five an hour after that."""
_ACTION = Action.RECOVERY_STOPPED


async def stop(
    services: Services, person: Person, recovery_id: UUID, proof: Proof = NO_PROOF
) -> None:
    """Stop it from the vault that it would open. With a `proof`, for good; without, one that waits
    for a proof stays. A second time changes nothing.

    Raises as `auth.holder_proofs.show` where a proof is given; `ServiceError` REFUSED
    `proof_needed`; NOT_FOUND; CONFLICT `recovery_over` for one that opened it, or is over. Refusals
    are recorded. A crash before the commit leaves it as it was.
    """
    shown = None
    if proof != NO_PROOF:
        shown = await holder_proofs.show(services, person, _ACTION, proof, or_waited=False)
    async with services.database.transaction() as tx:
        refused = await _stop(services, tx, person, recovery_id, shown)
        if refused is not None:
            await means_log.record(services, tx, person, _ACTION, reason=refused.reason)
    if refused is not None:
        raise refused.error


async def stop_by_code(services: Services, typed: str, network: str) -> None:
    """Stop the recovery whose warning holds these digits. Nothing tells whether there is one.

    Raises `ServiceError` TOO_MANY `too_many_requests`.
    """
    taken = await SharedBuckets(services, "recovery-stop", TYPED).take(network.encode(), 1)
    if not taken.granted:
        wait = max(1, round(taken.wait))
        raise ServiceError(ErrorKind.TOO_MANY, "too_many_requests", retry_after=wait)
    macs = await services.field_encryption.row_macs()
    tag = await stop_tag_of(services, typed)
    async with services.database.transaction() as tx:
        found = await records.of_stop(tx, tag)
        former = None if found is None else found.former_id
        waiting = new_id() if found is None else found.waiting_id
        await hold(tx, waiting, former or new_id())
        row = await records.recovery_to_change(tx, macs, new_id() if found is None else found.id)
        if row is not None and (former is None or row.former_id != former):
            row = None
        may = row is not None and await _may(services, row, "phone")
        if row is not None and may:
            await _end(tx, macs, row, "phone")
            tied = recovery_log.Tied(row.id, waiting, former)
            await recovery_log.record_end(services, tx, tied, "phone")
        else:
            await records.change_none(tx)
            reason = "not_found" if row is None else _why_not(row)
            known = None if row is None else former
            await recovery_log.record_not_stopped(services, tx, known, reason)
        await warnings.tell_stopped(services, tx, former or new_id(), send=may)


async def stop_by_trusted(services: Services, person: Person, naming_id: UUID) -> None:
    """Stop what would open the vault of somebody who trusts the caller, or did until a few days
    ago. Nothing tells whether there was something.

    Raises `ServiceError` NOT_FOUND, recorded.
    """
    macs = await services.field_encryption.row_macs()
    told: dict[str, str | int] = {"trusted": str(naming_id), "by": "trusted"}
    attempt = AccessAttempt(action=_ACTION, actor=person.actor(), person=person.id, details=told)
    async with services.database.transaction() as tx:
        vault = await vouching.trusting_vault(services, tx, person, naming_id)
        if vault is not None:
            await hold(tx, vault)
            for row in await _living_of(services, tx, vault):
                locked = await records.recovery_to_change(tx, macs, row.id)
                if locked is not None and await _may(services, locked, "trusted"):
                    await _end(tx, macs, locked, "trusted")
                    tied = recovery_log.Tied(row.id, row.waiting_id, vault)
                    await recovery_log.record_end(services, tx, tied, "trusted")
                    await warnings.tell_stopped(services, tx, vault, send=True)
            await decisions.record_allowed(services, tx, await instant(tx), attempt)
    if vault is None:
        raise await decisions.record_refusal(services, attempt, Reason.NOT_FOUND)


async def withdraw(services: Services, worker: Worker, code: str) -> None:
    """One of its agents ends it: the slip is lost, or it was begun by mistake. A second time
    changes nothing, and is answered as one that was stopped.

    Raises `ServiceError` REFUSED `desk_not_allowed`, `agent_too_new`, `recovery_code_wrong`;
    TOO_MANY `too_many_recoveries`; recorded.
    """
    buckets = wrong_codes(services)
    await recovery_agents.check(services, worker, _ACTION, buckets)
    tag = await tag_of(services, code)
    await decisions.decide(services, lambda tx: _withdraw(services, tx, worker, tag))
    await buckets.give_back(worker.id.bytes, 1)


async def give_up(services: Services, person: Person) -> None:
    """The person of the vault that waits wants what they had no more. A second time changes
    nothing.

    Raises `ServiceError` NOT_FOUND; CONFLICT `recovery_over` once it opened or is over. Refusals
    are recorded.
    """
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        await hold_living_vault(tx, person.id)
        row = await records.of_waiting_to_change(tx, macs, person.id)
        refused = _refused(row)
        if row is not None and refused is None and row.ended_at is None:
            await _end(tx, macs, row, "waiting")
            tied = recovery_log.Tied(row.id, row.waiting_id, row.former_id)
            await recovery_log.record_end(services, tx, tied, "waiting", person)
            former = row.former_id
            await warnings.tell_stopped(services, tx, former or new_id(), send=former is not None)
        if refused is not None:
            await means_log.record(services, tx, person, _ACTION, reason=refused.reason)
    if refused is not None:
        raise refused.error


async def _stop(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    recovery_id: UUID,
    shown: ShownProof | None,
) -> NotChanged | None:
    macs = await services.field_encryption.row_macs()
    await hold_living_vault(tx, person.id)
    row = await records.recovery_to_change(tx, macs, recovery_id)
    if row is None or row.former_id not in await leading_to(services, tx, person.id):
        return NotChanged("not_found", not_found())
    refused = _refused(row)
    if refused is not None or row.ended_at is not None:
        return refused
    if shown is not None and not await holder_proofs.serves(services, tx, person, shown):
        return NotChanged("proof_wrong", ServiceError(ErrorKind.REFUSED, "proof_wrong"))
    by: EndedBy = "session" if shown is None else "holder"
    if not await _may(services, row, by):
        return NotChanged("proof_needed", ServiceError(ErrorKind.REFUSED, "proof_needed"))
    if shown is not None:
        await holder_proofs.spend(services, tx, person, shown)
    await _end(tx, macs, row, by)
    tied = recovery_log.Tied(row.id, row.waiting_id, person.id)
    await recovery_log.record_end(services, tx, tied, by, person)
    await warnings.tell_stopped(services, tx, person.id, send=True)
    return None


async def _withdraw(
    services: Services, tx: AsyncConnection, worker: Worker, tag: bytes
) -> Denial | None:
    macs = await services.field_encryption.row_macs()
    found = await records.of_code(tx, tag)
    nobody = new_id()
    waiting = nobody if found is None else found.waiting_id
    former = None if found is None else found.former_id
    await hold(tx, waiting, former or nobody)
    row = await records.of_code_to_change(tx, macs, tag)
    kept = None if row is None else await kept_of(services, row)
    theirs = kept is not None and str(worker.id) in {one.worker_id for one in kept.agents}
    if row is None or not theirs or row.former_id != former:
        return Denial(attempt_of(worker, _ACTION), Reason.RECOVERY_CODE, fields=(("code",),))
    if not may_stop(facts_of(row, former=True), strong=False, by="worker"):
        return None
    await _end(tx, macs, row, "worker")
    tied = recovery_log.Tied(row.id, row.waiting_id, former)
    await recovery_log.record_withdrawal(services, tx, worker, tied)
    await warnings.tell_stopped(services, tx, former or nobody, send=former is not None)
    return None


def _why_not(row: Any) -> str:
    return "proof_needed" if facts_of(row, former=True).lives else "recovery_over"


def _refused(row: Any) -> NotChanged | None:
    """Why nothing is left to stop; None where it lives, or was stopped before."""
    if row is None:
        return NotChanged("not_found", not_found())
    facts = facts_of(row, former=True)
    if facts.opened_at is None and (facts.ended_at is not None or facts.lives):
        return None
    return NotChanged("recovery_over", ServiceError(ErrorKind.CONFLICT, "recovery_over"))


async def _living_of(services: Services, tx: AsyncConnection, vault: UUID) -> list[Any]:
    macs = await services.field_encryption.row_macs()
    found: list[Any] = []
    for one in await leading_to(services, tx, vault):
        found += await records.of_former(tx, macs, one, REMEMBERED)
    return [row for row in found if facts_of(row, former=True).lives]


async def _may(services: Services, row: Any, by: EndedBy) -> bool:
    strong = (await kept_of(services, row)).strong
    return may_stop(facts_of(row, former=True), strong=strong, by=by)


async def _end(tx: AsyncConnection, macs: Any, row: Any, by: EndedBy) -> None:
    await records.change(tx, macs, row, ended_at=row.at, ended_by=by)
