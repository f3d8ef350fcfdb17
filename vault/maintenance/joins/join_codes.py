"""How a join begins: digits are shown in the vault that will end, and typed in the one that stays.

Whoever asks proves that they are there now, as for a change of means: a session that was taken over
gives no vault away. An unknown, expired, typed or own code is refused in the same way, at the same
cost. See docs/adr/0062-joined-vaults.md.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import assistance, holder_proofs, means_log, sessions
from auth.holder_proofs import Proof, ShownProof
from auth.joined_means import is_there
from auth.means_changes import NotChanged, settle
from auth.new_means import judge_age, new_means_of
from auth.rate_buckets import Rate
from auth.records import joins as records
from auth.subjects import Person
from base.db_time import instant
from base.errors import ServiceError
from base.ids import new_id
from base.key_names import JOIN, JOIN_CODE
from base.locks import hold_tags, hold_vault
from base.user_text import digits_of
from vault import decisions
from vault.decisions import AccessAttempt, Denial
from vault.maintenance.joins.join_judgement import judge_waits
from vault.maintenance.joins.join_rules import may_answer_join, state_of_join
from vault.maintenance.joins.join_views import JoinView, asking_session, facts_of, view_of_join
from vault.rate_limit import take_turn
from vault.rules import Reason
from vault.services import Services

ASKED = Rate(5, timedelta(hours=1))
"""How many codes a vault gets."""
WRONG_CODES = Rate(5, timedelta(hours=4, minutes=48))
"""How many wrong codes an account types: five at once, and five a day after that."""
DIGITS = 8
_DRAWS = 20


async def ask(services: Services, person: Person, proof: Proof) -> JoinView:
    """Show digits for ten minutes, in the vault that will end; those of before serve no more. Its
    phone is told.

    Raises as `auth.holder_proofs.show`; `ServiceError` TOO_MANY `too_many_requests`, CONFLICT
    `join_not_now` while an erasure or a proof waits, `means_too_new`. A crash before the commit
    leaves nothing.
    """
    action = Action.JOIN_ASKED
    shown = await holder_proofs.show(services, person, action, proof, or_waited=False)
    await take_turn(services, person, action, "join", ASKED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> JoinView | NotChanged:
        refused = await judge_waits(services, tx, person.id)
        refused = refused or await judge_age(services, tx, person.id)
        return refused or await _show(services, tx, person)

    async with services.database.transaction() as tx:
        asked = await settle(services, tx, person, action, shown, act)
    if isinstance(asked, NotChanged):
        raise asked.error
    return asked


async def withdraw(services: Services, person: Person) -> None:
    """In the vault that would end: what was asked serves no more, typed or not. Nothing is recorded
    where there was nothing. Raises `ServiceError` REFUSED `not_when_represented`, recorded."""
    await assistance.check_self(services, person, Action.JOIN_WITHDRAWN)
    async with services.database.transaction() as tx:
        await hold_vault(tx, person.id)
        if await records.drop_unmade(tx, person.id):
            await means_log.record(services, tx, person, Action.JOIN_WITHDRAWN)


async def answer(services: Services, person: Person, code: str) -> JoinView:
    """Type the digits, in the vault that stays: what would happen is shown.

    Raises `ServiceError` REFUSED `join_code_wrong`, `not_when_assisted`; CONFLICT `means_too_new`;
    TOO_MANY `too_many_requests`.
    """
    action = Action.JOIN_SEEN
    await assistance.check_alone(services, person, action)
    await _check_age(services, person, action)
    # 1. Counted before anything is looked up, so that guesses at once cannot pass the limit.
    buckets = await take_turn(services, person, action, "join-code", WRONG_CODES)
    tag = await _code_tag(services, digits_of(code))
    # 2. Judged, changed and recorded in one commit: a crash before it leaves the code as it was.
    view = await decisions.decide(services, lambda tx: _answer(services, tx, person, tag))
    # 3. A good code costs nothing. A crash before this costs one of five, which comes back.
    await buckets.give_back(person.id.bytes, 1)
    return view


async def see(services: Services, person: Person, join_id: UUID) -> JoinView:
    """A join, to its two vaults; not recorded, since its steps are. Raises `ServiceError`
    `not_found`, REFUSED `not_when_assisted`; these are."""
    await assistance.check_alone(services, person, Action.JOIN_SEEN)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        row = await records.join(tx, macs, join_id)
        if row is not None and person.id in (row.person_id, row.stays_id):
            return await view_of_join(services, tx, row, person)
    raise await unknown(services, person, Action.JOIN_SEEN)


async def unknown(services: Services, person: Person, action: Action) -> ServiceError:
    """Another one's join, or none: recorded in the caller's log, the same answer (invariant 7)."""
    attempt = AccessAttempt(action=action, actor=person.actor(), person=person.id)
    return await decisions.record_refusal(services, attempt, Reason.NOT_FOUND)


async def possible_at(services: Services, person: Person) -> datetime | None:
    """From when the caller's means are old enough to join, either way; None where they are."""
    async with services.database.transaction() as tx:
        new = await new_means_of(services, tx, person.id)
    return None if new is None else new.possible_at


async def _check_age(services: Services, person: Person, action: Action) -> None:
    """Before the digits are used up for nothing: the yes is judged again."""
    async with services.database.transaction() as tx:
        refused = await judge_age(services, tx, person.id)
        if refused is not None:
            await means_log.record(services, tx, person, action, reason=refused.reason)
    if refused is not None:
        raise refused.error


async def _show(services: Services, tx: AsyncConnection, person: Person) -> JoinView:
    macs = await services.field_encryption.row_macs()
    await records.drop_unmade(tx, person.id)
    row = await _draw(services, tx, person, new_id())
    await means_log.tell(services, tx, person.id, Action.JOIN_ASKED)
    await means_log.record(services, tx, person, Action.JOIN_ASKED)
    found = await records.join(tx, macs, row)
    if found is None:
        raise LookupError("a join vanished within its transaction")
    return await view_of_join(services, tx, found, person)


async def _draw(services: Services, tx: AsyncConnection, person: Person, join_id: UUID) -> UUID:
    """Insert the row with digits that no living join has."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    at = await instant(tx)
    for _ in range(_DRAWS):
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        tag = await _code_tag(services, code)
        # Digits that nobody typed in time are free again; living ones are another's.
        held = await records.join_to_answer(tx, tag)
        if held is not None and state_of_join(facts_of(held)) == "over":
            await records.change_join(tx, macs, held, code_tag=None)
        sealed = writer.seal(JOIN, join_id, {"code": code, "asked_in": str(person.session_id)})
        values = {"person_id": person.id, "code_tag": tag, "sealed": sealed, "created_at": at}
        if await records.add_join(tx, macs, id=join_id, **values):
            return join_id
    raise LookupError("no code is free")


async def _answer(
    services: Services, tx: AsyncConnection, person: Person, tag: bytes
) -> JoinView | Denial:
    macs = await services.field_encryption.row_macs()
    found = await records.join_of_code(tx, tag)
    # The same statements in every case: a vault that does not exist is held when none is known.
    others = found is not None and found.person_id != person.id
    other: UUID = found.person_id if found is not None and others else new_id()
    await hold_tags(tx, (person.id.bytes[8:], other.bytes[8:]))
    there = await is_there(services, tx, other)
    row = await records.join_to_answer(tx, tag)
    asked_in = None if row is None else await asking_session(services, row)
    asks = await sessions.lives(services, tx, other, asked_in or new_id())
    mine = AccessAttempt(action=Action.JOIN_SEEN, actor=person.actor(), person=person.id)
    may = may_answer_join(row and facts_of(row), person_id=person.id)
    if row is None or not (there and asks and may) or row.person_id != other:
        return Denial(mine, Reason.JOIN_CODE, fields=(("code",),))
    writer = await services.field_encryption.writer(None)
    sealed = writer.seal(JOIN, row.id, {"asked_in": str(asked_in)})
    changed = {"code_tag": None, "stays_id": person.id, "answered_at": row.at, "sealed": sealed}
    await records.change_join(tx, macs, row, **changed)
    # In both logs before anything is shown: in the other one without whose vault it was.
    theirs = AccessAttempt(
        action=Action.JOIN_SEEN, actor=Actor(ActorKind.ANONYMOUS), person=row.person_id
    )
    for attempt in (mine, theirs):
        await decisions.record_allowed(services, tx, row.at, attempt)
    return await _seen(services, tx, row, person)


async def _seen(services: Services, tx: AsyncConnection, row: Row[Any], person: Person) -> JoinView:
    macs = await services.field_encryption.row_macs()
    found = await records.join(tx, macs, row.id)
    if found is None:
        raise LookupError("a join vanished within its transaction")
    return await view_of_join(services, tx, found, person)


async def _code_tag(services: Services, code: str) -> bytes:
    return await services.field_encryption.tag(JOIN_CODE, code)
