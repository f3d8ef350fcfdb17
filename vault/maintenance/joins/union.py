"""The yes by which two vaults become one, in one commit: a crash before it leaves both as they
were, and after it everything is done but the removal of files that both held, which the sweep does.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import holder_proofs, joined_means, means_log
from auth.holder_proofs import NO_PROOF, Proof, ShownProof
from auth.means_changes import NotChanged, settle
from auth.pin_rules import read_pin
from auth.pins import TypedChoice
from auth.rate_buckets import Rate
from auth.records import joins as records
from auth.subjects import Person
from base.db_time import instant
from base.errors import ErrorKind, ServiceError
from base.locks import hold_tags
from vault.consent.consent_acts import ConsentAct
from vault.documents.moves import moved_papers
from vault.maintenance.cleanup import remove_blobs
from vault.maintenance.joins.join_codes import see
from vault.maintenance.joins.join_judgement import judge_yes, over
from vault.maintenance.joins.join_views import JoinView, view_of_join
from vault.maintenance.joins.united_vaults import lead_on, record_left, unite
from vault.rate_limit import take_turn
from vault.services import Services

YESES = Rate(10, timedelta(minutes=6))
"""How often a vault says yes, whatever becomes of it: each may read many papers."""


@dataclass(frozen=True, slots=True)
class TypedYes:
    """What a person types with their yes: the PIN of the joined vault, twice, where one is asked,
    and the proof that the vault which stays asks for. `act`: how it was said, where not by the
    API."""

    pin: str = field(default="", repr=False)
    again: str = field(default="", repr=False)
    proof: Proof = NO_PROOF
    act: ConsentAct | None = None


async def join(services: Services, person: Person, join_id: UUID, typed: TypedYes) -> JoinView:
    """Say yes, in the vault that stays. A second time changes nothing.

    Raises as `auth.holder_proofs.show`, `auth.pin_rules.read_pin`; `ServiceError` NOT_FOUND,
    CONFLICT `join_over`, `join_not_now`, `means_too_new`, `too_many_cards`, `vault_full`,
    `too_many_documents`; INVALID `pin_weak`, TOO_MANY `too_many_pins`, `too_many_requests`;
    PRECONDITION `changed_meanwhile`. Refusals are recorded.
    """
    view = await see(services, person, join_id)
    if view.side != "stays" or view.state == "joined":
        return view
    try:
        return await _say_yes(services, person, view, typed)
    except ServiceError:
        # Of two at once, the second finds its proof used up, by the same yes.
        made = await _made(services, person, join_id)
        if made is not None:
            return made
        raise


async def _made(services: Services, person: Person, join_id: UUID) -> JoinView | None:
    """The join, if it is made; None of one that is not, or was withdrawn: its refusal is said."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.join(tx, macs, join_id)
        if row is None or row.stays_id != person.id or row.joined_at is None:
            return None
        return await view_of_join(services, tx, row, person)


async def _say_yes(services: Services, person: Person, view: JoinView, typed: TypedYes) -> JoinView:
    action = Action.VAULT_JOINED
    await take_turn(services, person, action, "join-yes", YESES)
    asks_pin = view.plan is not None and view.plan.asks_pin
    digits = read_pin(typed.pin, typed.again) if asks_pin else None
    shown = await holder_proofs.show(services, person, action, typed.proof, or_waited=False)
    prepared = await _prepare(services, person, view.id, digits)
    outcome = await _joined(services, person, prepared, shown, typed.act)
    if isinstance(outcome, NotChanged):
        raise outcome.error
    joined, blob_keys = outcome
    await remove_blobs(services, blob_keys)
    return joined


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What is costly, or counted, and done before any lock: looked at again under it. `phones`: of
    both vaults; `tags`: of the papers that may be in both."""

    row: Row[Any]
    phones: list[bytes]
    tags: dict[UUID, bytes]
    chosen: TypedChoice | None


async def _prepare(
    services: Services, person: Person, join_id: UUID, digits: str | None
) -> _Prepared:
    """Refused first, and at little cost, where it cannot be."""
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.join(tx, macs, join_id)
        refused = await judge_yes(services, tx, person, row)
        if refused is not None:
            action = Action.VAULT_JOINED
            await means_log.record(services, tx, person, action, reason=refused.reason)
        elif row is not None:
            has, gets = [
                await joined_means.phones_of(services, tx, one)
                for one in (person.id, row.person_id)
            ]
    if refused is not None or row is None:
        raise (refused or over()).error
    chosen = None
    if digits is not None:
        chosen = await joined_means.choose(
            services, person, (person.id, row.person_id), digits, (has, gets)
        )
    tags = await moved_papers.possible_doubles(services, person.id, row.person_id)
    return _Prepared(row, [*gets, *has], tags, chosen)


_Joined = tuple[JoinView, tuple[str, ...]]


async def _joined(
    services: Services,
    person: Person,
    prepared: _Prepared,
    shown: ShownProof,
    said: ConsentAct | None,
) -> _Joined | NotChanged:
    ended, phones = prepared.row.person_id, prepared.phones

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> _Joined | NotChanged:
        now = await joined_means.phones_of(services, tx, ended, person.id)
        if now != phones:
            error = ServiceError(ErrorKind.PRECONDITION, "changed_meanwhile")
            return NotChanged("changed_meanwhile", error)
        return await _join(services, tx, person, prepared, said)

    async with services.database.transaction() as tx:
        # The phones, then both vaults, in one order for everyone: of two joins of the same vaults,
        # either way round, the second finds what the first did.
        await hold_tags(tx, phones)
        await hold_tags(tx, (person.id.bytes[8:], ended.bytes[8:]))
        return await settle(services, tx, person, Action.VAULT_JOINED, shown, act, phones)


async def _join(
    services: Services,
    tx: AsyncConnection,
    person: Person,
    prepared: _Prepared,
    said: ConsentAct | None,
) -> _Joined | NotChanged:
    """The caller holds both vaults and their phones."""
    macs = await services.field_encryption.row_macs()
    row = await records.join_to_change(tx, macs, prepared.row.id)
    refused = await judge_yes(services, tx, person, row)
    if refused is not None or row is None:
        return refused or over()
    # By the session that says yes, in the vault that stays: the evidence of what ends says so.
    ended = Person(row.person_id, person.language, means=person.means)
    # 1. The means, what ends with the other vault, and the papers.
    united = await unite(services, tx, person, ended, prepared.chosen, prepared.tags, said)
    if isinstance(united, NotChanged):
        return united
    # 2. The join, those that were made into the other before, and one line in each log.
    await records.change_join(tx, macs, row, joined_at=await instant(tx))
    await lead_on(services, tx, ended.id, person.id)
    await record_left(services, tx, ended, united)
    details = {"papers": united.moved.papers, **united.told}
    action, actor = Action.VAULT_JOINED, person.actor()
    await means_log.record_by(services, tx, person, action, actor, details)
    found = await records.join(tx, macs, row.id)
    if found is None:
        raise LookupError("a join vanished within its transaction")
    return await view_of_join(services, tx, found, person), united.moved.blob_keys
