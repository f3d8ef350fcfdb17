"""A person names somebody whom they trust, face to face: digits that one shows and the other types.

Both have a vault, and the one who is named says yes in their own. Whoever names proves that they
are there now: a session that was taken over names nobody. Digits that are unknown, expired, typed
or one's own, or of somebody who trusts the caller already, are refused in the same way, at the same
cost. See docs/adr/0064-trusted-people.md.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action, Actor, ActorKind
from auth import assistance, holder_proofs, means_log, sessions
from auth.holder_proofs import Proof, ShownProof
from auth.joined_means import is_there
from auth.means_changes import NotChanged, settle
from auth.rate_buckets import Rate
from auth.subjects import Person
from base.db_time import instant
from base.errors import ErrorKind, ServiceError, about, invalid, not_found
from base.ids import new_id
from base.key_names import TRUSTED
from base.locks import hold_tags
from base.user_text import clean_title
from vault import decisions
from vault.decisions import AccessAttempt, Denial
from vault.rate_limit import take_turn
from vault.rules import Reason
from vault.services import Services
from vault.trusted import records
from vault.trusted.trusted_codes import NAMING, code_tag, draw
from vault.trusted.trusted_rules import (
    AT_MOST,
    FOR_AT_MOST,
    may_answer_naming,
    state_of_trusted,
)
from vault.trusted.trusted_views import TrustedView, facts_of, values_of, view_of_trusted

LONGEST = 60
"""Of what each calls the other."""
ASKED = Rate(5, timedelta(hours=1))
"""How many digits a vault gets, of namings and to vouch together."""
WRONG_CODES = Rate(5, timedelta(hours=4, minutes=48))
"""How many wrong digits an account types: five at once, and five a day after that."""
SOMEBODY = Actor(ActorKind.ANONYMOUS)
"""The other one, in each log: whoever it is of knows who it is, and nobody else reads it there."""


async def name(
    services: Services, person: Person, label: str, own_name: str, proof: Proof
) -> TrustedView:
    """Show digits for ten minutes; those of before serve no more. `label`: what the person calls
    whom they name; `own_name`: what these call the person.

    Raises as `auth.holder_proofs.show`; `ServiceError` INVALID `text_empty`, `text_too_long`,
    CONFLICT `too_many_trusted`, TOO_MANY `too_many_requests`. A crash before the commit leaves
    nothing.
    """
    action = Action.TRUSTED_NAMED
    await assistance.check_alone(services, person, action)
    words = {"label": _word("label", label), "own_name": _word("own_name", own_name)}
    shown = await holder_proofs.show(services, person, action, proof, or_waited=False)
    await take_turn(services, person, action, "trusted", ASKED)

    async def act(tx: AsyncConnection, _row: Any, _shown: ShownProof) -> TrustedView | NotChanged:
        macs = await services.field_encryption.row_macs()
        if len(_trusted_in(await records.trusted_by(tx, macs, person.id))) >= AT_MOST:
            return too_many()
        return await _show(services, tx, person, words)

    async with services.database.transaction() as tx:
        named = await settle(services, tx, person, action, shown, act)
    if isinstance(named, NotChanged):
        raise named.error
    return named


async def answer(services: Services, person: Person, code: str) -> TrustedView:
    """Type the digits that the other one shows: who it is of is shown, and a yes is asked.

    Raises `ServiceError` REFUSED `trusted_code_wrong`, `not_when_assisted`; TOO_MANY
    `too_many_requests`.
    """
    action = Action.TRUSTED_SEEN
    await assistance.check_alone(services, person, action)
    # Counted before anything is looked up, so that guesses at once cannot pass the limit; good
    # digits cost nothing.
    buckets = await take_turn(services, person, action, "trusted-code", WRONG_CODES)
    tag = await code_tag(services, NAMING, code)
    view = await decisions.decide(services, lambda tx: _answer(services, tx, person, tag))
    await buckets.give_back(person.id.bytes, 1)
    return view


async def accept(services: Services, person: Person, naming_id: UUID) -> TrustedView:
    """Say yes, as the one who was named; the person who named is told. A second time changes
    nothing.

    Raises `ServiceError` NOT_FOUND, REFUSED `not_when_assisted`; CONFLICT `trusted_over`,
    `too_many_trusted`. Refusals are recorded.
    """
    action = Action.TRUSTED_ACCEPTED
    await assistance.check_alone(services, person, action)
    macs = await services.field_encryption.row_macs()
    async with services.database.transaction() as tx:
        found = await records.naming(tx, macs, naming_id)
    if found is None or found.trusted_id != person.id:
        raise await unknown(services, person, action)
    async with services.database.transaction() as tx:
        await hold_tags(tx, (person.id.bytes[8:], found.person_id.bytes[8:]))
        if not await is_there(services, tx, person.id):
            raise not_found()
        accepted = await _accept(services, tx, person, found)
        if isinstance(accepted, NotChanged):
            await means_log.record(services, tx, person, action, reason=accepted.reason)
    if isinstance(accepted, NotChanged):
        raise accepted.error
    return accepted


async def unknown(services: Services, person: Person, action: Action) -> ServiceError:
    """Another one's naming, or none: recorded in the caller's log, the same answer (invariant
    7)."""
    attempt = AccessAttempt(action=action, actor=person.actor(), person=person.id)
    return await decisions.record_refusal(services, attempt, Reason.NOT_FOUND)


async def record_both(
    services: Services, tx: AsyncConnection, person: Person, row: Row[Any], action: Action
) -> None:
    """An allowed act of one side of a naming, in its log and, without whose it was, in the other
    one's. The caller MUST have checked the row."""
    other: UUID | None = row.trusted_id if row.person_id == person.id else row.person_id
    await means_log.record(services, tx, person, action, trusted=str(row.id))
    if other is not None:
        await record_other(services, tx, other, row, action)


async def record_other(
    services: Services, tx: AsyncConnection, other: UUID, row: Row[Any], action: Action
) -> None:
    """The line of the other side alone."""
    details: dict[str, str | int] = {"trusted": str(row.id)}
    attempt = AccessAttempt(action=action, actor=SOMEBODY, person=other, details=details)
    await decisions.record_allowed(services, tx, await instant(tx), attempt)


def over() -> NotChanged:
    """What is there no more, or came too late."""
    return NotChanged("trusted_over", ServiceError(ErrorKind.CONFLICT, "trusted_over"))


def too_many() -> NotChanged:
    """Of whom one trusts, or by whom one is trusted."""
    return NotChanged("too_many_trusted", ServiceError(ErrorKind.CONFLICT, "too_many_trusted"))


def _word(name: str, typed: str) -> str:
    with about(name):
        cleaned = clean_title(typed, LONGEST)
        if cleaned is None:
            raise invalid("text_empty")
    return cleaned


def _trusted_in(rows: Sequence[Row[Any]]) -> list[UUID | None]:
    """Those of these who are trusted now."""
    return [one.trusted_id for one in rows if state_of_trusted(facts_of(one)) == "accepted"]


async def _show(
    services: Services, tx: AsyncConnection, person: Person, words: dict[str, str]
) -> TrustedView:
    """Insert the row with digits that no living one has."""
    macs = await services.field_encryption.row_macs()
    writer = await services.field_encryption.writer(None)
    await records.drop_unaccepted(tx, person.id)
    naming_id, at = new_id(), await instant(tx)
    code, tag = await draw(services, tx, NAMING)
    values = words | {"code": code, "asked_in": str(person.session_id)}
    row = {"person_id": person.id, "code_tag": tag, "created_at": at}
    sealed = writer.seal(TRUSTED, naming_id, values)
    if not await records.add_naming(tx, macs, id=naming_id, sealed=sealed, **row):
        raise LookupError("no code is free")
    await means_log.record(services, tx, person, Action.TRUSTED_NAMED, trusted=str(naming_id))
    return await _seen(services, tx, naming_id, person)


async def _answer(
    services: Services, tx: AsyncConnection, person: Person, tag: bytes
) -> TrustedView | Denial:
    macs = await services.field_encryption.row_macs()
    found = await records.naming_of_code(tx, tag)
    # The same statements in every case: a vault that does not exist is held when none is known.
    other: UUID = new_id() if found is None or found.person_id == person.id else found.person_id
    await hold_tags(tx, (person.id.bytes[8:], other.bytes[8:]))
    if not await is_there(services, tx, person.id):
        raise not_found()
    there = await is_there(services, tx, other)
    trusted = _trusted_in(await records.trusted_by(tx, macs, other))
    row = await records.naming_to_answer(tx, tag)
    values = {} if row is None else await values_of(services, row)
    asked_in = UUID(values["asked_in"]) if "asked_in" in values else new_id()
    asks = await sessions.lives(services, tx, other, asked_in)
    mine = AccessAttempt(action=Action.TRUSTED_SEEN, actor=person.actor(), person=person.id)
    may = may_answer_naming(row and facts_of(row), person_id=person.id)
    may = may and there and asks and person.id not in trusted
    if row is None or not may or row.person_id != other:
        return Denial(mine, Reason.TRUSTED_CODE, fields=(("code",),))
    writer = await services.field_encryption.writer(None)
    kept = {word: values[word] for word in ("label", "own_name")}
    sealed = writer.seal(TRUSTED, row.id, kept)
    changed = {"code_tag": None, "trusted_id": person.id, "answered_at": row.at, "sealed": sealed}
    await records.change_naming(tx, macs, row, **changed)
    # In both logs before anything is shown: in the other one without whose vault it was.
    await means_log.record(services, tx, person, Action.TRUSTED_SEEN, trusted=str(row.id))
    await record_other(services, tx, row.person_id, row, Action.TRUSTED_SEEN)
    return await _seen(services, tx, row.id, person)


async def _accept(
    services: Services, tx: AsyncConnection, person: Person, found: Row[Any]
) -> TrustedView | NotChanged:
    """The caller holds both vaults."""
    macs = await services.field_encryption.row_macs()
    row = await records.naming_to_change(tx, macs, found.id)
    there = await is_there(services, tx, found.person_id)
    state = "over" if row is None else state_of_trusted(facts_of(row))
    if row is not None and state == "accepted":
        return await view_of_trusted(services, row, person)
    if row is None or state != "answered" or not there:
        return over()
    if len(_trusted_in(await records.trusting(tx, macs, person.id))) >= FOR_AT_MOST:
        return too_many()
    theirs = await records.trusted_by(tx, macs, row.person_id)
    if len(_trusted_in(theirs)) >= AT_MOST or person.id in _trusted_in(theirs):
        return over()
    await records.change_naming(tx, macs, row, accepted_at=row.at)
    await record_both(services, tx, person, row, Action.TRUSTED_ACCEPTED)
    await means_log.tell(services, tx, row.person_id, Action.TRUSTED_ACCEPTED)
    return await _seen(services, tx, row.id, person)


async def _seen(
    services: Services, tx: AsyncConnection, naming_id: UUID, person: Person
) -> TrustedView:
    macs = await services.field_encryption.row_macs()
    row = await records.naming(tx, macs, naming_id)
    if row is None:
        raise LookupError("a naming vanished within its transaction")
    return await view_of_trusted(services, row, person)
